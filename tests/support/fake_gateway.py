"""A scripted gateway, for tests of an answer during silence, refusals and crashes."""

import queue
from collections.abc import Callable
from typing import Any

from bridge.openclaw.gateway import CLOSED
from bridge.openclaw.process import NotReady
from bridge.turns.answer import Answerer
from bridge.turns.delivery import Delivery, Run, Stream
from bridge.turns.outcome import Outcome
from chalicelib.messages.inbox import Message
from tests.support.fakes import FakeConnections, FakePost

Json = dict[str, Any]


def final(run: str, text: str) -> Json:
    message = {"role": "assistant", "content": [{"type": "text", "text": text}]}
    return {"event": "chat", "payload": {"runId": run, "state": "final", "message": message}}


def failed(run: str, why: str) -> Json:
    return {"event": "chat", "payload": {"runId": run, "state": "error", "errorMessage": why}}


class FakeGateway:
    """Answers chat.send by script: what the run does, in order of the sends; a dict is the reply, without a run."""

    def __init__(self, *script: Any, history: list[Json] | None = None, looks: list[Json] | None = None) -> None:
        self.script = list(script)
        self.history = history or []
        self.looks = looks or []  # what the next looks into the transcript find instead
        self.sent: list[str] = []
        self.patched: list[str] = []
        self.aborted: list[str] = []
        self.hears = True
        self.silent = False  # the agent decided not to answer
        self.stays = False  # the last look is found again and again
        self.looked: Callable[[], None] = lambda: None
        self.runs: dict[str, queue.Queue[Json]] = {}

    def watch(self, run_id: str) -> "queue.Queue[Json]":
        return self.runs.setdefault(run_id, queue.Queue())

    def unwatch(self, run_id: str) -> None:
        self.runs.pop(run_id, None)

    def request(self, method: str, params: Json, timeout: float = 1) -> Json:
        if method == "chat.history" and params["limit"] == 1:  # which model the session has
            provider, _, model = self.patched[-1].partition("/")
            return {"sessionInfo": {"modelProvider": provider, "model": model}}
        if method == "chat.history":
            self.looked()
            if self.looks:
                return self.looks.pop(0) if len(self.looks) > 1 or not self.stays else self.looks[0]
            return {"messages": self.history}
        if method == "sessions.get":
            return {"messages": [asked(), said("NO_REPLY")] if self.silent else self.history}
        if method == "sessions.patch":
            self.patched.append(str(params["model"]))
        if method == "chat.abort":
            self.aborted.append(str(params.get("runId", "*")))
            if self.hears and "runId" in params:
                end = {"runId": params["runId"], "state": "aborted", "stopReason": "rpc"}
                self.runs[self.aborted[-1]].put({"event": "chat", "payload": end})
        if method == "chat.send":
            key = str(params["idempotencyKey"])
            self.sent.append(key)
            step = self.script.pop(0)
            if isinstance(step, Exception):
                raise step
            if isinstance(step, dict) and step is not CLOSED:
                return step
            if isinstance(step, tuple):
                self.runs[key].put(failed(key, step[0]))
            elif step is not None:
                self.runs[key].put(CLOSED if step is CLOSED else final(key, step))
            return {"runId": key, "status": "started"}
        return {}


class FakeOpenClaw:
    """A gateway for each life of the process."""

    def __init__(self, *gateways: FakeGateway, comes_back: bool = True) -> None:
        self.default_model = "custom/demo"
        self.gateway: Any = gateways[0]
        self._next = list(gateways[1:])
        self._comes_back = comes_back
        self.kills = 0

    def kill(self) -> None:
        self.kills += 1

    def follow_settings(self) -> None: ...

    def reconnect(self, lost: Any = None) -> None:
        if not self._comes_back:
            raise NotReady("ended with status 1")
        if lost is None:
            return  # it is still there
        self.gateway = self._next.pop(0)


def run(openclaw: FakeOpenClaw, claims: int = 1, answerer: Answerer | None = None) -> tuple[Outcome, str]:
    message = Message("ann", "message-1", "hello", "main", 0, claims=claims, attempts=claims)
    delivery = Delivery("ann", FakeConnections(), FakePost())  # type: ignore[arg-type]
    stream = Stream(Run("run-1", message.id, "main"), delivery)
    answerer = answerer or Answerer(openclaw)  # type: ignore[arg-type]
    return answerer.answer(message, stream, delivery), stream.run.text


def asked(key: str = "message-1") -> Json:
    return {"role": "user", "content": "hello", "idempotencyKey": f"{key}:user"}


def said(text: str, reason: str = "stop") -> Json:
    return {"role": "assistant", "content": [{"type": "text", "text": text}], "stopReason": reason}


def prompted(tool: str) -> Json:
    """A prompt that the gateway wrote itself, with a key of its own as the real one gives it."""
    provenance = {"kind": "internal_system", "sourceTool": tool}
    return {"role": "user", "content": "[System] …", "idempotencyKey": "e5089385:user", "provenance": provenance}


def look(status: str, *messages: Json, active: bool = False) -> Json:
    return {"messages": [asked(), *messages], "sessionInfo": {"status": status, "hasActiveRun": active}}
