"""A user's automations and work behind the turns: to read and to change, whether the agent is awake or asleep."""

import re
from dataclasses import dataclass
from typing import Any

from chalicelib.agents.wakes import Wakes
from chalicelib.lifecycle.dispatch import Dispatch
from chalicelib.platform.parallel import both
from chalicelib.wire.protocol import ProtocolError

CHANGES, STOP = ("pause", "resume", "run", "delete"), "stop"
ACTIONS = (*CHANGES, STOP)  # the last one of background work, the others of automations
_ID = re.compile(r"[A-Za-z0-9_.:-]{1,100}")
Json = dict[str, Any]
SHOWN = 200  # characters of a prompt or a command


@dataclass(frozen=True)
class Doing:
    """What the agent had when it was last awake; `asked` in an entry: a change that waits until it is awake again.

    `work`: helpers and background commands that run, or did when the container ended: id, kind (`subagent` or
    `exec`), text, and `at` (begun, ms).
    """

    automations: list[Json]
    work: list[Json]

    def public(self) -> Json:
        return {"automations": self.automations, "work": self.work}


def doing(user_id: str) -> Doing:
    wakes = Wakes()
    (jobs, work, _), changes = both(lambda: wakes.known(user_id), lambda: wakes.asked(user_id))
    asked = dict(changes)
    shown = [
        {"id": one["id"], "kind": one["kind"], "text": one["text"][:SHOWN], "at": one.get("at", 0)} for one in work
    ]
    return Doing(_marked(jobs, asked), _marked(shown, asked))


def _marked(entries: list[Json], asked: dict[str, str]) -> list[Json]:
    return [entry | ({"asked": asked[entry["id"]]} if entry["id"] in asked else {}) for entry in entries]


def change(dispatch: Dispatch, user_id: str, entry_id: str, action: object) -> Doing:
    """Have the agent change an automation or stop work: now if it is awake, else when it wakes; `run` wakes it.

    Raises ProtocolError BAD_FIELD, NOT_FOUND, and StartFailed for a run that cannot begin yet.
    """
    if action not in ACTIONS:
        raise ProtocolError("BAD_FIELD", "action must be one of " + ", ".join(ACTIONS))
    wakes = Wakes()
    jobs, work, _ = wakes.known(user_id)
    known = [entry["id"] for entry in (work if action == STOP else jobs)]
    if not _ID.fullmatch(entry_id) or entry_id not in known:
        raise ProtocolError("NOT_FOUND", "there is no such automation or work any more")
    wakes.ask(user_id, entry_id, str(action))
    task = dispatch.tasks.get(user_id)
    if not dispatch.forward(task, {"type": "automations"}) and action == "run":
        dispatch.ensure_running(user_id)
    return doing(user_id)
