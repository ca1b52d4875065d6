"""Reactions on their way to the agent: each is told once, in the state that the person left it."""

import threading
from typing import Any

import pytest
from pynamodb.exceptions import QueryError

from bridge.turns import reactions
from bridge.turns.reactions import Reactions
from bridge.turns.reconcile import Nothing
from chalicelib.messages.inbox import Message
from chalicelib.telegram import reactions as notes
from chalicelib.telegram.progress import Sent
from tests.support.client import eventually

NEXT = Message("ann", "message-2", "hi", "main", 2)
NOBODY: Any = None


class Rows:
    """The tables, with a count of the queries; `during` happens between a read and its return."""

    def __init__(self) -> None:
        self.noted_rows: dict[str, dict[str, Any]] = {}
        self.sent: dict[tuple[int, int], Sent] = {}
        self.saved: dict[str, str] = {}
        self.queries = 0
        self.during: list[Any] = []

    def react(self, number: int, emoji: str, chat: int = 7) -> None:
        self.noted_rows[f"{chat}#{number}"] = {"chatId": chat, "messageId": number, "emoji": [emoji]}

    def answer(self, number: int, text: str = "Tea.", done: bool = True) -> None:
        name = f"message-{number}"
        self.sent[7, number] = Sent(Message("ann", name, "", "main", 1), done)
        if text:
            self.saved[name] = text

    def noted(self, user: str) -> list[tuple[str, dict[str, Any]]]:
        rows = list(self.noted_rows.items())
        if self.during:
            self.during.pop(0)()
        return rows

    def all_sent(self, user: str) -> dict[tuple[int, int], Sent]:
        self.queries += 1
        return self.sent

    def find(self, message: Message) -> dict[str, Any] | None:
        text = self.saved.get(message.id)
        return {"content": text} if text else None

    def forget(self, user: str, key: str, value: dict[str, Any]) -> bool:
        if self.noted_rows.get(key, value) != value:
            return False
        self.noted_rows.pop(key, None)
        return True


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> Rows:
    rows = Rows()
    monkeypatch.setattr(notes, "noted", rows.noted)
    monkeypatch.setattr(notes, "forget", rows.forget)
    monkeypatch.setattr(reactions, "all_sent", rows.all_sent)
    monkeypatch.setattr(reactions, "Conversations", lambda: rows)
    return rows


def said(untold: Reactions) -> str:
    return untold.before(NOBODY, NEXT)


def test_many_reactions_cost_one_query(rows: Rows) -> None:
    for number in range(5):
        rows.answer(number)
        rows.react(number, "👍")
    untold = Reactions("ann", Nothing())
    untold.look()
    assert (said(untold).count("👍"), rows.queries) == (5, 1)


def test_what_two_looks_cannot_resolve_is_forgotten(rows: Rows) -> None:
    """It was read again with each start, and slowed the turns after it."""
    rows.react(9, "👎")
    untold = Reactions("ann", Nothing())
    untold.look()
    assert rows.noted_rows
    assert said(untold) == ""
    assert rows.noted_rows == {}
    said(untold)
    assert rows.queries == 2


def test_a_reaction_to_an_answer_that_is_still_sent_waits_for_it(rows: Rows) -> None:
    rows.answer(1, "", done=False)
    rows.react(1, "👍")
    untold = Reactions("ann", Nothing())
    untold.look()
    assert [said(untold), said(untold)] == ["", ""]
    rows.answer(1)
    assert "👍" in said(untold)


def known(rows: Rows) -> Reactions:
    """One reaction, that was looked up and not told yet."""
    rows.answer(1)
    rows.react(1, "👍")
    untold = Reactions("ann", Nothing())
    untold.look()
    assert "👍" in said(untold)
    return untold


def test_a_message_of_another_chat_is_not_meant(rows: Rows) -> None:
    rows.answer(1)
    rows.react(1, "👍", chat=-5)
    untold = Reactions("ann", Nothing())
    untold.look()
    assert said(untold) == ""


def test_a_reaction_that_changed_before_it_was_told_is_told_anew(rows: Rows) -> None:
    untold = known(rows)
    rows.react(1, "❤")
    untold.look()
    untold.told(NOBODY, NEXT)
    assert "❤" in said(untold)
    untold.told(NOBODY, NEXT)
    assert (said(untold), rows.noted_rows) == ("", {})


def test_a_look_that_read_before_the_end_brings_nothing_back(rows: Rows) -> None:
    untold = known(rows)
    rows.during = [lambda: untold.told(NOBODY, NEXT)]
    untold.look()
    assert (said(untold), rows.noted_rows) == ("", {})


def test_whoever_hears_of_a_reaction_does_not_wait_for_its_look(rows: Rows) -> None:
    rows.answer(1)
    rows.react(1, "👍")
    untold, slow = Reactions("ann", Nothing()), threading.Event()
    rows.during = [lambda: slow.wait(10)]
    untold.noticed()
    eventually(lambda: not rows.during, 5)
    rows.react(1, "❤")
    for _ in range(3):
        untold.noticed()
    assert rows.queries == 0
    slow.set()
    eventually(lambda: "❤" in said(untold), 5)
    assert rows.queries == 2, "three more frames are one more look"


def test_a_table_that_fails_costs_no_turn(rows: Rows) -> None:
    def fails() -> None:
        raise QueryError("throttled")

    rows.during = [fails]
    untold = Reactions("ann", Nothing())
    untold.look()
    assert said(untold) == ""
