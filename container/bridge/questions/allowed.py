"""OpenClaw's list of commands that are allowed for good: shown on the page, and ended from there.

OpenClaw stores a hash of the arguments, so the words of a command come from the approval that allowed it.
"""

from typing import Any

from bridge.openclaw.gateway import Gateway, GatewayError
from chalicelib.messages import allowed
from chalicelib.messages.questions import Question
from chalicelib.platform import log
from chalicelib.platform.clock import now_ms

Json = dict[str, Any]
AGENT, SOURCE = "main", "allow-always"
CHANGED = "re-run exec.approvals.get and retry"
MOST = 100  # shown on the page; OpenClaw's list has no limit


class Allowed:
    """On the thread of the questions only."""

    def __init__(self, user_id: str, generation: int) -> None:
        self._user, self._generation = user_id, generation

    def follow(self, gateway: Gateway, question: Question | None = None) -> None:
        """Carry out what was revoked, then write the list anew. `question`: an approval that was just allowed for good.

        Raises GatewayError, GatewayClosed.
        """
        document = gateway.request("exec.approvals.get", {})
        known, ends = allowed.kept(self._user), set(allowed.asked(self._user))
        ended = {name for entry in known if entry["id"] in ends for name in entry["entries"]}
        if ended:
            document = self._end(gateway, document, ended)
        own = _own(document["file"])
        entries = [entry for entry in known if set(entry["entries"]) & own.keys()]
        seen = {name for entry in entries for name in entry["entries"]}
        entries += _new({name: entry for name, entry in own.items() if name not in seen}, question)
        if entries != known:
            allowed.project(self._user, self._generation, entries[:MOST])
        for name in ends:
            allowed.done(self._user, name)

    @staticmethod
    def _end(gateway: Gateway, document: Json, ends: set[str]) -> Json:
        file = document["file"]
        agent = file["agents"].get(AGENT) or {}
        agent["allowlist"] = [entry for entry in agent.get("allowlist") or [] if entry.get("id") not in ends]
        log.event("allowed_revoked", count=len(ends))
        try:
            return gateway.request("exec.approvals.set", {"file": file, "baseHash": document["hash"]})
        except GatewayError as error:
            if CHANGED not in str(error):
                raise
            # The same code as for what it never takes; this one passes when the list is read again.
            raise GatewayError("UNAVAILABLE", "the list changed meanwhile") from error


def _own(file: Json) -> dict[str, Json]:
    entries = ((file.get("agents") or {}).get(AGENT) or {}).get("allowlist") or []
    return {entry["id"]: entry for entry in entries if entry.get("source") == SOURCE and entry.get("id")}


def _new(found: dict[str, Json], question: Question | None) -> list[Json]:
    """OpenClaw keeps several entries for one approval: they are one to the person."""
    if question is None or not found:
        return [_shown([name], str(entry.get("pattern")), "") for name, entry in found.items()]
    return [_shown(list(found), question.about["command"], question.about.get("directory", ""))]


def _shown(entries: list[str], command: str, directory: str) -> Json:
    return {"id": entries[0], "entries": entries, "command": command, "directory": directory, "at": now_ms()}
