"""The Bridge's turn machinery in this process, joined to a scripted gateway and to the stubs."""

import contextlib
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from bench import events
from bench.bars import ROOT
from bench.cloud import Cloud
from bench.processes import end
from bridge.openclaw.gateway import Gateway, GatewayClosed
from bridge.turns.answer import Answerer
from bridge.turns.claims import Identity
from bridge.turns.delivery import Delivery
from bridge.turns.worker import Turns
from chalicelib.messages.conversations import Conversations
from chalicelib.messages.inbox import Inbox, Message
from chalicelib.platform.clock import now_ms
from chalicelib.wire.connections import Connections
from local.cloud.bridges import free_port

SCRIPT = ROOT / "bench" / "gateway.py"
TURN_SECONDS = 60
Json = dict[str, Any]
Frame = tuple[float, str, Json]  # when, to which connection, what


@contextlib.contextmanager
def scripted(folder: Path, on_stray: Callable[[Json], None] | None = None) -> Iterator[Gateway]:
    """A connection to a scripted gateway process."""
    port, token = free_port(), "bench"
    env = {"OPENCLAW_STATE_DIR": str(folder / "state"), "OPENCLAW_GATEWAY_TOKEN": token, "PATH": os.environ["PATH"]}
    process = subprocess.Popen([sys.executable, str(SCRIPT), "--port", str(port)], env=env, text=True)
    try:
        yield connected(port, token, on_stray)
    finally:
        end(process)


def connected(port: int, token: str, on_stray: Callable[[Json], None] | None) -> Gateway:
    deadline = time.monotonic() + 10
    while True:
        gateway = Gateway(f"ws://127.0.0.1:{port}", token, on_stray)
        try:
            gateway.connect()
            return gateway
        except GatewayClosed:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


@dataclass
class Holder:
    """What the Answerer asks of OpenClaw: the gateway."""

    gateway: Gateway
    default_model: str = "custom/demo"

    def follow_settings(self) -> None: ...


class Lab:
    """One user's agent, at work."""

    def __init__(self, cloud: Cloud, gateway: Gateway, tabs: int = 1) -> None:
        self._cloud = cloud
        self.user, tab = events.warm_user(cloud.stubs)
        self.tabs = [tab, *(events.tab(self.user, cloud.stubs) for _ in range(tabs - 1))]
        delivery = Delivery(self.user, Connections())
        answerer = Answerer(cast(Any, Holder(gateway)))
        self._inbox = Inbox()
        self._turns = Turns(Identity(self.user, 1), self._inbox, Conversations(), delivery, answerer)
        delivery.refresh()
        self._turns.start()
        self._turns.wake()

    def ask(self, text: str) -> tuple[float, list[Frame]]:
        """One turn: when the wake came, and every frame to every tab until each has the end."""
        self._cloud.ask("frames")
        message = Message(self.user, uuid.uuid4().hex, text, "main", now_ms())
        self._inbox.put(message)
        begun, frames = time.monotonic(), []
        self._turns.wake(message)
        while time.monotonic() < begun + TURN_SECONDS:
            time.sleep(0.05)
            frames += [(float(at), str(to), body) for at, to, body in self._cloud.ask("frames")]
            if sum(1 for _, _, body in frames if body["type"] == "stream_end") >= len(self.tabs):
                return begun, frames
        raise RuntimeError(f"no answer in {TURN_SECONDS} s: {json.dumps([body for _, _, body in frames])[:500]}")

    def stop(self) -> None:
        self._turns.stop(5)


def text_of(frames: list[Frame], tab: str) -> str:
    """What a tab shows; fails on a gap."""
    text, last = "", 0
    for _, to, body in frames:
        if to == tab and body["type"] == "stream_chunk":
            if body["fromSeq"] != last + 1:
                raise RuntimeError(f"a gap after {last}")
            text, last = text + body["content"], body["seq"]
    return text
