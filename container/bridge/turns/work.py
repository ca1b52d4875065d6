"""What the agent did for an answer: its tool calls, with arguments, result and time."""

import json
import threading
import time
from typing import Any

Json = dict[str, Any]

# In characters. The agent's own transcript has the whole; here a person wants to see what it was about.
ARGUMENTS, RESULT, NAME = 600, 1_200, 100
# Later steps of a long turn are counted only: a row of the history has limited room.
STEPS = 40
# A row has 400 KB, and the text may take 380,000 bytes of it.
ROW_BYTES = 12_000
RUNNING, DONE, FAILED = "running", "done", "failed"


class Work:
    """The steps of one run, in order. Events come from one thread, readers from others."""

    def __init__(self) -> None:
        self._steps: dict[str, Json] = {}
        self._begun: dict[str, float] = {}
        self._more = 0
        self._lock = threading.Lock()

    def tool(self, data: Json) -> Json | None:
        """Take the gateway's event of a tool call. Returns the step if it has begun or ended."""
        phase, name = data.get("phase"), str(data.get("name") or "")[:NAME]
        call = str(data.get("toolCallId") or name)
        with self._lock:
            if phase == "start":
                return self._start(call, name, data.get("args"))
            return self._end(call, data) if phase == "result" else None

    def _start(self, call: str, name: str, arguments: Any) -> Json | None:
        if call in self._steps:
            return None
        if len(self._steps) >= STEPS:
            self._more += 1
            return None
        self._begun[call] = time.monotonic()
        step = {"id": call[:NAME], "name": name, "state": RUNNING, "arguments": _arguments(arguments)}
        self._steps[call] = step
        return dict(step)

    def _end(self, call: str, data: Json) -> Json | None:
        step = self._steps.get(call)
        if step is None or step["state"] != RUNNING:
            return None
        step["state"] = FAILED if data.get("isError") or _ended_badly(data.get("result")) else DONE
        step["seconds"] = round(time.monotonic() - self._begun[call], 1)
        step["result"] = _shown(_text(data.get("result")), RESULT)
        return dict(step)

    def steps(self) -> list[Json]:
        """All steps. After an end of the run, none of them is running any more."""
        with self._lock:
            steps = [dict(step) for step in self._steps.values()]
            more = [{"id": "more", "name": f"+{self._more}", "state": DONE, "arguments": ""}] if self._more else []
        return steps + more

    def ended(self) -> list[Json]:
        """For the history: a step that was cut off counts as failed, and all together are at most ROW_BYTES."""
        steps = [step | {"state": FAILED} if step["state"] == RUNNING else step for step in self.steps()]
        for part in ("result", "arguments"):
            for step in steps:  # the oldest first: what came last explains the answer best
                if _bytes(steps) > ROW_BYTES:
                    step[part] = ""
        return steps


def _bytes(steps: list[Json]) -> int:
    return len(json.dumps(steps, ensure_ascii=False).encode())


def _arguments(arguments: Any) -> str:
    """One argument is shown as it is, such as a shell command; several as JSON."""
    if isinstance(arguments, dict) and len(arguments) == 1:
        (arguments,) = arguments.values()
    text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False, default=str)
    return _shown(text if arguments else "", ARGUMENTS)


def _text(result: Any) -> str:
    content = result.get("content") if isinstance(result, dict) else result
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(str(part.get("text")) for part in parts if isinstance(part, dict) and part.get("text"))


def _ended_badly(result: Any) -> bool:
    """Whether a command ended with an error: OpenClaw does not call that one."""
    details = result.get("details") if isinstance(result, dict) else None
    return isinstance(details, dict) and details.get("exitCode") not in (None, 0)


def _shown(text: str, limit: int) -> str:
    text = text.strip().encode(errors="replace").decode()
    return text if len(text) <= limit else text[:limit] + " …"
