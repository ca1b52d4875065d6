"""What a user may set: model, idle timeout, time zone, retention, a monthly limit, titles by the model."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, NotRequired, TypedDict
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from chalicelib.people.heartbeat import CHOICES, DEFAULT_HOURS, LEAST, MOST, is_hours, monthly_usd
from chalicelib.platform.models import SettingItem
from chalicelib.platform.writes import TRIES, update
from chalicelib.wire.protocol import ProtocolError

KEY = "preferences"
DEPLOYMENT = "*"
MODELS_KEY = "models"
# Where a time zone comes from. A browser's never replaces another one.
BROWSER, USER = "browser", "user"
# Whether the agent runs commands without asking. The container is its sandbox (docs/security.md).
FULL, ASK = "full", "ask"
# Whoever runs the deployment pays for it, so no user may choose more: about eight hours of waiting a day.
MOST_EARLY = 5


class Model(TypedDict):
    """What can be chosen: `id` is provider/name. `heartbeatUsd`: the price of one heartbeat, where it is known."""

    id: str
    name: str
    default: NotRequired[bool]
    heartbeatUsd: NotRequired[float]


@dataclass(frozen=True)
class Choice:
    """One user's settings; None leaves the choice to the deployment."""

    model: str | None = None
    idle_timeout_minutes: int | None = None
    time_zone: str = "UTC"
    retention_days: int | None = None
    budget_usd: float | None = None
    time_zone_from: str | None = None  # BROWSER or USER; None: nobody has said one, UTC is a guess
    time_zone_asked: bool = False  # in Telegram, once
    auto_title: bool = True
    permission_mode: str = FULL
    first_words: bool = True  # a first answer from the model while the agent wakes up
    small_talk: bool = False  # a first answer that needs no tool stands, and the agent sleeps on
    voice_answers: bool = False  # voice messages are answered by voice, too; that costs
    push_text: bool = True  # whether a notification shows what the agent says
    heartbeat_minutes: float | None = None  # None: off
    heartbeat_hours: str | None = DEFAULT_HOURS  # None: day and night
    prewarm_budget: float | None = None  # dollars a month for early starts; 0: none; None: the deployment's

    def early_usd(self, default: float) -> float:
        """The budget of early starts. A deployment without them has none for anybody."""
        return default if self.prewarm_budget is None or default <= 0 else self.prewarm_budget

    @property
    def known_zone(self) -> str | None:
        """The time zone, if there is one that was not guessed."""
        return self.time_zone if self.time_zone_from else None

    def public(self) -> dict[str, Any]:
        known = models()
        return {
            "model": self.model,
            "models": known,
            "idleTimeoutMinutes": self.idle_timeout_minutes,
            "timeZone": self.time_zone,
            "timeZoneFrom": self.time_zone_from,
            "retentionDays": self.retention_days,
            "budgetUsd": self.budget_usd,
            "autoTitle": self.auto_title,
            "permissionMode": self.permission_mode,
            "firstWords": self.first_words,
            "smallTalk": self.small_talk,
            "voiceAnswers": self.voice_answers,
            "pushText": self.push_text,
            "heartbeatMinutes": self.heartbeat_minutes,
            "heartbeatHours": self.heartbeat_hours,
            "heartbeatPrices": self._prices(known),
            "prewarmBudget": self.prewarm_budget,
        }

    def _prices(self, known: list[Model]) -> dict[str, float]:
        """US dollars a month for each interval; empty when the price of the model is not known."""
        chosen = [one for one in known if (one["id"] == self.model if self.model else one.get("default"))]
        call = chosen[0].get("heartbeatUsd") if chosen else None
        if call is None:
            return {}
        return {str(every): monthly_usd(every, self.heartbeat_hours, call) for every in CHOICES}


class _Changed(Exception):
    """Another writer changed the row in between."""


class Preferences:
    """One row per user in the Settings table; each write is made on what was read."""

    def get(self, user_id: str) -> Choice:
        return _choice(self._read(user_id))

    def change(self, user_id: str, body: dict[str, Any]) -> Choice:
        """Store the fields that body names. Raises ProtocolError BAD_FIELD.

        `browserTimeZone` counts only while there is no time zone.
        """
        offered = _zone(body["browserTimeZone"], "browserTimeZone") if "browserTimeZone" in body else None
        changes = _checked({name: value for name, value in body.items() if name != "browserTimeZone"})
        if "time_zone" in changes:
            changes["time_zone_from"] = USER

        def changed(choice: Choice) -> Choice:
            if offered is not None and choice.time_zone_from is None:
                choice = replace(choice, time_zone=offered, time_zone_from=BROWSER)
            return replace(choice, **changes)

        return self._write(user_id, changed)[1]

    def ask_zone(self, user_id: str) -> bool:
        """True for the one caller who may ask the user for their time zone."""

        def asked(choice: Choice) -> Choice:
            return choice if choice.time_zone_from else replace(choice, time_zone_asked=True)

        before, after = self._write(user_id, asked)
        return after.time_zone_asked and not before.time_zone_asked

    @staticmethod
    def _read(user_id: str) -> dict[str, Any] | None:
        try:
            value: dict[str, Any] | None = SettingItem.get(user_id, KEY, consistent_read=True).value
        except SettingItem.DoesNotExist:
            return None
        return value

    def _write(self, user_id: str, change: Callable[[Choice], Choice]) -> tuple[Choice, Choice]:
        """The settings before and after a change. Concurrent writes to other fields are kept."""
        for _ in range(TRIES):
            value = self._read(user_id)
            before = _choice(value)
            after = change(before)
            if after == before:
                return before, after
            same = SettingItem.value.does_not_exist() if value is None else SettingItem.value == value
            try:
                update(SettingItem(user_id, KEY), [SettingItem.value.set(asdict(after))], same, _Changed)
            except _Changed:
                continue
            return before, after
        raise ProtocolError("INTERNAL", "The settings were changed elsewhere at the same time. Please try again.")


def _choice(value: dict[str, Any] | None) -> Choice:
    """A stored row, written by an older or a newer version too."""
    names = {field.name for field in fields(Choice)}
    choice = Choice(**{name: kept for name, kept in (value or {}).items() if name in names})
    if choice.time_zone_from is None and choice.time_zone != Choice.time_zone:
        return replace(choice, time_zone_from=USER)  # written before the source was stored: the user chose it
    return choice


def models() -> list[Model]:
    """What the last container found configured; empty before the first start."""
    try:
        found: list[Model] = SettingItem.get(DEPLOYMENT, MODELS_KEY).value
    except SettingItem.DoesNotExist:
        return []
    return found


def offer(found: list[Model]) -> None:
    """Store the available models."""
    SettingItem(DEPLOYMENT, MODELS_KEY).update([SettingItem.value.set(found)])


def _checked(body: dict[str, Any]) -> dict[str, Any]:
    checks = {
        "model": ("model", model_name),
        "idleTimeoutMinutes": ("idle_timeout_minutes", lambda v: _number(v, "idleTimeoutMinutes", 5, 24 * 60)),
        "timeZone": ("time_zone", lambda v: _zone(v, "timeZone")),
        "retentionDays": ("retention_days", lambda v: _number(v, "retentionDays", 1, 3650)),
        "budgetUsd": ("budget_usd", _dollars),
        "autoTitle": ("auto_title", lambda v: _switch(v, "autoTitle")),
        "permissionMode": ("permission_mode", _mode),
        "firstWords": ("first_words", lambda v: _switch(v, "firstWords")),
        "smallTalk": ("small_talk", lambda v: _switch(v, "smallTalk")),
        "voiceAnswers": ("voice_answers", lambda v: _switch(v, "voiceAnswers")),
        "heartbeatMinutes": ("heartbeat_minutes", lambda v: _number(v, "heartbeatMinutes", LEAST, MOST)),
        "heartbeatHours": ("heartbeat_hours", _hours),
        "pushText": ("push_text", lambda v: _switch(v, "pushText")),
        "prewarmBudget": ("prewarm_budget", _early_dollars),
    }
    unknown = set(body) - set(checks) - {"models", "timeZoneFrom", "heartbeatPrices"}
    if unknown:
        raise ProtocolError("BAD_FIELD", f"unknown setting: {sorted(unknown)[0]}")
    return {checks[name][0]: checks[name][1](value) for name, value in body.items() if name in checks}


def model_name(value: object) -> str | None:
    """A model that may be chosen, in the settings or for a conversation. Raises ProtocolError BAD_FIELD."""
    if value is None or (isinstance(value, str) and value.isascii() and 3 <= len(value) <= 200 and "/" in value):
        return value
    raise ProtocolError("BAD_FIELD", "model must be provider/name or null")


def _number(value: object, name: str, low: int, high: int) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and low <= value <= high):
        return value
    raise ProtocolError("BAD_FIELD", f"{name} must be a whole number from {low} to {high}, or null")


def _dollars(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and 0.1 <= value <= 1000:
        return round(float(value), 2)
    raise ProtocolError("BAD_FIELD", "budgetUsd must be a number of US dollars from 0.1 to 1000, or null")


def _early_dollars(value: object) -> float | None:
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MOST_EARLY):
        return None if value is None else round(float(value), 2)
    raise ProtocolError("BAD_FIELD", f"prewarmBudget must be US dollars from 0 (off) to {MOST_EARLY}, or null")


def _hours(value: object) -> str | None:
    if value is None or (isinstance(value, str) and is_hours(value)):
        return value
    raise ProtocolError("BAD_FIELD", "heartbeatHours must be like 08:00-22:00, or null for day and night")


def _switch(value: object, name: str) -> bool:
    if isinstance(value, bool):
        return value
    raise ProtocolError("BAD_FIELD", f"{name} must be true or false")


def _mode(value: object) -> str:
    if isinstance(value, str) and value in (FULL, ASK):
        return value
    raise ProtocolError("BAD_FIELD", f"permissionMode must be {FULL} or {ASK}")


def _zone(value: object, name: str) -> str:
    try:
        return ZoneInfo(str(value)).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ProtocolError("BAD_FIELD", f"{name} must be a name like Asia/Seoul") from None


def find_zone(typed: str) -> str | None:
    """The time zone that a person means: `europe/berlin`, `New York`. None for one that is not known."""
    wanted = "_".join(typed.split()).casefold()
    names = sorted(name for name in available_timezones() if not name.startswith(("posix", "right")))
    whole = [name for name in names if name.casefold() == wanted]
    cities = [name for name in names if "/" in name and name.rpartition("/")[2].casefold() == wanted]
    if whole:
        return whole[0]
    return cities[0] if len(cities) == 1 else None
