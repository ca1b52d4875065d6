"""What each long-lived child process of the Bridge needs."""

import ctypes
import os
import signal
import subprocess
import sys


def die_with_parent() -> None:
    """Linux's PR_SET_PDEATHSIG: a Bridge that is killed leaves no OpenClaw behind.

    The kernel takes the thread that starts the process for its parent: that thread must live as long.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)


def drain_output(process: "subprocess.Popen[bytes]") -> None:
    """Keep the pipe empty. OpenClaw's own lines may hold text: only the local stack keeps them."""
    assert process.stdout is not None
    debug = os.environ.get("OPENCLAW_LOG_FILE")
    with open(debug or os.devnull, "ab") as copy:
        for line in process.stdout:
            copy.write(line)
            copy.flush()
    process.stdout.close()
