"""Starts OpenClaw while the image is built, so that Node's compile cache and the list of its modules are in it.

`warm.py NODE OPENCLAW CACHE MODULES [UID]` waits until the gateway says that it is ready, stops it, and fails
if the cache is empty. Then modules/record.mjs starts it again and has it answer: MODULES becomes the list of
what it loaded. Node keeps a cache for each user and looks into no other's, so it is the agent's id that has to
start it here.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

SECONDS = 180
LEAN = {
    "gateway": {"mode": "local", "bind": "loopback", "auth": {"mode": "token"}},
    "plugins": {"enabled": False},
    "cron": {"enabled": False},
    "discovery": {"mdns": {"mode": "off"}},
    "update": {"checkOnStart": False},
}


# As in tools.py of the Bridge, which is not in this stage of the build; a test compares them.
PLUGINS = {"enabled": True, "allow": ["memory-core", "document-extract", "web-readability"]}


def main(node: str, openclaw: str, cache: str, modules: str, uid: str = "") -> int:
    user = int(uid) if uid else None
    with tempfile.TemporaryDirectory() as home:
        _prepare(Path(home), Path(cache), user)
        ready = _start_once([node, openclaw], home, cache, user)
    Path(modules).write_text(_record(node, openclaw, cache, user))
    files = _hand_to_root(Path(cache), user)
    print(f"ready: {ready}, compile cache: {files} files")
    return 0 if ready and files else 1


def _prepare(home: Path, cache: Path, user: int | None) -> None:
    """An empty home with the lean configuration, and the cache's folder; both belong to the user."""
    state = home / ".openclaw"
    state.mkdir()
    (state / "openclaw.json").write_text(json.dumps(LEAN))
    cache.mkdir(parents=True, exist_ok=True)
    if user is not None:
        for path in (home, state, state / "openclaw.json", cache):
            os.chown(path, user, user)


def _start_once(program: list[str], home: str, cache: str, user: int | None) -> bool:
    """Run the gateway until it is ready, then stop it; False when it did not get ready in time."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    process = subprocess.Popen(
        [*program, "gateway", "run", "--bind", "loopback", "--port", port, "--auth", "token"],
        env=_environment(home, cache),
        cwd=home,
        user=user,
        group=user,
        extra_groups=None if user is None else [],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    timer = threading.Timer(SECONDS, process.kill)
    timer.start()
    ready = any("[gateway] ready" in line for line in process.stdout)
    process.send_signal(signal.SIGTERM)
    process.communicate()
    timer.cancel()
    return ready


def _record(node: str, openclaw: str, cache: str, user: int | None) -> str:
    """The list of modules. Raises CalledProcessError."""
    script = Path(__file__).parent / "modules" / "record.mjs"
    path = f"{Path(node).parent}{os.pathsep}/usr/local/bin:/usr/bin:/bin"  # as the Bridge gives it
    with tempfile.TemporaryDirectory() as folder:
        if user is not None:
            os.chown(folder, user, user)
        done = subprocess.run(
            [node, str(script), openclaw, folder, path, json.dumps(PLUGINS)],
            env={"PATH": path, "NODE_COMPILE_CACHE": cache},
            cwd=folder,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            timeout=2 * SECONDS,
        )
    return done.stdout


def _environment(home: str, cache: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": home,
        "OPENCLAW_STATE_DIR": str(Path(home) / ".openclaw"),
        "OPENCLAW_GATEWAY_TOKEN": "build",
        "OPENCLAW_NO_RESPAWN": "1",
        "OPENCLAW_SKIP_CHANNELS": "1",
        "OPENCLAW_DISABLE_BONJOUR": "1",
        "OPENCLAW_PACKAGED_COMPILE_CACHE_RESPAWNED": "1",
        "NODE_COMPILE_CACHE": cache,
        "NO_COLOR": "1",
    }


def _hand_to_root(cache: Path, user: int | None) -> int:
    """Make the finished cache root's and readable by everyone; the number of its files."""
    found = [cache, *cache.rglob("*")]
    for path in found if user is not None else []:
        os.chown(path, 0, 0)
        path.chmod(0o755 if path.is_dir() else 0o644)  # Node makes its files readable for their owner only
    return sum(1 for path in found if path.is_file())


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:6]))
