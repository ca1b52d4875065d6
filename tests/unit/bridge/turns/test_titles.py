"""Titles from a small model: after the first answer, once, never over a person's own, never for much money."""

from typing import Any

import pytest

from bridge.openclaw.gateway import GatewayError
from bridge.turns.outcome import Outcome
from bridge.turns.titles import Titled, Titles, clean
from chalicelib.messages.inbox import Message
from chalicelib.providers.routes import COMPLETIONS, KNOWN, Route, routes, small_model
from chalicelib.wire.protocol import Frame

QUESTION = Message("ann", "m-1", "How do I bake rye bread?", "c-1", 1)


class Gateway:
    """Answers with a title, or refuses."""

    def __init__(self, title: object = "Baking rye bread", error: Exception | None = None) -> None:
        self.title, self.error, self.asked = title, error, []  # type: ignore[var-annotated]

    def request(self, method: str, params: dict[str, Any], timeout: float) -> dict[str, Any]:
        self.asked.append((method, params["message"]))
        if self.error is not None:
            raise self.error
        return {"title": self.title}


class Conversations:
    """One row; `rows` says what each look finds."""

    def __init__(self, *looks: bool | None) -> None:
        self.looks, self.named = list(looks), []  # type: ignore[var-annotated]

    def unnamed(self, *_: str) -> bool | None:
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]

    def name(self, user_id: str, conversation_id: str, text: str, title: str) -> Frame | None:
        self.named.append(title)
        return {"type": "conversation", "title": title}


def titles(conversations: Conversations, gateway: Gateway, told: list[Frame]) -> Titles:
    return Titles("custom/demo", conversations, lambda: gateway, told.append, lambda: True)  # type: ignore[arg-type,return-value]


def test_the_first_answer_gives_the_title_when_the_row_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.turns.titles.ROW_PAUSE", 0)
    conversations, gateway, told = Conversations(None, None, True), Gateway("**Baking**  rye `bread`"), list[Frame]()
    titles(conversations, gateway, told).name(QUESTION)
    assert gateway.asked == [("sessions.title.prepare", QUESTION.text)]
    assert conversations.named == ["Baking rye bread"]
    assert told == [{"type": "conversation", "title": "Baking rye bread"}]


def test_a_conversation_that_has_a_title_costs_no_call() -> None:
    conversations, gateway, told = Conversations(False), Gateway(), list[Frame]()
    titles(conversations, gateway, told).name(QUESTION)
    assert (gateway.asked, conversations.named, told) == ([], [], [])


@pytest.mark.parametrize("gateway", [Gateway(None), Gateway(" "), Gateway(error=GatewayError("TIMEOUT", "late"))])
def test_without_a_title_the_first_words_stay(gateway: Gateway) -> None:
    conversations, told = Conversations(True), list[Frame]()
    titles(conversations, gateway, told).name(QUESTION)
    assert (conversations.named, told) == ([], [])


class Noted(Titles):
    def __init__(self, model: str | None = "custom/demo", wanted: bool = True) -> None:
        super().__init__(model, Conversations(True), lambda: None, lambda _: None, lambda: wanted)
        self.asked: list[str] = []

    def name(self, message: Message) -> None:
        self.asked.append(message.text)


@pytest.mark.parametrize(
    ("noted", "text", "outcome"),
    [
        (Noted(None), "hello", Outcome("final", "hi", 1)),
        (Noted(wanted=False), "hello", Outcome("final", "hi", 1)),
        (Noted(), "/status", Outcome("final", "fine", 1)),
        (Noted(), "", Outcome("final", "a picture", 1)),
        (Noted(), "hello", Outcome("error", "", 1, "INTERNAL", "no")),
        (Noted(), "hello", Outcome("aborted", "h", 1)),
    ],
)
def test_no_title_is_asked_for(noted: Noted, text: str, outcome: Outcome) -> None:
    class Inner:
        def answer(self, *_: Any) -> Outcome:
            return outcome

    Titled(Inner(), noted).answer(Message("ann", "m", text, "c", 1), None, None)  # type: ignore[arg-type]
    assert noted.asked == []


def test_a_title_is_one_clean_line() -> None:
    assert clean("## A *title*\n of two lines") == "A title of two lines"
    assert clean("**What is 21*2?**") == "What is 21*2?"
    assert clean("What is 21*2, and 3*4?") == "What is 21*2, and 3*4?"
    assert clean("Fix `my_file_name` in C#") == "Fix my_file_name in C#"
    assert len(clean("x" * 200)) == 60
    assert clean(7) == ""


@pytest.mark.parametrize("route", [*KNOWN, *routes({}, "eu-west-1", bedrock=True)], ids=lambda route: route.id)
def test_every_provider_has_a_model_whose_titles_cost_under_a_tenth_of_a_cent(route: Route) -> None:
    assert small_model((route,), f"{route.id}/{route.model}")


def test_a_server_whose_price_is_not_known_is_asked_for_no_titles() -> None:
    own = Route("custom", COMPLETIONS, "http://own/v1", "my-model", "openai-api-key")
    assert small_model((own,), "custom/my-model") is None
    assert small_model((own,), "other/my-model") is None
    demo = routes({"openai-base-url": "http://own/v1", "model": "demo"}, "eu-west-1", bedrock=False)
    assert small_model(demo, "custom/demo") == "custom/demo-title"


def test_a_model_that_is_the_agents_own_makes_no_titles() -> None:
    (anthropic, *_) = KNOWN
    assert small_model((anthropic,), "anthropic/claude-haiku-4-5") is None
