"""A person pairs and chats as at home: the web panel in one tab, Telegram's stand-in in another."""

import re

from playwright.sync_api import expect

from tests.e2e.app import App
from tests.e2e.conftest import enter


def test_pair_in_one_tap_chat_and_unlink(app: App, warm_session: str) -> None:
    """The panel's button opens the chat, which pairs; both tabs see it at once; answers are formatted in both."""
    enter(app, warm_session)
    expect(app.answers).not_to_have_count(0)  # of the question that woke the agent
    before = app.answers.count()
    app.panel("link")
    expect(app.by("link-code")).to_have_text(re.compile(r"\d{6}"))
    # From here on only the frame can tell the panel, not its poll.
    app.page.route("**/api/link/status", lambda route: route.abort())
    with app.page.context.expect_page() as opened:
        app.by("link-open").click()
    chat = App(opened.value)
    said = chat.by("bot-message")
    expect(said.last).to_contain_text("Paired.", timeout=15_000)
    expect(app.by("link-status")).to_contain_text("Ann")
    app.page.unroute_all()

    chat.page.get_by_label("Message", exact=True).fill("What is 17*3?")
    chat.page.get_by_role("button", name="Send").click()
    expect(said.last).to_contain_text("17*3 = 51", timeout=60_000)
    expect(said.last.locator("strong")).to_have_text("17*3 = 51")
    app.by("panel-close").click()
    app.answered("17*3 = 51", before)

    app.panel("link")
    app.by("unlink").click()
    app.by("confirm-action").click()
    expect(app.by("link-code")).to_be_visible(timeout=10_000)
    expect(said.last).to_contain_text("was unlinked on the web page", timeout=10_000)
    assert chat.problems == []
