"""The panels: settings, looks, the agent's state, and Telegram with its code and countdown."""

import re

import pytest
from playwright.sync_api import expect

from local.stack import Stack
from tests.e2e.app import App
from tests.e2e.people import User
from tests.support.telegram import Person

COUNTDOWN = re.compile(r"^New code in (\d):(\d\d)$")


def test_settings_are_saved_as_they_are_made(app: App, user: User) -> None:
    """And are still there after a reload."""
    app.sign_in(user)
    app.panel("settings")
    saved = app.by("settings-saved")
    for test_id, value in (("setting-idle", "30"), ("setting-zone", "Asia/Seoul"), ("setting-retention", "90")):
        app.by(test_id).select_option(value)
        expect(saved).to_have_text("Saved")
    app.page.reload()
    app.panel("settings")
    expect(app.by("setting-idle")).to_have_value("30")
    expect(app.by("setting-zone")).to_have_value("Asia/Seoul")
    expect(app.by("setting-retention")).to_have_value("90")
    app.by("setting-idle").select_option("")
    expect(saved).to_have_text("Saved")


def test_looks_and_language_are_this_browsers(app: App, user: User) -> None:
    """Dark and light by choice or by the system; English and Korean; both survive a reload."""
    app.sign_in(user)
    app.panel("settings")
    background = "getComputedStyle(document.documentElement).backgroundColor"
    app.by("setting-theme").select_option("dark")
    dark = app.page.evaluate(background)
    app.by("setting-theme").select_option("light")
    light = app.page.evaluate(background)
    assert dark != light
    app.by("setting-theme").select_option("system")
    app.page.emulate_media(color_scheme="dark")
    assert app.page.evaluate(background) == dark
    app.by("panel-settings").get_by_label("Language").select_option("ko")
    expect(app.page.get_by_role("heading", name="설정")).to_be_visible()
    app.page.reload()
    expect(app.by("new-conversation")).to_have_text("새 대화")
    expect(app.page.locator("html")).to_have_attribute("lang", "ko")


def seconds_left(app: App) -> int:
    found = COUNTDOWN.match(app.by("link-countdown").inner_text())
    assert found
    return int(found[1]) * 60 + int(found[2])


def test_a_telegram_code_counts_down_and_is_replaced(app: App, user: User) -> None:
    """Nobody is ever shown a code that has run out."""
    app.page.clock.install()
    app.sign_in(user)
    app.panel("link")
    expect(app.by("link-countdown")).to_have_text(COUNTDOWN)
    assert 290 <= seconds_left(app) <= 300
    first = app.by("link-code").inner_text()
    assert re.fullmatch(r"\d{6}", first)
    expect(app.page.get_by_role("img", name="QR code")).to_be_visible()
    expect(app.by("link-open")).to_have_attribute("href", re.compile(r"/\w+\?start=[\w-]+$"))
    app.page.clock.fast_forward("04:00")
    expect(app.by("link-countdown")).to_have_text(re.compile(r"^New code in [01]:\d\d$"))
    expect(app.by("link-code")).to_have_text(first)
    app.page.clock.fast_forward("01:05")
    expect(app.by("link-code")).not_to_have_text(first)
    expect(app.by("link-code")).to_have_text(re.compile(r"^\d{6}$"))
    assert seconds_left(app) > 200


@pytest.mark.parametrize("way", ["typed code", "deep link"])
def test_telegram_is_linked_and_unlinked(app: App, user: User, stack: Stack, way: str) -> None:
    """The open panel notices by itself; only after a confirmation is the link taken back."""
    person = Person(stack)
    app.sign_in(user)
    app.panel("link")
    if way == "typed code":
        person.say(f"/link {app.by('link-code').inner_text()}")
    else:
        link = app.by("link-open").get_attribute("href") or ""
        person.say(f"/start {link.partition('start=')[2]}")
    expect(app.by("link-status")).to_contain_text("Linked to ", timeout=10_000)
    app.by("unlink").click()
    app.page.get_by_role("button", name="Cancel").click()
    expect(app.by("link-status")).to_be_visible()
    app.by("unlink").click()
    app.by("confirm-action").click()
    expect(app.by("link-code")).to_have_text(re.compile(r"^\d{6}$"))
    expect(app.by("link-status")).to_have_count(0)


def test_the_keyboard_is_enough(app: App, user: User) -> None:
    """The focus goes into a panel, stays there, and comes back to where it was."""
    app.sign_in(user)
    app.page.keyboard.press("Tab")
    opener = app.by("open-settings")
    opener.focus()
    app.page.keyboard.press("Enter")
    panel = app.by("panel-settings")
    expect(panel.get_by_test_id("panel-close")).to_be_focused()
    for _ in range(30):
        app.page.keyboard.press("Tab")
        inside = "document.activeElement === document.body || !!document.activeElement.closest('dialog')"
        assert app.page.evaluate(inside)
    app.page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    expect(opener).to_be_focused()
