"""WCAG 2.2 AA by axe-core on every screen: light and dark, desktop and phone."""

from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, expect

from local.stack import ROOT, Stack
from tests.e2e.app import App
from tests.e2e.conftest import DESKTOP, PHONE, enter
from tests.e2e.people import User
from tests.e2e.screens import CHAT_SCREENS, DOOR_SCREENS, Screen
from tests.support.telegram import Person

AXE = Path(ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def violations(app: App) -> list[str]:
    """What axe finds on the screen as it is, in light and in dark."""
    return [f"{scheme}: {found}" for scheme in SCHEMES for found in violations_in(app, scheme)]


def violations_in(app: App, scheme: Literal["light", "dark"]) -> list[str]:
    app.page.emulate_media(color_scheme=scheme)
    found: dict[str, Any] = app.page.evaluate(
        "rules => axe.run({runOnly: {type: 'tag', values: rules}, resultTypes: ['violations']})", RULES
    )
    return [
        f"{one['id']} ({one['impact']}): {one['nodes'][0]['html'][:160]} {one['nodes'][0]['failureSummary'][:300]}"
        for one in found["violations"]
    ]


@pytest.fixture(params=["desktop", "phone"])
def view(request: pytest.FixtureRequest, browser: Browser, stack: Stack) -> Any:
    """A page of that size, with axe in it and without motion, which axe would catch half-way."""
    size = request.param
    phone: dict[str, Any] = {"has_touch": True, "is_mobile": True} if size == "phone" else {}
    context = browser.new_context(
        base_url=stack.url,
        viewport=PHONE if size == "phone" else DESKTOP,
        reduced_motion="reduce",
        **phone,
    )
    context.add_init_script(path=AXE)
    app = App(context.new_page())
    yield app
    context.close()
    assert not app.problems, app.problems


def check(app: App, screens: list[Screen]) -> None:
    found: dict[str, list[str]] = {}
    for screen in screens:
        screen.enter(app)
        if (problems := violations(app)) != []:
            found[screen.name] = problems
        wide = app.page.evaluate("document.documentElement.scrollWidth > innerWidth")
        if wide:
            found.setdefault(screen.name, []).append("wider than the page")
        screen.leave(app)
    assert not found, "\n".join(f"{name}: {line}" for name, lines in found.items() for line in lines)


def test_the_way_in(view: App) -> None:
    """Signing in, signing up, confirming, a forgotten password, with their errors."""
    view.open()
    expect(view.by("sign-in-submit")).to_be_visible()
    check(view, DOOR_SCREENS)


def test_the_chat_and_its_panels(view: App, warm_session: str) -> None:
    """Empty, answered, being written, stopped, offline; every panel and dialog."""
    enter(view, warm_session)
    check(view, CHAT_SCREENS)


def test_the_linked_panel(view: App, user: User, stack: Stack) -> None:
    view.sign_in(user)
    view.panel("link")
    Person(stack).say(f"/link {view.by('link-code').inner_text()}")
    expect(view.by("link-status")).to_be_visible(timeout=10_000)
    assert violations(view) == []
    view.by("unlink").click()
    assert violations(view) == []
