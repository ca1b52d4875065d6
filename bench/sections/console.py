"""From the click to the first view of OpenClaw's own console, in Chromium, over the whole local stack.

The view is there when the console's own list of pages is drawn: it has signed in to the gateway by then. From sleep,
the click is on *Wake your agent* in the console's dialog, and the console opens by itself. Early starts are off.
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
        client.rest("PUT", "/settings", {"prewarmBudget": 0})  # else the page itself starts the agent when it is opened
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
    return _timed(app, "open-console")


def _from_sleep(app: App, client: Client) -> float:
    stop_agent(client)
    app.reload()
    app.panel("status")
    app.by("open-console").click()
    return _timed(app, "wake-agent")


def _timed(app: App, click: str) -> float:
    """From that click on."""
    button = app.by(click)
    button.wait_for()
    begun = time.monotonic()
    button.click()
    console = app.page.frame_locator('[data-testid="console"] iframe')
    console.get_by_role("link", name="Automations", exact=True).wait_for(timeout=OPEN_MS)
    took = time.monotonic() - begun
    app.by("console-close").click()
    app.by("panel-close").click()
    time.sleep(SETTLED_SECONDS)
    return took
