"""Starts OpenClaw once while the image is built, so that Node's compile cache is in it.

`warm.py NODE OPENCLAW CACHE` waits until the gateway says that it is ready, stops it, and fails if
the cache is empty.
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


def main(node: str, openclaw: str, cache: str) -> int:
    with tempfile.TemporaryDirectory() as home:
        state = Path(home) / ".openclaw"
        state.mkdir()
        (state / "openclaw.json").write_text(json.dumps(LEAN))
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
        process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert process.stdout is not None
        timer = threading.Timer(SECONDS, process.kill)
        timer.start()
        ready = any("[gateway] ready" in line for line in process.stdout)
        process.send_signal(signal.SIGTERM)
        process.communicate()
        timer.cancel()
    files = sum(1 for path in Path(cache).rglob("*") if path.is_file())
    print(f"ready: {ready}, compile cache: {files} files")
    return 0 if ready and files else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
