"""`make load ARGS="--memory"`: random kills with the real gateway, and a model that repeats what it was told.

One person talks in three conversations. In each round a message is sent and the Bridge, the gateway or the whole
task is killed before, during or after its turn. The answer must arrive once and must not be empty. Then the
agent is asked for everything that it was told in that conversation.
"""

import argparse
import collections
import contextlib
import os
import random
import signal
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench.load.recall import RECALL, TOKEN, Recall
from local import tools
from local.stack import Stack
from tests.support.client import Client, Frame, eventually, text_of
from tests.support.processes import alive, children, command_of
from tests.support.providers import Providers

VICTIMS, PHASES, CONVERSATIONS = ("bridge", "gateway", "task"), ("before", "in", "after"), ("main", "b", "c")
ANSWER_SECONDS = 150.0
LOG = "log.txt"  # in the agent's workspace
# A model call that was under way when the answer's end was shown: of the run's own last step.
MARGIN_MS = 250.0


@dataclass
class Told:
    """One message; `ended` when its end was shown (ms)."""

    token: str
    conversation: str
    id: str
    tool: bool
    ended: float = 0.0


@dataclass
class Result:
    """What went wrong, by kind; each entry names round and message."""

    kills: collections.Counter[str] = field(default_factory=collections.Counter)
    forgotten: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)
    effects_lost: int = 0  # lines of the log that a kill took back with the files
    calls_again: int = 0  # of the model, for turns that were interrupted

    @property
    def ok(self) -> bool:
        return not (self.forgotten or self.doubled or self.empty or self.errors or self.unanswered)

    def lines(self) -> list[str]:
        kinds = ("forgotten", "doubled", "empty", "errors", "unanswered")
        found = [f"{kind}: {len(getattr(self, kind))} {getattr(self, kind)}" for kind in kinds]
        kills = ", ".join(f"{name} {count}" for name, count in sorted(self.kills.items()))
        again = (
            f"model calls again for interrupted turns: {self.calls_again}; log lines taken back: {self.effects_lost}"
        )
        return [f"{sum(self.kills.values())} kills: {kills}", *found, again]


@contextlib.contextmanager
def stack_with(folder: Path, model: Recall, **env: str) -> Iterator[Stack]:
    kept = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    with Providers(behave=model.behave) as provider:
        kept |= {"OPENAI_BASE_URL": f"{provider.url}/v1", "OPENAI_API_KEY": "none", "MODEL": "recall"}
        kept["FIRST_WORDS"] = "false"  # its model knows only the agent's calls
        stack = Stack(folder, tools.find(), env=kept | env)
        stack.start()
        try:
            yield stack
        finally:
            stack.stop()


class Trial:
    """The rounds of one person."""

    def __init__(self, stack: Stack, model: Recall, seed: int) -> None:
        self.stack, self.model, self.random = stack, model, random.Random(seed)  # noqa: S311
        self.client = Client(stack)
        self.told: list[Told] = []
        self.result = Result()
        self._round = 0

    def run(self, kills: int, until: float = float("inf"), say: Callable[[str], None] = print) -> Result:
        """That many rounds, or as many as there is time for."""
        for self._round in range(kills):
            if time.monotonic() > until:
                break
            victim, phase = self.random.choice(VICTIMS), self.random.choice(PHASES)
            conversation, tool = self.random.choice(CONVERSATIONS), self.random.random() < 0.4
            begun = time.monotonic()
            self._one(victim, phase, conversation, tool)
            self._recalls(conversation)
            say(f"  {self._round:3} {victim:8} {phase:7} {conversation:5} {time.monotonic() - begun:5.1f} s")
        for conversation in CONVERSATIONS:
            self._recalls(conversation)
        self._count()
        return self.result

    def _one(self, victim: str, phase: str, conversation: str, tool: bool) -> None:
        token = f"told-{self.random.randrange(16**8):08x}"
        text = f"run: sleep 0.3; echo {token} >> {LOG}" if tool else f"Remember {token}, please."
        pause = self.random.random()
        if phase == "before" and pause < 0.5:
            self._kill(victim, phase)
        message = Told(token, conversation, self.client.send(text, conversationId=conversation), tool)
        self.told.append(message)
        if phase == "before" and pause >= 0.5:
            time.sleep(pause - 0.5)  # claimed, or just not
            self._kill(victim, phase)
        if phase == "in":
            self.client.until(lambda f: f["type"] in ("stream_chunk", "activity") and f["replyTo"] == message.id, 90)
            time.sleep(pause)
            self._kill(victim, phase)
        self._await(message)
        if phase == "after":
            time.sleep(pause**3 * 3)
            self._kill(victim, phase)

    def _kill(self, victim: str, phase: str) -> None:
        for bridge in self.stack.pids().values():
            gateways = [pid for pid in children(bridge) if b"gateway" in command_of(pid)]
            targets = {"bridge": [bridge], "gateway": gateways, "task": [*gateways, bridge]}[victim]
            for pid in targets:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if targets:
                self.result.kills[f"{victim} {phase}"] += 1
                _until_gone(targets)

    def _await(self, message: Told) -> str:
        """Its one answer."""
        name = f"round {self._round}: {message.token} in {message.conversation}"
        try:
            end = self.client.until(lambda f: _ends(f, message.id), ANSWER_SECONDS)
        except AssertionError:
            self.result.unanswered.append(name)
            return ""
        message.ended = time.time() * 1000
        text = text_of(self.client.frames, end["runId"])
        if end["reason"] == "error":
            self.result.errors.append(f"{name}: {end.get('error')}")
            return self._await(message)
        if end["reason"] != "final" or not text.strip():
            self.result.empty.append(f"{name}: {end['reason']}")
        return text

    def _recalls(self, conversation: str) -> None:
        """Everything that it answered there is in its memory."""
        asked = Told("", conversation, self.client.send(RECALL, conversationId=conversation), False)
        known = set(TOKEN.findall(self._await(asked)))
        for message in self.told:
            if message.conversation == conversation and message.ended and message.token not in known:
                self.result.forgotten.append(f"round {self._round}: {message.token} in {conversation}")

    def _count(self) -> None:
        """What ran twice: a call for a message that was answered, a second line on the disk, a second row."""
        written = self._written()
        for message in self.told:
            calls = [call for call in self.model.calls if call.token == message.token]
            late = [call for call in calls if message.ended and call.at > message.ended + MARGIN_MS]
            if late:
                self.result.doubled.append(f"{message.token}: {len(late)} calls behind its answer")
            self.result.calls_again += max(len([call for call in calls if not call.after_tool]) - 1, 0)
            if message.tool:
                lines = written.count(message.token)
                self.result.effects_lost += lines == 0
                if lines > 1:
                    self.result.doubled.append(f"{message.token}: {lines} lines")
        for conversation in CONVERSATIONS:
            rows = [row["replyTo"] for row in self.client.history(conversation) if row["role"] == "assistant"]
            twice = [name for name, count in collections.Counter(rows).items() if count > 1]
            self.result.doubled.extend(f"{name}: {conversation} has two rows" for name in twice)

    def _written(self) -> list[str]:
        """The tokens in the log of the running task."""
        home = next(iter(self.stack.pids().values()), None)
        folder = Path(os.readlink(f"/proc/{home}/cwd")) / ".openclaw" / "workspace" / LOG if home else None
        return TOKEN.findall(folder.read_text()) if folder is not None and folder.exists() else []


def _until_gone(pids: list[int]) -> None:
    eventually(lambda: not any(alive(pid) for pid in pids), 20)


def _ends(frame: Frame, message_id: str) -> bool:
    return bool(frame["type"] == "stream_end" and frame["replyTo"] == message_id)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.load.memory", description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=int(uuid.uuid4().int % 10**6))
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--backup-seconds", default="4", help="between two snapshots")
    options, _ = parser.parse_known_args()
    print(f"seed {options.seed}, {options.kills} kills", flush=True)
    model = Recall()
    with (
        tempfile.TemporaryDirectory(prefix="memory-") as name,
        stack_with(Path(name) / "stack", model, BACKUP_SECONDS=options.backup_seconds) as stack,
    ):
        trial = Trial(stack, model, options.seed)
        until = time.monotonic() + options.minutes * 60
        result = trial.run(options.kills, until, lambda text: print(text, flush=True))
    print("\n".join(result.lines()))
    return 0 if result.ok else 1


if __name__ == "__main__":
    sys.exit(main())
