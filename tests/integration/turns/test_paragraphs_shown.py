"""An answer with a text before and after a tool call reads the same on the web page, in the history and in Telegram."""

import pytest

from local.stack import Stack
from tests.integration.telegram.test_telegram_stack import paired
from tests.support.client import Client, eventually, text_of

pytestmark = pytest.mark.timeout(150)
WORDS = "Let me run that.\n\nThe command printed:\n\n```\ntwo parts\n```"


def test_the_web_page_and_the_history(stack: Stack) -> None:
    client = Client(stack)
    message = client.send("run: echo two parts")
    client.answer(message)
    ends = [f for f in client.frames if f["type"] == "stream_end" and f["replyTo"] == message]
    assert text_of(client.frames, ends[-1]["runId"]).strip() == WORDS
    assert client.history()[-1]["content"].strip() == WORDS


def test_telegram_and_the_history(stack: Stack) -> None:
    client, person = paired(stack)
    person.ask("run: echo two parts", "two parts")
    saved = eventually(lambda: [row for row in client.history() if row["role"] == "assistant"])[0]
    assert saved["content"].strip() == WORDS
    shown = person.reply("The command printed")["text"]
    assert shown.startswith("Let me run that.\n\nThe command printed:\n")
