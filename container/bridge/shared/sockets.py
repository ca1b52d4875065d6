"""Ends a WebSocket that another thread reads."""

import contextlib
from socket import SHUT_RDWR

import websocket


def hang_up(connection: websocket.WebSocket) -> None:
    """Send the close frame, wake the reader and free the descriptor. Does not block.

    websocket-client's own close waits for the lock that the reader holds while it waits for a frame. With a
    peer that hangs this takes until the reader's timeout.
    """
    raw = connection.sock
    with contextlib.suppress(OSError, websocket.WebSocketException):
        connection.send_close()
    if raw is not None:
        with contextlib.suppress(OSError):
            raw.shutdown(SHUT_RDWR)  # wakes the reader; closing the descriptor alone does not
    connection.shutdown()
