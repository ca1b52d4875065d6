"""Tells a program of signals, whatever its main thread does."""

import contextlib
import signal
import socket
import threading
from collections.abc import Callable


def on_signals(tell: Callable[[int], None], *numbers: int) -> None:
    """Call `tell` with each of these signals that comes, in a thread of its own. Must be called by the main thread.

    Python runs the handlers of `signal.signal` in the main thread only. If that one waits for a lock and the kernel
    gives the signal to another thread, nothing wakes it: seen on a stand-in that was told to stop and lived on. The
    C part of a handler runs at once in any thread, and writes the number into this socket.
    """
    reading, writing = socket.socketpair()
    writing.setblocking(False)
    signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
    for number in numbers:
        signal.signal(number, lambda *_: None)

    def listen() -> None:
        with contextlib.closing(writing):  # kept open as long as somebody reads
            while True:
                for number in reading.recv(64):
                    if number in numbers:
                        tell(number)

    threading.Thread(target=listen, name="signals", daemon=True).start()
