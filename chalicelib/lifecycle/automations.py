"""A user's automations: to read at any time, to change whether the agent is awake or asleep."""

import re
from typing import Any

from chalicelib.agents.wakes import Wakes
from chalicelib.lifecycle.dispatch import Dispatch
from chalicelib.platform.parallel import both
from chalicelib.wire.protocol import ProtocolError

ACTIONS = ("pause", "resume", "run", "delete")
_ID = re.compile(r"[A-Za-z0-9_.:-]{1,100}")
Json = dict[str, Any]


def automations(user_id: str) -> list[Json]:
    """What the agent had when it was last awake; `asked`: a change that it makes when it is awake again."""
    wakes = Wakes()
    jobs, changes = both(lambda: wakes.jobs(user_id), lambda: wakes.asked(user_id))
    asked = dict(changes)
    return [job | ({"asked": asked[job["id"]]} if job["id"] in asked else {}) for job in jobs]


def change(dispatch: Dispatch, user_id: str, job_id: str, action: object) -> list[Json]:
    """Have the agent change an automation: now if it is awake, else when it wakes; `run` wakes it.

    Raises ProtocolError BAD_FIELD, NOT_FOUND, and StartFailed for a run that cannot begin yet.
    """
    if action not in ACTIONS:
        raise ProtocolError("BAD_FIELD", "action must be one of " + ", ".join(ACTIONS))
    wakes = Wakes()
    if not _ID.fullmatch(job_id) or job_id not in [job["id"] for job in wakes.jobs(user_id)]:
        raise ProtocolError("NOT_FOUND", "there is no such automation any more")
    wakes.ask(user_id, job_id, str(action))
    task = dispatch.tasks.get(user_id)
    if not dispatch.forward(task, {"type": "automations"}) and action == "run":
        dispatch.ensure_running(user_id)
    return automations(user_id)
