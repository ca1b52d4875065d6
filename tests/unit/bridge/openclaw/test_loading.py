"""A process that loads before it starts, and what may go wrong with it."""

import os
import sys
import time
from pathlib import Path

import pytest

from bridge.openclaw.loading import Loading, begin
from bridge.shared.installed import Installed
from bridge.shared.user import AgentUser

START = "import os, sys, socket, json, time\nchannel = socket.socket(fileno=int(sys.argv[4]))\n"
LOADED = "channel.sendall(b'{\"loaded\": true}\\n')\nstart = json.loads(channel.makefile().readline())\n"
SHOW = "open('seen', 'w').write(json.dumps([start, dict(os.environ)]))\n"


def place(folder: Path, script: str) -> Installed:
    """An installation that has `script` in Node's place."""
    node = folder / "node"
    node.write_text(f"#!{sys.executable}\n{START}{script}")
    node.chmod(0o755)
    (folder / "modules.json").write_text("{}")
    modules = str(folder / "modules.json")
    return Installed(str(node), "openclaw.mjs", "cache", modules, folder / "home", AgentUser())


def gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def test_it_starts_with_what_its_environment_lacked(tmp_path: Path) -> None:
    loading = Loading(place(tmp_path, LOADED + SHOW))
    assert loading.wait()
    process = loading.start({"OPENCLAW_GATEWAY_TOKEN": "secret"}, ["gateway", "run"])
    assert process is not None
    assert process.wait(10) == 0
    seen = (tmp_path / "home" / "seen").read_text()
    assert '"arguments": ["gateway", "run"]' in seen
    loading.discard()


def test_its_environment_has_no_token_no_key_and_no_state_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    loading = Loading(place(tmp_path, LOADED + SHOW))
    process = loading.start({}, [])
    assert process is not None
    process.wait(10)
    seen = (tmp_path / "home" / "seen").read_text()
    assert "NODE_COMPILE_CACHE" in seen
    assert not [word for word in ("STATE_DIR", "TOKEN", "KEY", "secret") if word in seen]


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ('channel.sendall(b\'{"refused": "another version"}\\n\'); sys.exit(3)', "another version"),
        ("sys.exit(1)", "ended"),
        ("channel.sendall(b'what?\\n'); time.sleep(60)", "not understood"),
        ("time.sleep(60)", "not loaded in time"),
    ],
)
def test_one_that_fails_is_logged_and_leaves_the_ordinary_start(
    tmp_path: Path, script: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    loading = Loading(place(tmp_path, script), seconds=1.5)
    assert loading.start({}, []) is None
    assert f'"loader_failed", "reason": "{reason}"' in capsys.readouterr().out
    assert gone(loading.pid)
    assert not loading.wait()


def test_one_that_is_not_needed_is_ended_at_once(tmp_path: Path) -> None:
    loading = Loading(place(tmp_path, "time.sleep(60)"))
    begun = time.monotonic()
    loading.discard()
    assert time.monotonic() - begun < 3
    assert gone(loading.pid)


def test_a_task_that_is_told_to_stop_does_not_wait_for_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    loading = Loading(place(tmp_path, "time.sleep(60)"))
    loading.not_wanted = lambda: True
    begun = time.monotonic()
    assert loading.start({}, []) is None
    assert time.monotonic() - begun < 5
    assert gone(loading.pid)
    assert "loader_failed" not in capsys.readouterr().out


def test_a_gateway_is_not_discarded(tmp_path: Path) -> None:
    loading = Loading(place(tmp_path, LOADED + "time.sleep(60)"))
    process = loading.start({}, [])
    loading.discard()
    assert process is not None
    assert process.poll() is None
    os.kill(loading.pid, 9)
    process.wait(5)


def test_without_a_list_nothing_loads(tmp_path: Path) -> None:
    where = place(tmp_path, "")
    (tmp_path / "modules.json").unlink()
    assert begin(where) is None


def test_without_node_the_failure_is_logged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = place(tmp_path, "")
    (tmp_path / "node").unlink()
    loading = begin(where)
    assert loading is not None
    assert not loading.wait()
    assert "loader_failed" in capsys.readouterr().out
