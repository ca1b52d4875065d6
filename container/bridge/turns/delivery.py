"""Gets an answer to every open tab: few frames, all tabs at once, none waits for another."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from bridge.turns.card import Card
from bridge.turns.splitting import split
from bridge.turns.stopping import Stop
from bridge.turns.work import Work
from chalicelib.lifecycle.services import PostService
from chalicelib.platform import log
from chalicelib.platform.clock import now_ms
from chalicelib.wire.connections import Connection, Connections, Gone, Post

Json = dict[str, Any]

FRAME_GAP = 0.1  # seconds between frames of a run while its text begins, or goes on after a silence …
BEGIN_SECONDS = 1.0  # … for so long. Then each gap is longer than the one before, …
GROWTH = 1.2  # … which the page expects: it draws a chunk evenly over that time (frontend/src/markdown/usePaced.ts), …
STEADY_GAP = 0.28  # … up to this one
GONE_SECONDS = 2.0
THOUGHT_GAP = 1.0  # seconds between frames of a thought
THOUGHT_LENGTH = 2_000  # of its end, in characters
# Frames that may wait for a tab that takes none: half a minute of an answer. Beyond it, chunks are left out (the page
# sees the gap and asks), and what a later frame replaces. A tab that hangs for hours would hold all of it in memory.
MOST_WAITING = 300
REPLACED = {"thinking", "work", "card"}


@dataclass
class Run:
    """One attempt to answer one message, with all it said, for those who come later."""

    run_id: str
    reply_to: str
    conversation_id: str
    text: str = ""
    sent: str = ""  # what the tabs were told of it
    marks: list[int] = field(default_factory=lambda: [0])  # where chunk n ended in that
    before: list[str] = field(default_factory=list)  # its ids until it began anew
    work: Work = field(default_factory=Work)
    card: Card = field(default_factory=Card)
    model: str = ""  # that gave the answer, once it is known
    cost_usd: float | None = None  # of its model calls, where the prices are known
    thought: str = ""  # what the model thinks now, its end
    thinking: Json | None = None  # all of it, once it is known (turns/thinking.py)
    end: Json | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def seq(self) -> int:
        return len(self.marks) - 1

    def chunk(self, first: int, last: int) -> Json:
        """Chunks first…last as one frame."""
        content = self.sent[self.marks[first - 1] : self.marks[last]]
        return {"type": "stream_chunk", **self.head(), "fromSeq": first, "seq": last, "content": content}

    def head(self) -> Json:
        return {"runId": self.run_id, "conversationId": self.conversation_id, "replyTo": self.reply_to}

    def known_as(self, run_id: str) -> bool:
        return run_id in (self.run_id, *self.before)

    def begin_anew(self) -> None:
        """Under another id: a chunk of that replaces what was sent (docs/protocol.md)."""
        self.before.append(self.run_id)
        self.run_id, self.sent, self.marks = f"{self.run_id}.anew", "", [0]


class Delivery:
    """Sends a user's frames. A tab that is gone costs one call; a slow one delays only itself."""

    def __init__(self, user_id: str, connections: Connections, post: PostService | None = None) -> None:
        self._user_id = user_id
        self._connections = connections
        self._post = post or Post()
        self._pool = ThreadPoolExecutor(max_workers=8, thread_name_prefix="deliver")
        self._tabs: dict[str, _Tab] = {}
        self._lock = threading.Lock()

    def refresh(self) -> None:
        """Look up the open tabs; those already known keep their queue."""
        found = self._connections.of_user(self._user_id)
        with self._lock:
            for connection in found:
                self._add(connection)

    def join(self, connection_id: str, endpoint: str) -> None:
        """A tab that made itself known by asking for something."""
        with self._lock:
            self._add(Connection(connection_id, self._user_id, endpoint))

    def _add(self, connection: Connection) -> None:
        if connection.id not in self._tabs:
            self._tabs[connection.id] = _Tab(connection, self._post, self._forget, self._pool)

    def _forget(self, connection_id: str) -> None:
        with self._lock:
            self._tabs.pop(connection_id, None)
        self._connections.remove(connection_id)

    def everyone(self, frame: Json) -> None:
        with self._lock:
            tabs = list(self._tabs.values())
        for tab in tabs:
            tab.send(frame)

    def one(self, connection_id: str, frame: Json) -> None:
        with self._lock:
            tab = self._tabs.get(connection_id)
        if tab is not None:
            tab.send(frame)

    def watched(self) -> bool:
        """Whether somebody looks: a tab said lately that it is visible, and is still there.

        The one place where this is decided. A tab that has said nothing does not count.
        """
        self.flush(GONE_SECONDS)  # what was just shown tells which tabs are gone
        now, found = now_ms(), self._connections.of_user(self._user_id)
        with self._lock:
            return any(tab.id in self._tabs and tab.visible_until > now for tab in found)

    def flush(self, seconds: float) -> None:
        """Wait until everything is sent, at most that long."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with self._lock:
                if all(tab.idle() for tab in self._tabs.values()):
                    return
            time.sleep(0.01)


class _Tab:
    """One connection's queue, emptied in order by at most one worker of the pool."""

    def __init__(self, connection: Connection, post: PostService, forget: Any, pool: ThreadPoolExecutor) -> None:
        self._connection = connection
        self._post = post
        self._forget = forget
        self._pool = pool
        self._queue: list[Json] = []
        self._working = False
        self._lock = threading.Lock()

    def idle(self) -> bool:
        with self._lock:
            return not self._working

    def send(self, frame: Json) -> None:
        with self._lock:
            if len(self._queue) >= MOST_WAITING:
                self._queue = _thinned(self._queue)
                log.event("delivery_behind", kept=len(self._queue))
            self._queue.append(frame)
            if self._working:
                return
            self._working = True
        self._pool.submit(self._work)

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._queue:
                    self._working = False
                    return
                frame = self._queue.pop(0)
            try:
                self._post.to(self._connection.id, self._connection.endpoint, frame)
            except Gone:
                self._forget(self._connection.id)
                with self._lock:
                    self._queue.clear()
            except Exception as error:  # noqa: BLE001  a failing tab asks again (a gap in seq); the run goes on
                log.failure("delivery_failed", error)


def _thinned(queue: list[Json]) -> list[Json]:
    """Without what a resume brings, or a later frame replaces. If even that is too much, the oldest go."""
    kept: list[Json] = []
    newest: set[tuple[str, str, str]] = set()
    for frame in reversed(queue):
        kind = frame["type"]
        key = kind, str(frame.get("runId")), str(frame.get("step", {}).get("id"))
        if kind == "stream_chunk" or (kind in REPLACED and key in newest):
            continue
        newest.add(key)
        kept.append(frame)
    return kept[: MOST_WAITING // 2][::-1]


class Stream:
    """Turns a growing text into chunks: the first at once, then few and fewer."""

    def __init__(self, run: Run, delivery: Delivery) -> None:
        self.run = run
        self._delivery = delivery
        self._last = self._begun = -BEGIN_SECONDS
        self._gap = FRAME_GAP
        self.stop = Stop()  # of the turn
        self.head = ""  # what stands before the agent's own words …
        self.joint = ""  # … and this between them
        self.quiet = ""  # a word for silence: neither it nor its beginning is shown
        # Called before the first words: a tab that was just opened is to get them too.
        self.audience: Callable[[], None] = lambda: None
        self.first_at: int | None = None  # when the first text went out, ms
        self._timer: threading.Timer | None = None
        self._thought_at = -THOUGHT_GAP

    def think(self, text: str) -> None:
        """What the model thinks, so far. The whole of it comes with the end of the answer."""
        self.run.thought = text if len(text) <= THOUGHT_LENGTH else f"… {text[-THOUGHT_LENGTH:]}"
        if time.monotonic() - self._thought_at >= THOUGHT_GAP:
            self._thought_at = time.monotonic()
            self._delivery.everyone(thought_frame(self.run))

    def update(self, text: str) -> None:
        """The whole text so far. One that is not going on from what was sent begins anew.

        A run that OpenClaw resumed after a crash says it all again, and perhaps in other words.
        """
        run = self.run
        with run.lock:
            text = "" if self.quiet.startswith(text.strip()) else text
            run.text = text = self.head + (self.joint if text and self.head else "") + text
            if not run.sent.startswith(text[: len(run.sent)]):
                run.begin_anew()
            self._pace()

    def _pace(self) -> None:
        """Send now when the gap is over, else once it is."""
        wait = self._last + self._gap - time.monotonic()
        if wait <= 0:
            self._flush()
        elif self._timer is None:
            self._timer = threading.Timer(wait, self._late)
            self._timer.daemon = True
            self._timer.start()

    def _late(self) -> None:
        """The timer's turn: an update may have sent a frame while the timer waited for the lock."""
        with self.run.lock:
            self._timer = None
            if self.run.end is None and len(self.run.text) > self.run.marks[-1]:
                self._pace()

    def _flush(self) -> None:
        run = self.run
        if self.first_at is None and run.text:
            self.audience()
            self.first_at = now_ms()
        if len(run.text) > run.marks[-1]:
            run.sent = run.text
        for piece in split(run.text[run.marks[-1] :]):
            run.marks.append(run.marks[-1] + len(piece))
            self._delivery.everyone(run.chunk(run.seq, run.seq))
        now = time.monotonic()
        if now - self._last >= BEGIN_SECONDS:  # somebody waits for what is said now
            self._begun, self._gap = now, FRAME_GAP
        elif now - self._begun >= BEGIN_SECONDS:
            self._gap = min(self._gap * GROWTH, STEADY_GAP)
        self._last = now

    def finish(self, end: Json) -> None:
        """Send what is left, then the end."""
        with self.run.lock:
            if self._timer is not None:
                self._timer.cancel()
            self._flush()
            self.run.end = {"type": "stream_end", **self.run.head(), "seq": self.run.seq + 1, **end}
            self._delivery.everyone(self.run.end)


def step_frame(run: Run, step: Json) -> Json:
    """One tool call that has begun or ended."""
    return {"type": "work", **run.head(), "step": step}


def card_frame(run: Run) -> Json:
    """The agent's progress card, or that it is gone."""
    return {"type": "card", **run.head(), "card": run.card.shown}


def thought_frame(run: Run) -> Json:
    """What the model thinks. It replaces what was told of that before."""
    return {"type": "thinking", **run.head(), "text": run.thought}
