"""The whole local stack, with a model of our own and the real or a scripted gateway; and a timed tab."""

import contextlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import websocket

from bench.bars import ROOT
from bench.processes import served, started_at
from local import tools
from local.stack import Stack
from tests.support.client import Client, eventually

Json = dict[str, Any]
Timed = tuple[float, Json]  # when a frame came, and the frame
ANSWER_SECONDS = 120
STOP_SECONDS = 45


@contextlib.contextmanager
def running(folder: Path, scripted: bool = False, **env: str) -> Iterator[tuple[Stack, str]]:
    """A started stack and the URL of its model; `scripted` puts bench/gateway.py in OpenClaw's place."""
    found = tools.find()
    if scripted:
        found = replace(found, node=Path(sys.executable), openclaw=ROOT / "bench" / "gateway.py")
    kept = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    with served("bench.model") as port:
        url = f"http://127.0.0.1:{port}/v1"
        kept |= {"OPENAI_BASE_URL": url, "OPENAI_API_KEY": "none", "MODEL": "bench"}
        kept["FIRST_WORDS"] = "false"  # another stack measures them
        stack = Stack(folder / "stack", found, env=kept | env)
        stack.start()
        try:
            yield stack, url
        finally:
            stack.stop()


class Tab(Client):
    """A person's tab that notes when each frame came."""

    def turn(self, text: str) -> tuple[float, list[Timed]]:
        """Send a message; when it was sent, and all frames until the end of its answer."""
        begun = time.monotonic()
        message = self.send(text)
        frames: list[Timed] = []
        self.socket.settimeout(ANSWER_SECONDS)
        while True:
            try:
                frame: Json = json.loads(self.socket.recv())
            except (websocket.WebSocketException, ValueError) as error:
                raise RuntimeError(f"no answer ({type(error).__name__}); seen: {kinds(frames)}") from None
            frames.append((time.monotonic(), frame))
            if frame["type"] == "error":
                raise RuntimeError(f"refused: {frame['code']}")
            if frame["type"] == "stream_end" and frame["replyTo"] == message:
                if frame["reason"] != "final":
                    raise RuntimeError(f"the answer ended with {frame}")
                return begun, frames


def kinds(frames: list[Timed]) -> list[str]:
    return [str(frame["type"]) for _, frame in frames]


def text_of(frames: list[Timed]) -> str:
    return "".join(frame["content"] for _, frame in frames if frame["type"] == "stream_chunk")


def first_chunk(frames: list[Timed]) -> float:
    return next(at for at, frame in frames if frame["type"] == "stream_chunk" and frame["content"])


def last_chunk(frames: list[Timed]) -> float:
    return [at for at, frame in frames if frame["type"] == "stream_chunk"][-1]


class TaskStart:
    """Learns, beside the work itself, when the one task's process was started."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self.pid = 0
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            pids = list(self._stack.pids().values())
            if pids:
                self.pid = pids[0]
                return
            time.sleep(0.1)

    def at(self) -> float:
        """On time.monotonic's clock. Raises RuntimeError when there is none."""
        self._thread.join()
        if not self.pid:
            raise RuntimeError("no task was started")
        return started_at(self.pid)


def end_tasks(stack: Stack) -> None:
    """As StopTask does: SIGTERM, and wait until they have saved and gone."""
    for pid in stack.pids().values():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    eventually(lambda: not stack.pids(), STOP_SECONDS)
