"""The skills of the running OpenClaw: listed for the page, and switched on or off."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from bridge.openclaw.gateway import Gateway, GatewayClosed, GatewayError
from chalicelib.agents.skill_files import MAX_NAME, is_skill_name
from chalicelib.wire.protocol import storable

Json = dict[str, Any]
# All of it is one row of DynamoDB.
MOST, SHOWN_TEXT, SHOWN_NEEDS = 100, 300, 10
NEEDS = ("bins", "anyBins", "env", "config", "os")


class OpenClawSkills:
    """`gateway`: the connection of now. Methods raise ConnectionError if OpenClaw cannot be asked."""

    def __init__(self, gateway: Callable[[], Gateway | None], workspace: Path) -> None:
        self._gateway = gateway
        self._folder = workspace / "skills"

    def listed(self) -> list[Json]:
        """Those that the agent may be offered. What our own policy keeps out is not among them (bundled.py)."""
        found = self._ask("skills.status", {}).get("skills") or []
        known = [one for one in found if isinstance(one, dict) and not one.get("blockedByAllowlist")]
        return [self._shown(one) for one in known[:MOST]]

    def switch(self, key: str, on: bool) -> None:
        """OpenClaw keeps it in its configuration."""
        self._ask("skills.update", {"skillKey": key, "enabled": on})

    def _ask(self, method: str, params: Json) -> Json:
        gateway = self._gateway()
        try:
            if gateway is None:
                raise GatewayClosed(method)
            return gateway.request(method, params)
        except (GatewayError, GatewayClosed) as error:
            raise ConnectionError(f"{method}: {type(error).__name__}") from None

    def _shown(self, one: Json) -> Json:
        entry = {
            "key": _text(one.get("skillKey"), MAX_NAME),
            "name": _text(one.get("name"), MAX_NAME),
            "description": _text(one.get("description"), SHOWN_TEXT),
            "on": one.get("disabled") is not True,
            "offered": one.get("modelVisible") is True,
            "missing": _needs(one.get("missing")),
            "needs": _needs(one.get("requirements")),
            "bundled": one.get("bundled") is True,
        }
        folder = self._own_folder(str(one.get("baseDir", "")))
        return entry | ({"folder": folder} if folder else {})

    def _own_folder(self, base: str) -> str | None:
        """The name of its folder in the workspace; None for one of OpenClaw's, or one that lies deeper."""
        path = Path(base)
        inside = path.parent == self._folder or path.parent == self._folder.resolve()
        return path.name if inside and is_skill_name(path.name) else None


def _needs(value: Any) -> list[str]:
    if not isinstance(value, dict):
        return []
    found = [str(one) for kind in NEEDS if isinstance(value.get(kind), list) for one in value[kind]]
    return [_text(one, 80) for one in found[:SHOWN_NEEDS]]


def _text(value: Any, most: int) -> str:
    return storable(str(value or ""))[:most]
