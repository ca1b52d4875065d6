"""One local stack for all tests that need real processes: starting one takes seconds."""

import os
from collections.abc import Iterator
from pathlib import Path

from local import tools
from local.stack import Stack

# The same tests on the other engine: TEST_RUNTIME=microvm.
ENGINE = os.environ.get("TEST_RUNTIME", "")


def running(folder: Path, **env: str) -> Iterator[Stack]:
    """A started stack, stopped afterwards. Tools are installed by `make test` before."""
    kept = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    # A page that is only opened must start no container in tests that count them.
    defaults = {"DEMO_TOOLS": "1", "FIRST_WORDS": "false", "PREWARM_BUDGET_USD": "0"}
    if ENGINE:
        defaults["RUNTIME"] = ENGINE
    stack = Stack(folder, tools.find(), env=kept | defaults | env)
    stack.start()
    try:
        yield stack
    finally:
        stack.stop()


def logs_of(stack: Stack) -> list[Path]:
    """All log files of its processes. A folder that goes meanwhile, with its task, is no error."""
    found = [Path(folder, name) for folder, _, names in os.walk(stack._data) for name in names if name.endswith(".log")]
    assert found
    return found
