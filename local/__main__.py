"""`make run`: install what is missing, start everything, print one URL, stop on Ctrl-C."""

import argparse
import os
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import requests

from chalicelib.platform.signals import on_signals
from local.processes import die_with_parent
from local.stack import Stack, StackError
from local.tools import ToolError, install

ROOT = Path(__file__).resolve().parent.parent


def say(text: str) -> None:
    print(f"  … {text}", flush=True)


def port_is_free(port: int) -> bool:
    with suppress(OSError), socket.create_server(("127.0.0.1", port)):
        return True
    return False


def main() -> int:
    parser = argparse.ArgumentParser(prog="make run", description=__doc__)
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")))
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("DATA", ROOT / ".local" / "data")))
    options = parser.parse_args()
    die_with_parent()
    stop = threading.Event()
    on_signals(lambda _: stop.set(), signal.SIGINT, signal.SIGTERM)
    if not port_is_free(options.port):
        print(f"Port {options.port} is taken: stop what uses it, or run `make run PORT=8001`.", file=sys.stderr)
        return 1
    try:
        begun = time.monotonic()
        tools = install(say)
        stack = Stack(options.data, tools, options.port)
        stack.start(say)
    except (ToolError, StackError) as error:
        print(f"Could not start: {error}", file=sys.stderr)
        return 1
    return _serve(stack, stop, time.monotonic() - begun)


def _serve(stack: Stack, stop: threading.Event, seconds: float) -> int:
    assert stack.resources is not None
    print(f"\nReady after {seconds:.1f} s. Open  {stack.url}")
    print(f"Sign in as  {stack.resources.email}  with  {stack.resources.password}")
    print(f"Telegram, played on this machine:  {stack.telegram_url}")
    print((stack.notice or "Your provider key is in use.") + "  Ctrl-C stops everything.\n", flush=True)
    code, read = 0, 0
    while not stop.wait(1):
        failed = stack.failed()
        if failed is not None:
            print(f"The {failed} ended by itself; its log is in the data folder.", file=sys.stderr)
            code = 1
            break
        read = _show_mail(stack, read)
    print("Stopping.", flush=True)
    stack.stop()
    return code


def _show_mail(stack: Stack, read: int) -> int:
    """Print what Cognito would have mailed since then: nothing leaves this machine."""
    try:
        letters = stack.mail()
    except requests.RequestException:
        return read  # busy or gone; the next look tells
    for letter in letters[read:]:
        print(f"E-mail to {letter['to']}: the {letter['purpose']} code is {letter['code']}", flush=True)
    return len(letters)


if __name__ == "__main__":
    sys.exit(main())
