"""How many AWS calls a handler makes one after the other: each is some milliseconds of a user's wait."""

import itertools
import json
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from chalicelib.agents.tasks import Tasks
from chalicelib.platform import aws
from chalicelib.wire.connections import AGENT, Connection, Connections
from chalicelib.wire.tickets import Ticket, Tickets

ROUND_TRIP = 0.05


@dataclass
class Call:
    operation: str
    begun: float
    ended: float


class Recorder:
    """Begin and end of every call of the shared session's clients."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._open = threading.local()

    def attach(self) -> None:
        for events in self._emitters():
            events.register("before-call.*.*", self._before)
            events.register("after-call.*.*", self._after)

    def detach(self) -> None:
        for events in self._emitters():
            events.unregister("before-call.*.*", self._before)
            events.unregister("after-call.*.*", self._after)

    @staticmethod
    def _emitters() -> list[Any]:
        session: Any = aws.session().get_component("event_emitter")
        return [session, *(client.meta.events for client in aws._clients.values())]

    def _before(self, model: Any, **_: Any) -> None:
        self._open.begun = time.monotonic()
        time.sleep(ROUND_TRIP)  # so long that calls which could run at once overlap on a busy machine too

    def _after(self, model: Any, **_: Any) -> None:
        self.calls.append(Call(model.name, self._open.begun, time.monotonic()))

    def depth(self, until: str | None = None) -> int:
        """The longest chain of calls of which each began after the one before had ended."""
        last = min((c.begun for c in self.calls if c.operation == until), default=None) if until else None
        calls = sorted((c for c in self.calls if last is None or c.begun <= last), key=lambda c: c.ended)
        chain, end = 0, 0.0
        for call in calls:
            if call.begun >= end:
                chain, end = chain + 1, call.ended
        return chain

    def sequence(self) -> str:
        ordered = sorted(self.calls, key=lambda c: c.begun)
        begun = ordered[0].begun
        return "\n".join(
            f"  {(c.begun - begun) * 1000:6.1f} – {(c.ended - begun) * 1000:6.1f} ms  {c.operation}" for c in ordered
        )


class Callback(BaseHTTPRequestHandler):
    """@connections: takes every frame."""

    frames: list[tuple[str, dict[str, Any]]] = []  # noqa: RUF012  one list for all requests is the point

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.frames.append((self.path, json.loads(body)))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture
def callback(cloud: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Callback)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("CALLBACK_URL", url)
    yield url
    server.shutdown()
    server.server_close()


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    recorder = Recorder()
    yield recorder
    recorder.detach()


def event(connection_id: str, body: dict[str, Any]) -> dict[str, Any]:
    context = {"connectionId": connection_id, "apiId": "a", "stage": "api", "domainName": "d"}
    return {"requestContext": context, "body": json.dumps(body)}


def warm_user(callback: str) -> tuple[str, str]:
    """A user with an open tab and a running agent; user and connection id."""
    user, tab, tasks = uuid.uuid4().hex, uuid.uuid4().hex, Tasks()
    Connections().add(Connection(tab, user, callback))
    Connections().add(Connection(f"agent-{user}", user, callback, AGENT, 1))
    tasks.begin_start(user)
    tasks.agent_connected(user, 1, f"agent-{user}", callback)
    tasks.running(user, 1, "arn:1")
    return user, tab


def send(tab: str, number: int) -> dict[str, Any]:
    return event(tab, {"action": "sendMessage", "id": f"message-{number}", "text": "hello"})


def test_a_warm_message_is_on_its_way_after_two_round_trips(
    callback: str, recorder: Recorder, capsys: pytest.CaptureFixture[str]
) -> None:
    from chalicelib import handlers

    user, tab = warm_user(callback)
    handlers.message(send(tab, 0))  # the instance knows the connection and has its clients now
    recorder.attach()
    Callback.frames.clear()
    depths = []
    for number in range(1, 6):
        recorder.calls.clear()
        handlers.message(send(tab, number))
        depths.append(recorder.depth(until="PostToConnection"))
    with capsys.disabled():
        print(f"\nwarm message, calls of the handler:\n{recorder.sequence()}")
    wakes = [frame for path, frame in Callback.frames if f"agent-{user}" in path]
    assert [frame["message"]["id"] for frame in wakes] == [f"message-{n}" for n in range(1, 6)]
    # The wake is the last call of the chain: one round of reads and writes, then the wake itself.
    assert max(depths) <= 2, recorder.sequence()


@pytest.mark.parametrize(
    ("name", "most"), [("ticket connect", 3), ("disconnect", 2), ("ping", 1), ("getStatus", 2), ("getHistory", 2)]
)
def test_the_other_handlers_make_few_calls(
    callback: str, recorder: Recorder, capsys: pytest.CaptureFixture[str], name: str, most: int
) -> None:
    from chalicelib import handlers, wiring

    user, tab = warm_user(callback)
    wiring.connections().owner(tab)
    recorder.attach()
    if name == "ticket connect":
        secret = Tickets().issue(Ticket(user))
        recorder.calls.clear()
        connect = event(uuid.uuid4().hex, {}) | {"queryStringParameters": {"ticket": secret}}
        assert handlers.connect(connect)["statusCode"] == 200
    elif name == "disconnect":
        handlers.disconnect(event(tab, {}))
    else:
        handlers.message(event(tab, {"action": name}))
    with capsys.disabled():
        print(f"\n{name}:\n{recorder.sequence()}")
    assert len(recorder.calls) <= most


def test_a_frame_from_an_unknown_connection_is_answered(callback: str) -> None:
    """Never silence: its row may be gone while the socket is open."""
    from chalicelib import handlers

    Callback.frames.clear()
    assert handlers.message(event("nobody", {"action": "ping"}))["statusCode"] == 200
    ((path, frame),) = Callback.frames
    assert path.endswith("/nobody")
    assert (frame["type"], frame["code"]) == ("error", "CONNECTION_UNKNOWN")


@pytest.mark.timeout(300)
def test_twenty_concurrent_first_messages_fifty_rounds_start_one_task_each(callback: str) -> None:
    """On the real tables of tasks and messages. ECS is counted by hand; the history and the rate have no say in it."""
    from dataclasses import replace

    from chalicelib import wiring
    from chalicelib.messages.inbox import Message
    from tests.support.fake_tables import FakeClock
    from tests.support.fakes import FakeContainers, FakeConversations, FakeRate

    for _ in range(50):
        containers, user = FakeContainers(FakeClock()), uuid.uuid4().hex
        fakes: dict[str, Any] = {"containers": containers, "conversations": FakeConversations(), "rate": FakeRate()}
        dispatch = replace(wiring.dispatch(), **fakes)
        now = int(time.time() * 1000)
        messages = [Message(user, f"message-{number:02}", "hello", "main", now + number) for number in range(20)]
        barrier = threading.Barrier(20)

        def send_one(message: Message, dispatch: Any = dispatch, barrier: threading.Barrier = barrier) -> None:
            barrier.wait()
            dispatch.accept(message)

        threads = [threading.Thread(target=send_one, args=(message,)) for message in messages]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert containers.runs == [(user, 1)]
        waiting = [message.id for message in dispatch.inbox.waiting(user)]
        assert waiting == [message.id for message in messages]
        assert all(a < b for a, b in itertools.pairwise(waiting))
