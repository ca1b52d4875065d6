"""An answer is spoken by the provider that can, through the proxy: metered by what the provider says it used."""

import base64
import json
from typing import Any

import pytest
from aiohttp import web

from bridge.provider.speaking import NOBODY, Speaking
from chalicelib.people.spending import NANO
from chalicelib.providers.routes import COMPLETIONS, RESPONSES, Route
from tests.support.bridge_parts import Proxied, proxied, secrets_with
from tests.support.client import eventually
from tests.support.providers import Behaviour, Providers

KEYS = secrets_with(openai_api_key="sk-1")
SOUND = b"OggS" + bytes(range(256)) * 400


def openai(url: str) -> Route:
    return Route("openai", RESPONSES, url, "m", "openai-api-key", speaks="gpt-4o-mini-tts")


def own(url: str) -> Route:
    return Route("custom", COMPLETIONS, url, "m", "openai-api-key", speaks="tts-1")


def speaking(proxy: Proxied, route: Route) -> Speaking:
    return Speaking((route,), proxy.url, proxy.token)


def says(body: bytes, kind: str, status: int = 200) -> Behaviour:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=body, content_type=kind, status=status)

    return answer


def events(*parts: Any) -> bytes:
    return b"".join(b"data: " + json.dumps(part).encode() + b"\n\n" for part in parts)


def piece(content: bytes) -> dict[str, str]:
    return {"type": "speech.audio.delta", "audio": base64.b64encode(content).decode()}


def test_openai_tells_what_it_used(provider: Providers) -> None:
    used = {"type": "speech.audio.done", "usage": {"input_tokens": 14, "output_tokens": 101, "total_tokens": 115}}
    provider.behave = says(events(piece(SOUND[:999]), piece(SOUND[999:]), used), "text/event-stream")
    with proxied((openai(provider.url),), KEYS) as proxy:
        heard = speaking(proxy, openai(provider.url)).speak("Green tea, at seventy degrees.")
        assert (heard.content, heard.problem) == (SOUND, "")
        [asked] = provider.asked
        assert (asked.path, asked.headers["authorization"]) == ("/audio/speech", "Bearer sk-1")
        wanted = {"model": "gpt-4o-mini-tts", "input": "Green tea, at seventy degrees.", "response_format": "opus"}
        assert asked.body == wanted | {"voice": "alloy", "stream_format": "sse"}
        assert round(eventually(lambda: proxy.spending.month("ann").usd, 5) * NANO) == 14 * 600 + 101 * 12_000


def test_a_provider_that_does_not_tell_is_estimated_from_the_text(provider: Providers) -> None:
    provider.behave = says(SOUND, "audio/ogg")
    with proxied((openai(provider.url),), KEYS) as proxy:
        assert speaking(proxy, openai(provider.url)).speak("a" * 400).content == SOUND
        nano = round(eventually(lambda: proxy.spending.month("ann").usd, 5) * NANO)
        assert nano == 100 * 600 + 600 * 12_000


@pytest.mark.parametrize(
    ("body", "kind", "status", "problem"),
    [
        (b"{}", "application/json", 404, "the provider refused it (status 404)"),
        (b"<html>", "text/html", 200, "the provider's answer was no recording"),
        (b"OggS" + bytes(5_000_000), "audio/ogg", 200, "the provider's answer was no recording"),
        (events({"type": "speech.audio.delta"}, [], {"type": 7}), "text/event-stream", 200, "no recording"),
        (b"data: {\ndata: []\n\ndata: " + b"[" * 100_000 + b"\n\n", "text/event-stream", 200, "no recording"),
    ],
)
def test_what_is_no_recording_is_said(provider: Providers, body: bytes, kind: str, status: int, problem: str) -> None:
    provider.behave = says(body, kind, status)
    with proxied((own(provider.url),), KEYS) as proxy:
        heard = speaking(proxy, own(provider.url)).speak("hello")
        assert heard.content == b""
        assert problem in heard.problem
        assert "stream_format" not in provider.asked[0].body, "a server of one's own may not know it"


def test_nobody_speaks_and_nobody_answers(provider: Providers) -> None:
    deaf = Route("anthropic", COMPLETIONS, provider.url, "m", "anthropic-api-key")
    assert Speaking((deaf,), "http://127.0.0.1:1", "t").speak("hello").problem == NOBODY
    assert "did not answer" in Speaking((own(""),), "http://127.0.0.1:1", "t").speak("hello").problem


def test_the_way_is_open_for_who_speaks_only() -> None:
    assert openai("").allows("/audio/speech")
    assert not Route("openai", RESPONSES, "", "m").allows("/audio/speech")
    assert not Route("openrouter", COMPLETIONS, "", "m").allows("/audio/speech")
