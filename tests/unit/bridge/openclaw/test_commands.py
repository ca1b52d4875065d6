"""Slash commands: each is decided, and what is said of it is what happens."""

import re
from typing import Any

import pytest

from bridge.openclaw.commands import DECISIONS, Kind, decision, help_text, refusal
from bridge.openclaw.config import document
from bridge.turns.commanded import Commanded
from bridge.turns.outcome import Outcome
from chalicelib.messages.inbox import Message
from chalicelib.providers.routes import KNOWN
from chalicelib.telegram.texts import COMMANDS, HELP
from tests.support.bridge_parts import make_config


@pytest.mark.parametrize(
    "text", ["/queue a b", " /QUEUE", "/queue: 5m", "/queue@my_bot 5m", "/config show", "/id", "/plugin list"]
)
def test_a_command_that_does_not_work_is_answered_with_what_to_do(text: str) -> None:
    assert len(refusal(text) or "") > 20


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "a /queue in the road",
        "/loop 5m check the oven",
        "/model custom/demo",
        "/think: high",
        "/weather Seoul",
        "/",
        "/ queue",
        "//",
        "",
    ],
)
def test_all_else_goes_on_to_openclaw(text: str) -> None:
    assert refusal(text) is None


def test_no_name_is_decided_twice() -> None:
    names = [name for key, known in DECISIONS.items() for name in (key, *known.aliases)]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z][a-z0-9-]*", name) for name in names)


@pytest.mark.parametrize("asked", ["/help", "/commands"])
def test_the_help_lists_what_works_and_nothing_else(asked: str) -> None:
    listed = set(re.findall(r"`/([a-z-]+)", refusal(asked) or ""))
    assert listed == {name for name, known in DECISIONS.items() if known.kind is not Kind.INSTEAD}


def test_no_text_is_longer_than_a_glance() -> None:
    assert all(len(known.text) < 280 for known in DECISIONS.values())
    assert len(help_text()) < 2_000


def test_telegrams_help_names_only_commands_that_work() -> None:
    for name in re.findall(r"/([a-z]+)", HELP):
        known = decision(f"/{name}")
        assert name in COMMANDS or name == "again" or (known is not None and known.kind is Kind.WORKS), name


def test_loop_works_as_long_as_automations_do(tmp_path: Any) -> None:
    """Whoever switches cron off decides `/loop` anew."""
    cron = document(make_config(tmp_path / "home", *KNOWN), "http://127.0.0.1:1")["cron"]["enabled"]
    assert (DECISIONS["loop"].kind is Kind.WORKS) == cron


class Inner:
    """Notes what reaches it."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def answer(self, message: Message, *_: Any) -> Outcome:
        self.seen.append(message.text)
        return Outcome("final", "hi", 1)


class Shown:
    def __init__(self) -> None:
        self.text = ""

    def update(self, text: str) -> None:
        self.text = text


def test_openclaw_never_sees_a_command_that_is_answered_here() -> None:
    inner, shown = Inner(), Shown()
    answerer = Commanded(inner)  # type: ignore[arg-type]
    for text in ("/queue x", "hello", "/model"):
        outcome = answerer.answer(Message("ann", "m-1", text, "main", 1), shown, None)  # type: ignore[arg-type]
        assert outcome.reason == "final"
    assert inner.seen == ["hello", "/model"]
    assert shown.text == refusal("/queue")
