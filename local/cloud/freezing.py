"""A machine that stands still: all its processes are stopped, and its connections to the outside are cut.

The connections between its own processes stay, as they do inside a virtual machine.
"""

import ctypes
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

_PIDFD_GETFD = 438  # the same on x86-64 and ARM64
_ESTABLISHED = "01"
Ends = tuple[str, str]


def freeze(root: int, home: Path) -> set[int]:
    """SIGSTOP to a process and to all that belongs to it; returns them. A stopped process starts no others."""
    stopped: set[int] = set()
    while new := members(root, home) - stopped:
        for pid in new:
            _signal(pid, signal.SIGSTOP)
        stopped |= new
    return stopped


def thaw(root: int, home: Path) -> None:
    for pid in members(root, home):
        _signal(pid, signal.SIGCONT)


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def members(root: int, home: Path) -> set[int]:
    """A process, its descendants, and whatever else has its working directory in its home."""
    parents: dict[int, int] = {}
    found = {root}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            if Path(os.readlink(entry / "cwd")).is_relative_to(home):
                found.add(int(entry.name))
        except OSError:
            continue  # it has ended
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def cut(pids: set[int]) -> int:
    """Shut down every TCP connection that leads out of these processes; returns their number. Raises OSError."""
    own = dict(_sockets(pids))
    ends = _connections()
    inside = {ends[inode] for inode in own if inode in ends}
    outward = {inode for inode in own if inode in ends and ends[inode][::-1] not in inside}
    for inode in outward:
        _shut(*own[inode])
    return len(outward)


def _sockets(pids: set[int]) -> Iterator[tuple[str, tuple[int, int]]]:
    """The inode of each open socket, with its process and descriptor."""
    for pid in pids:
        try:
            names = os.listdir(f"/proc/{pid}/fd")
        except OSError:
            continue
        for name in names:
            try:
                target = os.readlink(f"/proc/{pid}/fd/{name}")
            except OSError:
                continue
            if target.startswith("socket:["):
                yield target[8:-1], (pid, int(name))


def _connections() -> dict[str, Ends]:
    """Local and remote end of each TCP connection of this machine, by inode."""
    found: dict[str, Ends] = {}
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == _ESTABLISHED:
                found[fields[9]] = _plain(fields[1]), _plain(fields[2])
    return found


def _plain(end: str) -> str:
    """An IPv4 address is written in IPv6 too."""
    address, port = end.split(":")
    return f"{address[-8:]}:{port}"


def _shut(pid: int, descriptor: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    handle = os.pidfd_open(pid)
    try:
        copy = libc.syscall(_PIDFD_GETFD, handle, descriptor, 0)
        if copy < 0:
            raise OSError(ctypes.get_errno(), "a connection of the machine cannot be cut here")
        with socket.socket(fileno=copy) as connection:
            connection.shutdown(socket.SHUT_RDWR)
    finally:
        os.close(handle)
