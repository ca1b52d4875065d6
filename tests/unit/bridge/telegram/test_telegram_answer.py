"""An answer gets into its chat whatever the Bot API does: floods, refusals, lost answers, crashes."""

import threading
import time
from itertools import pairwise
from typing import Any

import pytest
from pynamodb.exceptions import GetError

from bridge.telegram import answer as telegram_answer
from bridge.telegram.answer import NOTHING, Answer
from chalicelib.telegram.api import Flood, NotSent, Rejected, Unknown
from tests.support.fake_telegram import FakeApi, FakeProgress

PLACE = {"chatId": 7, "messageId": 1, "private": True, "chat": "p7", "userId": 7}
GROUP = {"chatId": -7, "messageId": 1, "private": False, "chat": "g7", "userId": 7, "threadId": 3}


def answer(api: FakeApi, text: str = "", progress: Any = None, **more: Any) -> Answer:
    gap = more.pop("gap", 0.0)
    made = Answer(api, more.pop("place", PLACE), progress or FakeProgress(), lambda: text, gap=gap, **more)  # type: ignore[arg-type]
    made.start()
    return made


def test_an_answer_arrives(api: FakeApi) -> None:
    assert answer(api).finish("**Hello** you", 5)
    assert api.shown() == ["Hello you"]


def test_a_stream_edits_one_message(api: FakeApi) -> None:
    so_far = ["a"]
    made = Answer(api, PLACE, FakeProgress(), lambda: so_far[0], gap=0.05)  # type: ignore[arg-type]
    made.start()
    for n in range(20):
        so_far[0] += f" {n}"
        time.sleep(0.02)
    assert made.finish(so_far[0], 5)
    assert api.shown() == [so_far[0]]
    assert api.calls("sendMessage") == 1
    assert 3 <= api.calls("editMessageText") <= 12
    writes = [at for at, method in api.times if method != "sendChatAction"]
    assert min(b - a for a, b in pairwise(writes)) >= 0.045


def test_nothing_is_edited_twice_to_the_same(api: FakeApi) -> None:
    made = answer(api, "same text")
    time.sleep(0.2)
    assert made.finish("same text", 5)
    assert (api.calls("sendMessage"), api.calls("editMessageText")) == (1, 0)


def test_a_flood_is_waited_out(api: FakeApi) -> None:
    api.fail("sendMessage", Flood(0.3))
    begun = time.monotonic()
    assert answer(api).finish("hello", 5)
    assert time.monotonic() - begun >= 0.3
    assert api.shown() == ["hello"]


def test_a_send_that_may_have_happened_is_not_repeated(api: FakeApi) -> None:
    """Whether it arrived or not: one attempt, and what comes after goes into the next message."""
    text = "first words"
    api.fail("sendMessage", Unknown("sendMessage"), happened=True)
    made = answer(api, text)
    time.sleep(0.2)
    assert made.finish("first words and the rest", 5)
    assert api.shown() == ["first words", "and the rest"]


def test_a_call_that_did_not_happen_is_repeated(api: FakeApi) -> None:
    for _ in range(4):
        api.fail("sendMessage", NotSent("sendMessage"))
    assert answer(api).finish("hello", 5)
    assert api.shown() == ["hello"]


def test_an_edit_may_be_repeated(api: FakeApi) -> None:
    api.fail("editMessageText", Unknown("editMessageText"), happened=True)
    made = answer(api, "one")
    time.sleep(0.1)
    assert made.finish("one two", 5)
    assert api.shown() == ["one two"]


def test_formatting_that_is_refused_goes_out_plain(api: FakeApi) -> None:
    api.fail("sendMessage", Rejected(400, "Bad Request: can't parse entities: unsupported"))
    assert answer(api).finish("**hello**", 5)
    [message] = [m for m in api.chats.shown(7) if m["mine"]]
    assert (message["text"], message["entities"]) == ("hello", [])


def test_a_blocked_bot_gives_up(api: FakeApi) -> None:
    api.fail("sendMessage", Rejected(403, "Forbidden: bot was blocked by the user"))
    progress = FakeProgress()
    assert answer(api, progress=progress).finish("hello", 5)
    assert (progress.done, api.calls("sendMessage")) == (True, 1)


def test_a_long_answer_and_its_file(api: FakeApi) -> None:
    lines = "\n".join(f"line {n}" for n in range(1000))
    assert answer(api).finish(f"Here:\n\n```python\n{lines}\n```\n\nDone.", 5)
    assert api.shown() == ["Here:\n\n📎 code-1.py\n\nDone.", "📎"]
    assert list(api.chats.files.values()) == [lines.encode()]


def block(first: int) -> str:
    """Code that no message holds."""
    return "\n".join(f"line {n}" for n in range(first, first + 900))


TWO_FILES = f"Here:\n\n```python\n{block(0)}\n```\n\n```python\n{block(1000)}\n```\n\nDone."
SHOWN = "Here:\n\n📎 code-1.py\n\n📎 code-2.py\n\nDone."
LOST = {
    "refused": (Rejected(400, "Bad Request: not enough rights to send documents to the chat"), False),
    "sent, nobody knows": (Unknown("sendDocument"), True),
    "not sent, nobody knows": (Unknown("sendDocument"), False),
}


@pytest.mark.parametrize("lost", LOST)
def test_a_file_that_does_not_get_through_is_tried_once(api: FakeApi, lost: str) -> None:
    error, happened = LOST[lost]
    api.fail("sendDocument", error, happened)
    assert answer(api).finish(TWO_FILES, 5)
    assert api.calls("sendDocument") == 2
    assert api.shown() == [SHOWN, *["📎"] * (1 + happened)]
    assert list(api.chats.files.values())[-1] == block(1000).encode()


@pytest.mark.parametrize("lost", LOST)
def test_a_chat_that_takes_no_files_is_not_jammed(api: FakeApi, lost: str) -> None:
    """The text is there, each file was tried once, and the next answer has its turn."""
    for _ in range(100):
        api.fail("sendDocument", *LOST[lost])
    first = answer(api)
    second = answer(api, before=first)
    assert first.finish(TWO_FILES, 5)
    assert second.finish("and on", 5)
    assert api.calls("sendDocument") == 2
    assert [text for text in api.shown() if text != "📎"] == [SHOWN, "and on"]


def test_after_a_refusal_the_pace_is_kept(api: FakeApi) -> None:
    for _ in range(2):
        api.fail("sendDocument", *LOST["refused"])
    assert answer(api, gap=0.2).finish(TWO_FILES, 5)
    tries = [at for at, method in api.times if method.startswith("send") and method != "sendChatAction"]
    assert min(b - a for a, b in pairwise(tries)) >= 0.19


def test_a_crash_while_a_file_is_sent_does_not_send_it_again(api: FakeApi) -> None:
    """The row's intent says how far it was: behind the first file, and the second one still comes."""

    class Crashing(FakeProgress):
        def sent(self, message_id: int) -> None:
            if self.ids:
                raise RuntimeError("the container is gone")
            super().sent(message_id)

    progress = Crashing()
    crashed = answer(api, progress=progress)
    assert not crashed.finish(TWO_FILES, 5)
    assert (crashed.ended.is_set(), progress.done) == (True, False)
    after = FakeProgress()
    after.base, after.before = progress.row
    assert answer(api, progress=after).finish(TWO_FILES, 5)
    assert api.shown() == [SHOWN, "📎", "📎"]
    assert list(api.chats.files.values()) == [block(0).encode(), block(1000).encode()]


def test_a_shorter_text_takes_messages_back(api: FakeApi) -> None:
    made = answer(api, "word " * 2000)
    time.sleep(0.2)
    assert len(api.shown()) == 3
    assert made.finish("short after all", 5)
    assert api.shown() == ["short after all"]


def test_the_next_try_goes_on_with_the_same_messages(api: FakeApi) -> None:
    """A turn that is repeated (a crash, a failed try) edits what the first one sent."""
    progress = FakeProgress()
    first = answer(api, "half an answ", progress)
    time.sleep(0.1)
    first.abandon()
    assert first.ended.wait(2)
    assert answer(api, "", progress).finish("the whole answer", 5)
    assert api.shown() == ["the whole answer"]


def test_a_repeated_turn_sends_nothing_twice(api: FakeApi) -> None:
    progress = FakeProgress()
    assert answer(api, progress=progress).finish("hello", 5)
    assert answer(api, progress=progress).finish("hello", 5)
    assert api.shown() == ["hello"]


def test_another_text_after_a_lost_send_comes_whole(api: FakeApi) -> None:
    """The model said something else on its second try: its beginning must not be cut off."""
    progress = FakeProgress()
    progress.lost(11, "first words")
    assert answer(api, progress=progress).finish("other words entirely", 5)
    assert api.shown() == ["other words entirely"]


def test_answers_keep_their_order(api: FakeApi) -> None:
    api.fail("sendMessage", Flood(0.3))
    first = answer(api)
    second = answer(api, before=first)
    assert not second.finish("second", 0.05)
    assert second._progress.expected, "a container that ends now leaves a row for the next one"  # type: ignore[attr-defined]
    assert first.finish("first", 5)
    assert second.ended.wait(5)
    assert api.shown() == ["first", "second"]


class Throttled(FakeProgress):
    """The table refuses the first three calls."""

    left = 3

    def load(self) -> None:
        self._refuse()

    def sending(self, end: int, text: str) -> None:
        self._refuse()
        super().sending(end, text)

    def _refuse(self) -> None:
        self.left -= 1
        if self.left >= 0:
            raise GetError("throttled")


def test_a_table_that_is_busy_delays_an_answer_and_loses_none(api: FakeApi) -> None:
    assert answer(api, progress=Throttled()).finish("hello", 5)
    assert api.shown() == ["hello"]


def test_a_group_answer_hangs_on_its_question(api: FakeApi) -> None:
    assert answer(api, place=GROUP).finish("hello", 5)
    [message] = [m for m in api.chats.shown(-7) if m["mine"]]
    assert (message["reply_to_message_id"], message["message_thread_id"]) == (1, 3)


def test_an_empty_answer_says_so(api: FakeApi) -> None:
    assert answer(api).finish("", 5)
    assert api.shown() == [NOTHING]


def test_the_start_is_told_once(api: FakeApi) -> None:
    told = threading.Event()
    assert answer(api, started=told.set).finish("hello", 5)
    assert told.is_set()


def test_unlinking_ends_an_answer_in_its_middle(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telegram_answer, "CHECK_EVERY", 0.05)
    linked = [True]
    made = answer(api, "the beginning", allowed=lambda: linked[0])
    time.sleep(0.2)
    linked[0] = False
    assert made.ended.wait(1)
    assert made.finish("the beginning and the end", 1)
    assert api.shown() == ["the beginning"]


def test_an_unlinked_chat_hears_nothing(api: FakeApi) -> None:
    assert answer(api, allowed=lambda: False).finish("hello", 5)
    assert api.times == []
