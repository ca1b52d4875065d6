"""A conversation's own model, from its row to the session of OpenClaw."""

from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from bridge.openclaw import session_models
from bridge.openclaw.gateway import GatewayError
from bridge.openclaw.session_models import SessionModels
from bridge.turns import own_models as own_models_module
from bridge.turns.own_models import OwnModels

DEFAULT, USERS, OWN = "custom/demo", "openai/users", "anthropic/own"


class Rows:
    """The table; it counts its readings."""

    def __init__(self, **models: str | None) -> None:
        self.models = models
        self.reads = 0
        self.fails = False

    def model(self, user_id: str, conversation_id: str) -> str | None:
        self.reads += 1
        if self.fails:
            raise EndpointConnectionError(endpoint_url="http://none")
        return self.models.get(conversation_id)


class Gateway:
    """Takes what each session shall use, unless it refuses that model."""

    def __init__(self, **refusals: GatewayError) -> None:
        self.refusals = refusals
        self.asked: list[str] = []
        self.models: dict[str, str] = {}
        self.noted: list[str] = []  # models that runs wrote down meanwhile, over what a session was told
        self.unreadable = False

    def request(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        if method == "chat.history":
            if self.unreadable:
                raise GatewayError("INVALID_REQUEST", "no such session")
            provider, _, model = self.models[params["sessionKey"]].partition("/")
            return {"sessionInfo": {"modelProvider": provider, "model": model}}
        self.asked.append(params["model"])
        if error := self.refusals.get(params["model"].partition("/")[0]):
            raise error
        self.models[params["key"]] = self.noted.pop() if self.noted else params["model"]
        return {}


def own_models(rows: Rows, told: list[Any] | None = None) -> OwnModels:
    return OwnModels("ann", rows, ["custom", "openai", "anthropic"], (told if told is not None else []).append)


def sessions(rows: Rows, user: str | None = None) -> SessionModels:
    models = SessionModels(lambda: user, DEFAULT)
    models.own = own_models(rows).of
    return models


def test_a_row_is_read_once_until_it_is_said_to_have_changed() -> None:
    rows = Rows(a=OWN)
    own = own_models(rows)
    assert [own.of("a"), own.of("a"), own.of("b"), own.of("b")] == [OWN, OWN, None, None]
    assert rows.reads == 2, "also what is not there"
    rows.models |= {"a": "openai/x", "b": OWN}
    own.forget("a")
    assert [own.of("a"), own.of("b"), rows.reads] == ["openai/x", None, 3]
    own.forget()
    assert [own.of("a"), own.of("b"), rows.reads] == ["openai/x", OWN, 5]


def test_a_change_that_nobody_could_tell_of_is_found_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the row cannot be read just then, what was known holds on."""
    rows = Rows(a=OWN)
    own = own_models(rows)
    assert own.of("a") == OWN
    monkeypatch.setattr(own_models_module, "KEPT_SECONDS", 0.0)
    rows.models["a"], rows.fails = "openai/x", True
    assert own.of("a") == OWN
    rows.fails = False
    assert own.of("a") == "openai/x"


def test_what_was_read_before_a_change_is_not_kept() -> None:
    rows = Rows(a=OWN)
    own = own_models(rows)

    def reads_late(user_id: str, conversation_id: str) -> str | None:
        own.forget("a")
        return "openai/old"

    rows.model = reads_late  # type: ignore[method-assign]
    assert own.of("a") == "openai/old"
    del rows.model
    assert own.of("a") == OWN


def test_a_row_that_cannot_be_read_is_read_again_for_the_next_message() -> None:
    rows = Rows(a=OWN)
    own, rows.fails = own_models(rows), True
    assert own.of("a") is None
    rows.fails = False
    assert own.of("a") == OWN


def test_a_model_of_a_provider_that_is_gone_gives_way_to_the_settings_and_is_told_once() -> None:
    told: list[dict[str, str]] = []
    own = own_models(Rows(a="gone/x"), told)
    assert [own.of("a"), own.of("a")] == ["", ""]
    assert [notice["code"] for notice in told] == ["MODEL_REMOVED"]
    assert "gone/x is not part of this deployment any more" in told[0]["message"]


def test_each_session_gets_its_conversations_model_else_the_users() -> None:
    gateway, models = Gateway(), sessions(Rows(a=OWN), USERS)
    for _ in range(2):
        models.apply(gateway, "web-a", "a")  # type: ignore[arg-type]
        models.apply(gateway, "web-b", "b")  # type: ignore[arg-type]
    assert gateway.models == {"web-a": OWN, "web-b": USERS}
    assert len(gateway.asked) == 2, "once each"


def test_without_any_choice_a_session_is_left_alone() -> None:
    gateway = Gateway()
    sessions(Rows()).apply(gateway, "web-a", "a")  # type: ignore[arg-type]
    assert gateway.asked == []


def test_as_in_the_settings_holds_in_the_next_container_too() -> None:
    """There OpenClaw's session still has the model that it was told to use in the one before."""
    gateway = Gateway()
    sessions(Rows(a=""), None).apply(gateway, "web-a", "a")  # type: ignore[arg-type]
    sessions(Rows(b=""), USERS).apply(gateway, "web-b", "b")  # type: ignore[arg-type]
    assert gateway.models == {"web-a": DEFAULT, "web-b": USERS}


def test_a_model_that_openclaw_refuses_gives_way_to_the_users_and_is_not_asked_for_again() -> None:
    gateway, models = Gateway(anthropic=GatewayError("INVALID_REQUEST", "model not allowed")), sessions(Rows(a=OWN))
    for _ in range(2):
        models.apply(gateway, "web-a", "a")  # type: ignore[arg-type]
    assert (gateway.models, gateway.asked) == ({"web-a": DEFAULT}, [OWN, DEFAULT])


def test_a_refusal_that_passes_is_asked_for_again() -> None:
    busy = GatewayError("UNAVAILABLE", "starting", 100)
    gateway, models = Gateway(anthropic=busy), sessions(Rows(a=OWN))
    models.apply(gateway, "web-a", "a")  # type: ignore[arg-type]
    gateway.refusals.clear()
    models.apply(gateway, "web-a", "a")  # type: ignore[arg-type]
    assert gateway.models == {"web-a": OWN}


def changed(gateway: Gateway, steers: bool = False) -> SessionModels:
    """The model was changed while a turn ran, and the next message is there at its end."""
    rows = Rows(a=OWN)
    models = sessions(rows)
    models.apply(gateway, "web-a", "a")  # type: ignore[arg-type]
    models.ended("web-a")
    rows.models["a"] = ""
    models.own = own_models(rows).of
    models.apply(gateway, "web-a", "a", steers)  # type: ignore[arg-type]
    return models


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_models, "SETTLE_SECONDS", 0.0)


@pytest.mark.usefixtures("soon")
def test_a_model_that_the_end_of_a_run_overwrites_is_told_again() -> None:
    gateway = Gateway()
    gateway.noted = [OWN, OWN]  # the first one is told to the first turn
    changed(gateway)
    assert gateway.models == {"web-a": DEFAULT}
    assert gateway.asked == [OWN, DEFAULT, DEFAULT]


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("steers", [True, False])
def test_what_is_not_certain_is_told_again_before_the_next_message(steers: bool) -> None:
    """In a running turn it always is: that notes its model at its end."""
    gateway = Gateway()
    gateway.unreadable = True
    models = changed(gateway, steers)
    told = len(gateway.asked)
    gateway.unreadable = False
    models.ended("web-a")
    for _ in range(2):
        models.apply(gateway, "web-a", "a")  # type: ignore[arg-type]
    assert gateway.asked[told:] == [DEFAULT], "and then no more"
    assert told == (2 if steers else 1 + session_models.TRIES)
