"""Actions that a user takes, on fakes."""

import pytest

from chalicelib import actions, wiring
from tests.support.world import answered


def test_an_agent_put_to_sleep_is_told_so_before_it_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else its next container would begin again what the stop cuts off."""
    world = answered()
    monkeypatch.setattr(wiring, "dispatch", lambda: world.dispatch)
    actions.stop_agent("ann")
    assert world.post.frames[-1] == ("agent-1", {"type": "sleep"})
    assert [reason for _, reason in world.containers.stops] == ["stopped by the user"]
