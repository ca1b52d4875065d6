"""The container writes each metric where its event happens; together with the gateway's none is left unwritten."""

from types import SimpleNamespace
from typing import Any

import pytest

from bridge import agent
from bridge.provider.budget import Budget
from bridge.turns import delivery, steps
from bridge.turns.outcome import Outcome
from chalicelib.agents.tasks import Status, Task
from chalicelib.messages.inbox import MAX_ATTEMPTS
from chalicelib.people.preferences import Choice
from chalicelib.platform.clock import MINUTE
from chalicelib.platform.metrics import Metric
from chalicelib.providers.routes import KNOWN
from chalicelib.providers.usage import Reader
from tests.support.fake_spending import FakeSpending
from tests.support.fake_tables import FakeClock
from tests.unit.bridge.turns.test_turns import Place
from tests.unit.chalicelib.platform.test_metrics import PATHS as GATEWAY
from tests.unit.chalicelib.platform.test_metrics import Drive, Values, counted


class Says:
    """Takes 700 ms to its first word and 800 more to its end."""

    def __init__(self, clock: FakeClock, text: str, reason: str, code: str) -> None:
        self.clock, self.text, self.reason, self.code = clock, text, reason, code

    def answer(self, message: object, stream: delivery.Stream, _: object) -> Outcome:
        self.clock.step(700)
        stream.update(self.text)
        self.clock.step(800)
        return Outcome(self.reason, self.text, self.clock(), self.code)


def turn(text: str, reason: str, code: str = "", times: int = 1) -> Drive:
    """A message is taken from the inbox and answered, so many times."""

    def drive(monkeypatch: pytest.MonkeyPatch) -> None:
        place = Place(None)
        clock = place.world.clock
        monkeypatch.setattr(delivery, "now_ms", clock)
        place.turns.means.answerer = Says(clock, text, reason, code)  # type: ignore[assignment]
        for _ in range(times):
            place.take()
            clock.step(60 * MINUTE)

    return drive


def container_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the process's start: 12 s to the restore, which takes 1.5 s, then 3.25 s for the gateway."""
    now = [100.0]

    def passes(seconds: float) -> bool:
        now[0] += seconds
        return True

    def nothing(*_: object) -> None: ...

    for module in (agent, steps):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(steps, "PROCESS_STARTED", 88.0)
    monkeypatch.setattr(agent, "publish", nothing)
    started: Any = object.__new__(agent.Agent)
    who = {"user_id": "ann", "generation": 1, "task_arn": "arn", "home": "."}
    started._config = SimpleNamespace(**who, routes=(), model="custom/demo", agent=SimpleNamespace(own=nothing))
    started._link = SimpleNamespace(start=nothing)
    started._openclaw = SimpleNamespace(alive=lambda: False, start=lambda: passes(3.25), unload=nothing, gateway=None)
    started._servers = SimpleNamespace(refresh=nothing)
    ready = Task("ann", Status.RUNNING, 1, started_at=1_000, ready_at=21_000)
    started._parts = SimpleNamespace(
        tasks=SimpleNamespace(running=lambda *_: ready),
        announcer=SimpleNamespace(phase=lambda _: SimpleNamespace(join=nothing), show=nothing),
        choices=SimpleNamespace(refresh=nothing),
        user_settings=SimpleNamespace(follow=nothing),
        memory=SimpleNamespace(restore=lambda: passes(1.5), start=nothing),
        chores=SimpleNamespace(before_restore=nothing),
        turns=SimpleNamespace(start=nothing, wake=nothing, lost=SimpleNamespace(is_set=lambda: True)),
        heartbeats=SimpleNamespace(run=nothing, still_ours=lambda: False),
        telegram=SimpleNamespace(recover=nothing),
        out=SimpleNamespace(start=nothing, early=nothing),
        asked=SimpleNamespace(start=nothing),
        reactions=SimpleNamespace(noticed=nothing),
    )
    started._record, started._claimed = SimpleNamespace(begun=nothing), False
    started._stop, started._settling = SimpleNamespace(is_set=lambda: False), SimpleNamespace(start=nothing)
    assert started._live() == 0


def model_call(_: pytest.MonkeyPatch) -> None:
    budget = Budget(FakeSpending())
    budget.serve("ann", Choice, lambda _: None)
    used = Reader(0, counts={"prompt_tokens": 40, "completion_tokens": 2}, usd=0.5, ended=True)
    budget.charge(KNOWN[0], "claude-sonnet-5", used)


TAKEN: Values = {"PendingMessagesConsumed": [1]}
SPOKEN: Values = TAKEN | {"FirstResponseTime": [700]}
ANSWERED: Values = SPOKEN | {"MessageLatency": [1500], "ResponseLength": [5]}
STARTED: Values = {
    "StartupTotal": [20_000],
    "StartupS3Restore": [1_500],
    "StartupGatewayWait": [3_250],
    "StartupClientReady": [16_750],
}
PATHS: dict[str, tuple[Drive, Values]] = {
    "an answer": (turn("Hello", "final"), ANSWERED),
    "an answer without text": (turn("", "final"), TAKEN | {"MessageLatency": [1500], "ResponseLength": [0]}),
    "a stopped answer": (turn("Hello", "aborted"), ANSWERED),
    "a turn handed back is no answer": (turn("Hel", "interrupted"), SPOKEN),
    "a failed try is no answer": (turn("", "error", "INTERNAL"), TAKEN),
    "a message that failed each time": (
        turn("", "error", "INTERNAL", MAX_ATTEMPTS),
        {"PendingMessagesConsumed": [1] * MAX_ATTEMPTS, "DeadLetter": [1]},
    ),
    "a message refused by design": (turn("", "error", "BUDGET_REACHED"), TAKEN),
    "a container's start": (container_start, STARTED),
    "a model call": (model_call, {"ModelTokens": [42], "ModelCost": [500_000]}),
}


@pytest.mark.parametrize("path", PATHS)
def test_what_happens_in_the_container_is_counted_once(
    path: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    drive, expected = PATHS[path]
    drive(monkeypatch)
    assert counted(capsys.readouterr().out) == expected


def test_every_metric_has_its_path() -> None:
    written = [expected for _, expected in (PATHS | GATEWAY).values()]
    assert {name for values in written for name in values} == set(map(str, Metric))
