"""Each way in which a model call fails has a text of its own: the provider's name, and what to do."""

import pytest

from bridge.provider import failures
from bridge.provider.failures import Failure, explained, marked, of_detail, of_step
from chalicelib.messages.inbox import HOPELESS
from chalicelib.providers.routes import KNOWN


def failure(reason: str, detail: str = "", provider: str = "anthropic") -> Failure:
    return Failure(provider, "claude-sonnet-5", reason, detail)


@pytest.mark.parametrize(
    ("failed", "code", "words"),
    [
        (failure("billing", "402 Insufficient Balance"), "PROVIDER_CREDIT", ("no credit", "Top up")),
        (
            failure("auth", "401 invalid x-api-key"),
            "PROVIDER_KEY",
            ("refused the key", "ops.secrets anthropic"),
        ),
        (failure("auth_permanent", "401 revoked"), "PROVIDER_KEY", ("refused the key",)),
        (failure("auth", "403 no access"), "PROVIDER_KEY", ("claude-sonnet-5", "Check the key's rights")),
        (failure("model_not_found", "404"), "PROVIDER_MODEL", ("claude-sonnet-5", "choose another model in Settings")),
        (failure("context_overflow"), "PROVIDER_REQUEST", ("too long", "/compact")),
        (failure("format", "400 bad"), "PROVIDER_REQUEST", ("not valid", "new conversation")),
        (failure("rate_limit", "429 tokens per minute"), "PROVIDER_BUSY", ("too many requests", "Try again")),
        (failure("rate_limit", "429 Your weekly limit is reached"), "PROVIDER_LIMIT", ("limit", "Raise it there")),
        (failure("rate_limit", "429 slow down; retry-after: 3600"), "PROVIDER_LIMIT", ("limit",)),
        (failure("rate_limit", "429 slow down; retry-after: 30"), "PROVIDER_BUSY", ("too many requests",)),
        (failure("overloaded", "529"), "PROVIDER_BUSY", ("overloaded",)),
        (failure("timeout", "500"), "PROVIDER_BUSY", ("did not answer",)),
        (failure("server_error"), "PROVIDER_BUSY", ("did not answer",)),
        (failure("tls_certificate"), "PROVIDER_ERROR", ("not trusted",)),
        (failure("a reason of next year"), "PROVIDER_ERROR", ("no usable answer",)),
    ],
)
def test_the_text_names_the_provider_and_the_step(failed: Failure, code: str, words: tuple[str, ...]) -> None:
    said, text = explained([failed], "LLM request failed")
    assert said == code
    assert all(word in text for word in words), text
    assert "LLM" not in text
    if failed.reason != "context_overflow":
        assert "Anthropic" in text


@pytest.mark.parametrize(
    ("kind", "status", "code", "words"),
    [
        ("budget_reached", 402, "BUDGET_REACHED", "Raise the limit in Settings"),
        ("budget_unknown", 503, "BUDGET_UNKNOWN", "Raise the limit in Settings"),
        ("no_credential", 401, "PROVIDER_KEY", "No key is set for Anthropic"),
        ("not_admitted", 503, "PROVIDER_ERROR", "could not be read just now"),
        ("not_allowed", 403, "PROVIDER_ERROR", "not allowed here"),
        ("upstream_unreachable", 502, "PROVIDER_BUSY", "Anthropic could not be reached"),
    ],
)
@pytest.mark.parametrize("form", ["{status} {text}", '{status} {{"error":{{"message":"{text}"}},"request":"x"}}'])
def test_what_the_proxy_refused_is_known_by_its_mark(kind: str, status: int, code: str, words: str, form: str) -> None:
    """Whatever OpenClaw takes it for."""
    detail = form.format(status=status, text=marked(kind, "Raise the limit in Settings."))
    said, text = explained([failure("billing", detail)], "")
    assert said == code
    assert words in text
    assert not any(sign in text for sign in ("bridge", "{", "402", "[")), text


def test_what_a_provider_writes_is_not_taken_for_a_mark_of_ours() -> None:
    assert failure("billing", "402 [bridge:anything] x [/bridge]").kind == "billing"


def test_of_several_models_the_chosen_one_comes_first_and_one_that_may_go_well_is_tried_again() -> None:
    key, credit = failure("auth", "401"), failure("billing", "402", "deepseek")
    code, text = explained([key, credit], "")
    assert code == "PROVIDER_KEY"
    assert text.index("Anthropic") < text.index("DeepSeek")
    assert explained([key, failure("overloaded", "529", "deepseek")], "")[0] == "PROVIDER_BUSY"


def test_two_that_fail_alike_are_told_once() -> None:
    assert explained([failure("billing")] * 2, "")[1].count("Top up") == 1


def test_without_a_provider_in_it_an_error_still_says_what_to_do() -> None:
    assert explained([], "boom") == ("PROVIDER_ERROR", f"The model could not answer. {failures.AGAIN}")
    assert "longer than a turn may" in explained([], failures.TOO_LONG)[1]
    assert explained([], "prepared model runtime plugin generation was superseded")[0] == failures.UNPREPARED


def test_only_what_somebody_must_mend_is_not_tried_again() -> None:
    kinds = ("billing", "auth", "model_not_found", "format", "context_overflow")
    assert all(explained([failure(kind)], "")[0] in HOPELESS for kind in kinds)
    assert not any(code in HOPELESS for code in (*failures.PASSING, failures.UNPREPARED))


def test_every_provider_has_a_name_to_be_shown() -> None:
    assert {route.id for route in KNOWN} | {"custom", "bedrock", "bedrock-claude"} == set(failures.NAMES)


def test_openclaws_own_words_are_read() -> None:
    step = {
        "phase": "fallback_step",
        "fallbackStepFromModel": "openrouter/anthropic/claude",
        "fallbackStepFromFailureReason": "billing",
        "fallbackStepFromFailureDetail": "402 " + "x" * 100,
    }
    assert of_step(step, 10) == Failure("openrouter", "anthropic/claude", "billing", "402 xxxxxx")
    detail = {"provider": "google", "model": "gemini", "failoverReason": "auth"}
    assert of_detail(detail) == Failure("google", "gemini", "auth")
    assert of_detail(None) is None
    assert of_detail({"model": "x"}) is None
