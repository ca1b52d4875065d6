"""What the proxy lets out: every call counted, the limit passed by one call at most, a bounded number at once."""

import asyncio
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from aiohttp import web
from pynamodb.exceptions import GetError

from bridge.provider.proxy import PLACES
from chalicelib.people.spending import Limits
from chalicelib.providers.usage import BYTES_PER_TOKEN
from tests.support.bridge_parts import BODY, Proxied, custom, post, proxied, short, streamed
from tests.support.client import eventually
from tests.support.fake_spending import FakeSpending
from tests.support.providers import Providers


class Counting:
    """A provider's behaviour that holds its answers until it is let go, and knows how many were open at most."""

    def __init__(self, provider: Providers) -> None:
        self.provider, self.most, self.gate = provider, 0, threading.Event()
        provider.behave = self

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self.most = max(self.most, self.provider.open)
        while not self.gate.is_set():
            await asyncio.sleep(0.01)
        return await self.provider._well(request)


def test_further_calls_wait_for_a_place(provider: Providers, proxy: Proxied) -> None:
    """A swarm is not refused and not sent out all at once."""
    counting = Counting(provider)
    with ThreadPoolExecutor(2 * PLACES) as callers:
        answers = [callers.submit(post, proxy) for _ in range(2 * PLACES)]
        eventually(lambda: provider.open == PLACES, 5)
        time.sleep(0.2)
        counting.gate.set()
    assert [answer.result().status_code for answer in answers] == [200] * 2 * PLACES
    assert counting.most == PLACES
    eventually(lambda: len(proxy.spending.charges) == 4 * PLACES, 5)


def test_calls_at_once_pass_the_limit_by_one_call_at_most(provider: Providers) -> None:
    """Each costs 0.0002225 dollars and might cost far more: near the limit they go out one after the other."""
    spending = FakeSpending(limits=Limits(user_usd=0.0006, total_usd=20))
    counting = Counting(provider)
    counting.gate.set()
    with proxied((custom(provider.url),), spending=spending) as proxy, ThreadPoolExecutor(6) as callers:
        statuses = sorted(callers.map(lambda _: post(proxy).status_code, range(6)))
    assert statuses == [200] * 3 + [402] * 3
    assert counting.most == 1
    assert spending.month("ann").usd <= 0.0006 + 0.0002225


def test_whoever_stops_waiting_leaves_nothing_behind(provider: Providers) -> None:
    """A waiting call is cancelled, then a running one: the next one goes out at once."""
    spending = FakeSpending(limits=Limits(user_usd=0.01, total_usd=20))
    counting = Counting(provider)
    with proxied((custom(provider.url),), spending=spending) as proxy, ThreadPoolExecutor(1) as caller:
        running = caller.submit(short, proxy, 1.0)
        eventually(lambda: provider.open == 1, 5)
        with pytest.raises(requests.exceptions.ReadTimeout):
            short(proxy, 0.3)
        assert (counting.most, len(provider.asked)) == (1, 1)
        with pytest.raises(requests.exceptions.ReadTimeout):
            running.result()
        counting.gate.set()
        assert post(proxy).status_code == 200
        eventually(lambda: len(spending.charges) == 4, 5)
    assert [charge.exact for user, charge in spending.charges if user == "ann"] == [False, True]


def test_while_the_month_cannot_be_read_the_refusal_is_one_to_try_again(provider: Providers) -> None:
    class Throttled(FakeSpending):
        def limits(self, user_id: str | None = None) -> Limits:
            raise GetError("ProvisionedThroughputExceededException")

    with proxied((custom(provider.url),), spending=Throttled()) as proxy:
        assert post(proxy).status_code == 503
    assert provider.asked == []


def test_every_call_is_counted_with_its_price(provider: Providers, proxy: Proxied) -> None:
    post(proxy)
    eventually(lambda: len(proxy.spending.charges) == 2, 5)
    charge = dict(proxy.spending.charges)["ann"]
    assert (charge.input_tokens, charge.output_tokens, charge.cached_tokens) == (800, 50, 200)
    assert charge.nano_usd == 800 * 200 + 50 * 1250 + 200 * 20  # gpt-5.4-nano: 0.20, 1.25, 0.02 dollars a million
    assert charge.exact


def test_at_the_limit_the_provider_is_not_called(provider: Providers) -> None:
    spending = FakeSpending(limits=Limits(user_usd=0.0002, total_usd=20))
    with proxied((custom(provider.url),), spending=spending) as proxy:
        assert post(proxy).status_code == 200
        eventually(lambda: len(spending.charges) == 2, 5)
        refused = post(proxy)
    assert refused.status_code == 402
    assert refused.json()["error"]["code"] == "budget_reached"
    assert len(provider.asked) == 1


def test_an_answer_that_never_began_is_paid_for_too(provider: Providers, proxy: Proxied) -> None:
    """The request was sent; the provider broke off without a word, and may count it."""

    async def silent(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    provider.behave = silent
    assert post(proxy).status_code == 502
    eventually(lambda: len(proxy.spending.charges) == 2, 5)
    charge = dict(proxy.spending.charges)["ann"]
    assert charge.input_tokens == len(json.dumps(BODY)) // BYTES_PER_TOKEN
    assert charge.nano_usd > 0
    assert not charge.exact


def test_eight_at_once_do_not_wait_for_each_other(provider: Providers, proxy: Proxied) -> None:
    together = threading.Barrier(8)

    async def meet(request: web.Request) -> web.StreamResponse:
        await asyncio.get_running_loop().run_in_executor(pool, together.wait, 10)
        return await streamed(request, [b"data: met\n\n"])

    provider.behave = meet
    with ThreadPoolExecutor(8) as pool, ThreadPoolExecutor(8) as callers:
        answers = list(callers.map(lambda _: post(proxy).content, range(8)))
    assert answers == [b"data: met\n\n"] * 8
    eventually(lambda: provider.open == 0, 5)
