"""Turns and snapshots keep out of each other's way."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bridge.memory.rest import Rest
from bridge.shared.rest import NotAtRest


def test_no_snapshot_inside_a_turn_and_one_after_it() -> None:
    rest = Rest()
    with rest.turn(), rest.turn(), pytest.raises(NotAtRest, match="turn"), rest.closed():
        pass
    with rest.closed():
        pass


def test_a_turn_waits_while_a_snapshot_is_taken() -> None:
    rest, begun = Rest(), threading.Event()

    def turn() -> None:
        with rest.turn():
            begun.set()

    thread = threading.Thread(target=turn)
    with rest.closed():
        thread.start()
        assert not begun.wait(0.1)
    assert begun.wait(5)
    thread.join()


def test_openclaw_is_asked_only_when_no_turn_runs_and_opens_again() -> None:
    asked: list[str] = []

    @contextmanager
    def fence() -> Iterator[None]:
        asked.append("closed")
        yield
        asked.append("open")

    rest = Rest(fence)
    with rest.turn(), pytest.raises(NotAtRest), rest.closed():
        pass
    assert asked == []
    with rest.closed():
        assert asked == ["closed"]
    assert asked == ["closed", "open"]
    with rest.closed(fenced=False):
        assert len(asked) == 2


def test_a_busy_openclaw_leaves_the_way_open_for_turns() -> None:
    @contextmanager
    def busy() -> Iterator[None]:
        raise NotAtRest("background-exec", 3)
        yield

    rest = Rest(busy)
    with pytest.raises(NotAtRest, match="background-exec"), rest.closed():
        pass
    with rest.turn():
        pass
