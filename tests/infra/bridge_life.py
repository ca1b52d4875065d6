"""What the Bridge asks of AWS in the life of one task."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any


def before_bridge(user: str) -> None:
    """What the webhook leaves for the Bridge: a status message in a chat."""
    from chalicelib.telegram_rows import Statuses

    Statuses().claim(user, "chat", {"chat": "chat"})
    Statuses().sent(user, "chat", {"chat": "chat"}, 7)


def _pay(user: str, budget: Any) -> None:
    """A model call over the limit's warning mark: counted for both, told once."""
    from bridge.providers import KNOWN
    from bridge.usage import Reader
    from chalicelib.preferences import Choice

    budget.serve(user, Choice, lambda _: None)
    budget.look()
    budget.charge(KNOWN[0], "m", Reader(0, counts={"input_tokens": 1}, usd=4.9, ended=True))


def _remember(user: str, generation: int) -> None:
    """A new user's empty start, more backups than are kept, and a restore."""
    from bridge.snapshots import KEEP, Snapshots

    snapshots = Snapshots(os.environ["DATA_BUCKET"], user, generation)
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state"
        snapshots.restore(state)
        state.mkdir()
        (state / "a").write_text("a")
        for _ in range(KEEP + 1):
            snapshots.backup(state)
        snapshots.restore(Path(folder) / "back")


def bridge(user: str) -> None:
    """Everything the Bridge asks of chalicelib, in the order of a task's life."""
    from bridge.budget import Budget
    from bridge.catalog import publish
    from bridge.choices import Choices
    from bridge.providers import KNOWN
    from bridge.telegram_progress import Progress, unfinished
    from chalicelib.attachments import load
    from chalicelib.clock import now_ms
    from chalicelib.connections import AGENT, Connection, Connections, Post
    from chalicelib.conversations import Conversations, answer_row
    from chalicelib.inbox import Inbox, Message
    from chalicelib.secrets import Secrets
    from chalicelib.tasks import Tasks
    from chalicelib.telegram_rows import Statuses
    from chalicelib.tickets import Ticket, Tickets

    Secrets(os.environ["PARAMETER_PATH"]).all()
    publish(KNOWN)
    tasks, inbox, conversations, connections = Tasks(), Inbox(), Conversations(), Connections()
    task = tasks.begin_start(user)
    tasks.phase(user, task.generation, "booting", "arn")
    Tickets().issue(Ticket(user, AGENT, task.generation))
    tasks.running(user, task.generation, "arn")
    tasks.forgive(user, task.generation)
    tasks.get(user)
    for connection in [
        *connections.of_user(user),
        Connection("tab", user, "https://api1.execute-api.us-east-1.amazonaws.com/api"),
    ]:
        Post().to(connection.id, connection.endpoint, {"type": "pong"})
    connections.remove("tab")
    for number in range(3):
        inbox.put(Message(user, f"m{number}", "text", "main", now_ms()))
    first, second, third = inbox.waiting(user)
    claimed = inbox.claim(first, task.generation, {"runId": "r"})
    tasks.heartbeat(user, task.generation, 1000)
    inbox.renew(user, first.id, task.generation)
    conversations.find(claimed)
    inbox.get(user, first.id)
    answer = answer_row(claimed, "answer", "done", now_ms())
    inbox.finish(claimed, task.generation, [answer])
    conversations.touch(user, "main", "text")
    inbox.fail(inbox.claim(second, task.generation, {"runId": "r"}), task.generation, "X")
    inbox.hand_back(inbox.claim(third, task.generation, {"runId": "r"}), task.generation)
    _remember(user, task.generation)
    choices = Choices(user)
    choices.refresh()
    choices.used()
    _pay(user, Budget())
    progress = Progress(user, first.id, {})
    progress.load()
    progress.sending(4, "text")
    progress.sent(7)
    unfinished(user)
    progress.finish()
    with suppress(Exception):
        load({"mimeType": "image/png", "fileName": "a", "key": f"attachments/{user}/m/0"}, os.environ["DATA_BUCKET"])
    statuses = Statuses()
    statuses.of_user(user)
    statuses.take(user, "chat")
    tasks.turn_ended(user, task.generation)
    tasks.stopping(user, task.generation)
    tasks.released(user, task.generation)
