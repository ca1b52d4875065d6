"""What the agent says by itself: the rows of a transcript that answer no message of ours.

Measured on 2026.9.1. Every row has an id of its own (a UUID), which stays with it in snapshots. A row of a
run carries the run's id. Our runs, and those by which OpenClaw resumes a turn, have a user row with a key;
sub-agents that report, ended background commands and reminders in the main session have none.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from bridge.files.announced import Announced, of_row
from bridge.openclaw.history import ENDS, RESUMED_BY
from bridge.openclaw.paragraphs import of_content

Json = dict[str, Any]
# OpenClaw's words for "nothing to say".
SILENT = {"NO_REPLY", "HEARTBEAT_OK", "ANNOUNCE_SKIP"}
# A heartbeat's acknowledgement. OpenClaw takes it at either end, and drops what else is there if it is short.
_ACKNOWLEDGED = re.compile(r"^\W*HEARTBEAT_OK\b|\bHEARTBEAT_OK\W*$")
SHORT = 300
AUTOMATION, MESSAGE, HELPER, OWN = "automation", "message", "helper", "own"


def without_acknowledgement(text: str) -> str:
    """Empty for a heartbeat that found nothing; its mark is never shown."""
    rest = _ACKNOWLEDGED.sub("", text).strip()
    return "" if rest != text and len(rest) <= SHORT else rest


@dataclass(frozen=True)
class Said:
    """One proactive row. `at`: when OpenClaw committed it, in ms. `job`: of an automation's result."""

    id: str
    text: str
    at: int
    kind: str
    job: str | None = None
    files: tuple[Announced, ...] = ()


@dataclass
class Transcript:
    """Reads the rows of one session in order, and remembers which runs answer messages."""

    answering: set[str] = field(default_factory=set)
    _resumed: bool = False  # the next unknown run goes on with a turn of ours

    def read(self, rows: list[Any]) -> list[Said]:
        """What of these rows is proactive. A row may be read again."""
        found = [self._row(row) for row in rows]
        return [said for said in found if said is not None]

    def _row(self, row: Any) -> Said | None:
        if not isinstance(row, dict):
            return None
        if row.get("role") == "user":
            self._question(row)
            return None
        about = row.get("__openclaw")
        if row.get("role") != "assistant" or not isinstance(about, dict) or not about.get("id"):
            return None
        kind = self._kind(row, str(about.get("runId") or ""), str(about.get("idempotencyKey") or ""))
        text = without_acknowledgement(of_content(row.get("content")).strip())
        ended = row.get("stopReason") in ENDS and "openclawStreamFallback" not in row
        files = of_row(row)
        silent = not files and (not text or text.upper() in SILENT)
        if kind is None or not ended or silent or not about.get("recordTimestampMs"):
            return None
        at = int(about.get("recordTimestampMs") or 0)
        job = (row.get("openclawAutomation") or {}).get("jobId")
        return Said(str(about["id"]), text, at, kind, str(job) if job else None, files)

    def _question(self, row: Json) -> None:
        key = row.get("idempotencyKey")
        if not key:
            return
        self.answering.add(str(key).removesuffix(":user"))
        provenance = row.get("provenance")
        self._resumed = isinstance(provenance, dict) and provenance.get("sourceTool") == RESUMED_BY

    def _kind(self, row: Json, run: str, key: str) -> str | None:
        """None: an answer, or a reply of OpenClaw's own to a command."""
        if row.get("openclawAutomation") or key.startswith("cron-current-completion:"):
            return AUTOMATION
        if ":message-tool:" in key:
            return MESSAGE
        if run.startswith("announce:"):
            return HELPER
        if not run or run in self.answering:
            return None
        if self._resumed:
            self._resumed = False
            self.answering.add(run)
            return None
        return OWN
