"""The agent's own unprivileged user. Everything that touches the agent's files runs as this user.

The Bridge never opens the agent's files itself: if the agent
replaced a file by a link at the right moment, the Bridge would use its own rights to read or write
what the agent must not reach. In the image the
Bridge is not root either: it changes users with a program that only it may run.
"""

import contextlib
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO

# container/image/switch_user.py makes it. Without it the Bridge runs as root and needs no helper.
SWITCH = "/opt/switch/setpriv"
DROP = ["--clear-groups", "--inh-caps=-all", "--ambient-caps=-all", "--no-new-privs", "--pdeathsig", "SIGKILL"]
SECONDS = 20.0


class CannotSwitch(Exception):
    """Commands cannot run as the agent's user here; the text says why."""


@dataclass(frozen=True)
class AgentUser:
    """With `uid` None commands run as the current user: a laptop has no second user."""

    uid: int | None = None

    def command(self, arguments: list[str], folder: Path | None = None) -> list[str]:
        """The command that runs `arguments` as the agent's user in `folder`, without any capabilities."""
        if folder is not None:  # only the owner may enter the folder, so the command changes to it
            arguments = ["/bin/sh", "-c", 'cd "$0" && exec "$@"', str(folder), *arguments]
        if self.uid is None:
            return arguments
        program = SWITCH if os.access(SWITCH, os.X_OK) else "setpriv"
        return [program, "--reuid", str(self.uid), "--regid", str(self.uid), *DROP, "--", *arguments]

    def python(self, module: str, *arguments: str) -> list[str]:
        return [sys.executable, "-m", module, *arguments]

    @staticmethod
    def environment() -> dict[str, str]:
        """The environment of our own helpers: only where our code is."""
        path = os.pathsep.join(part for part in sys.path if part)
        return {"PATH": "/usr/local/bin:/usr/bin:/bin", "PYTHONPATH": path, "LANG": "C.UTF-8"}

    def start(
        self,
        arguments: list[str],
        stdin: int | IO[bytes] = subprocess.DEVNULL,
        stdout: int | IO[bytes] = subprocess.PIPE,
    ) -> "subprocess.Popen[bytes]":
        """Start one of our helpers as the agent's user. End it with `signal`: it is another user's process."""
        return subprocess.Popen(
            self.command(arguments), env=self.environment(), stdin=stdin, stdout=stdout, stderr=subprocess.PIPE
        )

    def finish(
        self, process: "subprocess.Popen[bytes]", entered: bytes | None = None, seconds: float = SECONDS
    ) -> "subprocess.CompletedProcess[bytes]":
        """Wait for it. Raises TimeoutError, with the process gone."""
        try:
            output, errors = process.communicate(entered, seconds)
        except BaseException as error:
            self.signal(process.pid, signal.SIGKILL)
            process.communicate()
            if isinstance(error, subprocess.TimeoutExpired):
                raise TimeoutError(f"not done in {seconds:.0f} s") from None
            raise
        return subprocess.CompletedProcess([], process.returncode, output, errors)

    def run(self, arguments: list[str], entered: bytes | None = None, seconds: float = SECONDS) -> "Done":
        """Run a short command as the agent's user and return its result. Raises TimeoutError."""
        stdin = subprocess.DEVNULL if entered is None else subprocess.PIPE
        return self.finish(self.start(arguments, stdin), entered, seconds)

    def signal(self, target: int, number: int) -> None:
        """kill(2) as the agent's user; a negative target is a process group. No effect when it has ended."""
        if self.uid is None or os.geteuid() == 0:
            with contextlib.suppress(ProcessLookupError):
                os.kill(target, number)
            return
        name = signal.Signals(number).name.removeprefix("SIG")
        command = self.command(["/bin/sh", "-c", 'kill -s "$0" -- "$1" 2>/dev/null', name, str(target)])
        subprocess.run(command, env=self.environment(), check=False, timeout=SECONDS)

    def check(self) -> None:
        """Check that we can switch to the agent's user. Raises CannotSwitch."""
        if self.uid is None:
            return
        try:
            done = self.run(["id", "-u"])
            said = done.stderr.decode(errors="replace").strip() or done.stdout.decode(errors="replace").strip()
        except OSError as error:
            said = str(error)
        if said != str(self.uid):
            raise CannotSwitch(
                f"nothing can run as user {self.uid}: {said}. Needed are root, or the capabilities SETUID and "
                "SETGID in the task's bounding set and a task without no-new-privileges"
            )

    def own(self, folder: Path) -> None:
        """Create a folder for the agent before it first runs. Raises CannotSwitch if another user owns it."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self.uid is None:
            return
        if os.geteuid() == 0:
            os.chown(folder, self.uid, self.uid)
        elif folder.stat().st_uid != self.uid:
            raise CannotSwitch(f"{folder} belongs to user {folder.stat().st_uid}, not to the agent, {self.uid}")

    def write(self, path: Path, text: str) -> None:
        """Write a file in the agent's tree as the agent (mode 0600). Raises OSError."""
        script = 'umask 077 && mkdir -p "$(dirname -- "$1")" && cat > "$1"'
        done = self.run(["/bin/sh", "-c", script, "sh", str(path)], text.encode())
        if done.returncode != 0:
            raise OSError(done.stderr.decode(errors="replace").strip())

    def read(self, path: Path) -> str | None:
        """Read a file of the agent's tree as the agent's user; None if it does not exist."""
        done = self.run(["/bin/cat", "--", str(path)])
        return done.stdout.decode(errors="replace") if done.returncode == 0 else None

    def remove(self, folder: Path) -> None:
        """Delete a tree as the agent, write-protected folders too. Raises OSError."""
        script = 'rm -rf -- "$0" 2>/dev/null || { chmod -R u+rwX -- "$0" && rm -rf -- "$0"; }'
        done = self.run(["/bin/sh", "-c", script, str(folder)], seconds=60)
        if done.returncode != 0:
            raise OSError(done.stderr.decode(errors="replace").strip())


Done = subprocess.CompletedProcess[bytes]
