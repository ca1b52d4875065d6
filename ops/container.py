"""Starts the image of `make image` as ECS starts it: `python -m ops.container FOLDER` (podman; needs root).

The task definition decides: read-only root, capabilities, health check, stop timeout, memory. The image's own
user, entry point and volumes are podman's to apply. The network is this machine's, because the local stack
listens on loopback. The environment is the caller's without the variables of this machine.

podman replaces this process, so its id, its signals and its exit status are the container's. Debian's podman
starts health checks by systemd's timers; here `podman healthcheck run` does it.
"""

import json
import os
import resource
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cdk.synthesized import Deployment
from local.cloud.bridges import free_port
from ops.building.store import IMAGE, Store

# What the stack sets for a Bridge that runs from the sources; in the image it is the image's to say.
OF_THIS_MACHINE = {"AGENT_HOME", "NODE_BINARY", "OPENCLAW_COMPILE_CACHE", "OPENCLAW_ENTRY", "OPENCLAW_LOG_FILE"}
OF_THIS_MACHINE |= {"PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "HOME", "LANG", "MALLOC_ARENA_MAX", "PYTHONUNBUFFERED"}
OF_THIS_MACHINE |= {"OPENCLAW_MODULES"}
PORT = "8080"  # of the health check, which is another one here
OPEN_FILES, PROCESSES = 65536, 4096


def definition() -> dict[str, Any]:
    """The deployed task definition's only container."""
    (container,) = Deployment("dev").task_definition()["containerDefinitions"]
    found: dict[str, Any] = container
    return found


def name_of(pid: int) -> str:
    """The container's name, from the id of the process that started it."""
    return f"agent-{pid}"


def options(container: Mapping[str, Any], port: int, init: str | None) -> list[str]:
    """A container definition as podman's options; `init` is the program that ECS would bring."""
    found = ["--read-only", "--read-only-tmpfs=false"] if container["readonlyRootFilesystem"] else []
    linux = container["linuxParameters"]
    found += [f"--cap-drop={name}" for name in linux["capabilities"]["drop"]]
    found += [f"--stop-timeout={container['stopTimeout']}", f"--memory={container['memory']}m"]
    if linux["initProcessEnabled"] and init is not None:
        found += ["--init", f"--init-path={init}"]
    health = container["healthCheck"]
    # podman adds CMD to a list itself.
    command = [part.replace(PORT, str(port)) for part in health["command"][1:]]
    return [*found, f"--health-cmd={json.dumps(command)}", f"--health-timeout={health['timeout']}s"]


def limits() -> list[str]:
    """podman asks for more than a machine without CAP_SYS_RESOURCE may give."""
    files = min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], OPEN_FILES)
    return [f"--ulimit=nofile={files}:{files}", f"--ulimit=nproc={PROCESSES}:{PROCESSES}"]


def main(folder: str) -> None:
    """Does not return: podman's exit status is the entry point's own."""
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if name not in OF_THIS_MACHINE}
    environment["BRIDGE_PORT"] = str(port)
    command = Store(Path(folder)).podman(
        *("run", "--rm", "--network=host", "--http-proxy=false", "--pull=never", f"--name={name_of(os.getpid())}"),
        *(*options(definition(), port, shutil.which("catatonit")), *limits()),
        *(f"--env={name}" for name in environment),
        IMAGE,
    )
    # No timer: it would be systemd's.
    os.execvpe(command[0], command, os.environ | environment | {"DISABLE_HC_SYSTEMD": "true"})  # noqa: S606


if __name__ == "__main__":
    main(sys.argv[1])
