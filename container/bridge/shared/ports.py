"""Ports of this machine."""

import socket


def taken(port: int) -> bool:
    """Whether another program has it, so that ours could not start."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False
