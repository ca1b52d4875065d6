"""A program that is told to stop stops, whichever of its threads the signal reaches."""

import signal
import subprocess
import sys

import pytest

PROGRAM = """
import signal, sys, threading, time
from chalicelib.platform.signals import on_signals

stop = threading.Event()
def told(number):
    print("told", number, flush=True)
    stop.set()
on_signals(told, signal.SIGTERM, signal.SIGINT)

def elsewhere():
    time.sleep(0.3)  # the main thread waits by then
    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
    time.sleep(60)
if sys.argv[1] == "other thread":
    threading.Thread(target=elsewhere, daemon=True).start()
print("ready", flush=True)
stop.wait()
"""


@pytest.mark.parametrize("reached", ["other thread", "process"])
def test_a_signal_stops_a_program_whose_main_thread_waits(reached: str) -> None:
    with subprocess.Popen([sys.executable, "-c", PROGRAM, reached], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        if reached == "process":
            process.send_signal(signal.SIGINT)
        try:
            assert process.wait(10) == 0
        finally:
            process.kill()
        number = signal.SIGINT if reached == "process" else signal.SIGTERM
        assert process.stdout.read() == f"told {int(number)}\n"
