"""`make load`: many people on one local stack, with task kills. Fails if anything was lost or left over.

`python -m bench.load --users 20 --minutes 1` is a short run. `--docs` writes docs/load.json and docs/load.md.
`--engine microvm` has the second engine (docs/engines.md), with its own file beside: docs/load-microvm.json.
`--memory` is another test: one person on the real gateway, and kills at random moments (bench/load/memory.py).
"""

import argparse
import contextlib
import json
import queue
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from bench import machine, stack
from bench.bars import ROOT
from bench.load import checks, memory, report
from bench.load.chaos import Watcher
from bench.load.checks import Check
from bench.load.person import Chatter
from bench.stack import end_tasks
from chalicelib.agents.runtime import FARGATE
from chalicelib.platform.settings import ENGINES
from local.stack import Stack
from local.tools import ToolError, install
from tests.support.client import eventually

OUT, DATA, PAGE = ROOT / "build" / "load.json", ROOT / "docs" / "load.json", ROOT / "docs" / "load.md"
MICROVM_DATA = ROOT / "docs" / "load-microvm.json"
# Shorter than most pauses to think, so that machines are suspended and resumed all the time.
SUSPEND_SECONDS = "1"
TELEGRAM_EVERY = 4  # every fourth person has Telegram


class Site:
    """One stack and its people, at most `live` of them there at once."""

    def __init__(self, running: Stack, people: list[Chatter], live: int, watcher: Watcher) -> None:
        self.stack, self.people, self.watcher = running, people, watcher
        self._live = live
        self._turns: queue.Queue[Chatter] = queue.Queue()
        self.problems: list[str] = []

    def run(self, until: float, session: float) -> None:
        """Everybody comes at least once, and again while there is time."""
        for person in self.people:
            self._turns.put(person)
        threads = []
        for number in range(min(self._live, len(self.people))):
            threads.append(threading.Thread(target=self._come, args=(until, session, number), daemon=True))
            threads[-1].start()
        for thread in threads:
            thread.join()

    def _come(self, until: float, session: float, number: int) -> None:
        time.sleep(number * 1.0)  # not all containers in the same second
        while True:
            try:
                person = self._turns.get_nowait()
            except queue.Empty:
                return
            if person.sessions and time.monotonic() > until:
                return
            try:
                person.session(session)
            except Exception as error:  # noqa: BLE001  one person's error is a finding and does not end the run
                self.problems.append(f"{type(error).__name__}: {str(error)[:200]}")
            if time.monotonic() < until:
                self._turns.put(person)

    def check(self, folder: Path) -> list[Check]:
        """After the last session: let everything come to rest, then look."""
        self.watcher.quiet.set()
        with contextlib.suppress(AssertionError):
            eventually(lambda: not self.stack.pids(), 60, 0.5)
        end_tasks(self.stack)
        time.sleep(3)  # the ends of the last sockets are handled
        self.watcher.stopped.set()
        found = [check for person in self.people for check in checks.of_person(person)]
        found += [*checks.of_tables(self.stack), checks.of_processes(folder / "stack" / "tasks")]
        messages = sum(len(person.ledger.sent) for person in self.people)
        found += checks.of_memory(self.watcher.samples, messages)
        about = "; ".join(self.problems[:3]) or "none"
        return [*found, Check("no session broke off", not self.problems, f"{len(self.problems)}: {about}")]


def main() -> int:
    alone = "--memory" in sys.argv
    options = argparse.Namespace() if alone else _options()
    try:
        install(lambda text: print(f"  … {text}", flush=True))
    except ToolError as error:
        print(error, file=sys.stderr)
        return 2
    if alone:
        return memory.main()
    described = machine.describe()
    seconds = options.minutes * 60
    # So long that everybody has been there when the time is up; starting and ending take some of it.
    session = min(max(seconds * options.live / options.users - 12, 8), 60)
    with tempfile.TemporaryDirectory(prefix="load-") as name, contextlib.ExitStack() as running:
        sites = [_site(running, Path(name) / "scripted", True, options.users - options.real, options)]
        if options.real:
            sites.append(_site(running, Path(name) / "real", False, options.real, options))
        print(f"  … {options.users} people, {options.minutes:g} minutes, sessions of {session:.0f} s", flush=True)
        until = time.monotonic() + seconds
        threads = [threading.Thread(target=site.run, args=(until, session)) for site in sites]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        print("  … checking", flush=True)
        folders = (Path(name) / "scripted", Path(name) / "real")
        found = [check for site, folder in zip(sites, folders, strict=False) for check in site.check(folder)]
        described["load at the end"] = machine.load()
        people = [person for site in sites for person in site.people]
        watchers = [site.watcher for site in sites]
        result = report.document(described, _asked(options), people, watchers, checks.merged(found))
        if options.engine != FARGATE:
            result["counts"] |= {what: report.logged(folders, what) for what in ("suspended", "resumed")}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=1) + "\n")
    print(report.text(result))
    if options.docs:
        _write_docs(result, options.engine)
    return 0 if all(check.ok for check in found) else 1


def _write_docs(result: Any, engine: str) -> None:
    (DATA if engine == FARGATE else MICROVM_DATA).write_text(json.dumps(result, indent=1) + "\n")
    PAGE.write_text(report.page(json.loads(DATA.read_text()), json.loads(MICROVM_DATA.read_text())))


def _asked(options: argparse.Namespace) -> dict[str, Any]:
    asked = {"users": options.users, "minutes": options.minutes, "a kill about every (s)": options.kill_every}
    asked |= {"engine": options.engine} if options.engine != FARGATE else {}
    return asked | {"people at once": options.live, "of them on the real OpenClaw": options.real, "seed": options.seed}


def _site(
    running: contextlib.ExitStack, folder: Path, scripted: bool, people: int, options: argparse.Namespace
) -> Site:
    env = {"LOCAL_WATCHDOG_SECONDS": "20", "RUNTIME": options.engine, "SUSPEND_SECONDS": SUSPEND_SECONDS}
    started, _ = running.enter_context(stack.running(folder, scripted, **env))
    every = options.kill_every if scripted else 4 * options.kill_every  # fewer tasks there
    watcher = Watcher(started, every, options.seed, min(5, options.minutes * 5))
    watcher.start()
    chatters = [Chatter(started, n, options.seed, n % TELEGRAM_EVERY == 1) for n in range(people)]
    return Site(started, chatters, options.live if scripted else people, watcher)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.load", description=__doc__)
    parser.add_argument("--users", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--live", type=int, default=24, help="how many people are there at once")
    parser.add_argument("--real", type=int, default=1, help="how many of the people have the real OpenClaw")
    parser.add_argument("--kill-every", type=float, default=15, help="seconds between kills, on average")
    parser.add_argument("--engine", choices=ENGINES, default=FARGATE)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--docs", action="store_true")
    parser.add_argument("--out", type=Path, default=OUT)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
