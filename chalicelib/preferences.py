"""What a user may set: model, idle timeout, time zone, retention, a monthly limit."""

from dataclasses import asdict, dataclass, replace
from typing import Any, TypedDict
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from chalicelib.models import SettingItem
from chalicelib.protocol import ProtocolError

KEY = "preferences"
DEPLOYMENT = "*"
MODELS_KEY = "models"


class Model(TypedDict):
    """What can be chosen: `id` is provider/name."""

    id: str
    name: str


@dataclass(frozen=True)
class Choice:
    """One user's settings; None leaves the choice to the deployment."""

    model: str | None = None
    idle_timeout_minutes: int | None = None
    time_zone: str = "UTC"
    retention_days: int | None = None
    budget_usd: float | None = None

    def public(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "models": models(),
            "idleTimeoutMinutes": self.idle_timeout_minutes,
            "timeZone": self.time_zone,
            "retentionDays": self.retention_days,
            "budgetUsd": self.budget_usd,
        }


class Preferences:
    """One row per user in the Settings table."""

    def get(self, user_id: str) -> Choice:
        try:
            return Choice(**SettingItem.get(user_id, KEY, consistent_read=True).value)
        except SettingItem.DoesNotExist:
            return Choice()

    def change(self, user_id: str, body: dict[str, Any]) -> Choice:
        """Store the fields that body names. Raises ProtocolError BAD_FIELD."""
        choice = replace(self.get(user_id), **_checked(body))
        SettingItem(user_id, KEY).update([SettingItem.value.set(asdict(choice))])
        return choice


def models() -> list[Model]:
    """What the last container found configured; empty before the first start."""
    try:
        found: list[Model] = SettingItem.get(DEPLOYMENT, MODELS_KEY).value
    except SettingItem.DoesNotExist:
        return []
    return found


def offer(found: list[Model]) -> None:
    """Say which models there are."""
    SettingItem(DEPLOYMENT, MODELS_KEY).update([SettingItem.value.set(found)])


def _checked(body: dict[str, Any]) -> dict[str, Any]:
    checks = {
        "model": ("model", _model),
        "idleTimeoutMinutes": ("idle_timeout_minutes", lambda v: _number(v, "idleTimeoutMinutes", 5, 24 * 60)),
        "timeZone": ("time_zone", _zone),
        "retentionDays": ("retention_days", lambda v: _number(v, "retentionDays", 1, 3650)),
        "budgetUsd": ("budget_usd", _dollars),
    }
    unknown = set(body) - set(checks) - {"models"}
    if unknown:
        raise ProtocolError("BAD_FIELD", f"unknown setting: {sorted(unknown)[0]}")
    return {checks[name][0]: checks[name][1](value) for name, value in body.items() if name in checks}


def _model(value: object) -> str | None:
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


def _zone(value: object) -> str:
    try:
        return ZoneInfo(str(value)).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ProtocolError("BAD_FIELD", "timeZone must be a name like Asia/Seoul") from None
