"""OpenClaw's list of commands that are allowed for good: shown on the page, and ended from there.

OpenClaw stores a hash of the arguments, so the words of a command come from the approval that allowed it.
"""

from typing import Any

from bridge.openclaw.gateway import Gateway
from chalicelib.messages import allowed
from chalicelib.messages.questions import Question
from chalicelib.platform import log
from chalicelib.platform.clock import now_ms

Json = dict[str, Any]
AGENT, SOURCE = "main", "allow-always"
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
        ends = set(allowed.asked(self._user))
        if ends:
            document = self._end(gateway, document, ends)
        known = {entry["id"]: entry for entry in allowed.kept(self._user)}
        entries = [known.get(entry["id"]) or _shown(entry, question) for entry in _own(document["file"])]
        if entries != list(known.values()):
            allowed.project(self._user, self._generation, entries[:MOST])
        for name in ends:
            allowed.done(self._user, name)

    @staticmethod
    def _end(gateway: Gateway, document: Json, ends: set[str]) -> Json:
        file = document["file"]
        agent = file["agents"].get(AGENT) or {}
        agent["allowlist"] = [entry for entry in agent.get("allowlist") or [] if entry.get("id") not in ends]
        log.event("allowed_revoked", count=len(ends))
        return gateway.request("exec.approvals.set", {"file": file, "baseHash": document["hash"]})


def _own(file: Json) -> list[Json]:
    entries = ((file.get("agents") or {}).get(AGENT) or {}).get("allowlist") or []
    return [entry for entry in entries if entry.get("source") == SOURCE and entry.get("id")]


def _shown(entry: Json, question: Question | None) -> Json:
    about = question.about if question is not None else {}
    command = about.get("command") or str(entry.get("pattern"))
    return {"id": entry["id"], "command": command, "directory": about.get("directory", ""), "at": now_ms()}
