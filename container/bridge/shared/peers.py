"""Which Unix user is at the other end of a TCP connection that comes from this machine itself.

The kernel's tables (/proc/net/tcp and tcp6) have a row for each end of a connection, with the user who made the
socket. An end on another machine has no row. When a process has closed its socket, the row says user 0 and no
inode, and tells nothing about its user.
"""

import enum
import ipaddress
import socket
import sys
from pathlib import Path

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
USER, INODE = 7, 9  # columns
# One read, of some ms, can miss a row while others come and go.
READS = 2


class Unknown(enum.Enum):
    """Why there is no user."""

    ELSEWHERE = "not on this machine"
    CLOSED = "closed already"
    NO_ROW = "on this machine, and in no table"


def owner(peer: tuple[str, int], here: tuple[str, int]) -> int | Unknown:
    """The user of `peer`, an end of a connection to `here`. Raises OSError: the table cannot be read."""
    for _ in range(READS):
        found = _row(peer, here)
        if found is not None:
            return int(found[USER]) if found[INODE] != "0" else Unknown.CLOSED
        if not is_local(peer[0]):
            return Unknown.ELSEWHERE
    return Unknown.NO_ROW


def _row(peer: tuple[str, int], here: tuple[str, int]) -> list[str] | None:
    theirs, ours = _forms(peer), _forms(here)
    wanted = [f" {one} {other} " for one, other in zip(theirs, ours, strict=True)]
    for table in TABLES:
        try:
            rows = table.read_text(encoding="ascii")
        except FileNotFoundError:
            if table is TABLES[0]:
                raise
            continue  # a kernel without IPv6
        for row in rows.splitlines():
            if any(pair in row for pair in wanted):
                return row.split()
    return None


def _forms(end: tuple[str, int]) -> list[str]:
    """How the tables write it. A socket of IPv6 may have an IPv4 address, in a form of its own."""
    address, port = plain(end[0]), end[1]
    forms = [address.packed]
    if isinstance(address, ipaddress.IPv4Address):
        forms.append(bytes(10) + b"\xff\xff" + address.packed)
    else:
        forms.append(address.packed)
    return [f"{_words(form)}:{port:04X}" for form in forms]


def _words(packed: bytes) -> str:
    """In words of four bytes, in the order of this processor."""
    starts = range(0, len(packed), 4)
    return "".join(f"{int.from_bytes(packed[start : start + 4], sys.byteorder):08X}" for start in starts)


def plain(address: str) -> Address:
    """Without its interface, and IPv4 as IPv4."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return mapped or ip


def is_local(address: str) -> bool:
    """Whether it is one of this machine's: only those can be bound. If the kernel lets all be bound, all are."""
    ip = plain(address)
    if ip.is_loopback or (ip.version == 6 and ip.is_link_local):  # the latter needs its interface; nobody routes it
        return True
    family = socket.AF_INET if ip.version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((str(ip), 0))
        except OSError:
            return False
    return True
