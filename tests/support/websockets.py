"""A WebSocket server of one handler, for tests of our clients."""

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Iterator

from aiohttp import web


@contextlib.contextmanager
def served(handler: Callable[[web.Request], Awaitable[web.WebSocketResponse]]) -> Iterator[str]:
    """Its URL; the server and what its handlers wait for end with the block."""
    ready, done, where = threading.Event(), threading.Event(), []

    async def serve() -> None:
        app = web.Application()
        app.router.add_get("/", handler)
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        where.append(runner.addresses[0][1])
        ready.set()
        await asyncio.to_thread(done.wait)
        await runner.cleanup()
        # What a client has just left is closed by the loop's next rounds. Else it warns when it is collected.
        await asyncio.sleep(0.1)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(10)
    yield f"ws://127.0.0.1:{where[0]}/"
    done.set()
    thread.join(10)
