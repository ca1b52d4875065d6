"""Pictures of the web app for the documents: `python -m tests.e2e.screenshots` writes docs/images/*.png.

They need a font with emoji (Debian: fonts-noto-color-emoji); the tests do not.
"""

import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, expect

from local.stack import ROOT, Stack
from tests.e2e.app import App
from tests.e2e.conftest import DESKTOP, PHONE, launch
from tests.e2e.people import User, agent_of, client_of, new_user
from tests.e2e.rows import cost_is, diagram_rows, from_history
from tests.e2e.saved import save_title
from tests.e2e.screens import CHAT_SCREENS, DOOR_SCREENS, menu, new_conversation
from tests.support.stacks import running
from tests.support.telegram import Person

IMAGES = ROOT / "docs" / "images"
LARGEST = 160_000
TITLES = ("Weekend in Jeju", "Rye bread, third try", "Tax papers: what is missing", "Bicycle repair")
NOW = 1_795_000_000_000
PANELS = ("agent", "budget-near")
MOMENTS = ("attached", "again", "failed", "streaming", "stopped", "offline")
FOLDERS = {"c-1": "Kitchen", "c-2": "Papers"}
SCREENS = {screen.name: screen for screen in [*DOOR_SCREENS, *CHAT_SCREENS]}


@contextmanager
def view(browser: Browser, stack: Stack, size: str, scheme: str = "light") -> Iterator[App]:
    phone: dict[str, Any] = {"has_touch": True, "is_mobile": True, "device_scale_factor": 1.5}
    context = browser.new_context(
        base_url=stack.url,
        viewport=PHONE if size == "phone" else DESKTOP,
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
        **(phone if size == "phone" else {}),
    )
    app = App(context.new_page())
    yield app
    context.close()


def take(app: App, name: str) -> None:
    path = IMAGES / f"{name}.png"
    app.page.screenshot(path=path, animations="disabled")
    size = path.stat().st_size
    print(f"{path.relative_to(ROOT)}: {size // 1000} KB")
    if size > LARGEST:
        sys.exit(f"{path.name} is larger than {LARGEST // 1000} KB")


def enter(app: App, *names: str, suffix: str) -> None:
    for name in names:
        screen = SCREENS[name]
        screen.enter(app)
        take(app, f"{name}{suffix}")
        screen.leave(app)


def answered(app: App) -> None:
    """A conversation that shows what answers look like."""
    new_conversation(app)
    app.ask("What is 21*2?", "21*2 = 42")
    app.ask("show the long sample, 30 words at a time", "The end of the long sample.")
    expect(app.answers.last.locator(".hljs-keyword").first).to_be_attached()
    app.answers.last.locator("h4").first.evaluate("e => e.scrollIntoView()")
    expect(app.page.get_by_label("Jump to the newest message")).to_be_visible()


def drawn(app: App, name: str) -> None:
    """An answer with a diagram."""
    new_conversation(app)
    from_history(app, diagram_rows())
    expect(app.by("diagram")).to_have_attribute("data-state", "drawn", timeout=30_000)
    take(app, name)


def cold_start(browser: Browser, stack: Stack, user: User) -> None:
    with view(browser, stack, "desktop") as app:
        app.sign_in(user)
        app.send("What is 21*2?")
        expect(app.by("start-card")).to_have_attribute("data-phase", re.compile("restoring|booting"), timeout=30_000)
        take(app, "cold-start")
        app.answered("= 42")
        app.panel("link")
        Person(stack).say(f"/link {app.by('link-code').inner_text()}")
        expect(app.by("link-status")).to_be_visible(timeout=10_000)
        take(app, "telegram-linked")


def all_pictures(browser: Browser, stack: Stack) -> None:
    user = new_user(stack, "you.too@example.com")
    owner = client_of(stack, user).user_id
    for number, title in enumerate(TITLES):
        save_title(stack, owner, f"c-{number}", title, NOW - number * 40_000_000)
    cold_start(browser, stack, new_user(stack, "somebody.new@example.com"))
    for conversation, folder in FOLDERS.items():
        client_of(stack, user).rest("PUT", f"/conversations/{conversation}", {"folder": folder})
    with agent_of(stack, user):
        for size in ("desktop", "phone"):
            for scheme in ("light", "dark"):
                suffix = ("-phone" if size == "phone" else "") + ("-dark" if scheme == "dark" else "")
                with view(browser, stack, size, scheme) as app:
                    app.open()
                    if scheme == "light":
                        expect(app.by("sign-in-submit")).to_be_visible()
                        take(app, f"sign-in{suffix}")
                    app.fill_sign_in(user)
                    app.ready()
                    cost_is(app, usd=1.27)
                    answered(app)
                    take(app, f"chat{suffix}")
                    if scheme == "light":
                        enter(app, "telegram", "settings", suffix=suffix)
                    if size == "desktop" and scheme == "light":
                        enter(app, *PANELS, "two-steps", *MOMENTS, suffix=suffix)
                    if size == "phone" and scheme == "light":
                        enter(app, "budget-reached", suffix=suffix)
                        menu(app)
                        take(app, f"menu{suffix}")
                        app.page.keyboard.press("Escape")
                    if (size == "phone") == (scheme == "dark"):
                        drawn(app, f"diagram{suffix}")


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for stack in running(Path(folder)):
            for browser in launch():
                all_pictures(browser, stack)


if __name__ == "__main__":
    main()
