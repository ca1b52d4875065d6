"""The panels: settings, looks, the agent's state, and Telegram with its code and countdown."""

import json
import re

import pytest
import requests
from playwright.sync_api import Locator, expect

from local.stack import Stack
from tests.e2e.app import App
from tests.e2e.people import User
from tests.support.telegram import Person

COUNTDOWN = re.compile(r"^New code in (\d):(\d\d)$")


# A setting without an explanation, or a list without its default.
UNEXPLAINED = """() => [...document.querySelectorAll('[data-testid="settings"] :is(select, input)')]
  .filter((one) => !one.getAttribute("aria-describedby")
    || one.tagName === "SELECT" && one.dataset.testid !== "setting-zone"
      && [...one.options].filter((option) => /default/i.test(option.text)).length !== 1)
  .map((one) => one.dataset.testid)"""


def unexplained(app: App) -> list[str]:
    """With a heartbeat, so that its hours are there too."""
    app.by("setting-heartbeat").select_option("60")
    expect(app.by("setting-heartbeat-hours")).to_be_visible()
    expect(app.by("settings-saved")).to_have_text("Saved")
    found: list[str] = app.page.evaluate(UNEXPLAINED)
    app.by("setting-heartbeat").select_option("")
    return found


def test_settings_are_saved_as_they_are_made(app: App, user: User) -> None:
    """And are still there after a reload. Meanwhile the page has said once that its person is here."""
    sent: list[str] = []
    app.page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(str(frame))))
    app.sign_in(user)
    app.by("composer").fill("perhaps later")
    app.panel("settings")
    assert unexplained(app) == []
    saved = app.by("settings-saved")
    choices = {"setting-idle": "30", "setting-zone": "Asia/Seoul", "setting-retention": "90", "setting-early": "0.6"}
    for test_id, value in choices.items():
        app.by(test_id).select_option(value)
        expect(saved).to_have_text("Saved")
    assert len([frame for frame in sent if "intent" in frame]) == 1
    app.reload()
    app.panel("settings")
    expect(app.by("setting-idle")).to_have_value("30")
    expect(app.by("setting-zone")).to_have_value("Asia/Seoul")
    expect(app.by("setting-retention")).to_have_value("90")
    expect(app.by("setting-early")).to_have_value("0.6")
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
    app.reload()
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


REMINDER = {
    "name": "water the plants",
    "schedule": {"kind": "every", "everyMs": 3_600_000},
    "payload": {"kind": "agentTurn", "message": "say: Please water the plants."},
}


def open_from_status(app: App, name: str) -> Locator:
    """A panel that is behind the agent's own."""
    app.panel("status")
    app.by(f"open-{name}").click()
    panel = app.by(f"panel-{name}")
    expect(panel).to_be_visible()
    return panel


def stop_work(chat: App, panel: Locator) -> None:
    """A background command is listed as soon as it runs, and gone when it is stopped."""
    panel.get_by_test_id("panel-close").click()
    chat.ask(f"call exec {json.dumps({'command': 'sleep 600', 'background': True})}", "Command still running")
    panel = open_from_status(chat, "automations")
    expect(panel.get_by_test_id("working")).to_contain_text("sleep 600", timeout=10_000)
    panel.get_by_test_id("working-stop").click()
    expect(panel.get_by_test_id("working")).to_have_count(0, timeout=10_000)


def test_an_automation_is_shown_paused_run_and_deleted(chat: App) -> None:
    """And what it says is no answer: it names its cause."""
    chat.send(f"call automations {json.dumps({'action': 'add', 'job': REMINDER})}")
    chat.answered("water the plants")
    panel = open_from_status(chat, "automations")
    row = panel.get_by_test_id("automation")
    expect(row).to_contain_text("water the plants")
    expect(row).to_contain_text("every hour")
    expect(row).to_contain_text("Next: ")
    row.get_by_test_id("automation-pause").click()
    expect(row).to_contain_text("Paused", timeout=10_000)
    row.get_by_test_id("automation-resume").click()
    expect(row).to_contain_text("Next: ", timeout=10_000)
    row.get_by_test_id("automation-run").click()
    expect(row).to_contain_text("Last: ", timeout=20_000)
    row.get_by_test_id("automation-delete").click()
    chat.by("confirm-action").click()
    expect(panel.get_by_test_id("automations-none")).to_be_visible(timeout=10_000)
    stop_work(chat, panel)
    panel.get_by_test_id("panel-close").click()
    said = chat.answers.filter(has=chat.by("cause"))
    expect(said).to_have_count(1, timeout=10_000)
    expect(said.get_by_test_id("cause")).to_have_text("Reminder: water the plants, every hour")
    expect(said).to_contain_text("Please water the plants.")
    expect(said.get_by_test_id("regenerate")).to_have_count(0)


def test_a_hook_is_made_used_and_revoked(chat: App) -> None:
    """Its address is shown once; what is posted there is shown as the program's, not as the person's."""
    panel = open_from_status(chat, "hooks")
    expect(panel.get_by_test_id("hooks-none")).to_be_visible()
    panel.get_by_test_id("hook-name").fill("GitHub")
    panel.get_by_test_id("hook-instruction").fill("Tell me about failed builds.")
    panel.get_by_test_id("hook-create").click()
    url = panel.get_by_test_id("hook-url").inner_text()
    assert re.fullmatch(r"http://[\w.:]+/api/hooks/[\w-]{22}", url)
    expect(panel.get_by_test_id("hook")).to_contain_text("Not used yet")
    assert requests.post(url, json={"text": "say: Build 7 has failed."}, timeout=30).status_code == 202
    panel.get_by_test_id("panel-close").click()
    chat.page.locator('[data-testid="conversation-item"]', has_text="Hook: GitHub").get_by_role("button").first.click()
    expect(chat.answered("Build 7 has failed.").get_by_test_id("cause")).to_have_text("Hook: GitHub")
    posted = chat.questions.first
    expect(posted.get_by_test_id("cause")).to_have_text("Hook: GitHub")
    expect(posted).to_contain_text('{"text": "say: Build 7 has failed."}')
    for button in ("edit", "regenerate"):
        expect(chat.by(button)).to_have_count(0)
    panel = open_from_status(chat, "hooks")
    expect(panel.get_by_test_id("hook")).to_contain_text("Posts: 1. Last: ")
    expect(panel.get_by_test_id("hook-url")).to_have_count(0)
    panel.get_by_test_id("hook-revoke").click()
    chat.by("confirm-action").click()
    expect(panel.get_by_test_id("hooks-none")).to_be_visible()
    assert requests.post(url, json={}, timeout=30).status_code == 404
