"""A post to a hook: one more producer into the inbox, with limits of its own."""

from types import SimpleNamespace
from typing import Any

import pytest

from chalicelib.agents.runtime import StartFailed
from chalicelib.agents.tasks import Task
from chalicelib.lifecycle.hooks import HookPosts, Later
from chalicelib.lifecycle.wake import Wake
from chalicelib.people.hooks import Hook
from chalicelib.platform.clock import DAY, MINUTE
from chalicelib.wire.connections import Connection
from chalicelib.wire.protocol import ProtocolError
from tests.support.fakes import FakeRate
from tests.support.world import World

HOOK = Hook("ann", "0123456789abcdef", "GitHub", "Tell me.", "hook-0123456789abcdef")


class Place:
    """One user with one hook, and a page that is open."""

    def __init__(self, per_minute: int = 100) -> None:
        self.world = World()
        self.world.connections.rows["tab"] = Connection("tab", "ann", "https://api")
        self.used, self.woken, self.spent = 0, 0, False
        self.told: list[str] = []
        self._seen: set[str] = set()
        self._rate = FakeRate(per_minute)

    def find(self, token: str) -> Hook:
        if token != "right":
            raise ProtocolError("NOT_FOUND", "unknown")
        return HOOK

    def post(self, text: str = "build 7 failed", address: str = "right", **headers: str) -> dict[str, Any]:
        hooks: Any = SimpleNamespace(find=self.find, used=self._use)
        wakes: Any = SimpleNamespace(today=lambda _: self.woken, count=self._wake, tell_once=self._once)
        dispatch, clock = self.world.dispatch, self.world.clock
        wake = Wake(dispatch, wakes, Any, lambda _: self.spent, lambda _, said: self.told.append(said), 2, clock)  # type: ignore[arg-type]
        posts = HookPosts(dispatch, hooks, wake, clock, lambda _: self._rate)
        return posts.receive(address, headers, text.encode())

    def _use(self, _: Hook) -> None:
        self.used += 1

    def _wake(self, _: str) -> None:
        self.woken += 1

    def _once(self, _: str, what: str) -> bool:
        new = what not in self._seen
        self._seen.add(what)
        return new


def test_a_post_wakes_a_sleeping_agent_and_is_no_word_of_the_person_s() -> None:
    place = Place()
    answer = place.post()
    (message,) = place.world.inbox.waiting("ann")
    assert (message.id, message.text, message.channel) == (answer["id"], "build 7 failed", "hook")
    assert (message.cause, message.command, message.conversation_id) == ("Hook: GitHub", "", HOOK.conversation_id)
    assert place.world.containers.runs == [("ann", 1)]
    assert (place.used, place.woken) == (1, 1)
    shown = [frame for _, frame in place.world.post.frames if frame["type"] == "message"]
    assert [frame["cause"] for frame in shown] == ["Hook: GitHub"]


def test_a_running_agent_is_told_at_once() -> None:
    place = Place()
    place.world.send()
    place.world.boot()
    place.post()
    assert [to for to, frame in place.world.post.frames if frame["type"] == "wake"] == ["agent-1"]
    assert place.woken == 0


def test_a_redelivery_is_one_message() -> None:
    place = Place()
    first, again = place.post(**{"x-github-delivery": "d-1"}), place.post(**{"x-github-delivery": "d-1"})
    assert again == {"id": first["id"], "duplicate": True}
    assert (len(place.world.inbox.waiting("ann")), place.used) == (1, 1)


def test_a_redelivery_is_one_message_also_when_a_limit_was_reached_since() -> None:
    place = Place()
    first = place.post(**{"x-github-delivery": "d-1"})
    place.spent = True
    assert place.post(**{"x-github-delivery": "d-1"}) == {"id": first["id"], "duplicate": True}
    assert place.told == []


def test_a_start_that_another_message_made_is_no_wake_of_the_hook(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the hook's look and its message a person writes: theirs starts the agent."""
    place = Place()
    look = place.world.inbox.get

    def get(user_id: str, message_id: str) -> Any:
        found = look(user_id, message_id)
        place.world.send("from-a-person")
        return found

    monkeypatch.setattr(place.world.inbox, "get", get)
    place.post()
    assert (place.world.containers.runs, place.woken) == ([("ann", 1)], 0)


def test_an_unknown_hook_reads_nothing() -> None:
    with pytest.raises(ProtocolError, match="unknown"):
        Place().post(address="wrong", **{"content-type": "image/png"})


def test_too_many_posts_say_when_to_come_again_and_take_nothing_from_the_person() -> None:
    place = Place(per_minute=1)
    place.post()
    with pytest.raises(Later) as refused:
        place.post()
    assert (refused.value.code, 1 <= refused.value.seconds <= MINUTE // 1000) == ("RATE_LIMITED", True)
    assert place.world.dispatch.rate.sent == {}  # type: ignore[attr-defined]
    place.world.send()
    assert len(place.world.inbox.waiting("ann")) == 2


def test_the_limit_of_wakes_holds_for_hooks_and_is_told_once() -> None:
    place = Place()
    place.woken = 2
    for _ in range(3):
        with pytest.raises(Later) as refused:
            place.post()
    assert (refused.value.code, refused.value.seconds <= DAY // 1000) == ("WAKE_LIMIT", True)
    assert (place.world.inbox.waiting("ann"), len(place.told)) == ([], 1)
    place.world.send()
    place.world.boot()
    assert place.post()["id"], "an agent that is awake needs no wake"


def test_a_spent_month_refuses_posts_and_starts_nothing() -> None:
    place = Place()
    place.spent = True
    for _ in range(2):
        with pytest.raises(Later) as refused:
            place.post()
    assert refused.value.code == "BUDGET_REACHED"
    assert (place.world.containers.runs, len(place.told)) == ([], 1)


def test_a_post_is_kept_while_the_agent_does_not_start() -> None:
    place = Place()
    place.world.containers.fail = [StartFailed("CAPACITY", "none")]
    assert place.post()["id"]
    assert len(place.world.inbox.waiting("ann")) == 1


def test_what_is_given_up_is_told_in_the_person_s_own_chat() -> None:
    place = Place()
    place.post()
    place.world.tasks.rows["ann"] = Task("ann", generation=1, failed_starts=4)
    place.world.dispatch.restart_if_waiting("ann")
    assert len(place.world.told_in_chat) == 1
