"""Small things that a person meets every day: time zone, titles, commands, directions, half-written marks."""

import io
import re
import wave
from typing import Any

from playwright.sync_api import Browser, expect

from local.stack import Stack
from tests.e2e.app import App
from tests.e2e.conftest import DESKTOP, PHONE
from tests.e2e.people import User, client_of
from tests.e2e.rows import cost_is
from tests.e2e.saved import save_title
from tests.e2e.screens import menu
from tests.e2e.wire import Wire, say
from tests.support.client import eventually


def settings(stack: Stack, user: User) -> dict[str, Any]:
    client = client_of(stack, user)
    found: dict[str, Any] = client.rest("GET", "/settings").json()
    client.close()
    return found


def test_the_first_browser_gives_the_time_zone_and_no_other_one(browser: Browser, stack: Stack, user: User) -> None:
    for zone in ("Europe/Berlin", "America/New_York"):
        context = browser.new_context(base_url=stack.url, viewport=DESKTOP, timezone_id=zone)
        app = App(context.new_page())
        app.sign_in(user)
        app.panel("settings")
        expect(app.by("setting-zone")).to_have_value("Europe/Berlin")
        expect(app.by("panel-settings")).to_contain_text("Taken from your browser.")
        assert app.problems == []
        context.close()
    assert settings(stack, user)["timeZoneFrom"] == "browser"


def test_a_time_zone_that_was_chosen_stays_and_is_not_called_the_browsers(app: App, stack: Stack, user: User) -> None:
    client = client_of(stack, user)
    client.rest("PUT", "/settings", {"timeZone": "UTC"})
    client.close()
    app.sign_in(user)
    app.panel("settings")
    expect(app.by("setting-zone")).to_have_value("UTC")
    expect(app.by("panel-settings")).not_to_contain_text("Taken from your browser.")
    assert settings(stack, user)["timeZone"] == "UTC"


def test_a_small_model_names_a_conversation_and_a_person_has_the_last_word(chat: App) -> None:
    name = chat.conversation_id
    chat.ask("what is the sum of 40 and 2, and why? count to 5", "1 2 3 4 5")
    expect(chat.item(name)).to_have_text("What is the sum of 40", timeout=15_000)
    chat.item(name).hover()
    chat.item(name).get_by_test_id("rename").click()
    chat.by("title-input").fill("Sums")
    chat.by("title-input").press("Enter")
    expect(chat.item(name)).to_have_text("Sums")
    chat.ask("count to 6", "1 2 3 4 5 6")
    chat.reload()
    expect(chat.item(name)).to_have_text("Sums")


def test_commands_are_carried_out_or_answered(chat: App) -> None:
    chat.ask("/queue 5m", "in the order you send them")
    chat.ask("/help", "/compact")
    expect(chat.answers.last).not_to_contain_text("/queue")
    chat.ask("/think", "Options")
    chat.send("/stop")
    expect(chat.page.get_by_text("nothing to stop")).to_be_visible()
    before = chat.page.url
    chat.send("/new")
    expect(chat.page).not_to_have_url(before)
    expect(chat.by("empty")).to_be_visible()


def test_stop_ends_an_answer_as_the_button_does(chat: App) -> None:
    chat.send("count to 900")
    chat.streaming(re.compile(r"\b5\b"))
    chat.send("/stop")
    expect(chat.messages("assistant", "aborted")).to_have_count(1, timeout=15_000)


def test_each_paragraph_is_written_from_the_side_where_it_is_read(spoken: tuple[App, Wire]) -> None:
    app, wire = spoken
    app.by("composer").fill("שלום")
    expect(app.by("composer")).to_have_css("direction", "rtl")
    say(app, wire, "مرحبا، كيف حالك؟", "مرحبا!\n\n- أولا\n\n> اقتباس\n\nAnd English.\n\n```\nx = 1\n```")
    expect(app.questions.last.locator(".user-text")).to_have_css("direction", "rtl")
    answer = app.answers.last.locator(".markdown")
    for tag in ("p", "ul", "blockquote"):
        expect(answer.locator(f"> {tag}").first).to_have_css("direction", "rtl")
    expect(answer.locator("> p").last).to_have_css("direction", "ltr")
    expect(answer.locator("pre")).to_have_css("direction", "ltr")
    expect(app.page.locator(".header-title")).to_have_css("direction", "rtl")
    expect(app.item(app.conversation_id).locator(".ellipsis")).to_have_css("direction", "rtl")


def test_marks_that_are_not_closed_yet_are_not_shown(spoken: tuple[App, Wire]) -> None:
    app, wire = spoken
    say(app, wire, "What is 21*2?", "**21*2", end=False)
    answer = app.answers.last.locator(".markdown")
    expect(answer.locator("strong")).to_have_text("21*2")
    expect(answer).to_have_text("21*2")
    say(app, wire, "", " = 42** as [the tab", seq=2, end=False)
    expect(answer).to_have_text("21*2 = 42 as the tab")


# A voice as the browser has it: what is cancelled ends a moment later.
VOICE = """() => {
  window.voice = null;
  speechSynthesis.speak = (words) => { window.voice = words; };
  speechSynthesis.cancel = () => {
    const words = window.voice;
    window.voice = null;
    if (words) setTimeout(() => words.onerror(new Event("error")));
  };
}"""


def test_the_answer_that_is_asked_for_last_is_read(spoken: tuple[App, Wire]) -> None:
    app, wire = spoken
    for number in ("one", "two"):
        say(app, wire, number, f"The answer {number}.")
        expect(app.by("read-aloud")).to_have_count(1 if number == "one" else 2)
    app.page.evaluate(VOICE)
    first, second = app.by("read-aloud").first, app.by("read-aloud").last
    for button, other, words in ((first, second, "The answer one."), (second, first, "The answer two.")):
        button.click()
        expect(button).to_have_attribute("aria-pressed", "true")
        expect(other).to_have_attribute("aria-pressed", "false")
        app.page.wait_for_timeout(100)
        assert app.page.evaluate("window.voice?.text") == words
    second.click()
    expect(second).to_have_attribute("aria-pressed", "false")
    assert app.page.evaluate("window.voice") is None
    the_voice_of_the_provider_comes_first(app, wire)


def the_voice_of_the_provider_comes_first(app: App, wire: Wire) -> None:
    """A recording of the answer is played; if it cannot be, the browser reads."""
    sound = io.BytesIO()
    with wave.open(sound, "wb") as file:
        file.setparams((1, 2, 8_000, 0, "NONE", ""))
        file.writeframes(bytes(16_000))
    app.page.route("**/api/files/*", lambda route: route.fulfill(json={"url": "/spoken.wav", "expiresInSeconds": 600}))
    app.page.route("**/spoken.wav", lambda route: route.fulfill(body=sound.getvalue(), content_type="audio/wav"))
    recording = {"name": "voice-answer.ogg", "mimeType": "audio/ogg", "sizeBytes": 16_044, "voice": True}
    say(app, wire, "three", "The answer three.", files=[{"id": "3" * 32, **recording}])
    expect(app.by("read-aloud")).to_have_count(3)
    button = app.by("read-aloud").last
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(button).to_have_attribute("aria-pressed", "false")  # it has been heard to its end
    assert app.page.evaluate("window.voice") is None
    app.page.route("**/spoken.wav", lambda route: route.fulfill(status=403))
    say(app, wire, "four", "The answer four.", files=[{"id": "4" * 32, **recording}])
    expect(app.by("read-aloud")).to_have_count(4)
    button.click()
    # wait_for_function would be an eval, which the page's policy refuses from the second look on
    eventually(lambda: app.page.evaluate("window.voice?.text") == "The answer four.", 10)


def test_a_row_shows_its_tools_only_when_it_is_meant(browser: Browser, app: App, stack: Stack, user: User) -> None:
    client = client_of(stack, user)
    save_title(stack, client.user_id, "c-long", "Everything that has to be packed for the long journey")
    client.close()
    app.sign_in(user)
    tools = app.item("c-long").locator(".conversation-tools")
    expect(tools).to_have_css("opacity", "0")
    app.item("c-long").hover()
    expect(tools).to_have_css("opacity", "1")

    context = browser.new_context(base_url=stack.url, viewport=PHONE, has_touch=True, is_mobile=True)
    phone = App(context.new_page())
    phone.sign_in(user)
    menu(phone)
    item = phone.item("c-long")
    tools = item.locator(".conversation-tools")
    expect(tools).to_have_css("opacity", "0")
    box = item.bounding_box()
    assert box is not None
    touch = context.new_cdp_session(phone.page)
    at = [{"x": box["x"] + 40, "y": box["y"] + box["height"] / 2}]
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": at})
    expect(tools).to_have_css("opacity", "1")
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(item).to_be_visible()
    assert "c-long" not in phone.page.url, "a finger that rests opens nothing"
    item.get_by_test_id("rename").tap()
    phone.by("title-input").fill("Packing")
    phone.by("title-input").press("Enter")
    expect(item).to_have_text("Packing")
    item.locator(".conversation-open").tap()
    expect(phone.page).to_have_url(re.compile("c-long$"))
    context.close()


def test_a_cost_that_is_not_known_is_called_so(app: App, user: User) -> None:
    app.sign_in(user)
    cost_is(app, usd=0, complete=False)
    app.panel("status")
    expect(app.by("cost")).to_have_text("unknown")
    expect(app.by("panel-status")).to_contain_text("do not count towards the monthly limit")
