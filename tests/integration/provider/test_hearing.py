"""Recordings are written down by whichever provider has a key, through the proxy: metered, and priced as sound."""

import base64
import hashlib
import os
from typing import Any

import pytest
from aiohttp import web
from genai_prices.data import providers as priced

from bridge.provider.hearing import NOBODY, SILENT, Hearing
from chalicelib.people.spending import NANO
from chalicelib.providers.prices import SOUND
from chalicelib.providers.routes import COMPLETIONS, GEMINI, RESPONSES, Route
from tests.support.bridge_parts import custom, proxied, secrets_with
from tests.support.client import eventually
from tests.support.providers import Providers

# 30 s of a voice message at 16 kbit/s.
NOTE = b"OggS" + os.urandom(60_000)
KEYS = secrets_with(openai_api_key="sk-1", gemini_api_key="sk-2", openrouter_api_key="sk-3")


def route(name: str, url: str) -> Route:
    return {
        "openai": Route("openai", RESPONSES, url, "m", "openai-api-key", hears="gpt-4o-mini-transcribe"),
        "google": Route("google", GEMINI, url, "m", "gemini-api-key", hears="gemini-2.5-flash-lite"),
        "openrouter": Route(
            "openrouter", COMPLETIONS, url, "m", "openrouter-api-key", hears="google/gemini-2.5-flash-lite"
        ),
    }[name]


@pytest.mark.parametrize(
    ("name", "path", "nano"),
    [
        ("openai", "/audio/transcriptions", 300 * 3_000 + 10 * 5_000),
        ("google", "/models/gemini-2.5-flash-lite:generateContent", 20 * 100 + 300 * 300 + 10 * 400),
        ("openrouter", "/chat/completions", 94_000),
    ],
)
def test_a_voice_message_is_written_down_and_counted(provider: Providers, name: str, path: str, nano: int) -> None:
    with proxied((route(name, provider.url),), KEYS) as proxy:
        heard = Hearing((route(name, provider.url),), proxy.url, proxy.token).hear("음성.ogg", "audio/ogg", NOTE)
        assert (heard.text, heard.problem) == ("Buy green tea.", "")
        [asked] = provider.asked
        assert asked.path == path
        assert sent(name, asked.body) == hashlib.sha256(NOTE).hexdigest()
        assert round(eventually(lambda: proxy.spending.month("ann").usd, 5) * NANO) == nano


def sent(name: str, body: dict[str, Any]) -> str:
    """The hash of the recording as it arrived, after a look at the rest of the request."""
    if name == "openai":
        assert (body["model"], body["response_format"]) == ("gpt-4o-mini-transcribe", "json")
        assert (body["file"]["name"], body["file"]["type"]) == ("recording.ogg", "audio/ogg")
        return str(body["file"]["sha256"])
    if name == "google":
        encoded = body["contents"][0]["parts"][1]["inlineData"]["data"]
    else:
        assert body["messages"][0]["content"][1]["input_audio"]["format"] == "ogg"
        encoded = body["messages"][0]["content"][1]["input_audio"]["data"]
    return hashlib.sha256(base64.b64decode(encoded)).hexdigest()


def test_why_nothing_was_heard_is_said(provider: Providers) -> None:
    deaf = Route("anthropic", COMPLETIONS, provider.url, "m", "anthropic-api-key")
    assert Hearing((deaf,), "http://127.0.0.1:1", "t").hear("a.ogg", "audio/ogg", NOTE).problem == NOBODY
    mine = Route("custom", COMPLETIONS, provider.url, "m", "openai-api-key", hears="whisper-1")
    assert "did not answer" in Hearing((mine,), "http://127.0.0.1:1", "t").hear("a.ogg", "audio/ogg", NOTE).problem
    with proxied((mine,), KEYS) as proxy:
        hearing = Hearing((mine,), proxy.url, proxy.token)
        provider.hears = "  "
        assert hearing.hear("a.ogg", "audio/ogg", NOTE).problem == SILENT

        async def refuses(request: web.Request) -> web.StreamResponse:
            return web.json_response({"error": "no such model"}, status=404)

        provider.behave = refuses
        assert "refused it (status 404)" in hearing.hear("a.ogg", "audio/ogg", NOTE).problem


def test_only_a_provider_that_transcribes_gets_that_path(provider: Providers) -> None:
    assert custom(provider.url).allows("/audio/transcriptions")
    assert route("openai", "").allows("/audio/transcriptions")
    assert not route("openrouter", "").allows("/audio/transcriptions")
    assert not route("google", "").allows("/audio/transcriptions")


@pytest.mark.parametrize(
    ("provider_id", "model"), [("openai", "gpt-4o-mini-transcribe"), ("google", "gemini-2.5-flash-lite")]
)
def test_the_price_of_sound_is_the_packages(provider_id: str, model: str) -> None:
    [known] = [one for source in priced if source.id == provider_id for one in source.models if one.id == model]
    assert float(known.prices.input_audio_mtok) * 1_000 == SOUND[model]  # type: ignore[union-attr,arg-type]
