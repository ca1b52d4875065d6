"""A stand-in as a process of its own: it prints its port as JSON, and serves until SIGTERM or its parent's end."""

import argparse
import asyncio
import json
import signal
from collections.abc import Callable

from aiohttp import web

from local.processes import die_with_parent


def main(description: str | None, make: Callable[[], web.Application]) -> None:
    """Run the application that `make` returns; it is called within the event loop."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--port", type=int, default=0)
    port = parser.parse_args().port
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when we go
    asyncio.run(_serve(make, port))


async def _serve(make: Callable[[], web.Application], port: int) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    runner = web.AppRunner(make(), access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    print(json.dumps({"port": runner.addresses[0][1]}), flush=True)
    await stop.wait()
    await runner.cleanup()
