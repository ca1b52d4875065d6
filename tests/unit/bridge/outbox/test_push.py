"""Who gets a push, when, how often, and what it says. The tables are fakes of a few rows."""

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bridge.outbox import push as module
from bridge.outbox.push import ASKS, HIDDEN, Push, topic
from bridge.outbox.push_service import Answer, Unreachable
from bridge.turns.delivery import Delivery
from chalicelib.people.devices import Device
from chalicelib.platform.clock import DAY, now_ms
from chalicelib.platform.models import ConversationItem
from chalicelib.wire.connections import Connection
from tests.support.client import eventually
from tests.support.fakes import FakeConnections, FakePost


def device(name: str, language: str = "en") -> Device:
    return Device(name, f"https://push.example/{name}", "", "", name, language, 0)


class Devices:
    def __init__(self, *devices: Device) -> None:
        self.rows = {one.id: one for one in devices}
        self.used: list[tuple[str, int | None]] = []

    def of(self, _: str) -> list[Device]:
        return list(self.rows.values())

    def forget(self, _: str, one: Device) -> None:
        self.rows.pop(one.id)

    def reached(self, _: str, one: Device, problem: int | None = None) -> None:
        self.used.append((one.id, problem))


class Service:
    """Answers of each device in turn, then 201."""

    def __init__(self, **answers: list[Any]) -> None:
        self.answers = answers
        self.sent: list[tuple[str, dict[str, Any], str]] = []

    def send(self, one: Device, payload: bytes, subject: str) -> Answer:
        import json

        self.sent.append((one.id, json.loads(payload), subject))
        answer = (self.answers.get(one.id) or [201]).pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, Answer) else Answer(answer)


class World:
    def __init__(self, monkeypatch: pytest.MonkeyPatch, *devices: Device, show: bool = True, **answers: Any) -> None:
        self.connections, self.post = FakeConnections(), FakePost()
        self.delivery = Delivery("ann", self.connections, self.post)  # type: ignore[arg-type]
        self.devices, self.service = Devices(*devices), Service(**answers)
        self.owed: dict[str, SimpleNamespace] = {}
        self.rows: dict[str, ConversationItem] = {}
        monkeypatch.setattr(module, "SettingItem", self._owed_item())
        more: Any = self.devices
        self.push = Push("ann", self.delivery, self.service, lambda: show, more, (0.01, 0.01))
        self.push.start()

    def _owed_item(self) -> Any:
        world = self

        class Item:
            key = SimpleNamespace(startswith=lambda prefix: prefix)

            def __init__(self, user_id: str, key: str) -> None:
                self.row_key, self.expires_at = key, 0
                self.value: dict[str, str] = {}

            def delete(self) -> None:
                world.owed.pop(self.row_key, None)

            @staticmethod
            def query(*_: Any, **__: Any) -> list[Any]:
                return list(world.owed.values())

        return Item

    def say(self, text: str = "Please water the plants.", age: int = 0) -> ConversationItem:
        row = ConversationItem("ann", f"c#main#{text}", conversation_id="main", message_id=f"{text}.answer")
        row.content, row.cause, row.created_at = text, "Reminder: water the plants", now_ms() - age
        owed: Any = self.push.owed(row)
        if owed is not None:
            self.owed[owed.row_key] = owed
            self.rows[str(row.item_key)] = row
            self.push.announce(row)
        return row

    def tab(self, name: str, visible_for: int) -> None:
        self.connections.rows[name] = Connection(name, "ann", "https://api", visible_until=now_ms() + visible_for)
        self.delivery.refresh()
        self.delivery.everyone({"type": "message"})

    def done(self) -> None:
        eventually(lambda: not self.push.left(), 5, 0.005)
        assert self.owed == {}


def test_every_device_gets_cause_and_beginning_under_the_messages_own_tag(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, device("phone"), device("laptop"))
    row = world.say("Please\n\n" + "water " * 50)
    world.done()
    assert sorted(name for name, _, _ in world.service.sent) == ["laptop", "phone"]
    _, payload, subject = world.service.sent[0]
    assert (payload["title"], payload["conversationId"]) == ("Reminder: water the plants", "main")
    assert payload["body"].startswith("Please water water")
    assert len(payload["body"]) == 161
    assert payload["tag"] == subject == topic(str(row.message_id))
    assert sorted(world.devices.used) == [("laptop", None), ("phone", None)]


@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_question_has_no_cause_and_owes_no_row(monkeypatch: pytest.MonkeyPatch, language: str) -> None:
    world = World(monkeypatch, device("phone", language))
    row = ConversationItem("ann", "c#main#1-q", conversation_id="main", message_id="q", content="Which colour?")
    row.reason = "question"
    world.push.announce(row)
    assert not world.push.left(), "no container is started for it"
    eventually(lambda: world.service.sent, 5, 0.005)
    (_, payload, _) = world.service.sent[0]
    assert (payload["title"], payload["body"]) == (ASKS[language], "Which colour?")


@pytest.mark.parametrize("language", ["en", "ko"])
def test_without_text_a_push_says_only_that_there_is_a_message(monkeypatch: pytest.MonkeyPatch, language: str) -> None:
    world = World(monkeypatch, device("phone", language), show=False)
    world.say()
    world.done()
    (_, payload, _) = world.service.sent[0]
    assert payload.keys() == {"title", "tag", "conversationId"}
    assert payload["title"] == HIDDEN[language]


def test_a_visible_tab_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, device("phone"))
    world.tab("here", 60_000)
    world.say()
    world.done()
    assert world.service.sent == []


def test_a_hidden_tab_one_that_said_nothing_lately_and_one_that_is_gone_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(monkeypatch, device("phone"))
    world.post.gone.add("gone")
    world.tab("hidden", -now_ms())
    world.tab("asleep", -1)
    world.tab("gone", 60_000)
    world.say()
    world.done()
    assert len(world.service.sent) == 1


def test_nobody_who_asked_costs_no_row(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch)
    assert world.push.owed(world.say()) is None
    assert (world.owed, world.push.left()) == ({}, False)


@pytest.mark.parametrize("status", [404, 410])
def test_a_device_that_is_gone_is_forgotten(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    world = World(monkeypatch, device("phone"), device("old"), old=[status])
    world.say()
    world.done()
    assert list(world.devices.rows) == ["phone"]


def test_a_device_with_keys_that_are_none_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, device("phone"), phone=[ValueError("not on the curve")])
    world.say()
    world.done()
    assert world.devices.rows == {}


def test_what_cannot_be_made_is_given_up_and_hinders_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the row that it owes would start container after container."""
    world = World(monkeypatch, device("phone"), phone=[KeyError("a bug"), 201])
    world.say("first")
    world.say("second")
    world.done()
    assert [payload["body"] for _, payload, _ in world.service.sent] == ["first", "second"]


def test_a_table_that_is_throttled_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, device("phone"))
    known, refusals = world.devices.of, [ClientError({"Error": {"Code": "Throttled"}}, "Query")]
    row = world.say("before")
    world.done()

    def of(user_id: str) -> list[Device]:
        if refusals:
            raise refusals.pop()
        return known(user_id)

    monkeypatch.setattr(world.devices, "of", of)
    world.push.announce(row)
    world.done()
    assert (len(world.service.sent), refusals) == (2, [])


@pytest.mark.parametrize("first", [429, 500, 503, Unreachable("timeout"), Answer(429, 0.01)])
def test_a_service_that_is_busy_is_asked_again(monkeypatch: pytest.MonkeyPatch, first: Any) -> None:
    world = World(monkeypatch, device("phone"), device("laptop"), phone=[first, 201])
    world.say()
    world.done()
    assert sorted(name for name, _, _ in world.service.sent) == ["laptop", "phone", "phone"]


def test_it_is_not_asked_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, device("phone"), phone=[503] * 9)
    world.say()
    world.done()
    assert len(world.service.sent) == 3
    assert list(world.devices.rows) == ["phone"], "the service is down, not the device gone"


@pytest.mark.parametrize("status", [400, 401, 403, 413])
def test_what_is_refused_is_kept_with_its_status(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    world = World(monkeypatch, device("phone"), phone=[status])
    world.say()
    world.done()
    assert world.devices.used == [("phone", status)]


def test_a_container_that_ends_leaves_the_push_to_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same tag: a device that has it already shows it once."""
    world = World(monkeypatch, device("phone"), phone=[503] * 9)
    world.push._waits = (60.0,)
    row = world.say()
    eventually(lambda: world.service.sent, 5, 0.005)
    world.push.close(5)
    assert world.push.left()
    assert len(world.owed) == 1
    world.service.answers.clear()
    get = lambda user, key, **_: world.rows[key]  # noqa: E731
    monkeypatch.setattr(ConversationItem, "get", get)
    more: Any = world.devices
    world.push = Push("ann", world.delivery, world.service, lambda: True, more, ())
    world.push.start()
    world.push.recover()
    world.done()
    assert [subject for _, _, subject in world.service.sent] == [topic(str(row.message_id))] * 2


def test_what_is_a_day_old_is_not_pushed_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, device("phone"))
    monkeypatch.setattr(world.push, "announce", lambda _: None)
    row = world.say(age=DAY + 1)
    monkeypatch.setattr(ConversationItem, "get", lambda *_, **__: row)
    world.push.recover()
    assert world.owed == {}
    assert world.service.sent == []
