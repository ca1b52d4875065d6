"""Every screen of the web app and how a person gets there and back; for axe and for the pictures."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import FilePayload, expect

from tests.e2e import asked, notes, skills
from tests.e2e.app import App
from tests.e2e.people import address, password
from tests.e2e.pictures import png
from tests.e2e.rows import DOING, cost_is, explained, from_history, given, posted, workspace


def stay(_: App) -> None:
    """Nothing to undo."""


@dataclass(frozen=True)
class Screen:
    name: str
    enter: Callable[[App], None]
    leave: Callable[[App], None] = stay


def menu(app: App) -> None:
    """The list of conversations: behind a button on a phone."""
    opener = app.by("open-menu")
    if opener.is_visible():
        opener.click()
    expect(app.by("conversation-search")).to_be_visible()


def new_conversation(app: App) -> None:
    menu(app)
    app.by("new-conversation").click()
    expect(app.by("empty")).to_be_visible()


def fill_log(app: App) -> None:
    """A conversation with every kind of Markdown."""
    new_conversation(app)
    app.ask("show the long sample, fast", "The end of the long sample.")
    expect(app.answers.first.locator(".hljs-keyword").first).to_be_attached()


def _wrong_password(app: App) -> None:
    app.by("sign-in-email").fill(address())
    app.by("sign-in-password").fill("Wrong-password-1")
    app.by("sign-in-submit").click()
    expect(app.page.get_by_role("alert")).not_to_be_empty(timeout=20_000)


def _sign_up(app: App) -> None:
    app.by("to-sign-up").click()
    expect(app.by("sign-up-submit")).to_be_visible()


def _confirm(app: App) -> None:
    app.by("sign-up-email").fill(address())
    app.by("sign-up-password").fill(password())
    app.by("sign-up-submit").click()
    expect(app.by("confirm-submit")).to_be_visible()


def _back(app: App) -> None:
    app.page.get_by_role("button", name="I have an account").click()


def _reset(app: App) -> None:
    app.by("to-reset").click()
    expect(app.by("reset-send")).to_be_visible()


def _reset_code(app: App) -> None:
    app.by("reset-email").fill("you@example.com")
    app.by("reset-send").click()
    expect(app.by("reset-submit")).to_be_visible()


DOOR_SCREENS = [
    Screen("sign-in", stay),
    Screen("wrong-password", _wrong_password),
    Screen("sign-up", _sign_up),
    Screen("confirm", _confirm, _back),
    Screen("reset", _reset),
    Screen("reset-code", _reset_code, _back),
]


def _streaming(app: App) -> None:
    new_conversation(app)
    app.send("count to 900")
    app.streaming(re.compile(r"\b5\b"))


def _stopped(app: App) -> None:
    app.by("stop").click()
    expect(app.messages("assistant", "aborted")).to_have_count(1)


def _offline(app: App) -> None:
    app.page.context.set_offline(True)
    app.send("Are you there?")
    expect(app.messages("user", "pending")).to_have_count(1)


def _online(app: App) -> None:
    app.messages("user", "pending").get_by_role("button", name="Discard").click()
    app.page.context.set_offline(False)
    expect(app.by("connection")).to_have_attribute("data-state", "open", timeout=15_000)


def _close_panel(app: App) -> None:
    app.by("panel-close").click()


def _close(app: App) -> None:
    app.page.keyboard.press("Escape")


def _link(app: App) -> None:
    app.panel("link")
    expect(app.by("link-code")).to_be_visible()


def _settings(app: App) -> None:
    app.panel("settings")
    expect(app.by("setting-idle")).to_be_visible()
    expect(app.by("totp-enable")).to_be_visible()


def _totp(app: App) -> None:
    _settings(app)
    app.by("totp-enable").click()
    expect(app.page.get_by_role("img", name="QR code")).to_be_visible()


def _status(app: App) -> None:
    explained(app)
    app.panel("status")
    for part in ("stop-agent", "cost"):
        expect(app.by(part)).to_be_visible()
    app.by("cost-parts").locator("summary").click()
    for part in ("starts", "cost-parts"):
        expect(app.by(part).locator("li").nth(2)).to_be_visible()


def _budget(usd: float, state: str) -> Callable[[App], None]:
    def enter(app: App) -> None:
        cost_is(app, usd=usd, complete=False)
        app.panel("status")
        expect(app.by("budget")).to_have_attribute("data-state", state)

    return enter


def _settings_wrong(app: App) -> None:
    _settings(app)
    app.by("setting-budget").fill("a lot")
    app.by("setting-budget").press("Enter")
    expect(app.by("panel-settings").get_by_role("alert")).to_be_visible()


def _attached(app: App) -> None:
    """A preview, and why the other file is not one."""
    paper: FilePayload = {"name": "paper.pdf", "mimeType": "application/pdf", "buffer": b""}
    picture: FilePayload = {"name": "sea.png", "mimeType": "image/png", "buffer": png(90, 60)}
    app.by("attach-input").set_input_files([picture, paper])
    expect(app.page.locator("form.composer").get_by_role("alert")).to_contain_text("paper.pdf")
    app.page.locator("form.composer .attachments img").evaluate("image => image.decode()")


def _detach(app: App) -> None:
    app.page.get_by_role("button", name="Remove sea.png").click()


def _again(app: App) -> None:
    new_conversation(app)
    app.ask("2+2", "2+2 = 4")
    app.by("regenerate").click()
    expect(app.by("versions")).to_contain_text("2/2")
    app.answered("2+2 = 4")


def _asked(app: App) -> None:
    new_conversation(app)
    asked.show(app, asked.page(app.conversation_id))
    expect(app.by("question")).to_have_count(len(asked.QUESTIONS))
    app.by("thinking").locator("summary").click()
    app.by("card").locator("summary").click()


def _failed(app: App) -> None:
    """Read from the history: a real failure is tried three times, which would keep the agent from its next turn."""
    new_conversation(app)
    asked.show(app, asked.failed(app.conversation_id))
    app.ready()
    expect(app.by("try-again")).to_be_visible()
    expect(app.by("status")).to_have_text("Awake")


def _stop_agent(app: App) -> None:
    _status(app)
    app.by("stop-agent").click()
    expect(app.by("confirm-action")).to_be_visible()


def _automations(app: App) -> None:
    """Two that the server tells of: one that waits, and one that is paused and about to go on. A helper works."""
    app.page.route("**/api/automations", lambda route: route.fulfill(json=DOING))
    app.panel("status")
    app.by("open-automations").click()
    expect(app.by("automation")).to_have_count(2)


def _hooks(app: App) -> None:
    """One that has just been made: its address is shown."""
    app.panel("status")
    app.by("open-hooks").click()
    app.by("hook-name").fill("Home Assistant")
    app.by("hook-instruction").fill("Tell me when the washing machine is done.")
    app.by("hook-create").click()
    expect(app.by("hook-url")).to_be_visible()


def _revoke_hook(app: App) -> None:
    app.by("hook-revoke").click()
    app.by("confirm-action").click()
    expect(app.by("hook")).to_have_count(0)
    _close_panel(app)


def _posted(app: App) -> None:
    """What a program sent, and the answer, from the history."""
    new_conversation(app)
    from_history(app, posted())
    expect(app.by("cause")).to_have_count(2)


def _files(app: App) -> None:
    new_conversation(app)
    from_history(app, given())


def _close_both(app: App) -> None:
    _close(app)
    _close_panel(app)


def _search(app: App) -> None:
    menu(app)
    app.by("conversation-search").fill("no such conversation")
    expect(app.page.get_by_text("Nothing matches")).to_be_visible()


def _end_search(app: App) -> None:
    app.by("conversation-search").fill("")
    if app.by("open-menu").is_visible():
        _close(app)


CHAT_SCREENS = [
    Screen("empty", new_conversation),
    Screen("telegram", _link, _close_panel),
    Screen("settings", _settings, _close_panel),
    Screen("two-steps", _totp, _close_panel),
    Screen("settings-wrong", _settings_wrong, _close_panel),
    Screen("agent", _status, _close_panel),
    Screen("automations", _automations, _close_panel),
    Screen("hooks", _hooks, _revoke_hook),
    Screen("workspace", workspace, _close_panel),
    *(Screen(name, *ways) for name, ways in {**notes.SCREENS, **skills.SCREENS}.items()),
    Screen("files", _files),
    Screen("budget-near", _budget(4.2, "near"), _close_panel),
    Screen("budget-reached", _budget(6.0, "reached"), _close_panel),
    Screen("stop-agent", _stop_agent, _close_both),
    Screen("search", _search, _end_search),
    Screen("attached", _attached, _detach),
    Screen("again", _again),
    Screen("failed", _failed),
    Screen("asked", _asked),
    Screen("posted", _posted),
    Screen("answered", fill_log),
    Screen("streaming", _streaming),
    Screen("stopped", _stopped),
    Screen("offline", _offline, _online),
]
