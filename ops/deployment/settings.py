"""The settings of `make deploy`, kept below /serverless-openclaw/<stage>/config/ for the next run.

Without them a plain `make deploy` would undo the settings of an earlier one: the alarm address, who may
write to the bot, the rights on Bedrock. A variable that is not set keeps the stored value. An empty one
clears it.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from chalicelib.platform.settings import ENGINES
from ops.cloud import Cloud, Problem
from ops.names import parameter

FOLDER = "config/"
YES, NO = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


def _text(value: str) -> str:
    return value


def _yes_or_no(value: str) -> str:
    if value.lower() not in YES + NO:
        raise ValueError("true or false")
    return "true" if value.lower() in YES else "false"


def _whole(value: str) -> str:
    if re.fullmatch(r"[1-9]\d{0,6}", value) is None:
        raise ValueError("a whole number, 1 or more")
    return value


def _dollars(value: str) -> str:
    if re.fullmatch(r"\d{1,2}(\.\d{1,2})?", value) is None:
        raise ValueError("an amount of dollars like 0.30, or 0 for none")
    return value


def _cpu(value: str) -> str:
    if value not in ("512", "1024"):
        raise ValueError("512 or 1024, in units of 1/1024 vCPU")
    return value


def _ids(value: str) -> str:
    if re.fullmatch(r"\d+( *, *\d+)*", value) is None:
        raise ValueError("numbers of Telegram accounts, separated by commas")
    return value


def _engine(value: str) -> str:
    if value.lower() not in ENGINES:
        raise ValueError(" or ".join(ENGINES))
    return value.lower()


# Name: what it is without being told, and what reads a value. Those of functions also stand in config.json.
KNOWN: dict[str, tuple[str, Callable[[str], str]]] = {
    "EMAIL": ("", _text),
    "MONTHLY_BUDGET": ("10", _whole),
    "SELF_SIGN_UP": ("false", _yes_or_no),
    "BEDROCK": ("false", _yes_or_no),
    "RUNTIME": (ENGINES[0], _engine),
    "PREWARM_CRONS": ("", _text),
    "PREWARM_MINUTES": ("60", _whole),
    "PREWARM_BUDGET_USD": ("0.30", _dollars),
    "MESSAGES_PER_MINUTE": ("30", _whole),
    "FIRST_WORDS": ("true", _yes_or_no),
    "FIRST_WORDS_MODEL": ("", _text),
    "TELEGRAM_ALLOWED_IDS": ("", _ids),
    "IPV6_ONLY": ("false", _yes_or_no),
    "AGENT_CPU": ("1024", _cpu),
}


@dataclass(frozen=True)
class Setting:
    """A value and where it is from: given, cleared, stored, default."""

    value: str
    source: str


@dataclass(frozen=True)
class Settings:
    """Every known setting of one deployment."""

    known: Mapping[str, Setting]

    def __getitem__(self, name: str) -> str:
        return self.known[name].value

    def __iter__(self) -> Iterator[tuple[str, Setting]]:
        return iter(self.known.items())

    def of_functions(self) -> dict[str, str]:
        """All values; the configuration of the functions takes those it names."""
        return {name: setting.value for name, setting in self}

    def lines(self) -> list[str]:
        """What is used and where it is from, for a terminal."""
        return [f"  {name:<21} {setting.value or '-':<24} {setting.source}" for name, setting in self]


def settle(env: Mapping[str, str], kept: Mapping[str, str]) -> Settings:
    """The environment wins over stored values, and those win over the defaults. Raises Problem."""
    return Settings({name: _settle(name, env.get(name), kept.get(name, "")) for name in KNOWN})


def _settle(name: str, given: str | None, kept: str) -> Setting:
    default, read = KNOWN[name]
    if given is None:
        return Setting(kept, "stored") if kept else Setting(default, "default")
    if not given.strip():
        return Setting(default, "cleared")
    try:
        return Setting(read(given.strip()), "given")
    except ValueError as error:
        raise Problem(f"{name}={given.strip()} cannot be used: it must be {error}.") from None


def stored(cloud: Cloud) -> dict[str, str]:
    """What earlier deployments were told, by name."""
    return {path.upper().replace("-", "_"): value for path, value in cloud.parameters(FOLDER).items()}


def store(cloud: Cloud, settings: Settings) -> str:
    """Keep what was given, drop what was cleared; what was done."""
    ssm, done = cloud.client("ssm"), []
    for name, setting in settings:
        path = parameter(cloud.stage, FOLDER + name.lower().replace("_", "-"))
        if setting.source == "given":
            ssm.put_parameter(Name=path, Value=setting.value, Type="String", Overwrite=True)
        elif setting.source == "cleared":
            ssm.delete_parameters(Names=[path])  # unlike delete_parameter it accepts a missing name
        else:
            continue
        done.append(f"{name} {setting.source}")
    return ", ".join(done) or "as they were"
