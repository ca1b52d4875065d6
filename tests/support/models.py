"""The demo model as a separate process for one test."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator

from local.stack import ROOT


@contextlib.contextmanager
def demo_model(**env: str) -> Iterator[str]:
    """Its URL, with the commands that tests use switched on."""
    command = [sys.executable, "-m", "local.demo_model"]
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    process = subprocess.Popen(
        command, cwd=ROOT, env=kept | {"DEMO_TOOLS": "1"} | env, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{json.loads(process.stdout.readline())['port']}/v1"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
