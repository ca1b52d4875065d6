"""Delivers what the agent says by itself: durable, in the order of the transcript, exactly once.

    OpenClaw commits a row -> expect it in its chat -> save it (put if absent) -> tabs -> chat -> push -> move the mark

The transcript is the truth. An event only says that a session has something new; then its transcript is read
on from where it was read last. After each connection every session that changed since the mark is read. A
crash between any two steps repeats from the first one: what is saved is not saved again, and the chat's
progress (telegram/progress.py) knows what was sent.
"""

import queue
import threading
from collections.abc import Callable, Sequence
from typing import Any

from bridge.files.announced import Announced
from bridge.files.shelf import NOTHING, Kept, Shelf
from bridge.openclaw.gateway import Gateway, GatewayClosed, GatewayError
from bridge.openclaw.history import HISTORY_LIMIT, MAX_CHARS
from bridge.outbox.causes import UNKNOWN, Causes
from bridge.outbox.position import Position
from bridge.outbox.push import Push
from bridge.outbox.said import Said, Transcript
from bridge.shared.aws_errors import AWS_ERRORS
from bridge.telegram.channel import Telegram
from bridge.turns.delivery import Delivery
from chalicelib.messages.conversations import Conversations
from chalicelib.messages.inbox import Message
from chalicelib.messages.proactive import chat_text, conversation_named, frame, proactive_row, save
from chalicelib.platform import log
from chalicelib.platform.clock import now_ms

Json = dict[str, Any]
MAIN, WEB = "agent:main:main", "agent:main:web-"
CRON = "cron"
EVENTS = ("session.message", "cron", "task")
RETRY_SECONDS = 2.0
RECOVERED_SECONDS = 20.0  # for the chats' list of what an earlier container left
NEW_ROWS = 100  # that are read again after each row that an agent writes
SESSIONS = 200  # that are looked through after a connection, the latest first
Work = Callable[[Gateway], None]


class Outbox:
    """One thread. `hear` and `connected` are called from the gateway's; `also` is work of others on the same thread."""

    def __init__(
        self,
        user_id: str,
        delivery: Delivery,
        telegram: Telegram,
        push: Push,
        expires_at: Callable[[int], int | None],
    ) -> None:
        self._user_id = user_id
        self._delivery = delivery
        self._telegram = telegram
        self._push = push
        self._expires_at = expires_at
        self._position = Position(user_id, now_ms())
        self.causes = Causes()
        self._transcripts: dict[str, Transcript] = {}
        self._read: set[str] = set()  # sessions, since the last connection
        self._done: dict[str, None] = {}  # what was delivered by this container, oldest first
        self._owed: set[str] = set()  # what failed and is tried again
        self._names: dict[str, str] = {}
        self._gateway: Gateway | None = None
        self._todo: queue.Queue[str] = queue.Queue()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="outbox", daemon=True)
        self.on_delivered: Callable[[], None] = lambda: None
        self.begin: Callable[[], None] = lambda: None  # before anything is delivered
        self.learn: Callable[[Gateway], object] = lambda _: None  # tells `causes` of the jobs
        self.shelf: Shelf | None = None  # where files are put; without one there are none
        self.also: dict[str, Work] = {}  # by the word that asks for it

    def start(self, gateway: Gateway | None) -> None:
        self._thread.start()
        if gateway is not None:
            self.connected(gateway)

    def connected(self, gateway: Gateway) -> None:
        """A new connection: events come again, and some may have been missed."""
        self._gateway = gateway
        for word in ("connected", *self.also):
            self._todo.put(word)

    def owes(self) -> bool:
        """Whether something was said that could not be delivered yet: a sleeping agent must wake for it."""
        return any(word not in self.also for word in self._owed)

    def ask(self, word: str) -> None:
        self._todo.put(word)

    def hear(self, event: Json) -> None:
        """An event of the gateway. Must not wait."""
        name, payload = str(event.get("event")), event.get("payload") or {}
        if name != "session.message":
            self.causes.hear(name, payload)
            word = CRON if name == "task" else name  # work that goes on is projected with the automations
            if word in self.also:
                self._todo.put(word)
            return
        session = str(payload.get("sessionKey"))
        role = (payload.get("message") or {}).get("role")
        if role == "assistant" and (session == MAIN or session.startswith(WEB)):
            self._todo.put(session)

    def close(self, seconds: float) -> bool:
        """Deliver what is there, then end. False when it still works after that time."""
        for word in ("connected", *self.also):
            self._todo.put(word)
        self._closing.set()
        self._todo.put("")
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _work(self) -> None:
        self._telegram.recovered.wait(RECOVERED_SECONDS)
        for first in (self.begin, self._push.recover):
            while not self._began(first) and not self._closing.wait(RETRY_SECONDS):
                pass
        while True:
            words = self._next()
            last = "" in words and self._closing.is_set()
            for word in [word for word in words if word]:
                self._do(word)
            if last:
                return

    @staticmethod
    def _began(first: Callable[[], None]) -> bool:
        """What the last container knew and owed comes before all else: nothing is delivered without it."""
        try:
            first()
        except AWS_ERRORS as error:
            log.failure("outbox_failed", error)
            return False
        return True

    def _next(self) -> list[str]:
        """Everything that was asked for, once."""
        words = [self._todo.get()]
        while not self._todo.empty():
            words.append(self._todo.get())
        return list(dict.fromkeys(words))

    def _do(self, word: str) -> None:
        gateway = self._gateway
        if gateway is None:
            return
        try:
            work = self.also.get(word)
            if work is not None:
                work(gateway)
            elif word == "connected":
                self._connect(gateway)
            else:
                self._look(gateway, word)
            self._owed.discard(word)
        except GatewayClosed:
            return  # the next connection begins with everything
        except (GatewayError, *AWS_ERRORS) as error:
            log.failure("outbox_failed", error)
            self._owed.add(word)
            self._later(word)
        except Exception as error:  # noqa: BLE001  one row that cannot be read must not end the way out
            log.failure("outbox_broken", error)

    def _later(self, word: str) -> None:
        if not self._closing.is_set():
            timer = threading.Timer(RETRY_SECONDS, self._todo.put, (word,))
            timer.daemon = True
            timer.start()

    def _connect(self, gateway: Gateway) -> None:
        gateway.request("sessions.subscribe", {})
        self._read.clear()
        self.deliver_all(gateway)

    def deliver_all(self, gateway: Gateway) -> None:
        """What was said until now, whether its event has come or not. Raises as the gateway and AWS do."""
        listed = gateway.request("sessions.list", {"limit": SESSIONS})
        for session in self._changed(listed):
            self._look(gateway, session)

    def _changed(self, listed: Json) -> list[str]:
        """The shown sessions that have something new since the mark."""
        since = self._position.since()
        found = [(str(one.get("key")), int(one.get("updatedAt") or 0)) for one in listed.get("sessions") or []]
        return [key for key, changed in found if changed > since and (key == MAIN or key.startswith(WEB))]

    def _look(self, gateway: Gateway, session: str) -> None:
        """Read a session's transcript on, and deliver what it says."""
        transcript = self._transcripts.setdefault(session, Transcript())
        reply = self._rows(gateway, session)
        for said in transcript.read(reply.get("messages") or []):
            if said.at > self._position.since() and said.id not in self._done:
                self._deliver(gateway, said, session)
                self._done[said.id] = None
                if len(self._done) > HISTORY_LIMIT:
                    del self._done[next(iter(self._done))]

    def _rows(self, gateway: Gateway, session: str) -> Json:
        """The end of a transcript; all that is given of it, the first time.

        We do not use `cursor`: its rows lack the commit time, and our row's key needs it.
        """
        limit = NEW_ROWS if session in self._read else HISTORY_LIMIT
        reply = gateway.request("chat.history", {"sessionKey": session, "limit": limit, "maxChars": MAX_CHARS})
        self._read.add(session)
        return reply

    def _cause(self, gateway: Gateway, said: Said, session: str) -> str:
        """Why it is said. What began before we were connected sent us no event: then the list of jobs is asked."""
        cause = self.causes.of(said, session)
        if cause == UNKNOWN:
            self.learn(gateway)
            cause = self.causes.of(said, session)
        return cause

    def _deliver(self, gateway: Gateway, said: Said, session: str) -> None:
        conversation = self._conversation(session)
        kept = self._keep(gateway, session, said.files)
        text = kept.text(said.text)
        message = Message(self._user_id, said.id, "", conversation, said.at)
        cause = self._cause(gateway, said, session)
        until = self._expires_at(now_ms())
        row = proactive_row(self._user_id, conversation, said.id, said.at, text, cause, until, kept.files)
        place = self._telegram.place_of(conversation)
        if place is not None:
            self._telegram.expect(message, place)
        owed = self._push.owed(row)
        new = save(row, owed)
        if new or self._position.beyond(said.at):
            self._show(row, message, text)
        if new and place is not None:  # else `recover` has sent it
            self._telegram.announce(message, place, chat_text({"cause": cause, "content": text}), kept.files)
        if new and owed is not None:  # else `recover` has pushed it, or nobody asked for it
            self._push.announce(row)
        if new:
            log.event("proactive", kind=said.kind, said=said.id, late_ms=now_ms() - said.at)
            self.on_delivered()
        self._position.move(said.at)

    def _keep(self, gateway: Gateway, session: str, files: Sequence[Announced]) -> Kept:
        """What is said again after a crash has the same files under the same names."""
        return self.shelf.keep(gateway, session, files) if self.shelf is not None else NOTHING

    def _show(self, row: Any, message: Message, text: str) -> None:
        """To the tabs. A container that ended in between may have shown it already; a page shows an id once."""
        self._delivery.refresh()
        self._delivery.everyone(frame(row))
        Conversations().touch(self._user_id, message.conversation_id, text, row.expires_at)

    def conversation(self, session: str) -> str | None:
        """A session's conversation; None for one that is not shown (a helper's own, an automation's run)."""
        return self._conversation(session) if session == MAIN or session.startswith(WEB) else None

    def _conversation(self, session: str) -> str:
        if session == MAIN:
            return "main"
        lowered = session.removeprefix(WEB)
        if lowered not in self._names:
            self._names[lowered] = conversation_named(self._user_id, lowered)
        return self._names[lowered]
