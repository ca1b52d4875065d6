"""The part of the Bridge that answers, on a real OpenClaw, without the rest of the system."""

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bridge.openclaw.gateway import Gateway
from bridge.openclaw.history import Known, look_up
from bridge.openclaw.process import OpenClaw
from bridge.turns.answer import Answerer
from bridge.turns.delivery import Delivery, Run, Stream
from bridge.turns.outcome import Outcome, session_key
from chalicelib.messages.inbox import Message
from tests.support.bridge_parts import custom, make_config, proxied
from tests.support.fakes import FakeConnections, FakePost


@dataclass
class Turned:
    """A message on its way; `join` gives its outcome."""

    thread: threading.Thread
    stream: Stream
    outcomes: list[Outcome] = field(default_factory=list)

    def join(self, seconds: float = 120) -> Outcome:
        self.thread.join(seconds)
        assert self.outcomes, "the turn did not end"
        return self.outcomes[0]

    def said(self, text: str, seconds: float = 60) -> None:
        """Wait until the answer contains a text."""
        deadline = time.monotonic() + seconds
        while text not in self.stream.run.text:
            assert time.monotonic() < deadline, self.stream.run.text[-200:]
            time.sleep(0.02)


@dataclass
class Agent:
    """An OpenClaw with its configuration, and answerers on it: a new one stands for a new Bridge."""

    openclaw: OpenClaw
    state: Path
    answerer: Answerer

    @property
    def gateway(self) -> Gateway:
        assert self.openclaw.gateway is not None
        return self.openclaw.gateway

    def begin(self, text: str, conversation: str, message_id: str, claims: int = 1, steer: bool = False) -> Turned:
        delivery = Delivery("ann", FakeConnections(), FakePost())  # type: ignore[arg-type]
        stream = Stream(Run(f"{message_id}.1.{claims}", message_id, conversation), delivery)
        message = Message("ann", message_id, text, conversation, 0, claims=claims)
        work = self.answerer.steer if steer else self.answerer.answer

        def live() -> None:
            turned.outcomes.append(work(message, stream, delivery))

        turned = Turned(threading.Thread(target=live, daemon=True), stream)
        turned.thread.start()
        return turned

    def ask(self, text: str, conversation: str, message_id: str, claims: int = 1) -> Outcome:
        return self.begin(text, conversation, message_id, claims).join()

    def known(self, conversation: str, message_id: str) -> Known:
        return look_up(self.gateway, session_key(conversation), message_id)

    def remembers(self) -> dict[str, str]:
        """What the person was shown, by message: a test writes it, and the answerer asks it."""
        rows: dict[str, str] = {}
        self.answerer.shown = lambda _, others, text: any(text in rows.get(other, "") for other in others)
        return rows

    def new_bridge(self) -> None:
        """Restart as a container does: nothing in memory is kept."""
        self.answerer = Answerer(self.openclaw)
        self.openclaw.on_stray = self.answerer.stray


@contextlib.contextmanager
def running_agent(home: Path, model_url: str) -> Iterator[Agent]:
    config = make_config(home, custom(model_url))
    with proxied(config.routes, token=config.proxy_token) as proxy:
        openclaw = OpenClaw(config, proxy.url)
        openclaw.start()
        agent = Agent(openclaw, config.state_dir, Answerer(openclaw))
        agent.new_bridge()
        try:
            yield agent
        finally:
            openclaw.stop()
