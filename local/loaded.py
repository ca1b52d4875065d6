"""Records once what OpenClaw loads, for the process that loads it before it starts (docs/container.md)."""

import hashlib
import json
import os
import runpy
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from local.tools import ROOT, Tools

RECORDER = ROOT / "container" / "image" / "modules"
WARM = ROOT / "container" / "image" / "warm.py"
SECONDS = 300


def module_list(tools: Tools, say: Callable[[str], None]) -> Path:
    """The list for this version, recorded if it is missing. Without it OpenClaw starts as it ever did."""
    path = place(tools)
    if not path.exists():
        say("recording what OpenClaw loads (15 s, once)")
        try:
            found = record(tools)
            path.with_suffix(".part").write_text(found)
            path.with_suffix(".part").replace(path)
        except (OSError, subprocess.SubprocessError) as error:
            said = getattr(error, "stderr", None) or str(error)
            say(f"that failed, so OpenClaw starts more slowly: {said.strip().splitlines()[-1]}")
    return path


def place(tools: Tools) -> Path:
    """Another version, another Node or another recorder has another list."""
    package = json.loads(tools.openclaw.with_name("package.json").read_text())
    whole = hashlib.sha256(str(tools.node).encode() + WARM.read_bytes())
    for script in sorted(RECORDER.iterdir()):
        whole.update(script.read_bytes())
    return ROOT / ".local" / f"openclaw-modules-{package['version']}-{whole.hexdigest()[:12]}.json"


def record(tools: Tools) -> str:
    """The list. Raises subprocess.SubprocessError."""
    path = f"{tools.node.parent}{os.pathsep}/usr/local/bin:/usr/bin:/bin"
    plugins = json.dumps(runpy.run_path(str(WARM))["PLUGINS"])
    env = {"PATH": path, "NODE_COMPILE_CACHE": str(ROOT / ".local" / "compile-cache")}
    with tempfile.TemporaryDirectory() as folder:
        command = [str(tools.node), str(RECORDER / "record.mjs"), str(tools.openclaw), folder, path, plugins]
        done = subprocess.run(command, env=env, check=True, capture_output=True, text=True, timeout=SECONDS)
    return done.stdout
