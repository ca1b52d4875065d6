"""What a MicroVM image of ours is made with: the same for AWS and for the stand-in on one machine."""

from collections.abc import Mapping
from typing import Any

HOOKS_PORT = 9000
MEMORY_MIB = 2048  # with it come 1 vCPU, and bursts to four times both
# In seconds. `ready` waits for OpenClaw's modules. `run` only takes what it is given. `suspend` may have to wait for
# the end of a turn, and for the save. `terminate` is the hand-over: 30 s, as on ECS, and some time to be sure.
RUN, RESUME, SUSPEND, TERMINATE, READY, VALIDATE = 20, 20, 40, 50, 180, 60


def hooks(port: int = HOOKS_PORT) -> dict[str, Any]:
    """All six are on: one that is left out is never called."""
    on = "ENABLED"
    return {
        "port": port,
        "microvmImageHooks": {
            "ready": on,
            "readyTimeoutInSeconds": READY,
            "validate": on,
            "validateTimeoutInSeconds": VALIDATE,
        },
        "microvmHooks": {
            "run": on,
            "runTimeoutInSeconds": RUN,
            "resume": on,
            "resumeTimeoutInSeconds": RESUME,
            "suspend": on,
            "suspendTimeoutInSeconds": SUSPEND,
            "terminate": on,
            "terminateTimeoutInSeconds": TERMINATE,
        },
    }


def environment(told: Mapping[str, str]) -> dict[str, str]:
    """The machine's variables: the deployment's own, and what makes the Bridge serve hooks."""
    return {**told, "RUNTIME": "microvm", "HOOKS_PORT": str(HOOKS_PORT)}


def request(name: str, base: str, role: str, archive: str, told: Mapping[str, str]) -> dict[str, Any]:
    """CreateMicrovmImage's parameters. `archive`: the zip with the Dockerfile, as an S3 address."""
    return {
        "name": name,
        "baseImageArn": base,
        "buildRoleArn": role,
        "codeArtifact": {"uri": archive},
        "cpuConfigurations": [{"architecture": "ARM_64"}],
        "resources": [{"minimumMemoryInMiB": MEMORY_MIB}],
        "hooks": hooks(),
        "environmentVariables": environment(told),
    }
