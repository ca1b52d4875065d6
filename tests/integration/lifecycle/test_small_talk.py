"""Small talk that is answered without waking the agent: it stands, or the agent starts."""

from typing import Any

import pytest
from aiohttp import web

from chalicelib.first_words.small_talk import AGENT, DONE
from chalicelib.lifecycle.first_words import stopped
from chalicelib.messages import first_words
from chalicelib.messages.conversations import Conversations
from chalicelib.messages.first_words import NotWaiting
from chalicelib.messages.inbox import Inbox, Message
from chalicelib.people.preferences import Preferences
from chalicelib.platform.clock import now_ms
from chalicelib.platform.models import ConversationItem
from tests.integration.lifecycle.waking import claim, kept, waiting
from tests.support.providers import Providers, completions

pytestmark = pytest.mark.usefixtures("table_server")

Json = dict[str, Any]


def test_small_talk_stands_and_no_agent_starts(
    speak: Any, message: Message, provider: Providers, started: list[str]
) -> None:
    provider.says = f"{DONE} Rome."
    assert speak(message, alone=True) == "stood"
    assert started == []
    found = Inbox().get(message.user_id, message.id)
    assert found is not None
    assert (found.status, Inbox().waiting(message.user_id)) == ("done", [])
    question, answer = Conversations().page(message.user_id, "main", None, 5).messages
    assert (answer["content"], answer["reason"], answer["model"]) == ("Rome.", "final", "custom/some-model")
    assert (question["messageId"], "firstWords" in question) == (message.id, False)
    assert "[[done]]" in provider.asked[0].body["messages"][0]["content"]


@pytest.mark.parametrize(
    "says", [f"{AGENT} I will look that up.", "I will look.", "[[done", AGENT, f"Sure! {AGENT.title()} I look."]
)
def test_what_needs_the_agent_starts_it(
    speak: Any, message: Message, provider: Providers, started: list[str], says: str
) -> None:
    provider.says = says
    assert speak(message, alone=True) in ("said", "nothing")
    assert started == [message.user_id], "once"
    first = kept(message)
    assert first is not None
    assert "[[" not in first["text"].removeprefix("[[done")


def test_every_failure_of_small_talk_starts_the_agent(
    speak: Any, message: Message, provider: Providers, started: list[str]
) -> None:
    async def break_off(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for part in completions("m", f"{DONE} one two three", (10, 5, 0))[:3]:
            await response.write(part)
        assert request.transport is not None
        request.transport.abort()
        return response

    provider.behave = break_off
    assert speak(message, alone=True) == "broke off"
    assert speak(message, alone=True) == "taken"
    other = waiting("Hello?", message.user_id)
    assert speak(other, alone=True) == "behind"
    assert started == [message.user_id] * 3


def test_both_rows_go_with_the_retention_of_their_user(speak: Any, message: Message, provider: Providers) -> None:
    Preferences().change(message.user_id, {"retentionDays": 1})
    provider.says = f"{DONE} Rome."
    assert speak(message, alone=True) == "stood"
    other = waiting("And then?", message.user_id)
    Conversations().save_question(other)
    first_words.begin(other)
    stopped(message.user_id, None)
    rows = list(ConversationItem.query(message.user_id, ConversationItem.item_key.startswith("c#main#")))
    assert (len(rows), [row for row in rows if not row.expires_at]) == (4, [])


def test_stop_ends_them_and_nobody_goes_on(speak: Any, message: Message) -> None:
    first_words.begin(message)
    first_words.keep(message, {"text": "Rome is", "ended": False})
    assert stopped(message.user_id, "other") == []
    (row,) = stopped(message.user_id, "main")
    assert (row["content"], row["reason"], row["replyTo"]) == ("Rome is", "aborted", message.id)
    with pytest.raises(NotWaiting):
        first_words.keep(message, {"text": "Rome is a city.", "ended": True})
    assert Inbox().waiting(message.user_id) == [], "the container that starts finds nothing to answer"
    claimed = waiting("And then?", message.user_id)
    claim(claimed)
    assert stopped(message.user_id, "main") == []


def test_a_container_that_took_small_talk_meanwhile_answers_it(message: Message) -> None:
    first_words.begin(message)
    claim(message)
    with pytest.raises(NotWaiting):
        first_words.finish(message, "final", "Rome.", None, now_ms())
    (question,) = Conversations().page(message.user_id, "main", None, 5).messages
    assert question["messageId"] == message.id, "there is no second answer"
