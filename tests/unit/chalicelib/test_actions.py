"""Actions that a user takes, on fakes."""

from dataclasses import replace

import pytest

from chalicelib import actions, wiring
from chalicelib.agents.tasks import Status
from tests.support.world import answered


def test_an_agent_put_to_sleep_is_told_so_before_it_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else its next container would begin again what the stop cuts off."""
    world = answered()
    monkeypatch.setattr(wiring, "dispatch", lambda: world.dispatch)
    actions.stop_agent("ann")
    assert world.post.frames[-1] == ("agent-1", {"type": "sleep"})
    assert [reason for _, reason in world.containers.stops] == ["stopped by the user"]


def test_the_row_says_so_whatever_reaches_the_container_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """It writes down from the row who has ended it: ECS's signal may overtake the frame."""
    world = answered()
    monkeypatch.setattr(wiring, "dispatch", lambda: world.dispatch)
    running = world.tasks.get("ann")
    world.post.gone.add("agent-1")
    assert actions.stop_agent("ann")["status"] == "Stopping"
    assert world.tasks.get("ann").status is Status.STOPPING
    world.tasks.rows["ann"] = replace(running, status=Status.STARTING)
    actions.stop_agent("ann")
    assert world.tasks.get("ann").status is Status.STARTING, "one that starts may not be taken for one that ran"
    assert len(world.containers.stops) == 2
