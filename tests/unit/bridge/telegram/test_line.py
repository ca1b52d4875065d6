"""A line in the chat tells what the agent does, once, and goes with the answer."""

import time
from typing import Any

import pytest

from bridge.telegram.answer import Answer
from chalicelib.telegram.api import Rejected, Unknown
from tests.support.client import eventually
from tests.support.fake_telegram import FakeApi, FakeProgress
from tests.unit.bridge.telegram.test_telegram_answer import PLACE, answer


def test_what_the_agent_does_is_one_line_that_goes_with_the_answer(api: FakeApi) -> None:
    """Edited, not sent again; without a sound; below what is said so far."""
    now, progress = ["⏳ 0/2 · Look"], FakeProgress()
    made = Answer(api, PLACE, progress, lambda: "So far", gap=0.02, line=lambda: now[0])  # type: ignore[arg-type]
    made.start()
    for n in range(3):
        eventually(lambda: api.shown() == ["So far", now[0]], 5)
        now[0] = f"⏳ {n + 1}/3"
    time.sleep(0.1)
    assert api.calls("sendMessage") == 2
    assert made.finish("So far, so good", 5)
    assert api.shown() == ["So far, so good"]
    assert (progress.done, progress.line) == (True, None)


def test_the_line_of_a_container_that_died_goes_with_the_answer_of_the_next(api: FakeApi) -> None:
    progress = FakeProgress()
    first = Answer(api, PLACE, progress, lambda: "", gap=0.0, line=lambda: "⏳ 1/2")  # type: ignore[arg-type]
    first.start()
    eventually(lambda: api.shown() == ["⏳ 1/2"], 5)
    first.abandon()
    assert first.ended.wait(5)
    assert api.shown() == ["⏳ 1/2"]
    assert answer(api, progress=progress).finish("done", 5)
    assert api.shown() == ["done"]


@pytest.mark.parametrize("error", [Unknown("sendMessage"), Rejected(400, "Bad Request: no")])
def test_a_line_that_does_not_get_through_is_tried_once(api: FakeApi, error: Any) -> None:
    api.fail("sendMessage", error)
    made = Answer(api, PLACE, FakeProgress(), lambda: "", gap=0.0, line=lambda: "⏳ 1/2")  # type: ignore[arg-type]
    made.start()
    eventually(lambda: api.calls("sendMessage") == 1, 5)
    time.sleep(0.1)
    assert api.calls("sendMessage") == 1
    assert made.finish("done", 5)
    assert api.shown() == ["done"]
