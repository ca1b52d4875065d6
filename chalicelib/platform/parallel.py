"""Runs independent calls in parallel."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")

# The pool is shared: a Lambda instance serves one event at a time and needs few threads.
_pool = ThreadPoolExecutor(max_workers=8, thread_name_prefix="call")


def both(first: Callable[[], A], second: Callable[[], B]) -> tuple[A, B]:
    """Run two calls in parallel and wait for both; if both fail, the first one's error is raised."""
    other = _pool.submit(second)
    try:
        a = first()
    finally:
        error = other.exception()
    if error is not None:
        raise error
    return a, other.result()


def each(calls: list[Callable[[], object]]) -> list[BaseException | None]:
    """Run all calls in parallel and wait; returns the error, or None, of each call."""
    futures = [_pool.submit(call) for call in calls]
    return [future.exception() for future in futures]
