"""Every five minutes: what should stop is stopped, what waits is started."""

from chalicelib.dispatch import Dispatch


def tick(dispatch: Dispatch) -> None:
    """One round over every row that may have a task, and every user with a waiting message."""
