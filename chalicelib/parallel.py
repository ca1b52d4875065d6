"""Calls that do not depend on each other do not wait for each other."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")

# Threads are kept: a Lambda instance serves one event at a time and needs few.
_pool = ThreadPoolExecutor(max_workers=8, thread_name_prefix="call")


def both(first: Callable[[], A], second: Callable[[], B]) -> tuple[A, B]:
    """Run two calls at once; the first's error wins, and neither is left running."""
    other = _pool.submit(second)
    try:
        a = first()
    finally:
        error = other.exception()
    if error is not None:
        raise error
    return a, other.result()


def each(calls: list[Callable[[], object]]) -> list[BaseException | None]:
    """Run all calls at once and wait; one entry per call, its error or None."""
    futures = [_pool.submit(call) for call in calls]
    return [future.exception() for future in futures]
