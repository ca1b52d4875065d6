"""Background work without a report yet: what is noted of it, and what the next container does."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from bridge.outbox.background import PER_DAY, REPORTING, Background
from chalicelib.messages.inbox import Message
from chalicelib.platform.clock import now_ms
from tests.support.fake_tables import FakeClock, FakeInbox, FakeTasks

Json = dict[str, Any]
MAIN = "agent:main:main"


def task(name: str = "t", kind: str = "subagent", status: str = "running", **more: Any) -> Json:
    return {"id": name, "kind": kind, "status": status, "sessionKey": MAIN, "title": "water"} | more


def noted(task: Json) -> Json:
    about = {"id": task["id"], "kind": task["kind"], "text": "water", "session": task["sessionKey"]}
    return about | {"at": task.get("createdAt", 0)}


class Place:
    """An OpenClaw with these tasks, and one user's inbox."""

    def __init__(self, *tasks: Json) -> None:
        clock = FakeClock()
        self.inbox = FakeInbox(clock, FakeTasks(clock))
        self.tasks = list(tasks)
        self.rows: list[Any] = []
        self.interrupted = 0
        self.told: list[str] = []
        self.woken = 0
        wakes: Any = SimpleNamespace(interrupted=self._count)
        names = {MAIN: "main", "agent:main:web-x": "x"}
        self.background = Background("ann", self.inbox, wakes, names.get)  # type: ignore[arg-type]
        self.background.tell = self.told.append
        self.background.on_message = self._wake

    def _count(self, _: str) -> int:
        self.interrupted += 1
        return self.interrupted

    def _wake(self) -> None:
        self.woken += 1

    def request(self, method: str, params: Json) -> Json:
        if method == "tasks.list":
            return {"tasks": self.tasks}
        if method == "sessions.get":
            return {"messages": self.rows}
        return {"task": {"prompt": f"the whole of {params['taskId']}"}}

    def unreported(self) -> list[str]:
        return [work["id"] for work in self.background.unreported(self)]  # type: ignore[arg-type]

    def take_over(self, *left: Json) -> list[Message]:
        self.background.take_over(self, [noted(one) for one in left])  # type: ignore[arg-type]
        return self.inbox.waiting("ann")


def test_what_runs_or_is_being_reported_is_noted() -> None:
    place = Place(
        task("helper", createdAt=7),
        task("command", "exec"),
        task("waits", status="queued"),
        task("reports", status="completed", deliveryStatus="pending", endedAt=now_ms()),
        task("never reported", status="completed", deliveryStatus="pending", endedAt=now_ms() - REPORTING - 1),
        task("done", status="completed", deliveryStatus="delivered"),
        task("command done", "exec", "completed", deliveryStatus="pending", endedAt=now_ms()),
        task("automation", "automation_run"),
        task("of a helper", sessionKey="agent:main:subagent:1"),
    )
    assert place.unreported() == ["helper", "command", "waits", "reports"]
    (first, *_) = place.background.unreported(place)  # type: ignore[arg-type]
    assert first == {"id": "helper", "kind": "subagent", "text": "the whole of helper", "session": MAIN, "at": 7}


def test_a_command_is_known_by_the_call_that_began_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenClaw calls it "Background CLI command"."""
    monkeypatch.setattr("bridge.outbox.shell_commands.PAUSE_SECONDS", 0)
    place = Place(task("c", "exec", sourceId="nimble-ridge"), task("d", "exec", sourceId="grand-meadow"))
    other = {"type": "toolCall", "id": "call-1", "name": "exec", "arguments": {"command": "ls"}}
    own = {"type": "toolCall", "id": "call-2", "name": "exec", "arguments": {"command": "sleep 77"}}
    place.rows = [None, {"role": "user", "content": "go"}, {"role": "assistant", "content": ["x", other, own]}]
    for call, details in (("call-1", "ended"), ("call-2", {"sessionId": "nimble-ridge"})):
        place.rows.append({"role": "toolResult", "toolCallId": call, "details": details})
    found = {work["id"]: work["text"] for work in place.background.unreported(place)}  # type: ignore[arg-type]
    assert found == {"c": "sleep 77", "d": "the whole of d"}


def test_the_successor_asks_the_agent_once_for_each_conversation() -> None:
    place = Place()
    left = [task("a"), task("b", "exec"), task("c", sessionKey="agent:main:web-x")]
    asked = {message.conversation_id: message for message in place.take_over(*left)}
    assert set(asked) == {"main", "x"}
    assert asked["main"].cause == "Interrupted work"
    assert asked["main"].command == ""
    assert "- helper: water\n- background command: water" in asked["main"].text
    assert len(place.take_over(*left)) == 2
    assert (place.woken, place.interrupted) == (2, 2)


def test_a_helper_that_openclaw_knows_is_resumed_by_it_and_a_command_is_not() -> None:
    place = Place(task("helper"), task("command", "exec"), task("done", "exec", "completed"))
    (asked,) = place.take_over(*place.tasks)
    assert asked.text.count("\n- ") == 1
    assert "background command" in asked.text


def test_work_of_a_turn_that_is_done_again_is_not_asked_for_twice() -> None:
    place = Place()
    message = Message("ann", "message-1", "spawn", "main", 1)
    place.inbox.put(message)
    place.inbox.rows[("ann", "message-1")] = replace(message, claims=1)
    begun = place.inbox.rows[("ann", "message-1")].queued_at
    assert [one.id for one in place.take_over(task(createdAt=begun + 5))] == ["message-1"]
    asked = place.take_over(task(createdAt=begun + 5), task("older", "exec", createdAt=begun - 5))
    [about] = [one.text for one in asked if one.id != "message-1"]
    assert "background command: water" in about, "work of an earlier turn is nobody's"
    assert "helper" not in about


def test_a_container_that_dies_of_it_again_and_again_is_told_to_the_person() -> None:
    place = Place()
    for name in "abcde":
        place.take_over(task(name))
    assert len(place.inbox.waiting("ann")) == PER_DAY
    assert len(place.told) == 2
    assert "water" in place.told[0]
