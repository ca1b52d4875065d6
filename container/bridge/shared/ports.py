"""Ports of this machine."""

import socket


def taken(port: int) -> bool:
    """Whether another program has it, so that ours could not start."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return True
    return False
