"""Keeps the last runs, so that a tab that connects late gets what it missed."""

import threading
from collections import OrderedDict
from typing import Any

from bridge.turns.delivery import Delivery, Run
from bridge.turns.replay import replay
from chalicelib.messages.inbox import Message
from chalicelib.wire.protocol import Frame, run_unknown

KEPT_RUNS = 20


class Runs:
    """The last runs of all conversations, each with its whole text."""

    def __init__(self, delivery: Delivery, generation: int) -> None:
        self._delivery = delivery
        self._generation = generation
        self._runs: OrderedDict[str, Run] = OrderedDict()
        self._lock = threading.Lock()

    def new(self, message: Message) -> Run:
        """A run for the next try of a message. `find` returns it only after `remember`."""
        run_id = f"{message.id}.{self._generation}.{message.claims + 1}"
        return Run(run_id, message.id, message.conversation_id)

    def remember(self, run: Run) -> None:
        with self._lock:
            self._runs[run.run_id] = run
            ended = [name for name, known in self._runs.items() if known.end is not None]
            for name in ended[: max(len(self._runs) - KEPT_RUNS, 0)]:
                del self._runs[name]

    def unheard(self) -> bool:
        """Whether somebody waits for the first words of a run."""
        with self._lock:
            return any(run.end is None and not run.seq for run in self._runs.values())

    def find(self, run_id: str | None, conversation_id: str | None) -> Run | None:
        """Find a run by its id, or without an id the live run of a conversation."""
        with self._lock:
            runs = list(self._runs.values())
        if run_id is not None:
            return next((run for run in runs if run.known_as(run_id)), None)
        live = [run for run in runs if run.end is None and run.conversation_id == conversation_id]
        return live[0] if live else None

    def resume(self, request: dict[str, Any]) -> None:
        """Send a tab what it missed of a run, or of the live run of a conversation."""
        connection_id = str(request["connectionId"])
        self._delivery.join(connection_id, str(request["endpoint"]))
        run_id, conversation_id = request.get("runId"), request.get("conversationId")
        run = self.find(run_id, conversation_id)
        frames: list[Frame] = [run_unknown(run_id, conversation_id)]
        if run is not None:
            frames = replay(run, int(request.get("lastSeq") or 0), run_id)
        for frame in frames:
            self._delivery.one(connection_id, frame)
