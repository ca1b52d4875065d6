"""The Bot API stand-in as a process."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from local.stack import ROOT
from tests.support.bot_apis import BOT


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "local.telegram_api"],
        cwd=ROOT,
        env=os.environ | {"LOCAL_TELEGRAM_TOKEN": BOT, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    yield f"http://127.0.0.1:{json.loads(process.stdout.readline())['port']}"
    process.terminate()
    process.wait(10)
    process.stdout.close()
