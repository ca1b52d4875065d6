"""Why a message is not accepted at all, whatever channel it comes from."""

from chalicelib.agents.tasks import Status, Task


def refusal(task: Task, limited: bool) -> tuple[str, str] | None:
    """Code and text; None: it is accepted."""
    if task.status is Status.REMOVED:  # from a tab that was still open
        return "FORBIDDEN", "this account was removed"
    return ("RATE_LIMITED", "too many messages in a short time: wait a minute") if limited else None


# For a start that nobody's message waits for.
NOT_STARTED_TEXT = "Your agent could not be started. Try again in some minutes; a message to it starts it, too."
