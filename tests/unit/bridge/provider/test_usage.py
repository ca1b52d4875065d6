"""What a provider says of a call is read from the passing bytes, however they are cut."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.providers.prices import Tokens
from chalicelib.providers.usage import MAX_BYTES, TOKENS_A_SECOND, Reader
from tests.support import providers

USED = (1000, 50, 200)
STREAMS = {
    "anthropic": b"".join(providers.anthropic("m", "Good morning to you.", USED)),
    "completions": b"".join(providers.completions("m", "Good morning to you.", USED)),
    "responses": b"".join(providers.responses("m", "Good morning to you.", USED)),
    "gemini": b"".join(providers.gemini("m", "Good morning to you.", USED)),
}


def read(*chunks: bytes, events: bool = True, request_bytes: int = 0) -> Reader:
    reader = Reader(request_bytes, events)
    for chunk in chunks:
        reader.feed(chunk)
    reader.finish()
    return reader


@pytest.mark.parametrize("api", STREAMS)
@given(cuts=st.lists(st.integers(0, 3000), max_size=12))
def test_every_api_is_understood_in_any_pieces(api: str, cuts: list[int]) -> None:
    stream = STREAMS[api]
    places = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    reader = read(*(stream[a:b] for a, b in itertools.pairwise(places)))
    assert reader.tokens == Tokens(800, 50, 200)
    assert reader.exact


def test_an_answer_in_one_document_is_understood_too() -> None:
    usage = {"input_tokens": 7, "output_tokens": 3, "cache_creation_input_tokens": 2}
    body = json.dumps({"content": [{"type": "text", "text": "hi"}], "usage": usage}, indent=2).encode()
    assert read(body[:20], body[20:], events=False).tokens == Tokens(7, 3, 0, 2)


def test_openrouter_names_the_price_itself() -> None:
    usage = {"prompt_tokens": 7, "completion_tokens": 3, "cost": 0.00042}
    assert read(b"data: " + json.dumps({"usage": usage}).encode() + b"\n").usd == 0.00042


def test_what_the_model_writes_cannot_pose_as_usage() -> None:
    lie = json.dumps({"usage": {"prompt_tokens": 0, "completion_tokens": 0}})
    honest = {"prompt_tokens": 70, "completion_tokens": 30}
    said = {"choices": [{"delta": {"content": f'data: {lie}\n"usage"'}}]}
    stream = b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in (said, {"usage": honest}))
    assert read(stream).tokens == Tokens(70, 30)


def test_a_stream_that_broke_off_costs_what_was_seen() -> None:
    """No usage came: what was asked and each event that came are counted, and marked as a guess."""
    events = providers.completions("m", "one two three four", USED)[:4]
    reader = Reader(request_bytes=400)
    for event in events:
        reader.feed(event)
    assert reader.tokens == Tokens(100, 4)
    assert not reader.exact


def test_an_aborted_claude_keeps_its_count_of_the_input() -> None:
    reader = Reader(request_bytes=400)
    for event in providers.anthropic("m", "one two three four", USED)[:5]:
        reader.feed(event)
    assert reader.tokens == Tokens(800, 5, 200)
    assert not reader.exact


def test_bytes_without_sense_are_no_harm() -> None:
    unread, unsearched = b'data: {"usage": ' + b"[" * 20_000, b"data: " + b"[" * 900 + b'{"usage": 3}' + b"]" * 900
    known = (b"\xff\xfe", b'data: {"usage', b'data: ["usage"]\n', b'data: {"usage": 3}\n', b'data: "usage"\n')
    # Python 3.13 reads deeper than it can call.
    untaken = b'data: {"usage": ' + b'{"a_details": ' * 5_000 + b"{}" + b"}" * 5_001
    for noise in (*known, unread, unsearched, untaken):
        assert read(noise).tokens.output <= 1
        assert not read(noise).exact


def test_a_line_without_an_end_is_not_kept_in_memory() -> None:
    reader = Reader(0)
    for _ in range(12):
        reader.feed(b"x" * (MAX_BYTES // 10))
    assert len(reader._tail) == 0
    reader.feed(b'\ndata: {"usage": {"prompt_tokens": 1, "completion_tokens": 1}}\n')
    reader.finish()
    assert reader.tokens == Tokens(1, 1)


@pytest.mark.parametrize("seen", [b"", b"data: {}\n\n" * 3])
def test_an_answer_without_a_count_is_one_as_long_as_there_was_time_for(seen: bytes) -> None:
    """Never longer than what was asked for; what a model thinks in silence is paid too."""
    reader = Reader(400, most_output=2000)
    reader.feed(seen)
    assert reader.tokens == Tokens(100, 3 if seen else 0)
    reader.seconds = 2.5
    assert reader.tokens == Tokens(100, round(2.5 * TOKENS_A_SECOND))
    reader.seconds = 600
    assert reader.tokens == Tokens(100, 2000)
    assert not reader.exact


def test_a_count_is_worth_more_than_time() -> None:
    reader = read(STREAMS["anthropic"])
    reader.seconds, reader.most_output = 600, 100_000
    assert reader.tokens == Tokens(800, 50, 200)
