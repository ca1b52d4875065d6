"""A tab's request to the running agent: handed on with the tab it came from, or refused at once."""

import pytest

from chalicelib import handlers, wiring
from chalicelib.wire.connections import Connection
from tests.support.world import World, answered

TAB = Connection("tab", "ann", "https://here")
ASKED = {"action": "request", "id": "request-1", "method": "skills.search", "subject": "tea", "connectionId": "other"}


def test_it_goes_to_the_agent_of_the_tabs_own_user(monkeypatch: pytest.MonkeyPatch) -> None:
    world = answered()
    monkeypatch.setattr(wiring, "dispatch", lambda: world.dispatch)
    handlers._request(TAB, ASKED)
    place, frame = world.post.frames[-1]
    assert place == "agent-1"
    assert (frame["type"], frame["connectionId"], frame["endpoint"]) == ("request", "tab", "https://here")


def test_a_sleeping_agent_is_not_woken(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    monkeypatch.setattr(wiring, "dispatch", lambda: world.dispatch)
    handlers._request(TAB, ASKED)
    place, frame = world.post.frames[-1]
    assert (place, frame["type"], frame["id"], frame["code"]) == ("tab", "response", "request-1", "ASLEEP")
    assert world.containers.runs == []
