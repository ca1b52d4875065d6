"""The AWS stand-in as a process, with the five tables; and a whole local stack for those who ask."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from local.stack import ROOT, Stack
from tests.support.stacks import running


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a running stand-in; this process's clients use it from now on."""
    command = [sys.executable, "-m", "local.cloud.server", "--data", str(tmp_path_factory.mktemp("cloud"))]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    url = f"http://127.0.0.1:{json.loads(process.stdout.readline())['port']}"
    os.environ["AWS_ENDPOINT_URL"] = url
    from local.tables import main as create_tables

    create_tables()
    yield url
    process.terminate()
    process.wait(30)
    process.stdout.close()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    yield from running(tmp_path_factory.mktemp("stack"))
