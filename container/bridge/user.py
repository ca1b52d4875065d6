"""The agent's own unprivileged user: everything that touches its files runs as it.

The Bridge never opens the agent's files itself: a link that the agent swaps in at the right moment
would make it read or write, with its own rights, what the agent must not reach.
"""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class AgentUser:
    """`uid` None runs as whoever we are: on a laptop there is no second user."""

    uid: int | None = None

    def command(self, arguments: list[str]) -> list[str]:
        """The arguments, run as the agent's user, without capabilities or a way to new ones."""
        if self.uid is None:
            return arguments
        number = str(self.uid)
        drop = ["--clear-groups", "--inh-caps=-all", "--ambient-caps=-all", "--no-new-privs", "--pdeathsig", "SIGKILL"]
        return ["setpriv", "--reuid", number, "--regid", number, *drop, "--", *arguments]

    def python(self, module: str, *arguments: str) -> list[str]:
        return self.command([sys.executable, "-m", module, *arguments])

    @staticmethod
    def environment() -> dict[str, str]:
        """For our own helpers: where our code is, and nothing else."""
        path = os.pathsep.join(part for part in sys.path if part)
        return {"PATH": "/usr/local/bin:/usr/bin:/bin", "PYTHONPATH": path, "LANG": "C.UTF-8"}

    def own(self, folder: Path) -> None:
        """Make a folder of ours the agent's, before the agent has ever run."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self.uid is not None:
            os.chown(folder, self.uid, self.uid)

    def write(self, path: Path, text: str) -> None:
        """Write a file in the agent's tree as the agent (mode 0600)."""
        script = 'umask 077 && mkdir -p "$(dirname -- "$1")" && cat > "$1"'
        subprocess.run(
            self.command(["/bin/sh", "-c", script, "sh", str(path)]),
            input=text.encode(),
            env=self.environment(),
            check=True,
            timeout=20,
        )

    def read(self, path: Path) -> str | None:
        """A file of the agent's tree, read as the agent; None when there is none."""
        done = subprocess.run(
            self.command(["/bin/cat", "--", str(path)]),
            env=self.environment(),
            capture_output=True,
            check=False,
            timeout=20,
        )
        return done.stdout.decode(errors="replace") if done.returncode == 0 else None

    def remove(self, folder: Path) -> None:
        """Delete a tree as the agent."""
        command = self.command(["/bin/rm", "-rf", "--", str(folder)])
        subprocess.run(command, env=self.environment(), check=True, timeout=60)
