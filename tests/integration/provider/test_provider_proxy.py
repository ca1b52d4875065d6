"""The proxy between OpenClaw and the providers, on sockets: the same bytes, the same failures, nothing left open."""

import asyncio
import hashlib
import json
import os
import socket
import statistics
import threading
import time

import pytest
import requests
from aiohttp import web

from chalicelib.platform.secrets import Secrets
from chalicelib.providers.routes import COMPLETIONS, KNOWN, Route
from chalicelib.providers.usage import BYTES_PER_TOKEN, TOKENS_A_SECOND
from tests.support.bridge_parts import BODY, KEY, PATH, Proxied, custom, post, proxied, secrets_with, short, streamed
from tests.support.client import eventually
from tests.support.providers import Providers


def direct(provider: Providers) -> requests.Response:
    return requests.post(f"{provider.url}/chat/completions", json=BODY, timeout=30)


def test_the_key_goes_out_the_token_does_not_and_the_bytes_are_the_providers(
    provider: Providers, proxy: Proxied
) -> None:
    answer = post(proxy)
    assert answer.content == direct(provider).content
    through, _ = provider.asked
    assert through.headers["authorization"] == f"Bearer {KEY}"
    assert proxy.token not in json.dumps(through.headers)
    assert through.body == BODY


@pytest.mark.parametrize("route", KNOWN, ids=lambda route: route.id)
def test_each_provider_gets_its_key_the_way_it_wants_it(provider: Providers, route: Route) -> None:
    here = Route(route.id, route.api, provider.url, route.model, route.parameter)
    keys = secrets_with(**{route.parameter.replace("-", "_"): KEY})
    path = {"anthropic-messages": "/v1/messages", "openai-completions": "/chat/completions"}.get(route.api)
    path = path or ("/responses" if route.api == "openai-responses" else "/models/m:streamGenerateContent?alt=sse")
    with proxied((here,), keys) as proxy:
        headers = {route.key_header: route.key_value(proxy.token)}
        answer = requests.post(f"{proxy.url}/{route.id}{path}", json=BODY, headers=headers, timeout=10)
    assert answer.status_code == 200
    assert provider.asked[0].headers[route.key_header] == route.key_value(KEY)
    assert provider.asked[0].path == path


def test_a_streamed_answer_of_one_megabyte_is_the_same_to_the_byte(provider: Providers, proxy: Proxied) -> None:
    blocks = [os.urandom(1024).hex().encode() for _ in range(512)]

    async def large(request: web.Request) -> web.StreamResponse:
        return await streamed(request, [b"data: " + block + b"\n\n" for block in blocks])

    provider.behave = large
    whole = post(proxy).content
    assert len(whole) > 1_000_000
    assert hashlib.sha256(whole).digest() == hashlib.sha256(direct(provider).content).digest()


def test_each_chunk_is_passed_on_when_it_comes(provider: Providers, proxy: Proxied) -> None:
    gate = threading.Event()

    async def slow(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b"data: first\n\n")
        await asyncio.to_thread(gate.wait, 10)
        await response.write(b"data: last\n\n")
        return response

    provider.behave = slow
    with post(proxy, stream=True) as answer:
        chunks = answer.iter_content(None)
        assert next(chunks) == b"data: first\n\n"
        gate.set()
        assert next(chunks) == b"data: last\n\n"


@pytest.mark.parametrize(("status", "more"), [(429, {"retry-after": "7"}), (500, {}), (529, {}), (400, {})])
def test_a_providers_error_is_passed_on_as_it_is(
    provider: Providers, proxy: Proxied, status: int, more: dict[str, str]
) -> None:
    async def failing(request: web.Request) -> web.StreamResponse:
        return web.json_response({"error": {"message": "no", "type": "x"}}, status=status, headers=more)

    provider.behave = failing
    through, without = post(proxy), direct(provider)
    assert (through.status_code, through.content) == (without.status_code, without.content)
    assert through.headers.get("retry-after") == more.get("retry-after")
    time.sleep(0.2)
    assert proxy.spending.charges == []


def test_a_stream_that_breaks_off_breaks_off_for_the_client_too(provider: Providers, proxy: Proxied) -> None:
    async def half(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b"data: half\n\n")
        assert request.transport is not None
        request.transport.close()  # without the last chunk
        return response

    provider.behave = half
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        direct(provider)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        post(proxy)
    eventually(lambda: len(proxy.spending.charges) == 2, 5)  # mine and everybody's, marked as a guess
    assert not proxy.spending.charges[0][1].exact


def test_a_provider_that_is_not_there_is_an_error_not_a_wait(proxy: Proxied) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with proxied((custom(url),)) as broken:
        answer = post(broken)
    assert answer.status_code == 502
    assert answer.json()["error"]["type"] == "upstream_unreachable"
    assert broken.spending.charges == [], "nothing went out"


@pytest.mark.parametrize("moment", ["before the first byte", "in mid-stream"])
def test_a_client_that_goes_away_ends_the_call_to_the_provider(
    provider: Providers, proxy: Proxied, moment: str
) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        if moment == "before the first byte":
            await asyncio.sleep(60)
        return await streamed(request, [b"data: more\n\n"] * 10_000, 0.01)

    provider.behave = endless
    try:
        with post(proxy, stream=True) if moment == "in mid-stream" else short(proxy) as answer:
            next(answer.iter_content(None))
    except requests.exceptions.ReadTimeout:
        pass
    eventually(lambda: provider.open == 0, 5)
    eventually(lambda: len(proxy.spending.charges) == 2, 5)
    charge = proxy.spending.charges[0][1]
    assert charge.input_tokens == len(json.dumps(BODY)) // BYTES_PER_TOKEN
    assert charge.output_tokens >= (1 if moment == "in mid-stream" else 0.4 * TOKENS_A_SECOND)
    assert not charge.exact


def test_a_slow_reader_slows_the_provider_down(provider: Providers, proxy: Proxied) -> None:
    """Back-pressure: an answer that nobody takes is not collected in memory."""
    written = 0

    async def flood(request: web.Request) -> web.StreamResponse:
        nonlocal written
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for _ in range(600):
            await response.write(b"x" * 100_000)
            written += 100_000
        return response

    provider.behave = flood
    with post(proxy, stream=True) as answer:
        chunks = answer.iter_content(100_000)
        first = len(next(chunks))  # as much as had come
        time.sleep(1.5)
        assert written < 30_000_000  # of 60: socket buffers, not ours
        assert first + sum(map(len, chunks)) == 600 * 100_000


@pytest.mark.parametrize(
    ("path", "token", "status"),
    [
        (PATH, "wrong", 401),
        ("/custom/files", None, 403),
        ("/custom/../v1/files", None, 403),
        ("/custom/chat/completions/../../files", None, 403),
        ("/openai/chat/completions", None, 403),
        ("/", None, 404),
    ],
)
def test_only_model_calls_with_this_containers_token_go_out(
    provider: Providers, proxy: Proxied, path: str, token: str | None, status: int
) -> None:
    prepared = requests.Request(
        "POST", proxy.url, json=BODY, headers={"Authorization": f"Bearer {token or proxy.token}"}
    )
    request = prepared.prepare()
    request.url = proxy.url + path  # not tidied up by the client
    assert requests.Session().send(request, timeout=5).status_code == status
    assert provider.asked == []


def test_a_redirect_is_not_followed_with_our_key(provider: Providers, proxy: Proxied) -> None:
    async def away(request: web.Request) -> web.StreamResponse:
        return web.Response(status=307, headers={"Location": f"{provider.url}/elsewhere"})

    provider.behave = away
    assert post(proxy, allow_redirects=False).status_code == 307
    assert [asked.path for asked in provider.asked] == ["/chat/completions"]


def test_a_new_key_is_used_without_a_restart(provider: Providers) -> None:
    keys = ["sk-old"]

    async def picky(request: web.Request) -> web.StreamResponse:
        if request.headers["Authorization"] != "Bearer sk-new":
            return web.json_response({"error": {"message": "invalid key"}}, status=401)
        return await streamed(request, [b"data: yes\n\n"])

    provider.behave = picky
    with proxied((custom(provider.url),), Secrets("/x", lambda _: {"openai-api-key": keys[-1]})) as proxy:
        assert post(proxy).status_code == 401
        time.sleep(0.2)
        assert proxy.spending.charges == [], "a refusal costs nothing"
        keys.append("sk-new")
        assert post(proxy).content == b"data: yes\n\n"


def test_bedrock_is_signed_with_the_tasks_role(provider: Providers) -> None:
    claude = Route("bedrock-claude", "anthropic-messages", provider.url, "m", service="bedrock-mantle")
    with proxied((claude,)) as proxy:
        headers = {"x-api-key": proxy.token, "anthropic-version": "2023-06-01"}
        answer = requests.post(f"{proxy.url}/bedrock-claude/v1/messages", json=BODY, headers=headers, timeout=10)
    assert answer.status_code == 200
    asked = provider.asked[0]
    assert asked.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=test/")
    assert "/us-east-1/bedrock-mantle/aws4_request" in asked.headers["authorization"]
    assert "x-api-key" not in asked.headers


def test_the_added_latency(provider: Providers, proxy: Proxied) -> None:
    """The bar is 3 ms to the first byte at p50, on the same machine in the same run; measured interleaved."""
    bodies = [b"data: %d\n\n" % number for number in range(50)]

    async def paced(request: web.Request) -> web.StreamResponse:
        return await streamed(request, bodies, 0.002)

    provider.behave = paced
    session, headers = requests.Session(), {"Authorization": f"Bearer {proxy.token}"}
    urls = {"direct": f"{provider.url}/chat/completions", "proxy": proxy.url + PATH}
    first: dict[str, list[float]] = {name: [] for name in urls}
    gaps: dict[str, list[float]] = {name: [] for name in urls}
    for _ in range(40):
        for name, url in urls.items():
            begun = last = time.perf_counter()
            with session.post(url, json=BODY, headers=headers, stream=True) as answer:
                for number, _ in enumerate(answer.iter_content(None)):
                    now = time.perf_counter()
                    (gaps if number else first)[name].append(1000 * (now - (last if number else begun)))
                    last = now
    added = statistics.median(first["proxy"]) - statistics.median(first["direct"])
    for what, times in (("first byte", first), ("chunk", gaps)):
        shown = {name: (statistics.median(t), statistics.quantiles(t, n=20)[-1]) for name, t in times.items()}
        print(what, {name: f"p50 {p50:.2f} ms, p95 {p95:.2f} ms" for name, (p50, p95) in shown.items()})
    assert added <= 3.0 * slack(), f"{added:.2f} ms"


def slack() -> float:
    """How busy the machine is besides us: a bar in milliseconds holds on an idle core only."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def test_custom_is_the_only_route_without_a_fixed_place() -> None:
    assert all(route.base.startswith("https://") for route in KNOWN)
    assert custom("http://x").api == COMPLETIONS
