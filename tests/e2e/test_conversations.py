"""Several conversations: found, named, deleted, and read back to their beginning."""

import json
import re
from pathlib import Path

from playwright.sync_api import Locator, Route, expect

from local.stack import Stack
from tests.e2e.app import App
from tests.e2e.people import User, client_of
from tests.e2e.saved import START, save_title, save_turns
from tests.e2e.test_access import AXE, violations
from tests.support.client import Client, Frame, eventually

TURNS = 50
HALF_A_DAY = 12 * 3_600_000


def test_several_conversations_are_kept_apart(chat: App) -> None:
    """Each has its own messages, its address, and a title from its first message."""
    first = chat.conversation_id
    chat.ask("13+13", "13+13 = 26")
    second = chat.new_conversation()
    expect(chat.by("empty")).to_be_visible()
    chat.ask("14+14", "14+14 = 28")
    expect(chat.questions).to_have_count(1)
    expect(chat.item(first)).to_have_text("13+13")
    chat.item(first).get_by_role("button", name="13+13", exact=True).click()
    chat.answered("13+13 = 26")
    expect(chat.page).to_have_url(re.compile(f"{first}$"))
    chat.page.go_back()
    expect(chat.page).to_have_url(re.compile(f"{second}$"))
    chat.answered("14+14 = 28")


def test_a_draft_stays_with_its_conversation(chat: App) -> None:
    first = chat.conversation_id
    chat.ask("15+15", "= 30")
    chat.by("composer").fill("half a thought")
    chat.new_conversation()
    expect(chat.by("composer")).to_have_value("")
    chat.item(first).get_by_role("button", name="15+15", exact=True).click()
    expect(chat.by("composer")).to_have_value("half a thought")


def test_search_rename_delete_pin_and_model(app: App, user: User, stack: Stack) -> None:
    """All hold after a reload, the pin and the model too."""
    client = client_of(stack, user)
    for name, title in (("c-harbour", "The harbour at noon"), ("c-recipe", "Recipe for bread"), ("c-trip", "Trip")):
        save_turns(stack, client.user_id, name, 1)
        save_title(stack, client.user_id, name, title)
    app.page.add_init_script(path=AXE)
    app.page.emulate_media(reduced_motion="reduce")
    app.page.route("**/api/settings", two_models)
    app.sign_in(user)
    search = app.by("conversation-search")
    search.fill("noon HARB")
    expect(app.by("conversation-item")).to_have_text(["The harbour at noon"])
    search.fill("nothing like it")
    expect(app.page.get_by_text("Nothing matches “nothing like it”.")).to_be_visible()
    search.fill("")

    rename_and_delete(app)
    pin_and_choose(app)
    app.reload()
    expect(app.item("c-recipe")).to_have_text("Rye bread")
    expect(app.item("c-trip")).to_have_count(0)
    expect(pinned(app)).to_have_text(["Rye bread"])
    app.panel("conversation")
    expect(app.by("conversation-model")).to_have_value("custom/other")
    assert violations(app) == []
    app.by("conversation-model").select_option("")
    eventually(lambda: listed(client)["c-recipe"].get("model") is None)
    app.by("panel-close").click()
    app.item("c-recipe").hover()
    app.item("c-recipe").get_by_test_id("pin").click()
    expect(app.page.get_by_role("heading", name="Pinned")).to_have_count(0)
    file_away(app, client)
    app.page.goto("/#/c/c-trip")
    expect(app.by("empty")).to_be_visible()


def rename_and_delete(app: App) -> None:
    app.item("c-recipe").hover()
    app.item("c-recipe").get_by_test_id("rename").click()
    app.by("title-input").fill("Rye bread")
    with app.page.expect_response("**/api/conversations/c-recipe"):
        app.by("title-input").press("Enter")
        expect(app.item("c-recipe")).to_have_text("Rye bread")
    app.item("c-trip").hover()
    app.item("c-trip").get_by_test_id("delete").click()
    app.page.get_by_role("button", name="Cancel").click()
    expect(app.item("c-trip")).to_be_visible()
    app.item("c-trip").get_by_test_id("delete").click()
    # It goes from the list at once; on the server a little later.
    with app.page.expect_response("**/api/conversations/c-trip"):
        app.by("confirm-action").click()
        expect(app.item("c-trip")).to_have_count(0)


def two_models(route: Route) -> None:
    """What a container publishes when it starts."""
    answer = route.fetch()
    models = [{"id": "custom/demo", "name": "demo", "default": True}, {"id": "custom/other", "name": "other"}]
    route.fulfill(response=answer, json=answer.json() | {"models": models})


def pinned(app: App) -> Locator:
    group = app.page.locator("section", has=app.page.get_by_role("heading", name="Pinned", exact=True))
    return group.get_by_test_id("conversation-item")


def file_away(app: App, client: Client) -> None:
    """Into a new folder, closed by keyboard and after a reload, opened by a search, and out of it again."""
    app.panel("conversation")
    app.by("conversation-folder").select_option(label="New folder…")
    expect(app.by("folder-name")).to_be_focused()
    app.by("folder-name").fill(" Baking ")
    app.by("folder-name").press("Enter")
    expect(app.by("conversation-folder")).to_have_value("Baking")
    app.by("panel-close").click()
    head = app.by("folder-head")
    expect(head).to_have_accessible_name("Baking Conversations: 1")
    expect(app.by("folder").get_by_test_id("conversation-item")).to_have_text("Rye bread")
    assert violations(app) == []
    eventually(lambda: listed(client)["c-recipe"].get("folder") == "Baking")
    head.press("Enter")
    expect(app.item("c-recipe")).to_have_count(0)
    app.reload()
    expect(head).to_have_attribute("aria-expanded", "false")
    app.by("conversation-search").fill("rye")
    expect(app.item("c-recipe")).to_be_visible()
    app.by("conversation-search").fill("")
    expect(app.item("c-recipe")).to_have_count(0)
    client.rest("PUT", "/conversations/c-recipe", {"folder": None})  # on another device
    expect(head).to_have_count(0)
    expect(app.item("c-recipe")).to_be_visible()


def listed(client: Client) -> dict[str, Frame]:
    rows = client.rest("GET", "/conversations").json()["conversations"]
    return {row["conversationId"]: row for row in rows}


def pin_and_choose(app: App) -> None:
    """The pin by keyboard: the focus stays on it, although its row moves."""
    pin = app.item("c-recipe").get_by_test_id("pin")
    pin.focus()
    with app.page.expect_response("**/api/conversations/c-recipe"):
        app.page.keyboard.press("Enter")
        expect(pinned(app)).to_have_text(["Rye bread"])
    expect(app.by("conversation-item").first).to_have_text("Rye bread")
    expect(pin).to_be_focused()
    expect(pin).to_have_accessible_name("Unpin: Rye bread")
    assert violations(app) == []
    app.item("c-recipe").get_by_role("button").first.click()
    expect(app.questions).to_have_count(1)
    app.panel("conversation")
    options = app.by("conversation-model").locator("option")
    expect(options).to_have_text(["As in Settings (custom/demo)", "custom/demo", "custom/other"])
    with app.page.expect_response("**/api/conversations/c-recipe"):
        app.by("conversation-model").select_option("custom/other")
    app.by("panel-close").click()


def test_a_change_that_fails_is_told_and_taken_back(chat: App) -> None:
    """The list shows a change at once; when the server refuses it, it says so and shows what is."""
    chat.ask("16+16", "= 32")
    item = chat.item(chat.conversation_id)

    def refuse(route: Route) -> None:
        if route.request.method == "GET":
            route.fallback()
        else:
            route.fulfill(status=500, json={"code": "INTERNAL", "message": "the table is busy"})

    chat.page.route("**/api/conversations/*", refuse)
    item.hover()
    item.get_by_test_id("rename").click()
    chat.by("title-input").fill("Sums")
    chat.by("title-input").press("Enter")
    told = chat.page.get_by_role("alert")
    expect(told).to_have_text("The conversation could not be renamed: the table is busy")
    expect(item).to_have_text("16+16")
    told.get_by_role("button", name="Dismiss").click()
    item.hover()
    item.get_by_test_id("delete").click()
    chat.by("confirm-action").click()
    expect(told).to_have_text("The conversation could not be deleted: the table is busy")
    expect(item).to_have_text("16+16")


def test_older_messages_come_when_scrolled_to(app: App, user: User, stack: Stack) -> None:
    """Page by page up to the first one, in order, without moving what is being read."""
    client = client_of(stack, user)
    save_turns(stack, client.user_id, "main", TURNS)
    save_turns(stack, client.user_id, "c-days", TURNS, HALF_A_DAY)
    app.sign_in(user)
    expect(app.answers.last).to_contain_text(f"answer {TURNS}")
    expect(app.answers.last).to_be_in_viewport()
    assert app.questions.count() < TURNS
    oldest = app.questions.first
    text = oldest.locator(".user-text").inner_text()
    oldest.scroll_into_view_if_needed()
    same = app.questions.filter(has_text=re.compile(f"^{text}"))
    expect(app.questions.first).not_to_contain_text(text)
    expect(same).to_be_in_viewport()

    log = app.by("log")
    beginning = app.page.get_by_text("This is the beginning of the conversation.")
    while (shown_before := app.questions.count()) < TURNS:
        log.evaluate("e => { e.scrollTop = 0 }")
        expect(app.questions).not_to_have_count(shown_before)
    expect(beginning).to_be_visible()
    shown = app.questions.locator(".user-text").all_inner_texts()
    assert shown == [f"question {number}" for number in range(1, TURNS + 1)]
    jump_to_a_day(app)


def jump_to_a_day(app: App) -> None:
    """Messages are loaded back to that day, and its first one is at the top. The days are those of the browser."""
    app.page.goto("/#/c/c-days")
    expect(app.answers.last).to_contain_text(f"answer {TURNS}")
    day = app.page.evaluate("at => new Date(at).toLocaleDateString('sv')", START + 6 * HALF_A_DAY)
    midnight = app.page.evaluate("day => new Date(`${day}T00:00`).getTime()", day)
    first = -(-(midnight - START) // HALF_A_DAY)
    question = app.questions.filter(has=app.page.get_by_text(f"question {first}", exact=True))
    expect(question).to_have_count(0)
    app.panel("conversation")
    app.by("jump-day").fill(day)
    app.by("jump").click()
    expect(app.by("panel-conversation")).to_have_count(0)
    expect(question).to_be_in_viewport()
    expect(app.by("log")).to_be_focused()
    box, log = question.bounding_box(), app.by("log").bounding_box()
    assert box is not None
    assert log is not None
    assert abs(box["y"] - log["y"]) < 5, "at the top"


def test_a_conversation_is_saved_as_a_file_by_keyboard_too(chat: App) -> None:
    chat.ask("20+1", "20+1 = 21")
    chat.page.locator("h1").click()
    chat.page.keyboard.press("?")
    expect(chat.by("shortcuts")).to_contain_text("Search conversations")
    with chat.page.expect_download() as saved:
        chat.by("export-md").click()
    text = Path(saved.value.path()).read_text()
    assert text.startswith("# 20+1\n\n## You, ")
    assert "20+1 = 21" in text
    with chat.page.expect_download() as saved:
        chat.by("export-json").click()
    rows = json.loads(Path(saved.value.path()).read_text())["messages"]
    assert [row["role"] for row in rows] == ["user", "assistant"]


def test_news_in_another_conversation_are_marked_until_they_are_read(chat: App) -> None:
    first = chat.conversation_id
    chat.send("wait 3 seconds, then 8+1")
    expect(chat.item(first)).to_be_visible(timeout=20_000)
    chat.new_conversation()
    mark = chat.item(first).get_by_test_id("unread")
    expect(mark).to_be_visible(timeout=30_000)
    expect(chat.page).to_have_title(re.compile(r"^\(1\) "))
    chat.item(first).get_by_role("button").first.click()
    expect(mark).to_have_count(0)
    expect(chat.page).not_to_have_title(re.compile(r"^\("))
