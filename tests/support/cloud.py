"""The AWS stand-in as a separate process."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from local.stack import ROOT


@dataclass(frozen=True)
class Cloud:
    url: str
    pid: int
    data: Path


@contextlib.contextmanager
def cloud(data: Path) -> Iterator[Cloud]:
    """Started, with nothing in it; ended afterwards."""
    command = [sys.executable, "-m", "local.cloud.server", "--data", str(data)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    port = json.loads(process.stdout.readline())["port"]
    try:
        yield Cloud(f"http://127.0.0.1:{port}", process.pid, data)
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()
