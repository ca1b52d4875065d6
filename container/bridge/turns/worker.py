"""Drains the inbox: one turn at a time in a conversation, several conversations at once.

OpenClaw runs sessions side by side, but it folds a second message of a session into the running turn.
So each conversation has one lane. The oldest waiting message with a free lane goes first.
"""

import contextlib
import queue
import threading
import time
from collections.abc import Callable
from typing import Any

from bridge.telegram.channel import Channels, Nowhere
from bridge.turns.answering import Answering
from bridge.turns.claims import Claims, Held, Identity
from bridge.turns.delivery import Delivery
from bridge.turns.runs import Runs
from bridge.turns.thought import gather, joinable, wait_ms
from bridge.turns.turn import Means, Replies, ReplyTurn, SteeredTurn, Turn
from chalicelib.agents.tasks import LeaseLost
from chalicelib.lifecycle.services import ConversationService
from chalicelib.messages.inbox import Inbox, Message, NotClaimable
from chalicelib.platform import log
from chalicelib.platform.clock import SECOND, now_ms

DRAIN_SECONDS = 30
# Conversations that are answered at once. OpenClaw itself runs at least eight.
LANES = 4
# A message that was accepted while the container started has no wake, and the first look may have missed it.
# For so long after the start, we look before we take a message, and we look often.
CAREFUL_SECONDS, CAREFUL_LOOK = 10.0, 2.0
ENDED = object()  # a turn has ended: its lane is free
Wake = Message | None | object


class Turns:
    """The thread that looks for work, and a thread for each running turn."""

    def __init__(
        self,
        identity: Identity,
        inbox: Inbox,
        conversations: ConversationService,
        delivery: Delivery,
        answerer: Answering,
        channels: Channels | None = None,
        ended: Callable[[Message], None] = lambda message: None,
        lanes: int = LANES,
    ) -> None:
        self._me = identity
        self._inbox = inbox
        self._answerer = answerer
        self._ended = ended
        self._lanes = lanes
        self._claims = Claims(identity, inbox)
        self._runs = Runs(delivery, identity.generation)
        self.means = Means(self._claims, conversations, delivery, answerer, channels or Nowhere())
        self._wakes: queue.Queue[Wake] = queue.Queue()
        self._threads: set[threading.Thread] = set()
        self._beginning = threading.Lock()
        self._busy: set[str] = set()  # conversations with a lane
        self._stopping = threading.Event()
        self._empty = False  # whether the last look left nothing behind
        self._pause: float = DRAIN_SECONDS  # seconds to the next look without a wake; shorter if a retry is due
        self._careful_until = 0.0
        self.replies: Replies | None = None  # the open questions of the agent
        self.expect: Callable[[], None] = lambda: None  # called when a message is about to be claimed
        self.lost = threading.Event()
        self.on_lost: Callable[[], None] = lambda: None
        self._thread = threading.Thread(target=self._work, name="turns", daemon=True)

    def start(self) -> None:
        self._careful_until = time.monotonic() + CAREFUL_SECONDS
        self._thread.start()

    def _careful(self) -> bool:
        return time.monotonic() < self._careful_until

    def wake(self, message: Message | None = None) -> None:
        """Say that there is work. Pass the message if it came with the wake."""
        self._wakes.put(message)

    def running(self) -> list[Message]:
        """The messages that are being answered now."""
        return self._claims.held()

    def unheard(self) -> bool:
        return self._runs.unheard()

    def resume(self, request: dict[str, Any]) -> None:
        self._runs.resume(request)

    def stop(self, seconds: float) -> None:
        """Claim no more messages. Running turns get that many seconds to end, then they are handed back."""
        self._stopping.set()
        self._wakes.put(None)
        deadline = time.monotonic() + seconds
        self._thread.join(seconds)
        if not self._joined(deadline):
            self._claims.interrupt()
            self._answerer.interrupt()
            self._joined(time.monotonic() + 5)

    def _joined(self, deadline: float) -> bool:
        """Whether all turns ended by then."""
        with self._beginning:
            threads = list(self._threads)
        for thread in threads:
            thread.join(max(deadline - time.monotonic(), 0))
        return not any(thread.is_alive() for thread in threads)

    def _work(self) -> None:
        try:
            while not self._stopping.is_set():
                self._round()
        except LeaseLost:
            self._lose()

    def _lose(self) -> None:
        log.event("lease_lost", user=self._me.user_id, generation=self._me.generation)
        self._stopping.set()
        self.lost.set()
        self.on_lost()
        self._wakes.put(None)

    def _round(self) -> None:
        woken: Wake = None
        try:
            woken = self._wakes.get(timeout=min(self._pause, CAREFUL_LOOK) if self._careful() else self._pause)
        except queue.Empty:
            self._empty = False
        if self._stopping.is_set() or (woken is ENDED and self._empty):
            return
        try:
            # Nothing else waits, so the message in the wake is the next one. We save the query.
            alone = self._empty and self._wakes.empty() and not self._careful() and not self._answers(woken)
            if not (isinstance(woken, Message) and alone and not joinable(woken) and self._take([woken])):
                self._drain()
        except LeaseLost:
            raise
        except Exception as error:  # noqa: BLE001  the inbox keeps the messages; the next round tries again
            log.failure("round_failed", error)
            self._empty, self._pause = False, 1
            self._stopping.wait(1)

    def _drain(self) -> None:
        """Claim the messages that may run now, oldest first.

        A message that waits for a lane, or that may still grow, holds up its conversation: no later message
        overtakes it. A message that waits for its retry does not hold up others.
        """
        self._empty, self._pause = False, DRAIN_SECONDS
        waiting = [message for message in self._inbox.waiting(self._me.user_id) if not self._claims.holds(message.id)]
        held_up: set[str] = set()
        left = False
        while waiting:
            members = gather(waiting[0], waiting[1:])
            waiting = [message for message in waiting if message not in members]
            conversation, wait = members[0].conversation_id, wait_ms(members, now_ms())
            if wait <= 0 and len(members) == 1 and self._answers(members[0]) and self._reply(members[0]):
                continue
            if wait > 0:
                self._look_again(wait)
            if wait > 0 or self._stopping.is_set() or conversation in held_up or not self._free(conversation):
                held_up.add(conversation)
                left = True
            elif not self._take(members):
                left = True
        self._empty = not left

    def _answers(self, woken: Wake) -> bool:
        """Whether a message answers a question of the agent: it waits for no lane."""
        return self.replies is not None and isinstance(woken, Message) and self.replies.takes(woken)

    def _reply(self, message: Message) -> bool:
        host, run = self._claims.of(message.conversation_id), self._runs.new(message)
        try:
            held = self._claims.take(message, _names(run))
        except NotClaimable:
            return False
        assert self.replies is not None
        turn = ReplyTurn(self.means, held, run, host, self.replies)
        self._begin(turn, lambda: self._steered(turn, message))
        return True

    def _free(self, conversation_id: str) -> bool:
        """Whether a turn may begin in that conversation. If not, the end of a running turn wakes us."""
        return len(self._busy) < self._lanes and conversation_id not in self._busy

    def _look_again(self, wait: int) -> None:
        self._pause = min(self._pause, max(wait / SECOND, 0.05))

    def _take(self, members: list[Message]) -> bool:
        """Claim a message (or the messages of one thought) and begin the turn. False if it cannot be claimed now."""
        message = members[0]
        if not self._free(message.conversation_id):
            return False
        self.expect()
        run = self._runs.new(message)
        try:
            held = self._claims.take(message, _names(run))
        except NotClaimable:
            self._look_again(max(message.not_before - now_ms(), SECOND))
            return False
        self._join(held, members[1:])
        self._runs.remember(run)
        self._busy.add(message.conversation_id)
        turn = Turn(self.means, held, run)
        self._begin(turn, lambda: self._lane(turn, message))
        return True

    def _join(self, host: Held, members: list[Message]) -> None:
        """Claim the other messages of a thought. They are closed together with the first message."""
        for message in members:
            with contextlib.suppress(NotClaimable):
                host.thought.append(self._claims.take(message, _names(self._runs.new(message))).message)

    def _begin(self, turn: Turn, work: Callable[[], None]) -> None:
        def live() -> None:
            try:
                work()
            finally:
                self._threads.discard(thread)
                self._wakes.put(None if turn.requeued else ENDED)

        thread = threading.Thread(target=live, name="turn", daemon=True)
        with self._beginning:  # a thread that has not started cannot be joined
            self._threads.add(thread)
            thread.start()

    def _lane(self, turn: Turn, message: Message) -> None:
        """Run a turn in the lane of its conversation."""
        try:
            self._live(turn, message)
        finally:
            self._claims.drop(message.id)
            self._busy.discard(message.conversation_id)
            self._ended(message)

    def _live(self, turn: Turn, message: Message) -> None:
        try:
            turn.run()
        except LeaseLost:
            self._lose()
        except Exception as error:  # noqa: BLE001  the claim expires, then the message is claimed again
            log.failure("turn_not_closed", error, message_id=message.id)

    def abort(self, run_id: str | None, conversation_id: str | None = None) -> None:
        """The user pressed stop, for one run, for a conversation or for everything."""
        run = self._runs.find(run_id, None) if run_id is not None else None
        for message in self.running():
            named = run is not None and run.reply_to == message.id
            if named or (run_id is None and conversation_id in (None, message.conversation_id)):
                self._claims.stop(message.id)  # it may still be prepared
                self._answerer.abort(message.id)

    def steer(self, conversation_id: str, message_id: str | None = None) -> None:
        """ "Send now": hand the waiting messages of a conversation to its running turn."""
        try:
            for message in self._inbox.waiting(self._me.user_id):
                wanted = message_id in (None, message.id) and message.conversation_id == conversation_id
                if wanted and not self._claims.holds(message.id) and not self._stopping.is_set():
                    self._steer(message)
        except LeaseLost:
            self._lose()
        except Exception as error:  # noqa: BLE001  the messages wait as before
            log.failure("steer_failed", error)

    def _steer(self, message: Message) -> None:
        host = self._claims.of(message.conversation_id)
        if host is None or _chat(message) not in (None, _chat(host.message)):
            self.wake()  # nothing runs there, or the answer would go to another chat
            return
        run = self._runs.new(message)
        try:
            held = self._claims.take(message, _names(run))
        except NotClaimable:
            return
        turn = SteeredTurn(self.means, held, run, host)
        self._begin(turn, lambda: self._steered(turn, message))

    def _steered(self, turn: SteeredTurn, message: Message) -> None:
        """Run beside the lane. If the running turn takes the message in, that turn closes it."""
        try:
            self._live(turn, message)
        finally:
            if not turn.adopted:
                self._claims.drop(message.id)


def _names(run: Any) -> dict[str, str]:
    return {"runId": run.run_id, "conversationId": run.conversation_id, "replyTo": run.reply_to}


def _chat(message: Message) -> str | None:
    place = (message.route or {}).get("telegram")
    return str(place["chat"]) if place is not None else None
