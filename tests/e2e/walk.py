"""A walk through each of the owner's rooms: `python -m tests.e2e.walk FOLDER` writes pictures and says what axe finds.

Asleep and awake, on a desktop and a phone, in English and in Korean. It is for eyes, and takes a minute; what must hold
on each change is in the tests. The status is 1 if axe finds something, or a room is wider than the page.
"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Browser, expect

from chalicelib.people.identity import OWNER
from local.stack import Stack
from tests.e2e.app import App
from tests.e2e.conftest import DESKTOP, PHONE, launch
from tests.e2e.people import User, agent_of, client_of, new_user
from tests.e2e.test_access import AXE, violations
from tests.support.client import cognito
from tests.support.stacks import running

OF_STATUS = ("automations", "hooks", "files", "notes", "memory", "skills", "people")
LANGUAGES: tuple[Literal["en", "ko"], ...] = ("en", "ko")
SETTLE_MS = 1_500  # what a room fetches is there by then


class Walk:
    """One person's way through the rooms; `problems` is what was found."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.problems: list[str] = []

    def through(self, app: App, name: str) -> None:
        """Every room, each closed again."""
        for room in ("settings", "link", "status"):
            app.panel(room)
            self._look(app, f"{name}-{room}")
            app.by("panel-close").click()
        for room in OF_STATUS:
            app.panel("status")
            app.panel(room)
            self._look(app, f"{name}-{room}")
            app.by("panel-close").click()
        app.panel("status")
        app.by("open-console").click()
        self._look(app, f"{name}-console")
        app.page.keyboard.press("Escape")

    def _look(self, app: App, name: str) -> None:
        app.page.wait_for_timeout(SETTLE_MS)
        app.page.screenshot(path=self._folder / f"{name}.png", animations="disabled")
        found = violations(app)
        if name.endswith("-console"):  # OpenClaw's own page in the frame has a banner, too
            found = [line for line in found if "landmark" not in line.partition("(")[0]]
        if app.page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append("wider than the page")
        self.problems += [f"{name}: {line}" for line in found]


@contextmanager
def page(browser: Browser, stack: Stack, size: str, language: str) -> Iterator[App]:
    phone: dict[str, Any] = {"has_touch": True, "is_mobile": True} if size == "phone" else {}
    context = browser.new_context(
        base_url=stack.url,
        viewport=PHONE if size == "phone" else DESKTOP,
        locale={"en": "en-US", "ko": "ko-KR"}[language],
        reduced_motion="reduce",
        **phone,
    )
    context.add_init_script(path=AXE)
    yield App(context.new_page())
    context.close()


def rooms(walk: Walk, browser: Browser, stack: Stack, user: User, state: str) -> None:
    for size in ("desktop", "phone"):
        for language in LANGUAGES:
            with page(browser, stack, size, language) as app:
                app.open()
                app.fill_sign_in(user)
                expect(app.by("open-status")).to_be_visible(timeout=20_000)
                walk.through(app, f"{state}-{size}-{language}")
                walk.problems += [f"{state}-{size}-{language}: {line}" for line in app.problems]


def new_owner(stack: Stack) -> User:
    assert stack.resources is not None
    user, pool = new_user(stack), stack.resources.pool_id
    cognito(stack).admin_add_user_to_group(UserPoolId=pool, Username=user.email, GroupName=OWNER)
    return user


def main(folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    walk = Walk(folder)
    with tempfile.TemporaryDirectory() as scratch:
        for stack in running(Path(scratch)):
            for browser in launch():
                user = new_owner(stack)
                with agent_of(stack, user):
                    rooms(walk, browser, stack, user, "awake")
                client_of(stack, user).close()
                rooms(walk, browser, stack, user, "asleep")
    print("\n".join(walk.problems) or "nothing found")
    return 1 if walk.problems else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
