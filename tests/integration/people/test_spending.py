"""Month rows on the real table: atomic sums, told once, the same as the fake; and the limit end to end."""

import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from chalicelib.people.spending import Charge, Limits, Spending, SpendingService
from local.stack import Stack
from tests.integration.telegram.test_telegram_stack import paired
from tests.support.client import Client, eventually
from tests.support.fake_spending import FakeSpending
from tests.support.fake_tables import FakeClock
from tests.support.judges import TABLE_SERVERS, OnTables
from tests.support.providers import Providers
from tests.support.stacks import running

CHARGE = Charge(800, 50, 200, 222_500)


@pytest.fixture(params=["fake", *TABLE_SERVERS])
def spending(request: pytest.FixtureRequest, on_tables: OnTables) -> Iterator[SpendingService]:
    clock = FakeClock()
    if request.param == "fake":
        yield FakeSpending(clock)
        return
    with on_tables(request.param):
        yield Spending(clock)


@pytest.fixture
def user() -> str:
    return uuid.uuid4().hex


def test_a_month_is_the_sum_of_its_charges(spending: SpendingService, user: str) -> None:
    assert spending.month(user).usd == 0
    spending.add(user, "UTC", CHARGE)
    after = spending.add(user, "UTC", Charge(1, 2, 3, 0, exact=False, requests=2))
    assert after == spending.month(user)
    assert (after.input_tokens, after.output_tokens, after.cached_tokens) == (801, 52, 203)
    assert (after.usd, after.requests, after.inexact) == (0.0002225, 3, 1)


def test_charges_at_the_same_moment_are_all_counted(spending: SpendingService, user: str) -> None:
    threads = [threading.Thread(target=spending.add, args=(user, "UTC", CHARGE)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    month = spending.month(user)
    assert (month.requests, month.output_tokens) == (20, 1000)


def test_only_one_may_tell(spending: SpendingService, user: str) -> None:
    month = spending.add(user, "UTC", CHARGE)
    assert not month.told
    assert [spending.tell(user, month.name) for _ in range(3)] == [True, False, False]
    assert spending.month(user).told


def test_without_a_setting_the_limits_are_small(spending: SpendingService) -> None:
    assert spending.limits() == Limits(user_usd=5, total_usd=20)


@pytest.fixture(scope="module")
def provider() -> Iterator[Providers]:
    with Providers() as provider:
        provider.usage = (1000, 800, 0)  # of gpt-5.4-nano: 0.0012 dollars
        yield provider


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, provider: Providers) -> Iterator[Stack]:
    folder: Path = tmp_path_factory.mktemp("stack")
    own = {"OPENAI_BASE_URL": provider.url, "OPENAI_API_KEY": "sk-test", "MODEL": "gpt-5.4-nano"}
    yield from running(folder, **own)


@pytest.mark.timeout(150)
def test_the_limit_from_the_first_dollar_to_the_refusal(stack: Stack, provider: Providers) -> None:
    """Counted, shown, told once when near, refused when reached, and let on when raised."""
    client = Client(stack)
    client.rest("PUT", "/settings", {"budgetUsd": 0.1})
    provider.usage = (1000, 66_000, 0)  # 0.0827 dollars
    assert client.ask("first") == "Good morning."
    seen = [frame for frame in client.frames if frame["type"] == "notice"]  # it may come before the answer's end
    notice = seen[0] if seen else client.until(lambda frame: frame["type"] == "notice", 10)
    assert (notice["code"], notice["limitUsd"]) == ("BUDGET_NEAR", 0.1)
    cost = eventually(lambda: client.rest("GET", "/status").json()["cost"], 5)
    assert (cost["usd"], cost["complete"], cost["limitUsd"]) == (0.0827, True, 0.1)
    client.ask("second")  # begins below the limit
    eventually(lambda: client.rest("GET", "/status").json()["cost"]["usd"] > 0.1, 5)

    asked = len(provider.asked)
    refused = client.send("third")
    end = client.until(lambda frame: frame["type"] == "stream_end" and frame["replyTo"] == refused)
    assert end["error"]["code"] == "BUDGET_REACHED"
    assert "$0.10" in end["error"]["message"]
    assert len(provider.asked) == asked
    assert [frame["code"] for frame in client.frames if frame["type"] == "notice"] == ["BUDGET_NEAR"]
    row = eventually(lambda: [row for row in client.history() if row.get("error")], 5)[0]
    assert (row["replyTo"], row["error"]["code"], row["reason"]) == (refused, "BUDGET_REACHED", "error")

    client.rest("PUT", "/settings", {"budgetUsd": 1})
    assert eventually(lambda: client.ask("fourth"), 20) == "Good morning."
    client.close()


@pytest.mark.timeout(150)
def test_telegram_is_told_too(stack: Stack, provider: Providers) -> None:
    """The warning and the refusal reach the chat, and /status shows the month."""
    client, person = paired(stack)
    client.rest("PUT", "/settings", {"budgetUsd": 0.1})
    provider.usage = (1000, 66_000, 0)
    person.ask("first", "Good morning.")
    assert "$0.10" in person.reply("of this month's limit")["text"]
    eventually(lambda: client.rest("GET", "/status").json()["cost"]["usd"] == 0.0827, 5)
    assert "$0.08 of $0.10" in person.ask("/status", "This month's model calls")["text"]
    provider.usage = (1000, 30_000, 0)
    person.ask("second", "Good morning.")
    eventually(lambda: client.rest("GET", "/status").json()["cost"]["usd"] > 0.1, 5)
    asked = len(provider.asked)
    person.ask("third", "limit of $0.10 is reached")
    assert len(provider.asked) == asked
    client.close()


def test_a_limit_must_be_a_sum_of_money(stack: Stack) -> None:
    client = Client(stack)
    for wrong in (0, -1, 5000, "5", True):
        answer = client.rest("PUT", "/settings", {"budgetUsd": wrong})
        assert (answer.status_code, answer.json()["code"]) == (400, "BAD_FIELD")
    assert client.rest("PUT", "/settings", {"budgetUsd": 2.5}).json()["budgetUsd"] == 2.5
    client.close()
