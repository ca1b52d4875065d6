"""SIGKILL to the Bridge while it delivers an answer with files, on the real gateway: each file once."""

import time
import uuid
from collections.abc import Iterator

import pytest

from local.resources import BUCKET
from local.stack import Stack
from tests.integration.memory.test_memory import s3
from tests.integration.outbox.test_files import PNG, fetched, made
from tests.integration.outbox.test_lost import no_more_faults
from tests.integration.telegram.test_telegram_stack import kill_agent, paired
from tests.support.client import Client, Frame, eventually
from tests.support.faults import ENDLESS, fault
from tests.support.telegram import Person

pytestmark = pytest.mark.timeout(300)
FILES = ["dot.png", "one.txt", "two.txt"]  # in Telegram a picture, and an album of two documents


@pytest.fixture(scope="module")
def pair(stack: Stack) -> tuple[Client, Person]:
    client, person = paired(stack)
    client.ask("What is 1+1?")
    return client, person


@pytest.fixture(autouse=True)
def healed(stack: Stack, pair: tuple[Client, Person]) -> Iterator[None]:
    yield
    no_more_faults(stack)
    pair[1].post("fault")


class Given:
    """An answer with files that somebody asked for in the chat."""

    def __init__(self, stack: Stack, pair: tuple[Client, Person]) -> None:
        self.stack, (self.client, self.person) = stack, pair
        self.mark = uuid.uuid4().hex
        self._before = self._keys()
        command = f"echo {self.mark} | tee one.txt > two.txt; echo {PNG} | base64 -d > dot.png; echo {self.mark}"
        self.person.say(made(command, *FILES))
        mine = self.client.until(
            lambda f: f["type"] == "message" and f["role"] == "user" and self.mark in f["content"], 20
        )
        self.question = str(mine["messageId"])
        self.client.until(lambda f: f.get("replyTo") == self.question and "Here:" in f.get("content", ""), 60)

    def _keys(self) -> set[str]:
        found = s3(self.stack).list_objects_v2(Bucket=BUCKET, Prefix=f"files/{self.client.user_id}/")
        return {entry["Key"] for entry in found.get("Contents", [])}

    def stored(self) -> int:
        return len(self._keys() - self._before)

    def rows(self) -> list[Frame]:
        return [row for row in self.client.history() if row.get("replyTo") == self.question]

    def in_chat(self) -> list[str]:
        """What the chat has of it: its text, and the files since that of its question."""
        said = self.person.messages()
        texts = [number for number, one in enumerate(said) if self.mark in one.get("text", "")]
        sent = said[texts[0] :] if texts else []
        files = [one["document"]["file_name"] for one in sent if "document" in one]
        files += [str(one["caption"]) for one in sent if "photo" in one]
        return sorted(files) + ["text"] * len(texts)

    def kill(self, telegram: bool = False) -> None:
        """The cloud works again, and Telegram too if that is told."""
        kill_agent(self.stack, self.client)
        no_more_faults(self.stack)
        if telegram:
            self.person.post("fault")

    def delivered_once(self) -> None:
        eventually(self.rows, 90)
        [row] = self.rows()
        assert (row["reason"], sorted(file["name"] for file in row["files"])) == ("final", FILES)
        contents = {file["name"]: fetched(self.client, file).content for file in row["files"]}
        assert contents["one.txt"] == contents["two.txt"] == f"{self.mark}\n".encode()
        eventually(lambda: len(self.in_chat()) > len(FILES), 60)
        time.sleep(1.5)  # what came twice would be there by now
        assert self.in_chat() == [*FILES, "text"]
        assert self.stored() == len(FILES), "a copy that no row names could not be deleted"


def test_killed_before_the_answer_is_saved(stack: Stack, pair: tuple[Client, Person]) -> None:
    """Three containers die on it: before S3, between S3 and the chat, and between the chat and the row."""
    fault(stack, "PutObject", "InternalError", "no", times=ENDLESS, status=500)
    given = Given(stack, pair)
    time.sleep(1)
    assert given.stored() == 0
    for method in ("sendPhoto", "sendMediaGroup"):
        pair[1].fault(method, retry_after=60, count=ENDLESS)
    given.kill()
    eventually(lambda: given.stored() == len(FILES), 90, 0.02)
    given.kill(telegram=True)
    pair[1].fault("sendMediaGroup", retry_after=2)
    eventually(lambda: given.in_chat() == ["dot.png", "text"], 90, 0.02)
    fault(stack, "TransactWriteItems", "InternalServerError", "no", times=ENDLESS, status=500)
    eventually(lambda: given.in_chat() == [*FILES, "text"], 10, 0.02)
    assert given.rows() == []
    given.kill()
    given.delivered_once()


def test_killed_between_the_row_and_the_chat(stack: Stack, pair: tuple[Client, Person]) -> None:
    """Telegram is slow: the answer is saved before its files are in the chat. A container is started to send them."""
    pair[1].fault("sendMediaGroup", retry_after=60, count=ENDLESS)
    given = Given(stack, pair)
    eventually(given.rows, 30)
    assert given.in_chat() in (["text"], ["dot.png", "text"])
    given.kill(telegram=True)
    given.delivered_once()
