"""The AWS stand-in as a process, with the five tables; and a whole local stack for those who ask."""

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from local.stack import Stack
from tests.support.bridge_parts import Proxied, custom, proxied
from tests.support.client import eventually
from tests.support.cloud import cloud as running_cloud
from tests.support.judges import TABLE_SERVERS, Judges, OnTables, tables_on
from tests.support.processes import kill
from tests.support.providers import Providers
from tests.support.stacks import running

SNAPSHOTS = "snapshots-test"
STACKS = {"stack", "own_stack"}
JUDGED = {"on_tables", "judges"}


def pytest_configure() -> None:
    """Without root the tests of the agent's own user and of PID 1 are skipped: not where they are counted on."""
    if os.environ.get("CI") and os.geteuid() != 0:
        raise pytest.UsageError("CI must run the tests as root")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what needs a whole stack, which `make test` runs by itself, and what `make judges` runs."""
    for item in items:
        needs = set(getattr(item, "fixturenames", ()))
        if STACKS & needs:
            item.add_marker("stack")
        if JUDGED & needs:
            item.add_marker("judged")


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a running stand-in; this process's clients use it from now on."""
    with running_cloud(tmp_path_factory.mktemp("cloud")) as process:
        os.environ["AWS_ENDPOINT_URL"] = process.url
        from local.tables import main as create_tables

        create_tables()
        yield process.url


shared: list[Stack] = []


@pytest.fixture(scope="session")
def judges(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judges]:
    """Stand-ins that others wrote; none runs before it is asked for."""
    judges = Judges(tmp_path_factory.mktemp("judges"))
    yield judges
    judges.close()


@pytest.fixture(scope="session")
def on_tables(cloud: str, judges: Judges) -> OnTables:
    """`with on_tables(server):` moves this process's table code to another server."""
    return partial(tables_on, judges)


@pytest.fixture(scope="module", params=TABLE_SERVERS)
def table_server(request: pytest.FixtureRequest, on_tables: OnTables) -> Iterator[str]:
    """Runs a file's tests on moto and on what others wrote; everything but DynamoDB stays moto."""
    with on_tables(request.param):
        yield request.param


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One for all files: each starts with no task running."""
    for stack in running(tmp_path_factory.mktemp("stack")):
        shared.append(stack)
        yield stack
        shared.remove(stack)


@pytest.fixture(scope="module", autouse=True)
def no_task_outlives_its_file() -> Iterator[None]:
    """Tests count the shared stack's tasks, in whatever order their files run."""
    yield
    for stack in shared:
        for pid in stack.pids().values():
            kill(pid)
    eventually(lambda: not any(stack.pids() for stack in shared))


@pytest.fixture
def bucket(cloud: str) -> str:
    """An empty one, for tests of snapshots without a stack."""
    from chalicelib.platform import aws

    names = [entry["Name"] for entry in aws.client("s3").list_buckets()["Buckets"]]
    if SNAPSHOTS not in names:
        aws.client("s3").create_bucket(Bucket=SNAPSHOTS)
    return SNAPSHOTS


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A small state directory with what must and what must not travel."""
    root = tmp_path / "state"
    for name, content in {
        "openclaw.json": "{}",
        "workspace/MEMORY.md": "I like tea",
        "workspace/skills/tea/SKILL.md": "# tea",
        "workspace/.git/HEAD": "ref: refs/heads/main",
        "cache/ui.js": "x",
        "tmp/gateway.lock": "1",
        "agents/main/x.lock": "1",
        "workspace/node_modules/a/index.js": "x",
        "logs/today.log": "x",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    os.symlink("MEMORY.md", root / "workspace" / "link.md")
    (root / "workspace" / "run.sh").write_text("#!/bin/sh\n")
    (root / "workspace" / "run.sh").chmod(0o755)
    return root


@pytest.fixture
def provider() -> Iterator[Providers]:
    """A model provider on loopback, and what it was asked."""
    with Providers() as provider:
        yield provider


@pytest.fixture
def proxy(provider: Providers) -> Iterator[Proxied]:
    """The Bridge's proxy in front of it."""
    with proxied((custom(provider.url),)) as proxy:
        yield proxy
