"""One thought, one turn: an album, a series of forwarded messages, a text that Telegram cut."""

from collections.abc import Iterator
from typing import Any

import pytest

from bridge.turns import worker
from bridge.turns.outcome import Outcome
from bridge.turns.thought import JOIN_MS, MOST, gather, joinable, joined, wait_ms
from chalicelib.messages.inbox import Message
from tests.support.client import eventually
from tests.unit.bridge.turns.test_lanes import Place


def part(name: str, at: int, text: str = "", chat: str = "p7", **series: Any) -> Message:
    files = [{"mimeType": "image/jpeg", "fileName": f"{name}.jpg", "telegram": name}] if "album" in series else []
    route = {"telegram": {"chatId": 7, "chat": chat, **series}}
    return Message("ann", name, text, "main", at, "telegram", files, route)


def ids(messages: list[Message]) -> list[str]:
    return [message.id for message in messages]


def test_an_album_is_one_thought_however_late_its_pictures_come() -> None:
    first, other = part("m-1", 0, "Which is best?", album="a"), part("m-2", 100, chat="g9", album="b")
    rest = [part(f"m-{number}", 5_000 * number, album="a") for number in range(3, 12)]
    members = gather(first, [other, *rest])
    assert ids(members) == ["m-1", *(f"m-{number}" for number in range(3, 12))]
    whole = joined(members)
    assert (whole.id, whole.text, len(whole.attachments)) == ("m-1", "Which is best?", 10)


def test_forwarded_messages_that_come_together_are_one_thought() -> None:
    a, b, late = (
        part("a", 0, "one", forwarded=True),
        part("b", 900, "two", forwarded=True),
        part("c", 9_000, forwarded=True),
    )
    assert ids(gather(a, [b, late])) == ["a", "b"]
    assert joined([a, b]).text == "one\n\ntwo"


def test_a_text_that_telegram_cut_is_put_together() -> None:
    a, b = part("a", 0, "x" * 4_096, cut=True), part("b", 300, "yz")
    assert joined(gather(a, [b])).text == "x" * 4_096 + "yz"
    assert wait_ms([a, b], 300) == 0, "the last part was not cut: it is whole"


def test_what_does_not_belong_together_stays_apart() -> None:
    plain = Message("ann", "w", "hello", "main", 0)
    assert not joinable(plain)
    assert gather(plain, [part("a", 1, forwarded=True)]) == [plain]
    forwarded = part("a", 0, forwarded=True)
    assert gather(forwarded, [part("b", 10, "mine"), part("c", 20, chat="p8", forwarded=True)]) == [forwarded]
    assert len(gather(part("a", 0, album="a"), [part(f"b{n}", n, album="a") for n in range(50)])) == MOST


def test_a_thought_waits_until_nothing_more_comes() -> None:
    album = part("a", 1_000, album="a")
    assert wait_ms([album], 1_000) == JOIN_MS
    assert wait_ms([album], 1_000 + JOIN_MS) == 0


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    place = Place()
    monkeypatch.setattr(worker, "now_ms", place.world.clock)
    yield place
    place.turns.stop(0)


def send(place: Place, *parts: Message) -> None:
    for message in parts:
        place.world.inbox.put(message)
        place.turns.wake(message)


def test_an_album_of_ten_is_one_turn(place: Place) -> None:
    now = place.world.clock()
    send(place, *(part(f"m-{number}", now + number, "best?" if number == 0 else "", album="a") for number in range(10)))
    place.world.clock.step(JOIN_MS + 10)
    place.turns.wake()
    place.begun("m-0")
    assert place.runs() == {f"m-{number}" for number in range(10)}
    place.let("m-0")
    place.answered(*(f"m-{number}" for number in range(10)))
    assert place.answerer.begun == ["m-0"]
    assert place.runs() == set()


def test_a_thought_that_fails_is_tried_again_as_one(place: Place) -> None:
    place.answerer.ends["m-0"] = Outcome("error", "", 0, "PROVIDER_BUSY", "503")
    now = place.world.clock()
    send(place, *(part(f"m-{number}", now + number, album="a") for number in range(3)))
    place.world.clock.step(JOIN_MS + 10)
    place.turns.wake()
    place.begun("m-0")
    place.let("m-0")
    eventually(lambda: [place.status(f"m-{number}") for number in range(3)] == ["queued"] * 3)
    assert place.world.inbox.answers[1:] == []
    del place.answerer.ends["m-0"]
    place.world.clock.step(60_000)
    place.world.tasks.heartbeat("ann", 1)
    place.turns.wake()
    place.answered("m-0", "m-1", "m-2")
    assert place.answerer.begun == ["m-0", "m-0"]


def test_sigterm_hands_back_the_whole_thought(place: Place) -> None:
    now = place.world.clock()
    send(place, *(part(f"m-{number}", now + number, album="a") for number in range(3)))
    place.world.clock.step(JOIN_MS + 10)
    place.turns.wake()
    place.begun("m-0")
    place.turns.stop(0.1)
    assert [place.status(f"m-{number}") for number in range(3)] == ["queued"] * 3
