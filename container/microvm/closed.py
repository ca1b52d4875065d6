"""Closes the metadata service to the agent's user, then becomes the Bridge's: `closed.py AGENT BRIDGE COMMAND …`.

`closed.py check` only says whether the user who runs it can reach the service: status 0 if not.

Inside a MicroVM the role's credentials come from that service, and it answers whoever asks. The Bridge needs them, what
the agent runs must not have them. So root adds a routing rule for the agent's user id, sees as that user that it works,
and gives up all rights before anything else of ours begins. The rule is in the kernel's memory, so it is in the
snapshot. If anything here fails, the process ends: there is no image then, or no machine.
"""

import ctypes
import errno
import os
import socket
import subprocess
import sys

# Lambda's, as EC2's; and what ECS and EKS have, so that nothing depends on which of them it will be.
ADDRESSES = ("169.254.169.254", "169.254.170.2", "169.254.170.23", "fd00:ec2::254", "fd00:ec2::23")
PORT = 80
# No other cause says that there is no way: a firewall refuses or is silent, a missing network is unreachable.
CLOSED = errno.EACCES
# A kernel without IPv6 has no such address for anybody.
NO_IPV6 = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)
PRIORITY = "50"  # before the main table, behind the local one
CAP_SETGID, CAP_SETUID, LAST_CAP, PR_CAPBSET_DROP = 6, 7, 63, 24


class Open(Exception):
    """The agent's user could reach it."""


def family(address: str) -> int:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def close(address: str, user: int) -> None:
    """No way leads there for this user. Raises OSError, subprocess.SubprocessError."""
    kind, bits = ("-6", "128") if ":" in address else ("-4", "32")
    rule = ["priority", PRIORITY, "to", f"{address}/{bits}", "uidrange", f"{user}-{user}", "prohibit"]
    subprocess.run(["ip", kind, "rule", "add", *rule], check=True, capture_output=True, timeout=10)


def tried(address: str) -> int:
    """The error of a connection to it; 0 if it is open, or may be."""
    try:
        with socket.socket(family(address), socket.SOCK_STREAM) as connection:
            connection.setblocking(False)
            connection.connect((address, PORT))
    except BlockingIOError:
        return 0  # the kernel has found a way, and sends
    except OSError as error:
        return error.errno or 0
    return 0


def reachable(addresses: tuple[str, ...] = ADDRESSES) -> list[str]:
    """What the current user may reach of it."""
    found = [(address, tried(address)) for address in addresses]
    return [address for address, error in found if error != CLOSED and not (":" in address and error in NO_IPV6)]


def check(user: int) -> None:
    """As that user, in a process of its own. Raises Open."""
    child = os.fork()
    if child == 0:
        become(user)
        os._exit(1 if reachable() else 0)
    if os.waitpid(child, 0)[1] != 0:
        raise Open(f"user {user} can reach one of {', '.join(ADDRESSES)}")


def become(user: int) -> None:
    """That user for good, without any capability."""
    os.setgroups([])
    os.setgid(user)
    os.setuid(user)


def give_up_capabilities() -> None:
    """Nothing that starts later can get any, but to change users: the Bridge becomes the agent's user with these."""
    libc = ctypes.CDLL(None, use_errno=True)
    for number in range(LAST_CAP + 1):
        if number in (CAP_SETGID, CAP_SETUID):
            continue
        if libc.prctl(PR_CAPBSET_DROP, number, 0, 0, 0) != 0 and ctypes.get_errno() != errno.EINVAL:
            raise OSError(ctypes.get_errno(), f"capability {number} stays")


def main(agent: int, bridge: int, command: list[str]) -> None:
    """Does not return."""
    for address in ADDRESSES:
        if family(address) == socket.AF_INET or tried(address) not in NO_IPV6:
            close(address, agent)
    check(agent)
    give_up_capabilities()
    become(bridge)
    os.execvpe(command[0], command, os.environ | {"METADATA_CLOSED": os.path.abspath(__file__)})  # noqa: S606  a program of the image


if __name__ == "__main__":
    if sys.argv[1:] == ["check"]:
        sys.exit(1 if reachable() else 0)
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
