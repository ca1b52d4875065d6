"""First words on real tables, with a provider over HTTP: when none are said, and what a failure leaves."""

import asyncio
import socket
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from chalicelib.first_words.model import Asked, Unanswered, choose
from chalicelib.messages import first_words
from chalicelib.messages.conversations import Change, Conversations
from chalicelib.messages.edits import edit
from chalicelib.messages.first_words import NotWaiting
from chalicelib.messages.inbox import Inbox, Message
from chalicelib.people.preferences import Choice, Preferences
from chalicelib.people.spending import Charge, Spending
from chalicelib.platform.clock import now_ms
from chalicelib.platform.secrets import Secrets
from chalicelib.providers.credentials import Credentials
from chalicelib.providers.routes import KNOWN, routes
from tests.integration.lifecycle.waking import KEY, claim, kept, waiting
from tests.support.providers import Providers, completions

pytestmark = pytest.mark.usefixtures("table_server")

Json = dict[str, Any]


def test_they_are_kept_with_the_message_and_with_the_question(
    speak: Any, message: Message, provider: Providers
) -> None:
    assert speak(message) == "said"
    whole = {"text": "Good morning.", "ended": True, "model": "custom/some-model"}
    assert kept(message) == whole
    (row,) = Conversations().page(message.user_id, "main", None, 5).messages
    assert (row["content"], row["firstWords"]) == (message.text, whole)
    (asked,) = provider.asked
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    system, question = asked.body["messages"]
    assert "You have no tools at all" in system["content"]
    assert question == {"role": "user", "content": message.text}
    month = Spending().month(message.user_id)
    assert (month.requests, month.output_tokens) == (1, 50)


def test_a_second_delivery_asks_no_model(speak: Any, message: Message, provider: Providers) -> None:
    assert speak(message) == "said"
    assert speak(message) == "taken"
    assert len(provider.asked) == 1


@pytest.mark.parametrize(
    "message",
    [
        ("/status", {}),
        ("", {"attachments": [{"mimeType": "image/png", "fileName": "a", "content": "AA=="}]}),
        ("a failed build", {"route": {"cause": "Hook: GitHub", "hook": {"name": "GitHub"}}}),
        ("forwarded", {"route": {"telegram": {"chat": "1", "forwarded": True}}}),
        ("long " * 2_000, {}),
    ],
)
def test_a_command_a_file_a_program_and_a_part_of_a_thought_have_none(
    speak: Any, provider: Providers, message: tuple[str, Json]
) -> None:
    assert speak(waiting(message[0], **message[1])) == "unsuited"
    assert not provider.asked


def test_who_switched_them_off_has_none(speak: Any, message: Message, provider: Providers) -> None:
    Preferences().change(message.user_id, {"firstWords": False})
    assert speak(message) == "off"
    assert (kept(message), provider.asked) == (None, [])


def test_whose_month_is_used_up_has_none(speak: Any, message: Message, provider: Providers) -> None:
    Spending().add(message.user_id, "UTC", Charge(nano_usd=6_000_000_000))
    assert speak(message) == "budget"
    assert (kept(message), provider.asked) == (None, [])


def test_only_the_first_message_that_waits_in_a_conversation_has_them(speak: Any, message: Message) -> None:
    assert speak(waiting("And of France?", message.user_id)) == "behind"
    assert speak(message) == "said"


def test_an_agent_that_was_faster_is_left_alone(speak: Any, message: Message, provider: Providers) -> None:
    claim(message)
    assert speak(message) == "unsuited"
    assert not provider.asked


def test_the_claim_of_a_container_ends_them(message: Message) -> None:
    """What the row holds then is all that anybody was shown."""
    first_words.begin(message)
    first_words.keep(message, {"text": "Good", "ended": False})
    claim(message)
    with pytest.raises(NotWaiting):
        first_words.keep(message, {"text": "Good morning.", "ended": True})
    assert kept(message) == {"text": "Good", "ended": False}


def test_a_container_that_claims_in_mid_stream_ends_them(speak: Any, message: Message, provider: Providers) -> None:
    async def slowly(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        parts = completions("m", "one two three", (10, 5, 0))
        await response.write(parts[0] + parts[1])
        await asyncio.sleep(0.5)
        await asyncio.get_running_loop().run_in_executor(None, claim, message)
        for part in parts[2:]:
            await response.write(part)
        return response

    provider.behave = slowly
    assert speak(message) == "overtaken"
    first = kept(message)
    assert first is not None
    assert first["ended"] is False
    assert Spending().month(message.user_id).requests == 1, "what was used is counted all the same"


@pytest.mark.parametrize("status", [401, 402, 429, 500])
def test_a_provider_that_refuses_leaves_nothing(speak: Any, message: Message, provider: Providers, status: int) -> None:
    async def refuse(_: web.Request) -> web.StreamResponse:
        return web.json_response({"error": {"message": KEY}}, status=status)

    provider.behave = refuse
    assert speak(message) == "broke off"
    assert kept(message) == {"text": "", "ended": False}


def test_a_call_that_never_left_costs_nothing(message: Message) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}"
    route = replace(KNOWN[0], base=nobody)
    asked = Asked(route, route.small, Credentials(Secrets("/test/", lambda path: {route.parameter: KEY})))
    with pytest.raises(Unanswered):
        list(asked.stream("", [("user", message.text)]))
    assert asked.charge is None


def test_an_answer_that_was_cut_is_no_whole_one(speak: Any, message: Message, provider: Providers) -> None:
    async def cut(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for part in completions("m", "one two three", (10, 5, 0)):
            await response.write(part.replace(b'"stop"', b'"length"').replace(b'{"id"', b'{"error": null, "id"'))
        return response

    provider.behave = cut
    assert speak(message) == "broke off"
    first = kept(message)
    assert first is not None
    assert (first["text"], first["ended"]) == ("one two three", False)
    (row,) = Conversations().page(message.user_id, "main", None, 5).messages
    assert row["firstWords"]["text"] == "one two three", "a reload shows what there is"


def test_a_message_that_was_edited_meanwhile_is_left_to_the_agent(speak: Any, message: Message) -> None:
    """Its first words would answer what nobody asks any more."""
    first_words.begin(message)
    assert edit(message, "Delete my appointments")
    with pytest.raises(NotWaiting):
        first_words.keep(message, {"text": "Rome.", "ended": False})
    with pytest.raises(NotWaiting):
        first_words.finish(message, "final", "Rome.", None, now_ms())


def test_a_message_that_was_handed_back_gets_no_late_words(message: Message) -> None:
    first_words.begin(message)
    generation = claim(message)
    claimed = Inbox().get(message.user_id, message.id)
    assert claimed is not None
    Inbox().hand_back(claimed, generation)
    with pytest.raises(NotWaiting):
        first_words.keep(message, {"text": "late", "ended": True})


def test_the_conversations_own_model_decides_who_reads_it(speak: Any, message: Message, provider: Providers) -> None:
    Conversations().touch(message.user_id, "main", message.text)
    Conversations().change(message.user_id, "main", Change(model="custom/my-own"))
    assert speak(message) == "said"
    assert provider.asked[0].body["model"] == "my-own"


def test_a_provider_that_breaks_off_leaves_what_was_said(speak: Any, message: Message, provider: Providers) -> None:
    async def break_off(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for part in completions("m", "one two three", (10, 5, 0))[:2]:
            await response.write(part)
        await asyncio.sleep(0.1)
        assert request.transport is not None
        request.transport.abort()
        return response

    provider.behave = break_off
    assert speak(message) == "broke off"
    first = kept(message)
    assert first is not None
    assert (first["text"], first["ended"]) == ("one", False)


@pytest.mark.parametrize("route", KNOWN, ids=lambda route: route.id)
def test_every_provider_is_asked_in_its_own_format(provider: Providers, route: Any) -> None:
    """The bodies and the answers are those of the providers' public APIs (tests/support/providers.py)."""
    provider.says = "Rome is the capital."
    secrets = Secrets("/test/", lambda path: {route.parameter: KEY})
    asked = Asked(replace(route, base=provider.url), route.small, Credentials(secrets))
    turns = [("user", "Hello"), ("assistant", "Hi"), ("user", "What is the capital of Italy?")]
    assert "".join(asked.stream("You are kind.", turns)) == "Rome is the capital."
    sent = provider.asked[0]
    assert KEY in (sent.headers.get("x-api-key"), sent.headers.get("x-goog-api-key")) or sent.headers[
        "authorization"
    ].endswith(KEY)
    assert "You are kind." in str(sent.body)
    assert "tools" not in sent.body
    charge = asked.charge
    assert charge is not None
    assert (charge.output_tokens, charge.exact, charge.nano_usd > 0) == (50, True, True)


def test_the_model_is_a_small_one_of_the_users_provider_or_the_deployments_choice() -> None:
    found = routes({"anthropic-api-key": KEY, "openai-api-key": KEY}, "us-east-1", bedrock=False)
    route, model = choose(found, "", "", Choice())
    assert (route.id, model) == ("anthropic", "claude-haiku-4-5")
    route, model = choose(found, "", "", Choice(model="openai/gpt-5.6-terra"))
    assert (route.id, model) == ("openai", "gpt-5.6-luna")
    route, model = choose(found, "", "openai/gpt-5-nano", Choice())
    assert (route.id, model) == ("openai", "gpt-5-nano")
    with pytest.raises(Unanswered):
        choose(found, "", "elsewhere/model", Choice())
