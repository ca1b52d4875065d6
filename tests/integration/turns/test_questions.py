"""What the agent asks (`ask_user`), on the real gateway: on the page, in Telegram, in writing, and through crashes."""

import json
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from local.stack import Stack
from tests.integration.telegram.test_telegram_stack import paired
from tests.support.client import Client, Frame, eventually, text_of
from tests.support.faults import new_user
from tests.support.processes import kill, only_task, openclaw_of
from tests.support.push import PushDevice
from tests.support.telegram import Person

pytestmark = pytest.mark.timeout(240)
COLOUR = {
    "id": "colour",
    "header": "Colour",
    "question": "Which colour?",
    "options": [{"label": "Red"}, {"label": "Green"}],
}
DAYS = COLOUR | {"id": "days", "header": "Days", "question": "Which days?", "multiSelect": True}
Json = dict[str, Any]


@pytest.fixture(scope="module")
def client(stack: Stack) -> Iterator[Client]:
    for client in new_user(stack):
        client.ask("What is 1+1?")
        yield client


def ask(*questions: Json, **more: Any) -> str:
    return f"call ask_user {json.dumps({'questions': questions or (COLOUR,), **more})}"


def question(client: Client, state: str = "open", seconds: float = 60) -> Frame:
    """The next frame of a question in that state."""
    found = client.until(lambda f: f.get("question", {}).get("state") == state, seconds)
    return dict(found["question"])


def said(client: Client, message_id: str) -> str:
    end = client.until(lambda f: f["type"] == "stream_end" and f["replyTo"] == message_id)
    return text_of(client.frames, end["runId"])


def give(client: Client, asked: Frame, **answers: Any) -> None:
    client.say({"action": "answer", "questionId": asked["id"], "answers": answers})


def test_a_choice_on_the_page_reaches_the_model(stack: Stack, client: Client) -> None:
    """The card is in every tab and after a reload; the first who presses decides, and every tab shows it.

    Nobody looks at a tab, so a device that asked for pushes is told, too.
    """
    phone = PushDevice(client)
    other = Client(stack, client.token)
    turn = client.send(ask(COLOUR | {"options": [{"label": "Red"}, {"label": "Green", "description": "like tea"}]}))
    asked = question(client)
    assert [option["label"] for option in asked["parts"][0]["options"]] == ["Red", "Green"]
    (shown,) = phone.shown()
    assert (shown["title"], shown["conversationId"]) == ("Your agent asks", "main")
    assert "Which colour?" in shown["body"]
    assert question(other)["id"] == asked["id"]
    assert client.history()[-1]["question"] == asked
    give(client, asked, colour=["Green"])
    assert "Green" in said(client, turn)
    for tab in (client, other):
        closed = next((f["question"] for f in tab.frames if f.get("question", {}).get("state") == "answered"), None)
        closed = closed or question(tab, "answered")
        assert (closed["answers"], closed["by"]) == ({"colour": ["Green"]}, "web")
    client.rest("DELETE", f"/push/{phone.id}")
    assert [row["question"]["state"] for row in client.history() if "question" in row] == ["answered"]
    other.close()


def test_several_choices_and_own_words(client: Client) -> None:
    turn = client.send(ask(DAYS, COLOUR))
    give(client, question(client), days=["Red", "Green"], colour=["Neither: blue"])
    text = said(client, turn)
    assert "Red, Green" in text
    assert "Neither: blue" in text


def test_a_written_reply_is_the_answer(client: Client) -> None:
    """It does not wait behind the turn, and it stays in the conversation."""
    turn = client.send(ask())
    question(client)
    reply = client.send("2")
    assert "Green" in said(client, turn)
    end = next((f for f in client.frames if f["type"] == "stream_end" and f["replyTo"] == reply), None)
    assert (end or client.until(lambda f: f["type"] == "stream_end" and f["replyTo"] == reply))["reason"] == "steered"
    rows = {row["messageId"]: row for row in client.history()}
    assert rows[reply]["content"] == "2"
    assert rows[f"{reply}.answer"]["reason"] == "steered"
    assert client.ask("What is 2+3?").startswith("**2+3 = 5")


def test_skip_lets_the_agent_decide(client: Client) -> None:
    turn = client.send(ask())
    client.say({"action": "answer", "questionId": question(client)["id"], "cancel": True})
    assert question(client, "cancelled")["parts"][0]["text"] == "Which colour?"
    assert "no_answer" in said(client, turn)


def test_stop_withdraws_the_question(client: Client) -> None:
    client.send(ask())
    question(client)
    client.say({"action": "stop", "conversationId": "main"})
    question(client, "cancelled", 20)
    assert client.ask("What is 2+2?").startswith("**2+2 = 4")


def test_hostile_answers_get_an_error_with_a_code(stack: Stack, client: Client) -> None:
    turn = client.send(ask())
    asked = question(client)
    stranger = Client(stack)

    def refused(tab: Client, **fields: Any) -> str:
        tab.say({"action": "answer"} | fields)
        return str(tab.until(lambda f: f["type"] == "error", 20)["code"])

    good = {"questionId": asked["id"], "answers": {"colour": ["Red"]}}
    assert refused(stranger, **good) == "NOT_FOUND"
    assert refused(client, **good | {"questionId": "q" + "0" * 20}) == "NOT_FOUND"
    assert refused(client, **good | {"questionId": "ask_1"}) == "BAD_FIELD"
    assert refused(client, **good | {"answers": {"colour": ["x" * 2001]}}) == "TEXT_TOO_LONG"
    two, blank = {"colour": ["Red", "Green"]}, {"colour": [" "]}
    bad: list[Any] = [{}, {"colour": []}, two, {"size": ["Red"]}, blank, {"colour": 7}, []]
    for answers in bad:
        assert refused(client, **good | {"answers": answers}) == "BAD_FIELD", answers
    client.say({"action": "answer"} | good)
    assert "Red" in said(client, turn)
    assert refused(client, **good) == "QUESTION_CLOSED"
    stranger.close()


def test_a_command_needs_approval_when_the_person_wants_that(client: Client) -> None:
    """The exact command is shown; a refused one does not run, an allowed one does."""
    assert client.rest("PUT", "/settings", {"permissionMode": "ask"}).json()["permissionMode"] == "ask"
    turn = client.send("run: mkdir -p cups/of/tea")
    asked = question(client)
    assert (asked["kind"], asked["command"]) == ("approval", "mkdir -p cups/of/tea")
    assert [option["label"] for option in asked["parts"][0]["options"]][::-1][0] == "deny"
    give(client, asked, decision=["deny"])
    assert question(client, "answered")["answers"] == {"decision": ["deny"]}
    assert "denied" in said(client, turn)
    turn = client.send("run: ls -d cups")
    give(client, question(client), decision=["allow-once"])
    assert "No such file" in said(client, turn)
    client.rest("PUT", "/settings", {"permissionMode": "full"})
    assert "done" in client.ask("run: mkdir -p cups && echo done")


def test_an_automation_asks_when_nobody_has_written(client: Client) -> None:
    """It asks in the main conversation; a written reply answers it although no turn of the person's runs."""
    at = datetime.fromtimestamp(time.time() + 3, UTC).isoformat()
    job: Json = {
        "name": "tea",
        "schedule": {"kind": "at", "at": at},
        "payload": {"kind": "agentTurn", "message": ask()},
    }
    client.send(f"call automations {json.dumps({'action': 'add', 'job': job})}")
    question(client)
    reply = client.send("Green")
    assert question(client, "answered", 20)["answers"] == {"colour": ["Green"]}
    proactive = client.until(lambda f: f.get("reason") == "proactive" and "Green" in f["content"], 40)
    assert proactive["cause"].startswith("Reminder: tea")
    rows = {row["messageId"]: row for row in client.history()}
    assert rows[f"{reply}.answer"]["reason"] == "steered"


@pytest.mark.parametrize("whole", [False, True], ids=["OpenClaw", "the container"])
def test_it_dies_while_it_waits(stack: Stack, client: Client, whole: bool) -> None:
    """The question ends with it, says so, and the turn goes on: the resumed or repeated run may ask again."""
    turn = client.send(ask())
    first = question(client)["id"]
    time.sleep(1)  # OpenClaw writes the call into its transcript
    killed = len(client.frames)
    kill(only_task(stack) if whole else openclaw_of(only_task(stack)))
    assert question(client, "gone", 60)["parts"][0]["text"] == "Which colour?"

    def ended(frame: Frame) -> bool:
        return frame["type"] == "stream_end" and bool(frame["replyTo"] == turn)

    def goes_on(frame: Frame) -> bool:
        asked = frame.get("question", {})
        return ended(frame) or (asked.get("state") == "open" and asked["id"] != first)

    # A new container may ask again before it has looked at the questions of the one before.
    found = next(filter(goes_on, client.frames[killed:]), None) or client.until(goes_on, 90)
    if found["type"] == "message":
        give(client, found["question"], colour=["Red"])
        client.until(ended, 60)
    assert client.ask("What is 3+3?").startswith("**3+3 = 6")


def test_buttons_in_telegram(stack: Stack) -> None:
    """Only the paired person may press; the message shows the choice, and the page too."""
    client, person = paired(stack)
    person.say(ask(DAYS, COLOUR))
    message = person.reply("Which days?", 60)
    stranger = Person(stack).user_id
    assert "Only the person" in person.press(message, "Red", stranger)
    assert person.press(message, "Red") == ""
    message = eventually(
        lambda: next((m for m in person.messages() if "☑ Red" in json.dumps(m, ensure_ascii=False)), None)
    )
    person.press(message, "Done")
    message = person.reply("Which colour?", 10)
    old = message
    person.press(message, "Green")
    shown = person.reply("✅ Red; Green", 20)
    assert "reply_markup" not in shown
    eventually(lambda: [text for text in person.texts() if "printed" in text and "Green" in text], 30)
    asked = next(row["question"] for row in client.history() if "question" in row)
    assert (asked["state"], asked["by"]) == ("answered", "telegram")
    stale = {"id": uuid.uuid4().hex, "from": {"id": person.user_id}, "message": old}
    stale["data"] = old["reply_markup"]["inline_keyboard"][0][0]["callback_data"]
    assert person.post("deliver", update={"update_id": int(time.time()) + 900_000, "callback_query": stale}) == [200]

    person.say(ask())
    person.reply("❓ Which colour?", 60)
    person.say("Neither, please: blue")
    person.reply("✅ Neither, please: blue", 20)
    eventually(lambda: [text for text in person.texts() if "Neither, please: blue" in text and "printed" in text], 30)
    person.ask("What is 2+4?", "2+4 = 6", 30)
    reply = person.reply("2+4 = 6", 5)
    body = {"chat": {"id": person.chat_id, "type": "private"}, "user": {"id": person.user_id}, "date": int(time.time())}
    body |= {"message_id": reply["message_id"], "old_reaction": [], "new_reaction": [{"type": "emoji", "emoji": "👍"}]}
    person.post("happen", chatId=person.chat_id, update={"message_reaction": body})
    time.sleep(2)
    person.ask("What is 3+4?", "3+4 = 7", 30)
    person.ask("recall what I told you", "reacted with 👍 to your message “2+4 = 6", 30)
    eventually(lambda: "activeRuns" not in client.rest("GET", "/status").json(), 20)
    client.rest("POST", "/stop-agent")
    eventually(lambda: client.rest("GET", "/status").json()["status"] == "Idle", 40)
