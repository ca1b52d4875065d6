"""What the agent costs, and what happens near its limit and at it."""

import re

import pytest
from playwright.sync_api import Route, expect

from tests.e2e.app import App
from tests.e2e.people import User
from tests.e2e.rows import cost_is
from tests.e2e.wire import Frame, Wire

REFUSED = {"code": "BUDGET_REACHED", "message": "$5.00 of $5.00 are used."}


@pytest.fixture
def wire(chat: App) -> Wire:
    """The hand on the socket of a signed-in chat."""
    wire = Wire(chat.page)
    chat.reload()
    return wire


def test_the_month_is_told_with_its_limit(chat: App) -> None:
    """Fine, near, reached: by a bar, its colour and words."""
    cost_is(chat, usd=1.234)
    panel = chat.panel("status")
    expect(chat.by("cost")).to_have_text("$1.23 estimated so far in November 2026")
    bar = panel.get_by_role("progressbar", name="Used of this month’s limit")
    expect(bar).to_have_attribute("aria-valuetext", "24 % of the monthly limit of $5.00")
    expect(panel.get_by_text("24 % of the monthly limit of $5.00")).to_be_visible()
    expect(chat.by("budget")).to_have_attribute("data-state", "fine")
    expect(chat.by("change-budget")).to_have_count(0)
    for usd, state, words in (
        (4.0, "near", "The limit is near."),
        (6.5, "reached", "The limit is reached."),
    ):
        chat.by("panel-close").click()
        cost_is(chat, usd=usd)
        chat.panel("status")
        expect(chat.by("budget")).to_have_attribute("data-state", state)
        expect(chat.by("budget")).to_contain_text(words)
    expect(bar).to_have_attribute("value", "100")
    chat.by("change-budget").click()
    expect(chat.by("panel-settings")).to_be_visible()
    expect(chat.by("panel-status")).to_have_count(0)


def test_a_price_that_is_not_known_is_told(chat: App) -> None:
    cost_is(chat, usd=0.0042, complete=False)
    panel = chat.panel("status")
    expect(chat.by("cost")).to_have_text("at least $0.0042 estimated so far in November 2026")
    expect(panel.get_by_text("The price of a model in use is not known")).to_be_visible()


def test_a_near_limit_is_told_without_interrupting(chat: App, wire: Wire) -> None:
    """It stays through the next message, until it is dismissed."""
    wire.say({"type": "notice", "code": "BUDGET_NEAR", "message": "near", "usd": 4.1, "limitUsd": 5.0})
    advice = chat.page.get_by_role("status").filter(has=chat.by("advice"))
    expect(advice).to_contain_text("$4.10 of this month’s limit of $5.00 is used.")
    chat.ask("30+3", "30+3 = 33")
    expect(advice).to_be_visible()
    advice.get_by_role("button", name="Dismiss").click()
    expect(chat.by("advice")).to_have_count(0)
    wire.say({"type": "notice", "code": "SOMETHING_NEW", "message": "In the server's own words."})
    expect(chat.by("advice")).to_contain_text("In the server's own words.")


def test_a_turn_refused_for_the_budget_leads_to_the_settings(chat: App, wire: Wire) -> None:
    """And is tried again when the limit is raised; the answer takes the refusal's place."""

    def refuse(frame: Frame) -> bool:
        if frame["action"] != "sendMessage":
            return False
        key = {"conversationId": frame["conversationId"]}
        wire.say({"type": "ack", "id": frame["id"], **key})
        run = {"runId": "refused", "replyTo": frame["id"], "seq": 1, "messageId": None, "length": 0}
        wire.say({"type": "stream_end", **key, **run, "reason": "error", "error": REFUSED})
        wire.take = lambda frame: False
        return True

    wire.take = refuse
    chat.send("31+3")
    refused = chat.messages("assistant", "error")
    expect(refused.get_by_role("alert")).to_have_text("The monthly limit prevented an answer. $5.00 of $5.00 are used.")
    refused.get_by_test_id("raise-budget").click()
    expect(chat.by("setting-budget")).to_be_visible()
    chat.by("panel-close").click()
    expect(refused.get_by_test_id("raise-budget")).to_be_focused()
    refused.get_by_test_id("try-again").click()
    chat.answered("31+3 = 34")
    expect(chat.questions).to_have_count(1)
    expect(chat.by("versions")).to_contain_text("2/2")


def test_a_limit_of_ones_own(app: App, user: User) -> None:
    """Saved on Enter or on leaving the field; what is no amount is told and not saved."""
    app.sign_in(user)
    app.panel("settings")
    field, saved = app.by("setting-budget"), app.by("settings-saved")
    expect(field).to_have_attribute("placeholder", "Default")
    field.fill("a lot")
    field.press("Enter")
    wrong = app.by("panel-settings").get_by_text("Write an amount from 0.1 to 1000.")
    expect(wrong).to_be_visible()
    expect(field).to_have_attribute("aria-invalid", "true")
    field.fill("2,50")
    field.press("Enter")
    expect(wrong).to_have_count(0)
    expect(saved).to_have_text("Saved")
    expect(field).to_have_value("2.5")
    app.reload()
    app.panel("settings")
    expect(field).to_have_value("2.5")
    field.fill("")
    app.by("setting-idle").focus()
    expect(saved).to_have_text("Saved")
    app.reload()
    app.panel("settings")
    expect(field).to_have_value("")


def test_a_model_is_proposed_or_written(app: App, user: User) -> None:
    """The list helps; any provider/name can be given; empty is the default."""
    known = [{"id": "anthropic/claude", "name": "Claude"}, {"id": "openai/gpt", "name": "GPT"}]

    def handle(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json=answer.json() | {"models": known})

    app.page.route("**/api/settings", handle)
    app.sign_in(user)
    app.panel("settings")
    field, saved = app.by("setting-model"), app.by("settings-saved")
    expect(field).to_have_role("combobox")
    proposed = app.by("panel-settings").locator("datalist option")
    expect(proposed).to_have_count(2)
    expect(proposed.first).to_have_attribute("value", "anthropic/claude")
    field.fill("openai/gpt")  # as a choice from the list comes: whole, and saved at once
    expect(saved).to_have_text("Saved")
    field.fill("nonsense")
    field.press("Enter")
    expect(app.by("panel-settings").get_by_role("alert")).to_have_text("Write it as provider/name.")
    field.fill("openrouter/some/model")
    field.press("Enter")
    expect(app.by("panel-settings").get_by_role("alert")).to_have_count(0)
    app.reload()
    app.panel("settings")
    expect(field).to_have_value(re.compile("^openrouter/some/model$"))
