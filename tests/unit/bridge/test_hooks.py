"""The hooks of a MicroVM over HTTP: what they answer, and that nothing happens twice."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from bridge import microvm
from bridge.hooks import PATH, Hooks
from bridge.microvm import MicroVm

PAYLOAD = json.dumps({"userId": "ann", "generation": 3})
GIVEN = {"microvmId": "vm-1", "runHookPayload": PAYLOAD}


class FakeLoading:
    """Loads until it is told that it is done."""

    def __init__(self) -> None:
        self.done = threading.Event()

    def wait(self) -> bool:
        return self.done.wait(20)


class Machine:
    def __init__(self) -> None:
        self.loading = FakeLoading()
        loading: Any = self.loading
        self.vm = MicroVm(loading)
        self.server = Hooks(("127.0.0.1", 0), self.vm.hooks)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def call(self, name: str, body: Any = None, path: str = PATH) -> int:
        url = f"http://127.0.0.1:{self.server.server_port}{path}{name}"
        return requests.post(url, data=body if isinstance(body, str) else json.dumps(body), timeout=20).status_code


@pytest.fixture
def machine() -> Iterator[Machine]:
    found = Machine()
    yield found
    found.loading.done.set()
    found.vm.over.set()
    found.server.shutdown()
    found.server.server_close()


def test_ready_only_when_everything_is_loaded(machine: Machine) -> None:
    assert (machine.call("ready"), machine.call("validate")) == (503, 503)
    machine.loading.done.set()
    assert machine.vm._loaded.wait(20)
    assert (machine.call("ready"), machine.call("validate")) == (200, 200)


@pytest.mark.parametrize(
    "body",
    [
        {},
        "{",
        {"microvmId": "vm-1"},
        {"microvmId": "vm-1", "runHookPayload": "{}"},
        {"microvmId": "", "runHookPayload": PAYLOAD},
        {"microvmId": "vm-1", "runHookPayload": '{"userId": "ann", "generation": "x"}'},
        {"microvmId": "vm-1", "runHookPayload": '{"userId": 7, "generation": 1}'},
        {"microvmId": "vm-1", "runHookPayload": 7},
    ],
)
def test_a_run_without_an_owner_fails(machine: Machine, body: Any) -> None:
    assert machine.call("run", body) == 500


def test_it_has_one_owner(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the task gets what it would have from ECS."""
    lived: list[dict[str, str]] = []

    def run(_: Any, env: dict[str, str], *__: Any) -> int:
        lived.append(env)
        return 0

    monkeypatch.setattr(microvm, "run", run)
    assert machine.call("run", GIVEN) == 200
    assert machine.call("run", GIVEN) == 200  # Lambda may call it again
    assert machine.call("run", GIVEN | {"microvmId": "vm-2"}) == 500
    assert machine.vm.live({"STAGE": "test", "METADATA_OPEN": "1"}) == 0
    (env,) = lived
    assert {name: env[name] for name in ("STAGE", "USER_ID", "GENERATION", "MICROVM_ID")} == {
        "STAGE": "test",
        "USER_ID": "ann",
        "GENERATION": "3",
        "MICROVM_ID": "vm-1",
    }
    assert int(env["MICROVM_BORN"]) > 0


@pytest.mark.parametrize("env", [{}, {"METADATA_CLOSED": "/nonexistent/closed.py"}], ids=["never closed", "open again"])
def test_no_agent_runs_where_it_can_reach_the_roles_credentials(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, env: dict[str, str]
) -> None:
    monkeypatch.setattr(microvm, "run", lambda *_: pytest.fail("it ran"))
    assert machine.call("run", GIVEN) == 200
    assert machine.vm.live(env) == 2


def test_without_an_owner_nothing_is_suspended(machine: Machine) -> None:
    assert machine.call("suspend") == 503
    assert machine.call("resume") == 200


def test_terminate_waits_for_the_hand_over(machine: Machine) -> None:
    threading.Timer(0.05, machine.vm.over.set).start()
    assert machine.call("terminate") == 200
    assert machine.vm.stop.is_set()
    assert machine.vm.over.is_set()


def test_a_snapshot_without_an_owner_ends_when_it_is_told(machine: Machine) -> None:
    machine.vm.stop.set()
    assert machine.vm.live({}) == 0


def test_other_paths_are_unknown(machine: Machine) -> None:
    assert machine.call("shell") == 404
    assert machine.call("ready", path="/") == 404
    assert machine.call("run", "x" * 70_000) == 500
