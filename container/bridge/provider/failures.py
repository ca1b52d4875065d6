"""Why a model call failed, in words for the person: which provider, and what to do.

OpenClaw reports for a failed run how each model call ended: provider, model, its own class of the failure,
and the provider's words. If our proxy refused the call, these words contain a mark.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.providers.routes import KNOWN

# What the proxy itself answers. The first two are the budget's codes in small letters.
BUDGET_REACHED, BUDGET_UNKNOWN = "budget_reached", "budget_unknown"
NO_KEY, NOT_ADMITTED, NOT_ALLOWED, UNREACHABLE = "no_credential", "not_admitted", "not_allowed", "upstream_unreachable"
OURS = (BUDGET_REACHED, BUDGET_UNKNOWN, NO_KEY, NOT_ADMITTED, NOT_ALLOWED, UNREACHABLE)
MARK = re.compile(r"\[bridge:(\w+)\] ?(.*?)\[/bridge\]", re.DOTALL)

NAMES = {
    "anthropic": "Anthropic",
    "openai": "OpenAI",
    "openrouter": "OpenRouter",
    "google": "Google",
    "deepseek": "DeepSeek",
    "bedrock": "Amazon Bedrock",
    "bedrock-claude": "Amazon Bedrock",
    "custom": "The model server",
}
PARAMETERS = {route.id: route.parameter for route in KNOWN} | {"custom": "openai-api-key"}
# A limit that a few seconds do not lift (the words, or more than 99 seconds to wait): OpenClaw does not try again.
LONG = re.compile(
    r"\b(daily|weekly|monthly|per day|per week|per month|usage limit|available balance)\b"
    r"|\bretry[- ]after:?\s*(in\s*)?\d{3,}(\.\d+)?\s*(s|sec|secs|seconds?)?\b(?!\s*m)",
    re.IGNORECASE,
)
# OpenClaw may refuse a run because it was just preparing its models again (seen at first turns and after a
# change of model); the next try finds them ready.
SUPERSEDED = "generation was superseded"
UNPREPARED = "MODEL_UNPREPARED"
TOO_LONG = "the run took too long"
ANOTHER = "choose another model in Settings"
AGAIN = f"Try again in a few minutes, or {ANOTHER}."


@dataclass(frozen=True)
class Failure:
    """One model that failed; `reason` is OpenClaw's class of the failure, `detail` the provider's words."""

    provider: str
    model: str
    reason: str
    detail: str = ""

    @property
    def kind(self) -> str:
        """The proxy's own mark if it refused the call, otherwise OpenClaw's class."""
        mark = MARK.search(self.detail)
        return mark[1] if mark and mark[1] in OURS else self.reason


def marked(kind: str, text: str) -> str:
    """The message of a refusal by the proxy, with a mark that is recognised in OpenClaw's report of the run."""
    return f"[bridge:{kind}] {text} [/bridge]"


def of_step(data: dict[str, Any], length: int) -> Failure:
    """A `fallback_step` of a run's life: a model was tried and is left."""
    provider, _, model = str(data.get("fallbackStepFromModel", "")).partition("/")
    detail = str(data.get("fallbackStepFromFailureDetail", ""))[:length]
    return Failure(provider, model, str(data.get("fallbackStepFromFailureReason", "")), detail)


def of_detail(detail: Any) -> Failure | None:
    """The `errorDetail` of a failed run, which names the last model only."""
    if not isinstance(detail, dict) or not detail.get("provider"):
        return None
    return Failure(str(detail["provider"]), str(detail.get("model", "")), str(detail.get("failoverReason", "")))


def explained(failures: Sequence[Failure], raw: str) -> tuple[str, str]:
    """The code and the text for the person. Of several models the first one was chosen by the person."""
    if SUPERSEDED in raw:
        return UNPREPARED, "The agent was just preparing its models. Send the message again."
    if raw == TOO_LONG:
        return "PROVIDER_ERROR", "The turn took longer than a turn may, and was ended."
    if not failures:
        return "PROVIDER_ERROR", f"The model could not answer. {AGAIN}"
    told = [_told(failure) for failure in failures]
    codes = [code for code, _ in told]
    # One model that may answer next time is reason enough for a retry.
    code = next((code for code in codes if code in PASSING), codes[0])
    return code, " ".join(dict.fromkeys(text for _, text in told))


# A retry may succeed.
PASSING = ("PROVIDER_BUSY", "PROVIDER_ERROR", "BUDGET_UNKNOWN")


def _told(failure: Failure) -> tuple[str, str]:
    name, kind = NAMES.get(failure.provider, failure.provider or "The model provider"), failure.kind
    if kind in OURS:
        return _ours(failure, name)
    if kind == "billing":
        return "PROVIDER_CREDIT", f"{name} has no credit left for this key. Top up the account there, or {ANOTHER}."
    if kind in ("auth", "auth_permanent", "session_expired"):
        return "PROVIDER_KEY", _refused(failure, name)
    if kind == "model_not_found":
        text = f"{name} does not offer the model {failure.model} (any more)."
        return "PROVIDER_MODEL", f"{text} Please {ANOTHER}."
    if kind == "context_overflow":
        text = f"This conversation or its last message is too long for the model {failure.model}."
        return "PROVIDER_REQUEST", f"{text} Send /compact, start a new conversation, or {ANOTHER}."
    if kind == "format":
        text = f"{name} refused the request of the model {failure.model} as not valid."
        return "PROVIDER_REQUEST", f"{text} Start a new conversation, or {ANOTHER}."
    if kind == "rate_limit" and LONG.search(failure.detail):
        text = f"{name} lets this key ask no more for now: a limit of the account is reached."
        return "PROVIDER_LIMIT", f"{text} Raise it there, wait, or {ANOTHER}."
    return _passing(kind, name)


def _ours(failure: Failure, name: str) -> tuple[str, str]:
    mark = MARK.search(failure.detail)
    text = mark[2].strip() if mark else ""
    if failure.kind in (BUDGET_REACHED, BUDGET_UNKNOWN):
        return failure.kind.upper(), text
    if failure.kind == NO_KEY:
        return "PROVIDER_KEY", f"No key is set for {name}: {_set_key(failure)}, or {ANOTHER}."
    if failure.kind == NOT_ADMITTED:
        return "PROVIDER_ERROR", "The monthly limit or the provider's key could not be read just now. Try again soon."
    if failure.kind == NOT_ALLOWED:
        return "PROVIDER_ERROR", f"This use of {name} is not allowed here. Please {ANOTHER}."
    return "PROVIDER_BUSY", f"{name} could not be reached, or did not answer in time. {AGAIN}"


def _refused(failure: Failure, name: str) -> str:
    if failure.provider.startswith("bedrock"):
        text = f"{name} refused this deployment's access to the model {failure.model}."
        return f"{text} Check the account's access to it there, or {ANOTHER}."
    if re.match(r"\s*403\b", failure.detail):
        text = f"{name} does not let this key use the model {failure.model}."
        return f"{text} Check the key's rights there, or {ANOTHER}."
    return f"{name} refused the key. Check the key: {_set_key(failure)}, or {ANOTHER}."


def _set_key(failure: Failure) -> str:
    parameter = PARAMETERS.get(failure.provider)
    command = f" (python -m ops.secrets {parameter})" if parameter else ""
    return f"whoever runs this deployment can set a new one{command}"


def _passing(kind: str, name: str) -> tuple[str, str]:
    if kind == "rate_limit":
        return "PROVIDER_BUSY", f"{name} gets too many requests from this key just now. {AGAIN}"
    if kind == "overloaded":
        return "PROVIDER_BUSY", f"{name} is overloaded just now. {AGAIN}"
    if kind in ("timeout", "server_error"):
        return "PROVIDER_BUSY", f"{name} did not answer, or its answer broke off. {AGAIN}"
    if kind == "tls_certificate":
        return "PROVIDER_ERROR", f"The connection to {name} is not trusted. Check its address, or {ANOTHER}."
    return "PROVIDER_ERROR", f"{name} gave no usable answer. {AGAIN}"
