"""From the click to the first view of OpenClaw's own console, in Chromium, over the whole local stack.

The view is there when the console's own list of pages is drawn: it has signed in to the gateway by then. From sleep,
the first click starts the agent and the second one opens the console, which waits for it.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page

from bench import stack as stacks
from bench.registry import Options
from bench.rows import Row, row
from local.stack import Stack
from tests.e2e.app import App
from tests.e2e.conftest import DESKTOP, launch
from tests.e2e.people import client_of, new_user
from tests.support.client import Client, stop_agent

SECTION = "console"
OPEN_MS = 60_000
SETTLED_SECONDS = 2.0  # a start leaves work behind it: snapshot, settings


def run(options: Options) -> list[Row]:
    with stacks.running(options.folder) as (stack, _), _page(stack) as page:
        user = new_user(stack)
        app, client = App(page), client_of(stack, user)
        app.sign_in(user)
        client.ask("hello")
        awake = [_opened(app) for _ in range(options.runs(15) + 1)][1:]  # the first one fills the browser's cache
        asleep = [_from_sleep(app, client) for _ in range(options.runs(10))]
    names = "the agent awake", "from sleep, the agent's start included"
    return [
        row(SECTION, f"Console, {names[0]}: click to its first view", "s", awake, "console"),
        row(SECTION, f"Console, {names[1]}: click to its first view", "s", asleep),
    ]


@contextmanager
def _page(stack: Stack) -> Iterator[Page]:
    for browser in launch():
        context = browser.new_context(base_url=stack.url, viewport=DESKTOP)
        yield context.new_page()
        context.close()


def _opened(app: App) -> float:
    app.panel("status")
    return _timed(app, time.monotonic())


def _from_sleep(app: App, client: Client) -> float:
    stop_agent(client)
    app.reload()
    app.panel("status")
    begun = time.monotonic()
    app.by("restart-agent").click()
    return _timed(app, begun)


def _timed(app: App, begun: float) -> float:
    app.by("open-console").click()
    console = app.page.frame_locator('[data-testid="console"] iframe')
    console.get_by_role("link", name="Automations", exact=True).wait_for(timeout=OPEN_MS)
    took = time.monotonic() - begun
    app.by("console-close").click()
    app.by("panel-close").click()
    time.sleep(SETTLED_SECONDS)
    return took
