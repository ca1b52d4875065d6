"""The messages that this container holds. Every claim and every close goes through here.

The task's row lists the runs that go on. One write at a time keeps that list true, although
several turns begin and end at once.
"""

import threading
from dataclasses import dataclass, field
from typing import Any

from bridge.turns.stopping import Stop
from chalicelib.messages.inbox import Inbox, Message, Run


@dataclass(frozen=True)
class Identity:
    user_id: str
    generation: int


@dataclass
class Held:
    """A claimed message, and the messages that its run has taken in while it went on.

    `thought`: messages that were one with it from the beginning (an album): whatever happens to it happens to them.
    """

    message: Message
    run: Run
    stop: Stop = field(default_factory=Stop)
    thought: list[Message] = field(default_factory=list)
    steered: list[Message] = field(default_factory=list)
    closed: bool = False


class Claims:
    """Raises what the inbox raises: NotClaimable, LeaseLost."""

    def __init__(self, identity: Identity, inbox: Inbox) -> None:
        self._me = identity
        self._inbox = inbox
        self._held: dict[str, Held] = {}
        self._shutdown = threading.Event()
        self._writing = threading.Lock()
        self._lock = threading.Lock()  # never held during a write

    def held(self) -> list[Message]:
        """All claimed messages, oldest claim first."""
        with self._lock:
            return [held.message for held in self._held.values()]

    def of(self, conversation_id: str) -> Held | None:
        """The turn that runs in a conversation."""
        with self._lock:
            running = [held for held in self._held.values() if held.message.conversation_id == conversation_id]
            return running[0] if running else None

    def holds(self, message_id: str) -> bool:
        with self._lock:
            return message_id in self._held

    def take(self, message: Message, run: Run) -> Held:
        """Claim a message for a run."""
        with self._writing:
            claimed = self._inbox.claim(message, self._me.generation, run, self._others(""))
            held = Held(claimed, run, Stop(self._shutdown))
            with self._lock:
                self._held[message.id] = held
        return held

    def stop(self, message_id: str) -> None:
        """The person pressed stop: the turn ends at its next step, also if it is not with OpenClaw yet."""
        with self._lock:
            held = self._held.get(message_id)
            if held is not None:
                held.stop.pressed = True

    def interrupt(self) -> None:
        """The container stops: all turns end at their next step."""
        self._shutdown.set()

    def replace(self, message: Message) -> None:
        """The same message with its files fetched."""
        with self._lock:
            self._held[message.id].message = message

    def adopt(self, host: Held, message: Message) -> bool:
        """A run has taken in another message: both are closed together. False when the run has ended meanwhile."""
        with self._lock:
            if not host.closed:
                host.steered.append(message)
            return not host.closed

    def finish(self, message: Message, rows: list[Any], steered: list[Message]) -> None:
        """Save the answer's rows and close the message, with those that its run took in."""
        with self._writing:
            ids = (message.id, *(one.id for one in steered))
            self._inbox.finish(message, self._me.generation, rows, self._others(*ids), steered)
            self._forget(*ids)

    def fail(self, message: Message, code: str, rows: list[Any], thought: list[Message]) -> bool:
        """One try failed. True when it was the last one."""
        with self._writing:
            ids = (message.id, *(one.id for one in thought))
            dead = self._inbox.fail(message, self._me.generation, code, rows, self._others(*ids), thought)
            self._forget(*ids)
        return dead

    def hand_back(self, message: Message, thought: list[Message]) -> None:
        """Not answered, but it is not the fault of the message."""
        with self._writing:
            ids = (message.id, *(one.id for one in thought))
            self._inbox.hand_back(message, self._me.generation, self._others(*ids), thought)
            self._forget(*ids)

    def close(self, message_id: str) -> list[Message]:
        """This run takes in no more messages. Returns the messages that it took in, without those of its thought."""
        with self._lock:
            held = self._held.get(message_id)
            if held is None:
                return []
            held.closed = True
            return list(held.steered)

    def drop(self, message_id: str) -> None:
        """The turn is over, whatever the table knows of it. Claims that stay in the table run out."""
        with self._lock:
            held = self._held.get(message_id)
        thought = held.thought if held is not None else []
        self._forget(message_id, *(message.id for message in [*self.close(message_id), *thought]))

    def _others(self, *ids: str) -> list[Run]:
        with self._lock:
            return [held.run for name, held in self._held.items() if name not in ids]

    def _forget(self, *ids: str) -> None:
        with self._lock:
            for name in ids:
                held = self._held.pop(name, None)
                if held is not None:
                    held.closed = True
