"""Beside the load: kills a task now and then, and writes down how much memory the parts hold."""

import contextlib
import os
import random
import signal
import threading
import time
from dataclasses import dataclass, field

import requests

from bench.processes import memory
from local.stack import Stack
from tests.support.processes import children


@dataclass(frozen=True)
class Sample:
    """At a time of the run (s): MB of the API, of its function instances and of the AWS stand-in; tasks."""

    at: float
    api: float
    functions: float
    cloud: float
    tasks: int
    instances: int = 1  # of functions; a new one is no growth of the others


@dataclass
class Watcher:
    """Two threads that end with `stop`."""

    stack: Stack
    kill_every: float
    seed: int
    sample_every: float = 5.0
    samples: list[Sample] = field(default_factory=list)
    kills: int = 0
    most_tasks: int = 0
    started: set[str] = field(default_factory=set)
    begun: float = field(default_factory=time.monotonic)
    quiet: threading.Event = field(default_factory=threading.Event)  # no more kills
    stopped: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        for work in (self._sample, self._kill):
            threading.Thread(target=work, daemon=True).start()

    def _kill(self) -> None:
        chance = random.Random(self.seed)  # noqa: S311  a game, not a secret
        while not self.quiet.wait(self.kill_every * chance.uniform(0.5, 1.5)):
            pids = sorted(self.stack.pids().values())
            if pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(chance.choice(pids), signal.SIGKILL)
                    self.kills += 1

    def _sample(self) -> None:
        parts = {part.name: part.process.pid for part in self.stack._parts}
        while not self.stopped.wait(self.sample_every):
            # A stand-in too busy to answer for a moment is asked again at the next beat.
            with contextlib.suppress(requests.RequestException, FileNotFoundError):
                tasks = self.stack.pids()
                self.started |= set(tasks)
                self.most_tasks = max(self.most_tasks, len(tasks))
                instances = children(parts["API"])
                functions = sum(memory(pid)["rss"] for pid in instances)
                api, cloud = memory(parts["API"])["rss"], memory(parts["AWS stand-in"])["rss"]
                at = time.monotonic() - self.begun
                self.samples.append(Sample(at, api, functions, cloud, len(tasks), max(len(instances), 1)))
