"""Where an image is built without docker: a folder of its own for buildah and podman, not the machine's."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from ops.steps import ROOT

FOLDER = ROOT / ".local" / "image"
IMAGE = "localhost/serverless-openclaw/agent:latest"


class BuildFailed(Exception):
    """A program is missing or ended otherwise than with status 0. The message is for the person."""


class Store:
    """Images below `folder`; `IMAGE_FOLDER` in the environment sets another one."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = (folder or Path(os.environ.get("IMAGE_FOLDER", FOLDER))).resolve()
        # Not below the folder: podman's sockets need a short path.
        self.state = Path("/run") / f"openclaw-{hashlib.sha256(str(self.folder).encode()).hexdigest()[:8]}"

    @property
    def layout(self) -> Path:
        """The result as an OCI image layout, compressed as it is pushed."""
        return self.folder / "oci"

    @property
    def ready(self) -> Path:
        """Exists while IMAGE in the store is the one of the layout."""
        return self.folder / "ready"

    @property
    def transport(self) -> str:
        """IMAGE in the store, as skopeo names it."""
        return f"containers-storage:[overlay@{self.folder}/store+{self.state}/run]{IMAGE}"

    def buildah(self, *arguments: str) -> list[str]:
        return ["buildah", *self._places(), *arguments]

    def podman(self, *arguments: str) -> list[str]:
        """cgroupfs, because containers and build machines have no systemd."""
        # crun refuses a machine that mounts both versions of cgroups with controllers in each.
        runtime = "runc" if shutil.which("runc") else "crun"
        options = ["--tmpdir", f"{self.state}/libpod", "--cgroup-manager", "cgroupfs", "--runtime", runtime]
        return ["podman", *self._places(), *options, *arguments]

    def _places(self) -> list[str]:
        # overlay: vfs would copy the whole tree for each layer.
        return ["--root", f"{self.folder}/store", "--runroot", f"{self.state}/run", "--storage-driver", "overlay"]


def run(command: Sequence[str], folder: Path = ROOT) -> str:
    """Its output. Raises BuildFailed with its last words."""
    try:
        done = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise BuildFailed(f"{command[0]} is missing (Debian: apt-get install {command[0]})") from None
    if done.returncode != 0:
        words = (done.stdout + done.stderr).strip()[-3000:]
        raise BuildFailed(f"{command[0]} ended with {done.returncode}:\n{words}")
    return done.stdout.strip()
