"""What the Bridge asks of AWS in the life of one task."""

import base64
import io
import json
import os
import tempfile
import zipfile
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.infra import asking, skilled


def before_bridge(user: str) -> None:
    """What functions leave for the Bridge: a device that asked for pushes, a status message in a chat."""
    from chalicelib.telegram.rows import Statuses

    _device(user)
    skilled.before_bridge(user)
    Statuses().claim(user, "chat", {"chat": "chat"})
    Statuses().sent(user, "chat", {"chat": "chat"}, 7)


def _device(user: str) -> None:
    from chalicelib.people.devices import Devices

    point, secret = (base64.urlsafe_b64encode(raw).decode() for raw in (b"\4" + b"x" * 64, b"y" * 16))
    keys = {"p256dh": point, "auth": secret}
    Devices().add(user, {"endpoint": "https://push.example/1", "keys": keys, "name": "Phone"})


def _pay(user: str, budget: Any) -> None:
    """A model call over the limit's warning mark: counted for both, told once."""
    from chalicelib.people.preferences import Choice
    from chalicelib.providers.routes import KNOWN
    from chalicelib.providers.usage import Reader

    budget.serve(user, Choice, lambda _: None)
    budget.look()
    budget.charge(KNOWN[0], "m", Reader(0, counts={"input_tokens": 1}, usd=4.9, ended=True))


def _remember(user: str, generation: int) -> None:
    """A new user's empty start, more backups than are kept, and a restore."""
    from bridge.memory.points import KEEP
    from bridge.memory.snapshots import Snapshots
    from bridge.memory.tidying import Tidying

    snapshots = Snapshots(os.environ["DATA_BUCKET"], user, generation)
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state"
        snapshots.restore(state)
        state.mkdir()
        for number in range(KEEP + 2):
            (state / "a").write_text(f"a{number}")
            snapshots.backup(state)
        Tidying(snapshots).tidy()
        snapshots.restore(Path(folder) / "back")


def _edit(user: str, generation: int) -> None:
    """The person's edits that wait: one is in the files now, the agent changed the file of another. What it changed."""
    from bridge.memory.changing import Changing
    from bridge.memory.snapshots import Snapshots
    from chalicelib.agents.notes import Edits

    edits = Edits()
    for name, work in (("SOUL.md", edits.finish), ("USER.md", edits.conflict)):
        edits.save(user, name, "text", "", "")
        work(user, edits.of(user)[name])
    snapshots = Snapshots(os.environ["DATA_BUCKET"], user, generation)
    with tempfile.TemporaryDirectory() as folder:
        soul = Path(folder) / "workspace" / "SOUL.md"
        soul.parent.mkdir()
        for text in ("one", "two"):
            before = snapshots.known.entries
            soul.write_text(text)
            snapshots.backup(Path(folder))
    Changing(user, generation, snapshots.objects, dict).saved(before, snapshots.known.entries)


def _move(user: str) -> None:
    """What a user has asked for: an export, an import."""
    from bridge.memory.transcripts import add_readable
    from chalicelib.agents.memory import DONE, Errands, export_key, import_key
    from chalicelib.platform import aws

    errands, s3, bucket = Errands(), aws.client("s3"), os.environ["DATA_BUCKET"]
    errand = errands.get(user) or errands.ask(user, "export", "")
    errands.end(user, errand, DONE)
    with zipfile.ZipFile(io.BytesIO(), "w") as archive:
        add_readable(archive, user)
    s3.put_object(Bucket=bucket, Key=export_key(user, errand.id), Body=b"zip")
    with suppress(Exception):
        s3.get_object(Bucket=bucket, Key=import_key(user, "0" * 32))
    s3.delete_object(Bucket=bucket, Key=import_key(user, "0" * 32))


def _give(user: str) -> None:
    """A file of the agent: stored, with the retention as its tag, and opened to be sent to a chat."""
    from bridge.files.fetching import Fetcher
    from bridge.files.shelf import Shelf
    from bridge.shared.user import AgentUser
    from bridge.telegram.files import Stored

    bucket = os.environ["DATA_BUCKET"]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "a.txt").write_text("a")
        shelf = Shelf(user, bucket, Fetcher("http://127.0.0.1:1", Path(folder), AgentUser()), lambda: 7)
        with shelf.fetcher.read("a.txt") as content:
            file = shelf.store("0" * 32, "a.txt", content)
        opened = Stored(user, bucket).open(file)
        assert opened is not None
        opened.close()


def bridge(user: str) -> None:
    """Everything the Bridge asks of chalicelib, in the order of a task's life."""
    from bridge.provider.budget import Budget
    from bridge.provider.catalog import publish
    from bridge.turns.choices import Choices
    from chalicelib.agents.tasks import Tasks
    from chalicelib.platform.secrets import Secrets
    from chalicelib.providers.routes import KNOWN

    Secrets(os.environ["PARAMETER_PATH"]).all()
    publish(KNOWN, "anthropic/claude-sonnet-5")
    tasks = Tasks()
    generation = _start(user, tasks)
    _reach_tabs(user)
    first = _answer(user, tasks, generation)
    _remember(user, generation)
    _edit(user, generation)
    skilled.bridge(user, generation)
    _console(user)
    _move(user)
    _give(user)
    choices = Choices(user)
    choices.refresh()
    _arrive(user, generation, choices)
    _pay(user, Budget())
    _telegram(user, first)
    _speak(user, generation)
    asking.bridge(user, generation)
    _stop(user, tasks, generation)


def _console(user: str) -> None:
    """A message in OpenClaw's own console: noted, read again by the next container, over, known to the one after."""
    from bridge.console.noted import Noted

    params = {"sessionKey": "main", "message": "hello", "idempotencyKey": "message-1"}
    Noted(user, lambda _: "main").note(json.dumps({"method": "chat.send", "params": params}))
    noted = Noted(user, lambda _: "main")
    for name in [message.id for messages in noted.waiting().values() for message in messages]:
        noted.over(name)
    assert Noted(user, lambda _: "main").knows("message-1")


def _arrive(user: str, generation: int, choices: Any) -> None:
    """The first message in a container that was started early."""
    from bridge.life.arrivals import Arrivals
    from chalicelib.agents.tasks import Tasks
    from chalicelib.messages.inbox import Message
    from chalicelib.platform.clock import now_ms

    Arrivals(user, generation, Tasks(), choices).wrote(Message(user, "first", "text", "main", now_ms()))


def _start(user: str, tasks: Any) -> int:
    from chalicelib.wire.connections import AGENT
    from chalicelib.wire.tickets import Ticket, Tickets

    task = tasks.begin_start(user, early=(1, {"month": "2026-11", "nano": 1, "starts": 1}))
    tasks.phase(user, task.generation, "booting", "arn")
    Tickets().issue(Ticket(user, AGENT, task.generation))
    tasks.running(user, task.generation, "arn")
    tasks.forgive(user, task.generation)
    tasks.get(user)
    return int(task.generation)


def _reach_tabs(user: str) -> None:
    from chalicelib.wire.connections import Connection, Connections, Post

    connections = Connections()
    for connection in [
        *connections.of_user(user),
        Connection("tab", user, "https://api1.execute-api.us-east-1.amazonaws.com/api"),
    ]:
        Post().to(connection.id, connection.endpoint, {"type": "pong"})
    connections.remove("tab")


def _answer(user: str, tasks: Any, generation: int) -> str:
    """Three claimed messages: one answered, one failed, one handed back. The id of the first."""
    from chalicelib.messages.conversations import Conversations, answer_row
    from chalicelib.messages.inbox import Inbox, Message
    from chalicelib.platform.clock import now_ms

    inbox, conversations = Inbox(), Conversations()
    for number in range(3):
        inbox.put(Message(user, f"m{number}", "text", "main", now_ms()))
    first, second, third = inbox.waiting(user)
    claimed = inbox.claim(first, generation, {"runId": "r"})
    tasks.heartbeat(user, generation, 1000)
    inbox.renew(user, first.id, generation)
    conversations.find(claimed)
    inbox.get(user, first.id)
    inbox.finish(claimed, generation, [answer_row(claimed, "answer", "done", now_ms())])
    conversations.touch(user, "main", "text")
    conversations.model(user, "main")
    conversations.unnamed(user, "main", "text")
    conversations.name(user, "main", "text", "title")
    inbox.fail(inbox.claim(second, generation, {"runId": "r"}), generation, "X")
    inbox.hand_back(inbox.claim(third, generation, {"runId": "r"}), generation)
    return first.id


def _telegram(user: str, message_id: str) -> None:
    """The progress of an answer in a chat, and the status message that the webhook left."""
    from chalicelib.telegram.progress import Progress, all_sent, unfinished
    from chalicelib.telegram.rows import Statuses

    about = {"place": {"chatId": 1}, "conversationId": "main", "queuedAt": 1}
    progress = Progress(user, message_id, about)
    progress.expect()
    progress.load()
    progress.sending(4, "text")
    progress.sent(7)
    unfinished(user)
    all_sent(user)
    progress.finish()
    statuses = Statuses()
    statuses.of_user(user)
    statuses.take(user, "chat")


def _speak(user: str, generation: int) -> None:
    """What the agent says by itself, and its automations: one that is due some day, then none."""
    from bridge.outbox.position import Position
    from bridge.telegram.places import Places
    from chalicelib.agents.schedules import Schedules
    from chalicelib.agents.wakes import Wakes
    from chalicelib.messages.proactive import conversation_named, proactive_row, save
    from chalicelib.platform.clock import now_ms

    Position(user, now_ms()).since()
    conversation_named(user, "none")
    save(proactive_row(user, "main", "said", now_ms(), "text", "cause"))
    _push(user)
    places = Places(user)
    places.remember("tg-g1", {"private": False})
    places.of("tg-g1")
    wakes, schedules = Wakes(), Schedules.from_env(os.environ)
    wakes.jobs(user)
    wakes.project(user, generation, now_ms() + 60_000, [])
    wakes.interrupted(user)
    for _ in range(2):
        schedules.set(user, now_ms() + 60_000)
    schedules.clear(user)
    wakes.ask(user, "job", "pause")
    for job, action in wakes.asked(user):
        wakes.done(user, job, action)


def _push(user: str) -> None:
    """A message that a device is owed, from its saving to the push, and a device that is gone."""
    from bridge.outbox.push import Push
    from chalicelib.messages.proactive import proactive_row, save
    from chalicelib.people.devices import Devices
    from chalicelib.platform.clock import now_ms

    device: Any = SimpleNamespace(send=lambda *_: SimpleNamespace(status=201, retry_after=None))
    tabs: Any = SimpleNamespace(watched=lambda: False, refresh=lambda: None)
    push, row = Push(user, tabs, device, lambda: True), proactive_row(user, "main", "pushed", now_ms(), "text", "cause")
    save(row, push.owed(row))
    push.start()
    push.recover()
    push.close(5)
    for known in Devices().of(user):
        Devices().reached(user, known)
        Devices().forget(user, known)


def _stop(user: str, tasks: Any, generation: int) -> None:
    from chalicelib.messages.attachments import load

    with suppress(Exception):
        load({"mimeType": "image/png", "fileName": "a", "key": f"attachments/{user}/m/0"}, os.environ["DATA_BUCKET"])
    tasks.turn_ended(user, generation)
    tasks.suspended(user, generation, 1)
    tasks.resumed(user, generation)
    tasks.stopping(user, generation)
    tasks.released(user, generation)
