"""The process that replaces AWS: `python -m local.cloud.server --data DIR`. Prints its port when ready."""

import argparse
import io
import json
import re
import signal
import threading
import urllib.parse
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import requests
from moto.moto_api import state_manager
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

from chalicelib.platform.signals import on_signals
from local.cloud import accounts, codes, lean, schedules, sessions, signatures, srp
from local.cloud.ecs import Runner
from local.cloud.logs import Follower
from local.cloud.microvm import Machines
from local.cloud.microvm_api import PREFIX, Api
from local.cloud.persist import Store
from local.processes import die_with_parent

Environ = dict[str, Any]
Start = Callable[..., Any]
Json = dict[str, Any]
SAVE_SECONDS = 1.0
SCHEDULE_SECONDS = 0.5
# DynamoDB's reading calls: they need no new snapshot.
READS = {"GetItem", "BatchGetItem", "TransactGetItems", "Query", "Scan", "DescribeTable", "ListTables"}
# Lambda's Invoke, for the functions of this stage.
INVOCATIONS, FUNCTIONS = "/2015-03-31/functions/", "serverless-openclaw-local-"
MISSING = "ResourceNotFoundException"
SWEEP_EVERY = 30  # saves
TASK_SECONDS = 20  # time for a task to hand over when everything stops


class Cloud:
    """moto behind one lock for DynamoDB (its server races on conditional writes), with hooks."""

    def __init__(self, data: Path, tasks: Path, region: str) -> None:
        self.store = Store(data, region)
        self.runner = Runner(tasks, region, self.emit)
        self.machines = Machines(tasks, region)
        self._microvms = Api(self.machines)
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._tables = threading.RLock()
        self._users = threading.RLock()
        self._saving = threading.Lock()
        self._dirty = threading.Event()
        self._region = region
        self._targets: list[str] = []
        self._tokens: dict[str, bytes] = {}
        self._token_lock = threading.Lock()
        self._faults: list[Json] = []
        self._controls: dict[str, Callable[[Any], Any]] = {  # by the path below /_local/
            "subscribe": self._subscribe,
            "faults": self._add_faults,
            "pids": lambda _: {**self.runner.pids(), **self.machines.pids()},
            "exits": lambda _: {**self.runner.exits, **self.machines.exits},
            "mail": lambda _: codes.letters(),
            "stop-tasks": self._stop_tasks,
            "snapshots": self._snapshots,
            "save": self._save_now,
        }

    def __call__(self, environ: Environ, start: Start) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path.startswith("/_local/"):
            return self._local(path, environ, start)
        if (answer := signatures.refused(environ, start)) is not None:
            return answer
        target = environ.get("HTTP_X_AMZN_TARGET") or environ.get("HTTP_X_AMZ_TARGET") or ""
        service, _, operation = target.partition(".")
        if not target and environ["REQUEST_METHOD"] == "PUT" and "-data" in path.split("/")[1]:
            operation = "PutObject"
        elif path.startswith(PREFIX):
            operation = self._microvms.named(environ)
        fault = self._fault(operation)
        if fault is not None:
            start(f"{fault['status']} Fault", [("Content-Type", "application/x-amz-json-1.1")])
            return [json.dumps(fault["body"]).encode()]
        if path.startswith(PREFIX):
            return self._microvms(environ, start)
        if path.startswith(INVOCATIONS):
            return self._invoke(path, environ, start)
        if service.startswith("DynamoDB"):
            return self._alone(self._tables, environ, start, operation not in READS)
        if service.startswith("AWSCognito"):
            return self._alone(self._users, environ, start, True)
        if operation in ("RunTask", "StopTask"):
            return self._ecs(operation, environ, start)
        answer = list(self._moto(environ, start))
        if environ["REQUEST_METHOD"] in ("PUT", "POST", "DELETE"):
            self._dirty.set()
            self._mirror(environ)
        return answer

    def _invoke(self, path: str, environ: Environ, start: Start) -> Iterable[bytes]:
        """Lambda's asynchronous invocation: accepted at once, delivered to the local API by another thread."""
        body = json.loads(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)) or b"null")
        name = path.removeprefix(INVOCATIONS).split("/")[0]
        if environ.get("HTTP_X_AMZ_INVOCATION_TYPE") != "Event" or not name.startswith(FUNCTIONS):
            start("404 Not Found", [("Content-Type", "application/json"), ("x-amzn-errortype", MISSING)])
            return [b'{"Message": "Function not found"}']
        event = {"function": name.removeprefix(FUNCTIONS), "input": body}
        threading.Thread(target=self.emit, args=(event,), name="invoke", daemon=True).start()
        start("202 Accepted", [])
        return [b""]

    def _alone(self, lock: threading.RLock, environ: Environ, start: Start, writes: bool) -> Iterable[bytes]:
        """One call at a time, and none while a snapshot is taken."""
        with lock:
            answer = list(self._moto(environ, start))
            if writes:
                self._dirty.set()
        return answer

    def _ecs(self, operation: str, environ: Environ, start: Start) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        request = json.loads(body)
        if operation == "StopTask":
            return self._stop_task(request, environ, start)
        token = request.get("clientToken")
        with self._token_lock:  # ECS makes one task of a repeated client token; moto does not know them
            if token in self._tokens:
                start("200 OK", [("Content-Type", "application/x-amz-json-1.1")])
                return [self._tokens[token]]
            answer = b"".join(self._moto(environ, start))
            tasks = json.loads(answer).get("tasks", [])
            if token and tasks:
                self._tokens[token] = answer
        for task in tasks:
            self.runner.started(task["taskArn"])
        return [answer]

    def _stop_task(self, request: Json, environ: Environ, start: Start) -> Iterable[bytes]:
        if self.runner.task(request["task"]) is None:
            start("400 Bad Request", [("Content-Type", "application/x-amz-json-1.1")])
            error = {"__type": "InvalidParameterException", "message": "The referenced task was not found."}
            return [json.dumps(error).encode()]
        answer = list(self._moto(environ, start))
        self.runner.stopped(request["task"], request.get("reason", ""))
        return answer

    def _mirror(self, environ: Environ) -> None:
        """After a write to S3, make its file equal (path style: /bucket/key)."""
        signed = re.search(r"/([a-z0-9-]+)/aws4_request", environ.get("HTTP_AUTHORIZATION", ""))
        if signed is None or signed.group(1) != "s3":
            return
        bucket, _, key = urllib.parse.unquote(environ["PATH_INFO"]).lstrip("/").partition("/")
        if bucket and key:
            self.store.mirror(bucket, key)
        elif bucket and environ["REQUEST_METHOD"] == "POST":  # DeleteObjects
            self.store.prune(bucket)

    def _fault(self, operation: str) -> Json | None:
        """A fault that a test asked for: each is used once."""
        for fault in self._faults:
            if fault["operation"] == operation:
                self._faults.remove(fault)
                return fault
        return None

    def _local(self, path: str, environ: Environ, start: Start) -> Iterable[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = json.loads(environ["wsgi.input"].read(length) or b"null")
        control = self._controls.get(path.removeprefix("/_local/"))
        answer = control(body) if control is not None else self._metadata(path)
        start("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(answer).encode()]

    def _metadata(self, path: str) -> Json:
        """What ECS tells a task about itself; {} for any other path."""
        match = re.fullmatch(r"/_local/metadata/([^/]+)/task", path)
        if match is None:
            return {}
        arn = next((arn for arn in self.runner.pids() if arn.endswith(match.group(1))), None)
        return {"TaskARN": arn, "Cluster": "local", "LaunchType": "FARGATE"}

    def _subscribe(self, body: Json) -> Json:
        self._targets.append(body["url"])
        return {}

    def _add_faults(self, body: list[Json]) -> Json:
        self._faults = [*self._faults, *body] if body else []  # an empty list ends them all
        return {}

    def _stop_tasks(self, _: None) -> Json:
        self.stop_tasks()
        return {}

    def stop_tasks(self) -> None:
        self.runner.stop_all(TASK_SECONDS)
        self.machines.stop_all(TASK_SECONDS)

    def _snapshots(self, _: None) -> Json:
        self.machines.prepare()
        return {}

    def _save_now(self, _: None) -> Json:
        self.save()
        return {}

    def emit(self, event: Json) -> None:
        """Deliver an event as EventBridge would."""
        for url in self._targets:
            try:
                requests.post(url, json=event, timeout=30)
            except requests.RequestException:
                continue  # the local gateway is stopping; the watchdog of the next run finds the row

    def keep_waking(self, stop: threading.Event) -> None:
        while not stop.wait(SCHEDULE_SECONDS):
            for event in schedules.due(self._region):
                self.emit(event)

    def save(self) -> None:
        """Save a snapshot. The locks are released before the file is written."""
        with self._saving:
            with self._tables, self._users:
                self._dirty.clear()
                snapshot = self.store.snapshot()
            self.store.write(snapshot)

    def keep_saving(self, stop: threading.Event) -> None:
        rounds = 0
        while not stop.wait(SAVE_SECONDS):
            rounds += 1
            if rounds % SWEEP_EVERY == 0:
                with self._tables:
                    self.store.sweep()
            if self._dirty.is_set():
                self.save()


class QuietHandler(WSGIRequestHandler):
    """Keep-alive, and no line per request."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: Any = "-", size: Any = "-") -> None:
        return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--tasks", type=Path, help="where tasks have their disks; below --data when not given")
    parser.add_argument("--region", default="us-east-1")
    options = parser.parse_args()
    die_with_parent()
    lean.install()
    srp.install()
    codes.install()
    accounts.install()
    sessions.install()
    state_manager.set_transition("ecs::task", {"progression": "manual", "times": 1_000_000_000})
    stop = threading.Event()
    on_signals(lambda _: stop.set(), signal.SIGTERM)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when this process stops
    cloud = Cloud(options.data, options.tasks or options.data / "tasks", options.region)
    cloud.store.load()
    server = make_server("127.0.0.1", 0, cloud, threaded=True, request_handler=QuietHandler)
    cloud.runner.metadata_url = f"http://127.0.0.1:{server.server_port}/_local/metadata"
    threading.Thread(target=server.serve_forever, name="http", daemon=True).start()
    threading.Thread(target=cloud.keep_waking, args=(stop,), name="schedules", daemon=True).start()
    logs = Follower(cloud.runner, options.region)
    threading.Thread(target=logs.keep_following, args=(stop,), name="logs", daemon=True).start()
    threading.Thread(target=cloud.keep_saving, args=(stop,), name="save", daemon=True).start()
    print(json.dumps({"port": server.server_port}), flush=True)
    stop.wait()
    cloud.stop_tasks()
    cloud.save()


if __name__ == "__main__":
    main()
