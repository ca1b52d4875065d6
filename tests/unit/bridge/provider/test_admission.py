"""What a call may cost is known before it goes out, and near the limit calls wait for each other."""

import asyncio
import json
from typing import Any

import pytest

from bridge.provider.admission import UNBOUNDED, Call, Gate, call_of
from bridge.provider.budget import Budget
from chalicelib.people.preferences import Choice
from chalicelib.people.spending import NANO, Limits
from chalicelib.providers.routes import KNOWN, Route
from tests.support.fake_spending import FakeSpending

ROUTES = {route.id: route for route in KNOWN}
CLAUDE = ROUTES["anthropic"]


def asked(route: Route = CLAUDE, path: str = "/anthropic/v1/messages", **body: Any) -> Call:
    return call_of(route, path, json.dumps({"model": "claude-sonnet-5", **body}).encode())


@pytest.mark.parametrize(
    ("body", "most"),
    [
        ({"max_tokens": 100}, 100),
        ({"max_completion_tokens": 100}, 100),
        ({"max_output_tokens": 100}, 100),
        ({"max_tokens": 10, "max_completion_tokens": 100}, 100),
        ({"max_tokens": 100, "n": 3}, 300),
        ({"generationConfig": {"maxOutputTokens": 100, "candidateCount": 2}}, 200),
        ({"generation_config": {"max_output_tokens": 100, "candidate_count": 2}}, 200),
        ({}, UNBOUNDED),
        ({"max_tokens": None, "n": "x", "generationConfig": []}, UNBOUNDED),
        ({"max_tokens": -5}, UNBOUNDED),
        ({"max_tokens": True}, UNBOUNDED),
    ],
)
def test_the_longest_answer_is_read_from_the_request(body: dict[str, Any], most: int) -> None:
    assert asked(**body).reader.most_output == most


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"[" * 100_000, b'{"model": 3}'])
def test_whatever_is_asked_it_does_not_fail(body: bytes) -> None:
    call = call_of(CLAUDE, "/anthropic/v1/messages", body)
    assert (call.reader.most_output, call.most) == (UNBOUNDED, 0)


def test_the_price_is_the_dearest_it_can_be() -> None:
    """All of the request is written to a cache, and the answer is as long as it may be."""
    call = asked(max_tokens=1000, system="x" * 4000)
    size = call.reader.request_bytes // 4
    assert call.most == size * 2500 + 1000 * 10_000  # claude-sonnet-5: 2.50 and 10 dollars a million


def test_geminis_model_is_in_the_path() -> None:
    call = asked(ROUTES["google"], "/google/models/gemini-3-flash-preview:streamGenerateContent")
    assert call.model == "gemini-3-flash-preview"
    assert call.most > 0


@pytest.mark.parametrize("path", ["/anthropic/v1/messages/count_tokens", "/google/models/m:countTokens"])
def test_counting_tokens_costs_nothing(path: str) -> None:
    call = asked(path=path, max_tokens=1000)
    call.sent, call.status = True, 200
    assert (call.most, call.owed) == (0, False)


@pytest.mark.parametrize(
    ("sent", "status", "owed"),
    [(False, None, False), (True, None, True), (True, 200, True), (True, 401, False), (True, 500, False)],
)
def test_what_went_out_is_owed_unless_the_provider_refused(sent: bool, status: int | None, owed: bool) -> None:
    call = asked()
    call.sent, call.status = sent, status
    assert call.owed is owed


def gate(limit: float) -> Gate:
    budget = Budget(FakeSpending(limits=Limits(user_usd=limit)))
    budget.serve("ann", Choice, lambda _: None)
    budget.look()
    return Gate(budget)


def test_calls_go_out_side_by_side_while_the_limit_pays_for_them() -> None:
    ours = gate(1.0)
    assert [ours.take(NANO * 4 // 10) for _ in range(5)] == [True, True, True, False, False]


def test_a_call_alone_goes_out_however_dear_it_may_get() -> None:
    """Else the last of the month could not be used: what it may pass the limit by is one call."""
    ours = gate(0.01)
    assert ours.take(NANO)
    assert not ours.take(1)


def test_the_end_of_a_call_lets_the_next_one_look_again() -> None:
    async def scene() -> None:
        ours = gate(1.0)
        assert ours.take(2 * NANO)
        waiting = asyncio.create_task(ours.changed())
        await asyncio.sleep(0)
        assert not ours.take(1)
        ours.release(2 * NANO)
        await asyncio.wait_for(waiting, 1)
        assert ours.take(1)

    asyncio.run(scene())
