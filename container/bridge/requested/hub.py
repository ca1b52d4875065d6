"""Skills of ClawHub, the public registry: found, looked at and installed by OpenClaw itself.

OpenClaw downloads a skill, has it checked (vetting.py) and puts it into the workspace, all as the agent's user. The
page hears that it is installed when a snapshot holds it.
"""

import re
import threading
from collections.abc import Callable, Container
from typing import Any

from bridge.openclaw.gateway import Gateway, GatewayError
from bridge.requested.requested import Refused
from chalicelib.platform import log
from chalicelib.wire.protocol import storable

Json = dict[str, Any]
MOST, SHOWN, LONG = 20, 300, 2_000
# OpenClaw tries a read that fails again for 14 s.
READ_SECONDS, INSTALL_SECONDS, SAVE_SECONDS = 60.0, 180.0, 60.0
UNREACHABLE = "ClawHub cannot be reached from your agent's container just now. Try again later."
# The words of a check that failed (vetting.py), behind OpenClaw's own.
_VETTED = re.compile(r"\b(SKILL_[A-Z_]+|TOO_LARGE): (.+)", re.DOTALL)
# What OpenClaw's errors say, in this order. It has one code for all of them.
_SAID = (
    (r"\b(sym|symbolic |hard)?links?\b", "SKILL_LINK", "A skill may hold files and folders only, no links."),
    (r"already exists", "SKILL_EXISTS", "Your agent has a skill of that name. Delete it first to install this one."),
    (r"not found|404", "HUB_NOT_FOUND", "ClawHub does not have this skill any more."),
    (r"rate limit|429", "HUB_LIMIT", "ClawHub gets too many requests from here. Try again in a few minutes."),
    (r"blocked this release", "HUB_BLOCKED", "ClawHub itself has blocked this skill as unsafe."),
    (r"trust check failed|no verdict", "HUB_UNCHECKED", "ClawHub could not say whether this skill is safe."),
    (
        r"fetch failed|timed out|TIMEOUT|stalled|temporarily|\(50[0234]\)|aborted|ENOTFOUND",
        "HUB_UNREACHABLE",
        UNREACHABLE,
    ),
)


class Hub:
    """`installed` shows the list with a new skill in it; `save` begins a snapshot."""

    def __init__(self, installed: Callable[[str], None], save: Callable[[], None]) -> None:
        self._installed = installed
        self._save = save
        self._awaited: dict[str, threading.Event] = {}

    def search(self, gateway: Gateway, words: str) -> Json:
        found = _asked(gateway, "skills.search", {"query": words, "limit": MOST}, READ_SECONDS)
        entries = [entry for entry in found.get("results") or [] if isinstance(entry, dict) and entry.get("installRef")]
        return {"results": [_shown(entry) for entry in entries[:MOST]]}

    def detail(self, gateway: Gateway, reference: str) -> Json:
        """What the registry says of one skill."""
        found = _asked(gateway, "skills.detail", {"slug": reference}, READ_SECONDS)
        skill, latest, owner = found.get("skill"), found.get("latestVersion"), found.get("owner")
        if not isinstance(skill, dict):
            raise Refused("HUB_NOT_FOUND", "ClawHub does not have this skill any more.")
        about = {
            "name": _text(skill.get("displayName"), SHOWN),
            "description": _text(skill.get("summary"), LONG),
            "updatedAt": int(skill.get("updatedAt") or 0),
        }
        about |= (
            {"owner": _text(owner.get("handle") or owner.get("displayName"), SHOWN)} if isinstance(owner, dict) else {}
        )
        if isinstance(latest, dict):
            about |= {"version": _text(latest.get("version"), 50), "changes": _text(latest.get("changelog"), LONG)}
        return about

    def install(self, gateway: Gateway, reference: str) -> Json:
        """Waits for the snapshot; `saved` is false if the agent worked on for so long that there is none yet."""
        slug = reference.rpartition("/")[2]
        held = self._awaited.setdefault(slug, threading.Event())
        try:
            done = _asked(gateway, "skills.install", {"source": "clawhub", "slug": reference}, INSTALL_SECONDS)
            log.event("skill_installed", slug=slug, version=str(done.get("version") or ""))
            self._save()
            self._installed(slug)
            return {"slug": slug, "version": _text(done.get("version"), 50), "saved": held.wait(SAVE_SECONDS)}
        finally:
            self._awaited.pop(slug, None)

    def saved(self, files: Container[str]) -> None:
        """A snapshot has these files, by their paths in the state."""
        for slug, held in list(self._awaited.items()):
            if f"workspace/skills/{slug}/SKILL.md" in files:
                held.set()


def _asked(gateway: Gateway, method: str, params: Json, seconds: float) -> Json:
    try:
        return gateway.request(method, params, seconds)
    except GatewayError as error:
        raise refusal(str(error)) from None


def refusal(said: str) -> Refused:
    """OpenClaw's words as a code and a sentence for the page."""
    vetted = _VETTED.search(said)
    if vetted is not None:
        return Refused(vetted[1], _text(vetted[2], SHOWN))
    for pattern, code, text in _SAID:
        if re.search(pattern, said, re.IGNORECASE):
            return Refused(code, text)
    return Refused("HUB_REFUSED", f"ClawHub refused this: {_text(said.partition(': ')[2], SHOWN)}")


def _shown(entry: Json) -> Json:
    about: Json = {"ref": str(entry["installRef"]), "name": _text(entry.get("displayName"), SHOWN)}
    about |= {"description": _text(entry.get("summary"), SHOWN), "version": _text(entry.get("version"), 50)}
    return about | {"unscanned": entry.get("trustState") is not None, "installOnly": entry.get("installOnly") is True}


def _text(value: Any, most: int) -> str:
    return storable(str(value or "")).strip()[:most]
