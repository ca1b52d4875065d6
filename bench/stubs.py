"""Stand-ins for the AWS services besides tables that a section needs: `python -m bench.stubs` prints its port.

- @connections accepts every frame and records when it came (`/@connections/…`).
- ECS runs nothing (RunTask, ListTasks, DescribeTasks, StopTask).
- DynamoDB answers what the watchdog reads, in pages like the real service. (moto needs a minute for 10,000
  rows of an index.)

It is a separate process so that its work is not counted as work of the measured code. The section controls it
below `/_bench/`: pause (seconds that each call takes), tasks, rows, frames, counts.
"""

import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from local.processes import die_with_parent

Json = dict[str, Any]
PAGE = 100  # ListTasks gives no more
ROWS_PAGE = 1800  # what 1 MB holds of TaskState's rows


class State:
    """All that the requests share."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.pause = 0.0
        self.frames: list[tuple[float, str, Json]] = []
        self.tasks: dict[str, Json] = {}
        self.rows: list[Json] = []  # of TaskState's index, in DynamoDB's JSON
        self.counts: Counter[str] = Counter()

    def set_pause(self, seconds: Any) -> Json:
        self.pause = float(seconds)
        return {}

    def set_tasks(self, entries: list[Json]) -> Json:
        self.tasks = {entry["taskArn"]: entry for entry in entries}
        return {}

    def set_rows(self, rows: list[Json]) -> Json:
        self.rows = rows
        return {}

    def take_frames(self, _: Any) -> list[tuple[float, str, Json]]:
        taken, self.frames = self.frames, []
        return taken

    def take_counts(self, _: Any) -> dict[str, int]:
        counted, self.counts = dict(self.counts), Counter()
        return counted


# By the path below /_bench/. Called with the lock held.
CONTROLS: dict[str, Callable[[State, Any], Any]] = {
    "pause": State.set_pause,
    "tasks": State.set_tasks,
    "rows": State.set_rows,
    "frames": State.take_frames,
    "counts": State.take_counts,
}


class Handler(BaseHTTPRequestHandler):
    """One connection, kept alive."""

    protocol_version = "HTTP/1.1"
    # Send each answer as one packet: otherwise the kernel's delayed acknowledgement adds 40 ms.
    wbufsize = -1
    disable_nagle_algorithm = True
    state: State

    def do_POST(self) -> None:
        at = time.monotonic()
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.startswith("/@connections/"):
            answer = self._frame(at, raw)
        elif self.path.startswith("/_bench/"):
            answer = self._control(self.path.rsplit("/", 1)[-1], json.loads(raw or b"null"))
        else:
            service, operation = self.headers["X-Amz-Target"].rsplit(".", 1)
            answer = self._aws(service, operation, json.loads(raw))
        body = json.dumps(answer).encode()
        self.send_response(400 if "__type" in answer else 200)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def _frame(self, at: float, raw: bytes) -> Json:
        if self.state.pause:
            time.sleep(self.state.pause)
        with self.state.lock:
            self.state.frames.append((at, self.path.rsplit("/", 1)[-1], json.loads(raw)))
        return {}

    def _control(self, name: str, body: Any) -> Any:
        with self.state.lock:
            return CONTROLS[name](self.state, body) if name in CONTROLS else {}

    def _aws(self, service: str, operation: str, body: Json) -> Json:
        if self.state.pause:
            time.sleep(self.state.pause)
        with self.state.lock:
            self.state.counts[operation] += 1
        return self._dynamo(operation, body) if service.startswith("DynamoDB") else self._ecs(operation, body)

    def _dynamo(self, operation: str, body: Json) -> Json:
        if operation == "GetItem":
            return {}
        if operation == "UpdateItem":  # as if a message had just arrived, so that nothing is stopped
            return {"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"}
        rows = self.state.rows if body.get("IndexName") == "active-index" else []
        start = body.get("ExclusiveStartKey")
        first = int(start["userId"]["S"].removeprefix("user-")) + 1 if start else 0
        page = rows[first : first + ROWS_PAGE]
        more = {"LastEvaluatedKey": {"userId": page[-1]["userId"]}} if first + ROWS_PAGE < len(rows) else {}
        return {"Items": page, "Count": len(page), "ScannedCount": len(page)} | more

    def _ecs(self, operation: str, body: Json) -> Json:
        state = self.state
        with state.lock:
            if operation == "ListTasks":
                first, arns = int(body.get("nextToken") or 0), list(state.tasks)
                more = {"nextToken": str(first + PAGE)} if first + PAGE < len(arns) else {}
                return {"taskArns": arns[first : first + PAGE]} | more
            if operation == "DescribeTasks":
                return {"tasks": [state.tasks[arn] for arn in body["tasks"] if arn in state.tasks], "failures": []}
            if operation == "RunTask":
                task = {"taskArn": f"arn:bench:{body['clientToken'][:12]}", "lastStatus": "RUNNING"}
                state.tasks[task["taskArn"]] = task | {"overrides": body.get("overrides", {})}
                return {"tasks": [task], "failures": []}
            state.tasks.pop(str(body.get("task")), None)
            return {"task": {}}

    def log_message(self, format: str, *args: object) -> None:
        return


def main() -> int:
    die_with_parent()
    Handler.state = State()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    print(json.dumps({"port": server.server_port}), flush=True)
    server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
