"""What OpenClaw's start waits for."""

import socket
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bridge.openclaw import process as openclaw
from bridge.openclaw.gateway import GatewayError
from bridge.openclaw.process import NotReady, OpenClaw
from bridge.shared.user import AgentUser


class FakeGateway:
    """Refuses the first hello."""

    refusal = GatewayError("TIMEOUT", "connect was not answered in 10 s")
    tries = 0

    def __init__(self, *_: Any) -> None:
        self.closed = False

    def connect(self) -> None:
        type(self).tries += 1
        if self.tries == 1:
            raise self.refusal

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> OpenClaw:
    monkeypatch.setattr(openclaw, "Gateway", FakeGateway)
    monkeypatch.setattr(FakeGateway, "tries", 0)
    process = OpenClaw(SimpleNamespace(gateway_port=1, gateway_token="t", model="m"), "")  # type: ignore[arg-type]
    monkeypatch.setattr(process, "alive", lambda: True)
    return process


def test_a_gateway_that_is_slow_to_say_hello_is_asked_again(process: OpenClaw) -> None:
    """Its one thread may be busy for more than ten seconds when a container is cold."""
    process._connect()
    assert FakeGateway.tries == 2


def test_a_gateway_that_starts_is_not_waited_for_as_long_as_it_says(
    process: OpenClaw, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says half a second and is ready after a tenth: that was the person's wait in each start."""
    waits: list[float] = []
    monkeypatch.setattr(openclaw, "time", SimpleNamespace(monotonic=time.monotonic, sleep=waits.append))
    monkeypatch.setattr(FakeGateway, "refusal", GatewayError("UNAVAILABLE", "gateway starting", 500))
    process._connect()
    assert sum(waits) < 0.1


def test_a_gateway_that_refuses_is_not(process: OpenClaw, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeGateway, "refusal", GatewayError("UNAUTHORIZED", "wrong token"))
    with pytest.raises(NotReady):
        process._connect()


class FakeLoading:
    """A loaded process that starts, or None."""

    def __init__(self, process: object) -> None:
        self.process = process
        self.not_wanted = lambda: False

    def start(self, *_: object) -> object:
        return self.process


@pytest.fixture
def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OpenClaw:
    """One with a loaded process, which ends before it says hello."""
    config: Any = SimpleNamespace(model="m", home=tmp_path, state_dir=tmp_path, node="", gateway_port=1, routes=())
    config.compile_cache = config.gateway_token = config.proxy_token = config.clawhub_url = ""
    ended: Any = SimpleNamespace(poll=lambda: 1, returncode=1)
    monkeypatch.setattr(openclaw, "Gateway", FakeGateway)
    return OpenClaw(config, "", FakeLoading(ended))  # type: ignore[arg-type]


def test_a_loaded_process_that_does_not_get_ready_leaves_the_ordinary_start(
    loaded: OpenClaw, capsys: pytest.CaptureFixture[str]
) -> None:
    assert loaded._launch_loaded([]) is None
    assert '"loader_failed", "reason": "OpenClaw ended with status 1"' in capsys.readouterr().out
    assert loaded._loading is None, "it is used once"


def test_a_loaded_process_that_lives_is_given_as_long_as_any(loaded: OpenClaw, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be changing the state of an older version: it is not stopped in the middle for another try."""

    def slow() -> None:
        raise NotReady("OpenClaw was not ready")

    monkeypatch.setattr(loaded, "_connect", slow)
    monkeypatch.setattr(loaded, "alive", lambda: True)
    with pytest.raises(NotReady):
        loaded._launch_loaded([])


def test_a_loaded_process_is_no_start_for_a_task_that_was_told_to_stop(loaded: OpenClaw) -> None:
    loaded.not_wanted = lambda: True
    loaded._loading = FakeLoading(None)  # type: ignore[assignment]
    with pytest.raises(NotReady):
        loaded._launch_loaded([])


@pytest.mark.parametrize("free", [True, False])
def test_a_port_that_is_taken_is_no_reason_to_put_the_configuration_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: bool
) -> None:
    """A program that the agent has begun may have it when OpenClaw starts anew, which ends with 1 then, as for both."""
    file, tried = tmp_path / "openclaw.json", []

    def refused(started: OpenClaw, configuration: object) -> None:
        tried.append(configuration)
        started._process = SimpleNamespace(poll=lambda: 1, returncode=1)  # type: ignore[assignment]
        raise NotReady("OpenClaw ended with status 1")

    monkeypatch.setattr(OpenClaw, "_launch", refused)
    monkeypatch.setattr(openclaw, "document", lambda *_: {"tools": {"deny": []}})
    file.write_text('{"tools": {"deny": ["mine"]}}')
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        if free:
            other.close()
        config: Any = SimpleNamespace(
            gateway_port=port,
            gateway_token="t",
            proxy_token="t",
            model="m",
            home=tmp_path,
            state_dir=tmp_path,
            agent=AgentUser(),
            routes=(),
        )
        with pytest.raises(NotReady):
            OpenClaw(config, "").start()
    assert len(tried) == (2 if free else 1)
    assert file.with_name("openclaw.json.refused").exists() == free


def test_a_process_outlives_the_turn_that_started_it(tmp_path: Path) -> None:
    """Linux sends its death signal when the starting thread ends: a turn's thread took OpenClaw with it."""
    config: Any = SimpleNamespace(
        gateway_port=1,
        gateway_token="t",
        proxy_token="t",
        model="m",
        home=tmp_path,
        state_dir=tmp_path,
        node=sys.executable,
        openclaw=str(tmp_path / "sleep.py"),
        compile_cache="",
        clawhub_url="",
        routes=(),
        agent=AgentUser(),
    )
    (tmp_path / "sleep.py").write_text("import time\ntime.sleep(60)\n")
    started = OpenClaw(config, "")
    started._connect = lambda *_: None  # type: ignore[method-assign, assignment]
    turn = threading.Thread(target=lambda: started._launch({}))
    turn.start()
    turn.join()
    time.sleep(0.2)
    try:
        assert started.alive()
    finally:
        started.stop()
