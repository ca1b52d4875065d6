"""Stand-ins that others wrote, each a process of its own: our code is held against them (docs/local.md)."""

import contextlib
import fcntl
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import requests

from chalicelib.platform import aws
from chalicelib.platform.models import TABLES
from local.cloud.bridges import free_port
from local.processes import die_with_parent
from local.stack import ROOT
from local.tables import main as create_tables
from local.tools import find
from ops import judges as installed

MOTO, DYNALITE, MINISTACK, COGNITO_LOCAL = "moto", "dynalite", "ministack", "cognito-local"
# `make judges` names others. A test of table code runs on each of the first, a test of sign-in on each of the second.
_ASKED = os.environ.get("JUDGES", f"{MOTO} {DYNALITE}").split()
TABLE_SERVERS = tuple(name for name in _ASKED if name in (MOTO, DYNALITE, MINISTACK))
COGNITOS = tuple(name for name in _ASKED if name in (MOTO, MINISTACK, COGNITO_LOCAL))
MAILED = "482913"  # what cognito-local sends
DYNAMODB: tuple[str, str | None] = ("dynamodb", None)
ENDPOINT = "AWS_ENDPOINT_URL_DYNAMODB"
OnTables = Callable[[str], contextlib.AbstractContextManager[None]]


class Judges:
    """Starts each when it is first asked for, and ends them all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._processes: list[subprocess.Popen[str]] = []
        self._urls: dict[str, str] = {}
        self.clients: dict[str, Any] = {}  # of this process, by table server; it has the tables

    def url(self, name: str) -> str:
        if name not in self._urls:
            own = {MINISTACK: self._ministack, COGNITO_LOCAL: self._cognito_local}
            self._urls[name] = own[name]() if name in own else self._node(name)
        return self._urls[name]

    def _node(self, name: str) -> str:
        with _one_at_a_time():
            installed.packages()
        process = self._start([str(find().node), str(installed.FOLDER / f"{name}.js")], {})
        assert process.stdout is not None
        return f"http://127.0.0.1:{json.loads(process.stdout.readline())['port']}"

    def _ministack(self) -> str:
        with _one_at_a_time():
            python = installed.ministack()
        port = free_port()
        env = {"GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "MINISTACK_HOST": "127.0.0.1", "LOG_LEVEL": "ERROR"}
        env |= {"STATE_DIR": str(self._folder), "AUTH": "true"}  # without AUTH it takes any e-mailed code
        self._start([str(python), "-m", "ministack"], env, talks=False)
        return _when_up(port, "/_ministack/health")

    def _cognito_local(self) -> str:
        with _one_at_a_time():
            program = installed.cognito_local()
        port = free_port()
        env = {"HOST": "127.0.0.1", "PORT": str(port), "CODE": MAILED}
        self._start([str(find().node), str(program)], env, talks=False)
        return _when_up(port, "/health")

    def _start(self, command: list[str], env: dict[str, str], talks: bool = True) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            command,
            cwd=self._folder,
            env=os.environ | env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE if talks else subprocess.DEVNULL,
            stderr=None if talks else subprocess.DEVNULL,
            text=True,
            preexec_fn=die_with_parent,
        )
        self._processes.append(process)
        return process

    def page(self, config: dict[str, Any]) -> "subprocess.Popen[str]":
        """The page's sign-in code, which takes calls on its standard input."""
        return self._start([str(find().node), str(installed.FOLDER / "page.mjs"), json.dumps(config)], {})

    def close(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait(10)
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()


def _when_up(port: int, path: str) -> str:
    url = f"http://127.0.0.1:{port}"
    for _ in range(300):
        with contextlib.suppress(requests.ConnectionError):
            requests.get(f"{url}{path}", timeout=5)
            return url
        time.sleep(0.1)
    raise TimeoutError(f"nothing answers at {url}{path}")


@contextlib.contextmanager
def tables_on(judges: Judges, server: str) -> Iterator[None]:
    """This process's table code uses that server, with the five tables, until the end."""
    if server == MOTO:
        yield
        return
    before = aws._clients.pop(DYNAMODB, None)
    if server in judges.clients:
        _use(judges.clients[server])
    else:
        os.environ[ENDPOINT] = judges.url(server)
        _use(None)
        create_tables()
        active(aws.client("dynamodb"), *(table.Meta.table_name for table in TABLES))
        judges.clients[server] = aws.client("dynamodb")
        del os.environ[ENDPOINT]
    try:
        yield
    finally:
        _use(before)


def active(client: Any, *names: str) -> None:
    """Waits until tables can be used: creating one is asynchronous, on AWS too."""
    for name in names:
        while client.describe_table(TableName=name)["Table"]["TableStatus"] != "ACTIVE":
            time.sleep(0.01)


def _use(client: Any) -> None:
    """From now on; None: a client that is made when it is needed."""
    aws._clients.pop(DYNAMODB, None)
    if client is not None:
        aws._clients[DYNAMODB] = client
    for model in _models():
        model._connection = None


def _models() -> list[Any]:
    """Every model: some share a table."""
    return TABLES[0].__mro__[1].__subclasses__()


@contextlib.contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Workers of pytest-xdist share one installation."""
    folder = ROOT / ".local"
    folder.mkdir(exist_ok=True)
    with (folder / "judges.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
