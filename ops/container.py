"""Starts a tree of `ops.rootfs` as ECS starts the image: `python -m ops.container FOLDER`.

The entry point runs as PID 1 of its own PID namespace and as the image's user, with the capabilities of a
container. The root is read-only; only the volumes are writable. The network is this machine's, because the
local stack listens on loopback. Needs root.

The environment is the caller's without the variables of this machine, overridden by the image's own.
"""

import ctypes
import json
import os
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cdk.synthesized import Deployment

NEW_MOUNTS, NEW_PIDS = 0x00020000, 0x20000000
# What the stack sets for a Bridge that runs from the sources; in the image it is the image's to say.
OF_THIS_MACHINE = {"AGENT_HOME", "NODE_BINARY", "OPENCLAW_COMPILE_CACHE", "OPENCLAW_ENTRY", "OPENCLAW_LOG_FILE"}
OF_THIS_MACHINE |= {"OPENCLAW_MODULES"}
OF_THIS_MACHINE |= {"PATH", "PYTHONPATH", "LD_LIBRARY_PATH"}
# Docker's and Fargate's default set; Fargate adds none, and our task definition drops most.
DEFAULT_CAPABILITIES = (
    *("audit_write", "chown", "dac_override", "fowner", "fsetid", "kill", "mknod", "net_bind_service"),
    *("net_raw", "setfcap", "setgid", "setpcap", "setuid", "sys_chroot"),
)
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")


def mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


def volumes(image: dict[str, Any], scratch: Path) -> list[tuple[Path, str]]:
    """A writable folder for each volume, with the content and the owner that the image has there."""
    found = []
    for name in image["volumes"]:
        place = scratch / name.strip("/").replace("/", "-")
        subprocess.run(["cp", "-a", image["root"] + name, str(place)], check=True)
        found.append((place, name))
    return found


def enter(image: dict[str, Any], writable: list[tuple[Path, str]]) -> None:
    """In the child: make the mounts and become the container."""
    root = image["root"]
    mount("--make-rprivate", "/")
    mount("--bind", root, root)
    mount("-t", "tmpfs", "-o", "mode=755", "dev", f"{root}/dev")
    for name in DEVICES:
        Path(f"{root}/dev/{name}").touch()
        mount("--bind", f"/dev/{name}", f"{root}/dev/{name}")
    Path(f"{root}/dev/fd").symlink_to("/proc/self/fd")
    for place, name in writable:
        mount("--bind", str(place), root + name)
    mount("-o", "remount,bind,ro", root)
    mount("-t", "proc", "-o", "nosuid,nodev,noexec", "proc", f"{root}/proc")
    os.chroot(root)
    os.chdir(image["folder"])
    inherited = {name: value for name, value in os.environ.items() if name not in OF_THIS_MACHINE}
    env = inherited | image["environment"]
    command = as_user(image["user"], image["capabilities"])
    os.execvpe("setpriv", [*command, *image["entrypoint"]], env)  # noqa: S606


def capabilities() -> list[str]:
    """What the deployed task definition leaves of the default set."""
    (container,) = Deployment("dev").task_definition()["containerDefinitions"]
    dropped = {name.lower() for name in container["linuxParameters"]["capabilities"]["drop"]}
    assert dropped <= set(DEFAULT_CAPABILITIES), "a misspelt capability drops nothing"
    return [name for name in DEFAULT_CAPABILITIES if name not in dropped]


def as_user(user: str, capabilities: Sequence[str]) -> list[str]:
    bounds = ",".join(["-all", *(f"+{name}" for name in capabilities)])
    command = ["setpriv", f"--bounding-set={bounds}", "--inh-caps=-all"]
    if user in ("root", "0"):
        return [*command, "--clear-groups", "--"]
    uid, _, gid = user.partition(":")
    return [*command, f"--reuid={uid}", f"--regid={gid or uid}", "--clear-groups", "--"]


def main(folder: str) -> int:
    """The entry point's own status."""
    image = json.loads((Path(folder) / "image.json").read_text())
    image.setdefault("capabilities", capabilities())  # read before the root is another
    with tempfile.TemporaryDirectory(prefix="container-") as scratch:
        Path(scratch).chmod(0o711)
        writable = volumes(image, Path(scratch))
        if ctypes.CDLL(None, use_errno=True).unshare(NEW_MOUNTS | NEW_PIDS) != 0:
            raise OSError(ctypes.get_errno(), "unshare: root is needed")
        child = os.fork()
        if child == 0:
            try:
                ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)
                enter(image, writable)
            except BaseException:  # noqa: BLE001  the child must not go on as its parent
                traceback.print_exc()
            os._exit(127)
        signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
        signal.signal(signal.SIGINT, lambda *_: os.kill(child, signal.SIGINT))
        _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
