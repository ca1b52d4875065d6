"""Makes a memory that was just restored fit this container."""

import sqlite3
import sys
from pathlib import Path

from bridge.memory import jobs, marks


def arrive(root: Path) -> None:
    """Forget refused keys, and give the automations their path. What fails is printed: the memory is there anyway."""
    try:
        marks.forget(root)
        jobs.move(root)
    except (sqlite3.Error, OSError) as error:
        print(type(error).__name__, file=sys.stderr)
