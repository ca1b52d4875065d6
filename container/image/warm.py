"""Starts OpenClaw once while the image is built, so that Node's compile cache is in it.

`warm.py NODE OPENCLAW CACHE [UID]` waits until the gateway says that it is ready, stops it, and fails
if the cache is empty. Node keeps a cache for each user and looks into no other's, so it is the
agent's id that has to start it here.
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


def main(node: str, openclaw: str, cache: str, uid: str = "") -> int:
    user = int(uid) if uid else None
    with tempfile.TemporaryDirectory() as home:
        state = Path(home) / ".openclaw"
        state.mkdir()
        (state / "openclaw.json").write_text(json.dumps(LEAN))
        Path(cache).mkdir(parents=True, exist_ok=True)
        if user is not None:
            for path in (Path(home), state, state / "openclaw.json", Path(cache)):
                os.chown(path, user, user)
        env = {
            "PATH": os.environ["PATH"],
            "HOME": home,
            "OPENCLAW_STATE_DIR": str(state),
            "OPENCLAW_GATEWAY_TOKEN": "build",
            "OPENCLAW_NO_RESPAWN": "1",
            "OPENCLAW_SKIP_CHANNELS": "1",
            "OPENCLAW_DISABLE_BONJOUR": "1",
            "OPENCLAW_PACKAGED_COMPILE_CACHE_RESPAWNED": "1",
            "NODE_COMPILE_CACHE": cache,
            "NO_COLOR": "1",
        }
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = str(probe.getsockname()[1])
        command = [node, openclaw, "gateway", "run", "--bind", "loopback", "--port", port, "--auth", "token"]
        process = subprocess.Popen(
            command,
            env=env,
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
    found = [Path(cache), *Path(cache).rglob("*")]
    for path in found if user is not None else []:
        os.chown(path, 0, 0)
        path.chmod(0o755 if path.is_dir() else 0o644)  # Node's own are open to their owner alone
    files = sum(1 for path in found if path.is_file())
    print(f"ready: {ready}, compile cache: {files} files")
    return 0 if ready and files else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:5]))
