"""Structured log lines. They carry ids, codes and counts; never text, tokens or keys."""

import json
import sys
import traceback


def event(name: str, **fields: object) -> None:
    """One JSON line on stdout; CloudWatch and the local stack read the same lines."""
    print(json.dumps({"event": name, **fields}, default=str), flush=True)


def failure(name: str, error: BaseException, **fields: object) -> None:
    """An unexpected error: its type and where it was raised, not its message (may hold text)."""
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    where = [f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in frames]
    print(
        json.dumps({"event": name, "error": type(error).__name__, "at": where, **fields}, default=str),
        file=sys.stderr,
        flush=True,
    )
