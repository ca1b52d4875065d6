"""Small things that a person meets every day: time zone, titles, commands, directions, half-written marks."""

import io
import re
import wave
from typing import Any

import pytest
from playwright.sync_api import Browser, Route, expect

from local.stack import Stack
from tests.e2e.app import App
from tests.e2e.conftest import DESKTOP, PHONE, enter
from tests.e2e.people import User, client_of
from tests.e2e.saved import save_title
from tests.e2e.screens import cost_is, menu
from tests.e2e.test_access import AXE, violations
from tests.e2e.wire import Wire


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
    chat.page.reload()
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


@pytest.fixture
def spoken(app: App, warm_session: str) -> tuple[App, Wire]:
    """A conversation in which this test says what the agent writes."""
    wire = Wire(app.page)
    wire.take = lambda frame: frame.get("action") == "sendMessage"
    enter(app, warm_session)
    app.new_conversation()
    return app, wire


def say(
    app: App, wire: Wire, question: str, answer: str, seq: int = 1, end: bool = True, before: int = 0, **more: Any
) -> None:
    if seq == 1:
        app.send(question)
    message = app.questions.last.get_attribute("data-message-id")
    head = {"runId": f"run-{message}", "conversationId": app.conversation_id, "replyTo": message}
    if seq == 1:
        wire.say({"type": "ack", "id": message, "conversationId": app.conversation_id})
    wire.say({"type": "stream_chunk", **head, "fromSeq": seq, "seq": seq, "content": answer})
    if end:
        name, length = f"{message}.answer", before + len(answer)
        wire.say(
            {"type": "stream_end", **head, "seq": seq + 1, "messageId": name, "reason": "final", "length": length}
            | more
        )


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
    app.page.wait_for_function("window.voice?.text === 'The answer four.'")


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


# Each line is one that some version of the library or a laxer setting would have run or fetched.
HOSTILE = """%%{init: {"securityLevel": "loose", "secure": [], "themeCSS": "svg {background: url(https://evil.invalid/css)}"}}%%
flowchart LR
  A["<img src=x onerror='parent.harmed=1'><script>parent.harmed=2</script>Begin"] --> B[End]
  A --> C["<iframe srcdoc='<script>top.harmed=3</script>'></iframe><img src='https://evil.invalid/a.png'>Third"]
  click A "javascript:parent.harmed=4" "Press"
  click B call harm()
  click C href "https://evil.invalid/c" _top"""
DIAGRAM = "Here:\n\n```mermaid\n{}\n```\n"


def test_a_diagram_is_drawn_when_it_is_whole_and_can_do_no_harm(spoken: tuple[App, Wire]) -> None:
    """In a page without an origin. The library is loaded by the first diagram; each is drawn once."""
    app, wire = spoken
    asked: list[str] = []
    sent: list[str] = []  # what no policy stopped before it reached the network

    def refuse(route: Route) -> None:
        sent.append(route.request.url)
        route.abort()

    app.page.on("request", lambda request: asked.append(request.url))
    app.page.route(re.compile("evil"), refuse)
    begun = DIAGRAM.format("flowchart LR\n  A[Begin] --> B[End]")[:-5]
    say(app, wire, "Draw it", begun, end=False)
    expect(app.answers.last.locator("pre")).to_contain_text("Begin")
    assert not any("/diagram/" in url for url in asked)
    say(app, wire, "", "\n```\n", seq=2, before=len(begun))
    a_diagram_and_its_text(app)
    say(app, wire, "Now harm", DIAGRAM.format(HOSTILE))
    a_hostile_diagram(app)
    assert sent == []
    say(app, wire, "And wrong", DIAGRAM.format("flowchart LR\n  A[Begin --> B"))
    expect(app.by("diagram-problem")).to_contain_text("could not be drawn: Parse error on line 3", timeout=10_000)
    expect(app.by("diagram").last.locator("pre")).to_be_visible()
    say(app, wire, "And large", DIAGRAM.format("flowchart LR\n" + "  A --> B\n" * 2_500))
    expect(app.by("diagram-problem").last).to_contain_text("too large")
    assert len([url for url in asked if url.endswith("/diagram/index.html")]) == 3
    # The library puts a label into the document before it cleans it: the policy stops its handlers and pictures.
    assert [one for one in app.problems if "Content Security Policy" not in one] == []
    app.problems.clear()


def a_diagram_and_its_text(app: App) -> None:
    diagram = app.by("diagram")
    expect(diagram).to_have_attribute("data-state", "drawn", timeout=20_000)
    frame = app.page.frame_locator("[data-testid=diagram-frame]")
    expect(frame.get_by_role("img", name="Diagram")).to_be_visible()
    expect(frame.locator("svg .node")).to_have_text(["Begin", "End"])
    expect(diagram.locator("pre")).to_contain_text("A[Begin]")  # for a screen reader
    app.page.emulate_media(reduced_motion="reduce")
    app.page.evaluate(AXE.read_text())
    assert violations(app) == []
    diagram.get_by_role("button", name="Show as text").click()
    expect(diagram.locator("pre")).to_be_in_viewport()
    expect(diagram.locator("iframe")).to_have_css("height", "0px")


def a_hostile_diagram(app: App) -> None:
    expect(app.by("diagram")).to_have_count(2)
    expect(app.by("diagram").last).to_have_attribute("data-state", "drawn", timeout=20_000)
    frame = app.page.frame_locator("[data-testid=diagram-frame] >> nth=1")
    expect(frame.locator("svg .node")).to_have_count(3)
    expect(frame.locator("svg :is(script, iframe, [onerror], a[href])")).to_have_count(0)
    for place in range(3):
        frame.locator("svg .node").nth(place).click()
    assert app.page.evaluate("window.harmed") is None
    assert frame.locator("body").evaluate("() => origin + window.harmed") == "nullundefined"
