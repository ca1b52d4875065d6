"""A failed model call is told in plain words and never outlives its cause, on the real gateway.

One OpenClaw for all: what the stand-in provider answers is written in the message ("fail with 402"), and
each failure has a conversation of its own, so many run at once. `pytest -s` prints the table.
"""

import asyncio
import json
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web

from bridge.openclaw.process import OpenClaw
from bridge.provider import proxy as proxy_module
from bridge.turns.answer import Answerer
from bridge.turns.delivery import Delivery, Run, Stream
from bridge.turns.outcome import Outcome
from chalicelib.messages.inbox import HOPELESS, Message
from chalicelib.people.spending import Limits
from chalicelib.providers.routes import COMPLETIONS, KNOWN, Route
from tests.support.bridge_parts import KEY, Proxied, custom, make_config, proxied, secrets_with
from tests.support.fakes import FakeConnections, FakePost
from tests.support.providers import Providers, event

pytestmark = pytest.mark.timeout(240)
SECOND = "deepseek/deepseek-v4-flash"
BEDROCK = (
    Route("bedrock-claude", "anthropic-messages", "", "anthropic.claude-sonnet-5", service="bedrock-mantle"),
    Route("bedrock", COMPLETIONS, "", "openai.gpt-oss-120b-1:0", service="bedrock"),
)
NO_CREDIT = "Your credit balance is too low to access the API. Please go to Plans & Billing to purchase credits."
QUOTA = "You exceeded your current quota, please check your plan and billing details."
# By name: the provider's status and message, then the code and a word of what the person is told.
ANSWERS: dict[str, tuple[int, str, str, str]] = {
    "400": (400, "Unsupported parameter: foo", "PROVIDER_REQUEST", "new conversation"),
    "400-credit": (400, NO_CREDIT, "PROVIDER_CREDIT", "Top up"),
    "401": (401, "Incorrect API key provided.", "PROVIDER_KEY", "Check the key"),
    "402": (402, "Insufficient Balance", "PROVIDER_CREDIT", "Top up"),
    "403": (403, "Your account does not have access to it", "PROVIDER_KEY", "Check the key's rights"),
    "404": (404, "The model `demo` does not exist", "PROVIDER_MODEL", "choose another model"),
    "408": (408, "Request timeout", "PROVIDER_BUSY", "Try again"),
    "413": (413, "Request exceeds the maximum size", "PROVIDER_REQUEST", "too long"),
    "429": (429, "Rate limit reached for requests per min.", "PROVIDER_BUSY", "too many requests"),
    "429-quota": (429, QUOTA, "PROVIDER_CREDIT", "Top up"),
    "429-day": (429, "Rate limit reached for tokens per day.", "PROVIDER_LIMIT", "limit of the account"),
    "500": (500, "Internal server error", "PROVIDER_BUSY", "Try again"),
    "502": (502, "bad gateway", "PROVIDER_BUSY", "Try again"),
    "503": (503, "Service unavailable", "PROVIDER_BUSY", "Try again"),
    "529": (529, "Overloaded", "PROVIDER_BUSY", "overloaded"),
    "broken": (200, "", "PROVIDER_BUSY", "broke off"),
    "silent": (200, "", "PROVIDER_BUSY", "did not answer"),
    "in-stream": (200, QUOTA, "PROVIDER_CREDIT", "Top up"),
}


def last_text(body: dict[str, object]) -> str:
    """What the person wrote last, in whichever API."""
    said = json.dumps(body.get("messages") or body.get("input") or body.get("contents"))
    return str((re.findall(r"fail with [\w-]+|please answer [\w-]+", said) or [""])[-1])


class Script:
    """The provider: fails as the message says, unless the call came to the second provider."""

    def __init__(self, providers: Providers) -> None:
        self._providers = providers
        self.lock = threading.Lock()
        self.calls: list[tuple[str, str]] = []  # the provider and the message

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        text, provider = last_text(await request.json()), request.path.split("/")[1]
        with self.lock:
            self.calls.append((provider, text))
        if not text.startswith("fail with ") or provider == "deepseek":
            return await self._providers._well(request)
        name = text.removeprefix("fail with ")
        status, message, _, _ = ANSWERS[name]
        if status != 200:
            soon = " Please retry after 0.2 seconds." if status >= 500 or name in ("408", "429") else ""
            error = {"type": "insufficient_quota" if "quota" in name else "error", "message": message + soon}
            return web.json_response({"type": "error", "error": error}, status=status)
        return await self._stream(request, name)

    @staticmethod
    async def _stream(request: web.Request, name: str) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        if name == "silent":
            await asyncio.sleep(60)
        await response.prepare(request)
        if name == "in-stream":
            await response.write(event({"error": {"code": "insufficient_quota", "message": QUOTA}}))
            await response.write_eof()
        elif request.transport is not None:
            await response.write(event({"id": "c1", "object": "chat.completion.chunk", "choices": []}))
            request.transport.abort()
        return response

    def count(self, text: str, provider: str = "") -> int:
        with self.lock:
            return sum(said == text and (not provider or by == provider) for by, said in self.calls)


@dataclass
class Part:
    """The real gateway before a provider that fails on demand."""

    openclaw: OpenClaw
    proxy: Proxied
    script: Script
    file: Path

    def restart(self, *fallbacks: str) -> None:
        """With these fallbacks in the user's configuration."""
        self.openclaw.stop()
        stored = json.loads(self.file.read_text())
        stored["agents"]["defaults"]["model"]["fallbacks"] = list(fallbacks)
        self.file.write_text(json.dumps(stored))
        self.openclaw.start()

    def ask(self, text: str, conversation: str, model: str | None = "custom/demo", own: str | None = None) -> Outcome:
        """A message answered as in a new container; `own`: the conversation's model."""
        answerer = Answerer(self.openclaw, lambda: model)
        answerer.models.own = lambda _: own
        message = Message("ann", f"{conversation}-{re.sub('[^a-z0-9-]', '-', text)}", text, conversation, 0, claims=1)
        delivery = Delivery("ann", FakeConnections(), FakePost())  # type: ignore[arg-type]
        return answerer.answer(message, Stream(Run("r", message.id, conversation), delivery), delivery)

    def all(self, work: Callable[[str], Outcome]) -> dict[str, Outcome]:
        with ThreadPoolExecutor(len(ANSWERS)) as pool:
            return dict(zip(ANSWERS, pool.map(work, ANSWERS), strict=True))


@pytest.fixture(scope="module")
def part(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Part]:
    with Providers() as providers, pytest.MonkeyPatch.context() as patch:
        patch.setattr(proxy_module, "SILENCE_SECONDS", 1.0)
        patch.setattr(proxy_module, "PLACES", 32)
        script = providers.behave = Script(providers)
        routes = tuple(
            Route(r.id, r.api, f"{providers.url}/{r.id}", r.model, r.parameter, r.service)
            for r in (custom(""), *KNOWN, *BEDROCK)
        )
        config = make_config(tmp_path_factory.mktemp("openclaw") / "home", *routes)
        keys = secrets_with(**{r.parameter.replace("-", "_"): KEY for r in KNOWN if r.id != "google"})
        config.state_dir.mkdir(parents=True)
        at_once = {"agents": {"defaults": {"maxConcurrent": len(ANSWERS)}}}
        (config.state_dir / "openclaw.json").write_text(json.dumps(at_once))
        with proxied(routes, keys, token=config.proxy_token) as proxy:
            openclaw = OpenClaw(config, proxy.url)
            openclaw.start()
            part = Part(openclaw, proxy, script, config.state_dir / "openclaw.json")
            part.ask("please answer first", "warm")
            yield part
            openclaw.stop()


@pytest.fixture(autouse=True)
def calls_of_this_test(part: Part) -> None:
    part.script.calls.clear()


def test_a_refusal_is_told_and_never_outlives_its_cause(part: Part) -> None:
    during = part.all(lambda name: part.ask(f"fail with {name}", name))
    after = part.all(lambda name: part.ask(f"please answer after-{name}", name))
    calls = {name: part.script.count(f"fail with {name}") for name in ANSWERS}
    # Once more before the restart, with no success behind it; the others are never noted down by OpenClaw.
    refused = [name for name, answer in ANSWERS.items() if answer[2] in HOPELESS]
    again = {name: part.ask(f"fail with {name}", f"{name}-2") for name in refused}
    part.restart()
    restarted = part.all(lambda name: part.ask(f"please answer restarted-{name}", f"{name}-2"))
    print("\n| provider answers | calls | tried again | the person reads | next message | after a restart |")
    print("|---|---|---|---|---|---|")
    for name, outcome in during.items():
        tried = "no" if outcome.code in HOPELESS else "yes"
        row = [name, str(calls[name]), tried, outcome.error, after[name].text, restarted[name].text]
        print(f"| {' | '.join(row)} |")
    for name, (_, _, code, words) in ANSWERS.items():
        for outcome in (during[name], again.get(name, during[name])):
            assert (outcome.reason, outcome.code) == ("error", code), (name, outcome)
            assert words in outcome.error, name
            assert not re.search(r"custom|bridge|LLM|OpenClaw|HTTP", outcome.error), name
        for column, outcome in (("after", after[name]), ("restarted", restarted[name])):
            assert (outcome.reason, outcome.text) == ("final", "Good morning."), (name, column, outcome)
            assert part.script.count(f"please answer {column}-{name}", "custom") == 1, "a real call left"
        assert calls[name] == (1 if code in HOPELESS else 4), "what cannot succeed is not asked again"


def test_a_second_provider_answers_for_the_first(part: Part) -> None:
    part.restart(SECOND)
    answers = part.all(lambda name: part.ask(f"fail with {name}", f"{name}-second", None))
    part.restart()
    for name, outcome in answers.items():
        if name == "413":  # too long for one model may be so for all: OpenClaw's own rule
            continue
        assert (outcome.reason, "Good morning." in outcome.text) == ("final", True), (name, outcome)
        assert part.script.count(f"fail with {name}", "deepseek") >= 1


def test_another_model_that_the_person_chooses_answers(part: Part) -> None:
    assert part.ask("fail with 401", "chosen").code == "PROVIDER_KEY"
    assert part.ask("please answer chosen", "chosen", SECOND).text == "Good morning."


def test_a_conversations_own_model_goes_before_the_users_and_its_end_holds_in_the_next_container(part: Part) -> None:
    own = f"anthropic/{KNOWN[0].model}"
    steps = [("chosen", SECOND, own, "anthropic"), ("kept", None, None, "anthropic"), ("back", None, "", "custom")]
    for name, users, models, provider in steps:
        assert part.ask(f"please answer own-{name}", "own", users, models).text == "Good morning."
        assert part.script.count(f"please answer own-{name}", provider) == 1, name
    assert part.ask("please answer own-other", "own-other", SECOND).text == "Good morning."
    assert part.script.count("please answer own-other", "deepseek") == 1


@pytest.mark.parametrize("route", [r for r in (*KNOWN, *BEDROCK) if r.id not in ("google", "deepseek")], ids=str)
def test_no_providers_api_makes_openclaw_disable_it(part: Part, route: Route) -> None:
    model = f"{route.id}/{route.model}"
    for name in ("401", "402", "429-quota", "400-credit"):
        failed = part.ask(f"fail with {name}", f"{route.id}-{name}", model)
        assert failed.code == ANSWERS[name][2], failed
        assert part.ask(f"please answer {name}", f"{route.id}-{name}", model).text == "Good morning."


def test_a_provider_without_a_key_says_so(part: Part) -> None:
    outcome = part.ask("please answer google", "no-key", f"google/{KNOWN[3].model}")
    assert outcome.code == "PROVIDER_KEY"
    assert outcome.error.startswith("No key is set for Google")
    assert part.ask("please answer no-key", "no-key").text == "Good morning."


def test_what_we_refuse_at_the_limit_ends_when_the_limit_is_raised(part: Part) -> None:
    spending = part.proxy.spending
    allowed = spending.allowed
    spending.allowed = Limits(user_usd=0.0000001, total_usd=20)
    part.proxy.budget.look()
    refused = part.ask("please answer limit", "limit", f"anthropic/{KNOWN[0].model}")
    spending.allowed = allowed
    part.proxy.budget.look()
    assert refused.code == "BUDGET_REACHED"
    assert refused.error.startswith("This month's limit of")
    assert refused.error.endswith(".")
    assert part.ask("please answer raised", "limit", f"anthropic/{KNOWN[0].model}").text == "Good morning."


def test_the_proxys_token_is_in_no_file(part: Part) -> None:
    token = part.openclaw._config.proxy_token.encode()
    files = [path for path in Path(part.openclaw._config.home).rglob("*") if path.is_file()]
    assert len(files) > 10
    assert [path for path in files if token in path.read_bytes()] == []
