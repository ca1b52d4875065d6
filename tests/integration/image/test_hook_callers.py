"""Who may call a MicroVM's hooks: real sockets of a process of another user, for each way to reach the port."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from bridge import microvm
from bridge.hooks import PATH, BadHook, Hooks
from bridge.microvm import MicroVm
from bridge.shared import peers
from bridge.shared.peers import Unknown, is_local, owner

pytestmark = [
    pytest.mark.timeout(60),
    pytest.mark.skipif(os.geteuid() != 0, reason="another user's process needs root, which CI has"),
]
AGENT, OTHER = 10002, 10003
FOREIGN = json.dumps({"microvmId": "vm-2", "runHookPayload": json.dumps({"userId": "eve", "generation": 1})})
# The test's interpreter may be in root's home: the process becomes the user after it has started.
BECOME = """
import encodings.idna, json, os, socket, sys
os.setgroups([])
os.setgid(int(sys.argv[1]))
os.setuid(int(sys.argv[1]))
"""
# Says what it is answered to each call: its address, its port, its hook, a body.
CALLER = """
said = []
for host, port, name, body in json.load(sys.stdin):
    try:
        with socket.create_connection((host, port), 20) as connection:
            head = f"POST /aws/lambda-microvms/runtime/v1/{name} HTTP/1.0\\r\\nContent-Length: {len(body)}\\r\\n\\r\\n"
            answer = b""
            try:
                connection.sendall((head + body).encode())
            except OSError:
                pass  # refused before it has spoken; the answer may be there all the same
            while not answer.endswith(b"\\r\\n\\r\\n"):
                some = connection.recv(1000)
                if not some:
                    break
                answer += some
            said.append(answer.split()[1].decode() if answer else "")
    except OSError as error:
        said.append(type(error).__name__)
print(json.dumps(said))
"""
# A connection that is cut, with nothing left of it, is as good as a refusal: a hook would have been answered.
REFUSED = ({"403"}, {"403", "ConnectionResetError"}, {"ConnectionResetError"})


def call(user: int, *calls: tuple[str, int, str, str]) -> set[str]:
    """What that user's process is answered."""
    return set(json.loads(as_user(user, CALLER, json.dumps(calls))))


def as_user(user: int, program: str, entered: str = "") -> str:
    command = [sys.executable, "-c", BECOME + program, str(user)]
    return subprocess.run(command, input=entered, stdout=subprocess.PIPE, check=True, timeout=40, text=True).stdout


class Served:
    """Hooks that only note who got through, on all addresses of both families."""

    def __init__(self, agent: int | None) -> None:
        self.called: list[str] = []
        names = ("run", "suspend", "resume", "terminate")
        self.server = _BothFamilies(("::", 0), {name: self._hook(name) for name in names}, agent)
        self.port: int = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def _hook(self, name: str) -> Any:
        def hook(_: Any) -> bool:
            self.called.append(name)
            return True

        return hook

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class _BothFamilies(Hooks):
    address_family = socket.AF_INET6

    def server_bind(self) -> None:
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()


@pytest.fixture
def served() -> Iterator[Served]:
    found = Served(AGENT)
    yield found
    found.close()


def own_addresses() -> list[str]:
    """Of this machine, by each family; the last is of its network, if it has one."""
    found = ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return found
        return [*found, probe.getsockname()[0]]


def test_without_the_check_every_hook_is_the_agents() -> None:
    """The hole: the same calls, where nobody is refused."""
    open_to_all = Served(None)
    try:
        asked = [("127.0.0.1", open_to_all.port, name, FOREIGN) for name in ("run", "suspend", "resume", "terminate")]
        assert call(AGENT, *asked) == {"200"}
        assert open_to_all.called == ["run", "suspend", "resume", "terminate"]
    finally:
        open_to_all.close()


def test_the_agents_user_reaches_no_hook_by_any_address(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    names = ("run", "suspend", "resume", "terminate")
    asked = [(address, served.port, name, FOREIGN) for address in own_addresses() for name in names]
    assert call(AGENT, *asked) in REFUSED
    assert served.called == []
    logged = [line for line in capsys.readouterr().out.splitlines() if "hook_caller_refused" in line]
    assert [json.loads(line)["caller"] for line in logged] == [str(AGENT)]  # one line, however often it tries


def test_other_users_call_them(served: Served) -> None:
    """Lambda's caller may be any user but the agent's."""
    for address in own_addresses():
        for user in (0, OTHER):
            assert call(user, (address, served.port, "suspend", "{}")) == {"200"}
    assert set(served.called) == {"suspend"}


def test_whoever_has_closed_the_connection_is_refused() -> None:
    """The kernel gives a closed socket to root: the agent could ask and be gone before anybody looks."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        as_user(AGENT, f"s = socket.create_connection(('127.0.0.1', {port})); s.sendall(b'POST x')")
        accepted, peer = listener.accept()
        with accepted:
            assert owner(peer, accepted.getsockname()) is Unknown.CLOSED


def test_a_local_end_without_a_row_is_refused(served: Served, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Only whoever comes from another machine may have none."""
    empty = tmp_path / "tcp"
    empty.write_text("  sl  local_address rem_address\n")
    monkeypatch.setattr(peers, "TABLES", (empty, tmp_path / "none"))
    assert owner(("127.0.0.1", 4), ("127.0.0.1", 5)) is Unknown.NO_ROW
    assert owner(("192.0.2.1", 4), ("10.0.0.1", 5)) is Unknown.ELSEWHERE
    assert call(0, ("127.0.0.1", served.port, "terminate", "{}")) in REFUSED
    empty.unlink()
    assert call(0, ("127.0.0.1", served.port, "terminate", "{}")) in REFUSED
    assert served.called == []


def test_which_addresses_are_local() -> None:
    assert all(is_local(address) for address in own_addresses())
    assert not any(is_local(address) for address in ("192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"))


def test_the_bridge_tells_the_hooks_who_the_agent_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole path: from the environment of the image to a machine that goes on."""
    made: list[Hooks] = []
    ports = threading.Event()

    class Noted(Hooks):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            made.append(self)
            ports.set()

    monkeypatch.setattr(microvm, "Hooks", Noted)
    monkeypatch.setattr(microvm, "on_signals", lambda *_: None)
    env = {"AGENT_UID": str(AGENT), "HOOKS_HOST": "127.0.0.1", "HOOKS_PORT": "0"}
    alive = threading.Thread(target=microvm.live, args=(None, env), daemon=True)
    alive.start()
    assert ports.wait(20)
    port = made[0].server_address[1]
    assert call(AGENT, ("127.0.0.1", port, "terminate", "{}"), ("127.0.0.1", port, "run", FOREIGN)) in REFUSED
    assert alive.is_alive()
    made[0].hooks["terminate"].__self__.over.set()  # type: ignore[attr-defined]  # do not wait for a hand-over
    assert requests.post(f"http://127.0.0.1:{port}{PATH}terminate", timeout=20).status_code == 200
    alive.join(20)
    assert not alive.is_alive()


def test_a_second_run_is_refused_whoever_calls() -> None:
    """Also without the check nobody takes over a machine that has an owner."""
    machine = MicroVm(None)
    assert machine.run({"microvmId": "vm-1", "runHookPayload": json.dumps({"userId": "ann", "generation": 3})})
    with pytest.raises(BadHook):
        machine.run(json.loads(FOREIGN))
