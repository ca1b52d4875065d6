"""The Bridge's side of a question in a unit test: rows in memory, a scripted gateway, a chat."""

import threading
import uuid
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError
from pynamodb.exceptions import UpdateError

from bridge.openclaw.gateway import GatewayError
from bridge.questions.asked import Asked
from bridge.turns.delivery import Delivery
from chalicelib.messages.inbox import Message
from chalicelib.messages.questions import CHOSEN, OPEN, Question
from chalicelib.platform.clock import MINUTE, now_ms
from chalicelib.wire.protocol import ProtocolError
from tests.support.client import eventually
from tests.support.fakes import FakeConnections, FakePost

Json = dict[str, Any]
COLOUR = {
    "questionId": "colour",
    "question": "Which?",
    "options": [{"label": "Red"}, {"label": "Green"}],
    "isOther": True,
}


class Rows:
    """The rows in memory."""

    def __init__(self) -> None:
        self.rows: dict[str, Question] = {}
        self.ended: list[tuple[str, dict[str, list[str]], str]] = []

    def open(self, question: Question, expires_at: int | None = None) -> bool:
        return self.rows.setdefault(question.id, question) is question

    def get(self, user_id: str, name: str) -> Question | None:
        return self.rows.get(name)

    def unclosed(self, user_id: str) -> list[Question]:
        return [one for one in self.rows.values() if one.state in (OPEN, CHOSEN)]

    def choose(self, user_id: str, name: str, answers: dict[str, list[str]] | None, by: str) -> Question:
        question = self.rows[name]
        if question.state != OPEN:
            raise ProtocolError("QUESTION_CLOSED", "closed")
        self.rows[name] = replace(question, state=CHOSEN, answers=answers or {}, by=by)
        return self.rows[name]

    def close(self, question: Question, state: str, answers: dict[str, list[str]], by: str = "") -> Question | None:
        if self.rows[question.id].state not in (OPEN, CHOSEN):
            return None
        self.rows[question.id] = replace(question, state=state, answers=answers, by=by)
        self.ended.append((state, answers, by))
        return self.rows[question.id]


class Chat:
    def __init__(self) -> None:
        self.said: list[str] = []

    def ask(self, question: Question, notes: Any) -> None:
        self.said.append("asked")

    def settle(self, question: Question, notes: Any) -> None:
        self.said.append(question.state)


class Gateway:
    """Answers by script: an exception is raised once. A question can be ended once, as in OpenClaw."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Json]] = []
        self.listed: list[Json] = []
        self.fails: list[Exception] = []
        self.known: Json | None = None
        self.closed = threading.Event()
        self.over: set[str] = set()

    def request(self, method: str, params: Json) -> Json:
        self.asked.append((method, params))
        if method == "question.list":
            return {"questions": self.listed}
        if method == "exec.approval.list":
            return {}
        if method == "question.get":
            if self.known is None:
                raise GatewayError("INVALID_REQUEST", "not found", reason="QUESTION_NOT_FOUND")
            return {"question": self.known}
        if self.fails:
            raise self.fails.pop(0)
        if params["id"] in self.over:
            raise GatewayError("INVALID_REQUEST", "over", reason="QUESTION_ALREADY_TERMINAL")
        self.over.add(params["id"])
        return {"status": "answered"}

    def resolved(self) -> list[Json]:
        return [params for method, params in self.asked if method.endswith(".resolve")]


class World:
    def __init__(self) -> None:
        self.rows, self.chat, self.gateway, self.post = Rows(), Chat(), Gateway(), FakePost()
        self.connections = FakeConnections()
        delivery = Delivery("ann", self.connections, self.post)  # type: ignore[arg-type]
        self.followed: list[Any] = []
        listing = SimpleNamespace(follow=lambda gateway, question=None: self.followed.append(question))
        given: Any = delivery, self.chat, lambda now: None, self.rows, listing
        self.asked = Asked(("ann", 1), *given)
        self.asked.start(self.gateway)  # type: ignore[arg-type]
        self.asked.settle()
        eventually(lambda: self.followed, 5)  # compared: from here on only events bring questions

    def record(self, minutes: float = 10, **more: Any) -> Json:
        now = now_ms()
        record: Json = {"id": f"ask_{uuid.uuid4().hex}", "questions": [COLOUR], "sessionKey": "agent:main:main"}
        return record | {"createdAtMs": now, "expiresAtMs": now + int(minutes * MINUTE)} | more

    def hear(self, record: Json) -> Json:
        self.gateway.listed = [record]
        self.asked.hear({"event": "question.requested", "payload": record})
        return record

    def ask(self, minutes: float = 10) -> Question:
        record = self.hear(self.record(minutes))
        found = eventually(lambda: [one for one in self.rows.rows.values() if one.gateway_id == record["id"]], 5)
        eventually(lambda: self.chat.said[-1:] == ["asked"], 5)
        return found[0]  # type: ignore[no-any-return]

    def connect(self) -> None:
        self.gateway.closed.clear()
        self.asked.connected(self.gateway)  # type: ignore[arg-type]

    def resolved(self, question: Question, **event: Any) -> None:
        self.asked.hear({"event": "question.resolved", "payload": {"id": question.gateway_id} | event})

    def end(self) -> tuple[str, dict[str, list[str]], str]:
        return eventually(lambda: self.rows.ended, 5)[-1]  # type: ignore[no-any-return]


def written(text: str, question: Question, **more: Any) -> Message:
    return Message("ann", "message-1", text, "main", question.at + 1, **more)


def aws(code: str) -> UpdateError:
    """DynamoDB's answer with that code."""
    return UpdateError("refused", ClientError({"Error": {"Code": code}}, "UpdateItem"))


def failing(target: Any, name: str, *errors: Exception, after: bool = False) -> list[Exception]:
    """Each error is raised once by that method, before its work or after it. Returns those that are still to come."""
    real, left = getattr(target, name), list(errors)

    def call(*given: Any, **more: Any) -> Any:
        if left and not after:
            raise left.pop(0)
        result = real(*given, **more)
        if left:
            raise left.pop(0)
        return result

    setattr(target, name, call)
    return left
