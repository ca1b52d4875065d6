"""The model providers: where each is, which API it speaks, how it wants its key.

OpenClaw calls a provider at `http://127.0.0.1:<port>/<id>`, which is our proxy. The proxy sends the same
path to `base`, if `paths` allows it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from chalicelib.providers.prices import FREE, Tokens, nano_usd

TOKEN_HEADER = "x-proxy-token"  # noqa: S105

ANTHROPIC, COMPLETIONS, RESPONSES, GEMINI = (
    "anthropic-messages",
    "openai-completions",
    "openai-responses",
    "google-generative-ai",
)
# All that a turn needs. Nothing else of a provider's API is reached with our key: no files, no account.
PATHS = {
    ANTHROPIC: re.compile(r"/v1/messages(/count_tokens)?"),
    COMPLETIONS: re.compile(r"/chat/completions"),
    RESPONSES: re.compile(r"/(responses|chat/completions)"),
    GEMINI: re.compile(r"/models/[\w.-]+:(generateContent|streamGenerateContent|countTokens)", re.ASCII),
}
TRANSCRIPTIONS, SPEECH = "/audio/transcriptions", "/audio/speech"
KEY_HEADERS = {ANTHROPIC: "x-api-key", GEMINI: "x-goog-api-key"}
BEDROCK_CLAUDE = "https://bedrock-mantle.{region}.api.aws/anthropic"
BEDROCK_OTHERS = "https://bedrock-runtime.{region}.amazonaws.com/openai/v1"
BEDROCK_OTHERS_DUAL = "https://bedrock-runtime.{region}.api.aws/openai/v1"  # the name above has no IPv6 address


# A title: instruction and question, and an answer that thinks a little.
TITLE = Tokens(fresh=400, output=60)
MOST_FOR_A_TITLE = 1_000_000  # a tenth of a cent, in nano dollars


class NoProvider(Exception):
    """No model provider is configured."""


@dataclass(frozen=True)
class Route:
    """One provider. `parameter` names its key below the stage's SSM path; `service` signs by the task role."""

    id: str
    api: str
    base: str
    model: str  # the default when no setting names a model
    parameter: str = ""
    service: str = ""
    small: str = ""  # a cheap model for titles
    hears: str = ""  # a model that writes down recordings
    speaks: str = ""  # a model that reads aloud

    @property
    def prices(self) -> str:
        """The provider's name in the price table."""
        return self.id.partition("-")[0]

    @property
    def key_header(self) -> str:
        return KEY_HEADERS.get(self.api, "authorization")

    def key_value(self, key: str) -> str:
        return f"Bearer {key}" if self.key_header == "authorization" else key

    def allows(self, path: str) -> bool:
        sound = (self.transcribes and path == TRANSCRIPTIONS) or (self.speaks != "" and path == SPEECH)
        return sound or PATHS[self.api].fullmatch(path) is not None

    @property
    def transcribes(self) -> bool:
        """Whether it has an endpoint for recordings; the others hear in a chat."""
        return self.id in ("openai", "custom")


KNOWN = (
    Route(
        "anthropic",
        ANTHROPIC,
        "https://api.anthropic.com",
        "claude-sonnet-5",
        "anthropic-api-key",
        small="claude-haiku-4-5",
    ),
    Route(
        "openai",
        RESPONSES,
        "https://api.openai.com/v1",
        "gpt-5.6-terra",
        "openai-api-key",
        small="gpt-5.6-luna",
        hears="gpt-4o-mini-transcribe",
        speaks="gpt-4o-mini-tts",
    ),
    Route(
        "openrouter",
        COMPLETIONS,
        "https://openrouter.ai/api/v1",
        "openrouter/auto",
        "openrouter-api-key",
        small="google/gemini-2.5-flash-lite",
        hears="google/gemini-2.5-flash-lite",
    ),
    Route(
        "google",
        GEMINI,
        "https://generativelanguage.googleapis.com/v1beta",
        "gemini-3-flash-preview",
        "gemini-api-key",
        small="gemini-2.5-flash-lite",
        hears="gemini-2.5-flash-lite",
    ),
    Route(
        "deepseek",
        COMPLETIONS,
        "https://api.deepseek.com",
        "deepseek-v4-flash",
        "deepseek-api-key",
        small="deepseek-chat",
    ),
)


def routes(parameters: Mapping[str, str], region: str, bedrock: bool, ipv6: bool = False) -> tuple[Route, ...]:
    """Every provider that is configured, the default one first. Raises NoProvider."""
    url = parameters.get("openai-base-url", "")
    small = FREE[1] if parameters.get("model") == FREE[0] else ""
    sound = {"hears": "whisper-1", "speaks": "tts-1"}
    own = Route("custom", COMPLETIONS, url.rstrip("/"), "default", "openai-api-key", small=small, **sound)
    custom = (own,) if url else ()
    # With a custom URL the OpenAI key belongs to that server: it is not sent to OpenAI.
    keyed = tuple(r for r in KNOWN if parameters.get(r.parameter) and not (url and r.id == "openai"))
    found = (*custom, *keyed, *(_bedrock(region, ipv6) if bedrock else ()))
    if not found:
        raise NoProvider("no model provider is configured")
    return found


def _bedrock(region: str, ipv6: bool) -> tuple[Route, ...]:
    """Claude has its own endpoint on Bedrock; the other models use OpenAI's format."""
    claude = BEDROCK_CLAUDE.format(region=region)
    others = (BEDROCK_OTHERS_DUAL if ipv6 else BEDROCK_OTHERS).format(region=region)
    return (
        Route(
            "bedrock-claude",
            ANTHROPIC,
            claude,
            "anthropic.claude-sonnet-5",
            service="bedrock-mantle",
            small="anthropic.claude-haiku-5-5",
        ),
        Route(
            "bedrock",
            COMPLETIONS,
            others,
            "openai.gpt-oss-120b-1:0",
            service="bedrock",
            small="openai.gpt-oss-20b-1:0",
        ),
    )


def primary(found: tuple[Route, ...], model: str) -> str:
    """The deployment's model as provider/name; a bare name is the first provider's."""
    if not model:
        return f"{found[0].id}/{found[0].model}"
    named = model.partition("/")[0] in {route.id for route in found}
    return model if named else f"{found[0].id}/{model}"


def small_model(routes: tuple[Route, ...], primary: str) -> str | None:
    """The model for titles as provider/name, if it is known to cost little.

    OpenClaw does not use the agent's own model for titles.
    """
    for route in routes:
        if primary.startswith(f"{route.id}/"):
            name, price = f"{route.id}/{route.small}", nano_usd(route.prices, route.small, TITLE)
            cheap = price is not None and price <= MOST_FOR_A_TITLE
            return name if cheap and name != primary else None
    return None
