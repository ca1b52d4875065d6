"""OpenClaw's own Control UI, as its package ships it, on the real gateway: over our sockets, without an origin."""

import base64
import json
import time

import pytest
from playwright.sync_api import FrameLocator, Route, WebSocket, expect

from tests.e2e.app import ANSWER_MS, App
from tests.e2e.conftest import Tab, enter
from tests.e2e.people import User
from tests.e2e.pictures import png
from tests.e2e.test_access import AXE, violations_in

OPEN_MS = 20_000  # it takes 1.3 s on a quiet machine
START_MS = 40_000
GO = "path => { history.pushState(null, '', path); dispatchEvent(new PopStateEvent('popstate')); }"
PAGES = {"sessions": "Search transcripts", "settings/advanced": "Diagnostics", "settings/mcp": "Configured servers"}
OUT_LIMIT = 128 * 1024


def opened(app: App) -> FrameLocator:
    app.panel("status")
    app.by("open-console").click()
    return app.page.frame_locator('[data-testid="console"] iframe')


def a_file_of_an_answer(console: FrameLocator) -> None:
    """Its picture is fetched by HTTP."""
    box = console.locator("textarea").first
    box.fill(f"run: echo {base64.b64encode(png(3, 3)).decode()} | base64 -d > dot.png; echo 'MEDIA:dot.png'")
    box.press("Enter")
    expect(console.locator("img.chat-message-image").last).to_have_js_property("naturalWidth", 3, timeout=ANSWER_MS)


def test_everything_that_openclaw_can_is_there(chat: App) -> None:
    """Chat, sessions, automations, configuration; with messages over API Gateway's 128 KB."""
    sizes: list[int] = []
    whole: dict[str, int] = {}

    def received(payload: str | bytes) -> None:
        sizes.append(len(payload.encode() if isinstance(payload, str) else payload))
        frame = json.loads(payload)
        if frame.get("type") == "console" and frame.get("kind") == "data":
            whole["now"] = whole.get("now", 0) + len(frame["data"].encode())
            whole["most"] = max(whole.get("most", 0), whole["now"])
            whole["now"] = whole["now"] if frame["more"] else 0

    def watch(socket: WebSocket) -> None:
        socket.on("framereceived", received)

    chat.page.on("websocket", watch)
    chat.reload()
    begun = time.monotonic()
    console = opened(chat)
    expect(console.get_by_role("link", name="Automations", exact=True)).to_be_visible(timeout=OPEN_MS)
    print(f"open after {time.monotonic() - begun:.1f} s")
    box = console.locator("textarea").first
    box.fill("What is 17*3?")
    box.press("Enter")
    expect(console.get_by_text("17*3 = 51").first).to_be_visible(timeout=ANSWER_MS)
    a_file_of_an_answer(console)
    console.get_by_role("link", name="Automations", exact=True).click()
    expect(console.get_by_text("Scheduled tasks and recurring agent runs.")).to_be_visible()
    for path, says in PAGES.items():
        chat.page.frames[-1].evaluate(GO, f"/console/{path}")
        expect(console.get_by_role("heading", name=says).first).to_be_visible(timeout=20_000)
    assert whole["most"] > OUT_LIMIT
    assert max(sizes) <= OUT_LIMIT
    chat.by("console-close").click()
    chat.by("panel-close").click()
    chat.item("main").click()
    expect(chat.answers.filter(has_text="17*3 = 51")).to_have_count(1)  # what was said there is in the history
    expect(chat.questions.filter(has_text="What is 17*3?")).to_have_count(1)


def test_it_can_read_nothing_of_the_page_around_it(chat: App) -> None:
    console = opened(chat)
    expect(console.get_by_role("link", name="Automations", exact=True)).to_be_visible(timeout=OPEN_MS)
    frame = chat.page.frames[-1]
    assert frame.evaluate("() => [origin, sessionStorage.length]") == ["null", 0]
    with pytest.raises(Exception, match="origin"):
        frame.evaluate("() => parent.document.title")
    assert frame.evaluate("() => fetch('https://elsewhere.invalid/').then(() => 'sent', () => 'refused')") == "refused"
    assert [problem for problem in chat.problems if "elsewhere.invalid" not in problem] == []
    chat.problems.clear()  # the policy has told of it
    chat.by("console-close").click()
    expect(chat.by("console")).to_have_count(0)


def test_two_tabs_have_it_at_once(chat: App, tab: Tab, warm_session: str) -> None:
    """Each its own: what one does, the other sees; and it is over with the dialog."""
    other = tab()
    enter(other, warm_session)
    consoles = [opened(app) for app in (chat, other)]
    for console in consoles:
        expect(console.get_by_role("link", name="Automations", exact=True)).to_be_visible(timeout=OPEN_MS)
    picture = {"name": "drawing.png", "mimeType": "image/png", "buffer": png(37, 37)}
    consoles[0].locator("input[type=file]").first.set_input_files(picture)  # type: ignore[arg-type]
    box = consoles[0].locator("textarea").first
    box.fill("What is 23*3?")
    box.press("Enter")
    other.page.bring_to_front()
    expect(consoles[1].get_by_text("23*3 = 69").first).to_be_visible(timeout=ANSWER_MS)
    expect(consoles[1].locator("img.chat-message-image").last).to_have_js_property("naturalWidth", 37)
    other.by("console-close").click()
    expect(other.by("console")).to_have_count(0)
    expect(consoles[0].get_by_text("23*3 = 69").first).to_be_visible()


def spent(route: Route) -> None:
    """The month's limit is reached."""
    told = route.fetch()
    route.fulfill(response=told, json=told.json() | {"cost": told.json()["cost"] | {"usd": 5.0, "limitUsd": 5.0}})


def test_an_agent_that_sleeps_is_woken_there(app: App, user: User) -> None:
    """A limit that is reached and a start that AWS refuses are told. Then its start is shown, and the console opens."""
    app.page.add_init_script(path=AXE)
    app.page.emulate_media(reduced_motion="reduce")
    app.sign_in(user)
    app.page.route("**/status", spent)
    refused = {"code": "CAPACITY", "message": "not started"}
    app.page.route("**/wake-agent", lambda route: route.fulfill(status=503, json=refused), times=1)
    console = opened(app)
    expect(app.by("wake-state")).to_have_text("Your agent is asleep. The console opens when it is awake.")
    expect(app.by("console-limit")).to_contain_text("limit is reached")
    app.by("wake-agent").click()
    expect(app.by("wake")).to_contain_text("no free capacity")
    app.by("wake-agent").click()
    expect(app.by("start-card")).to_be_visible(timeout=10_000)
    expect(app.by("start-card")).not_to_contain_text("Message received")
    assert violations_in(app, "light") == []
    expect(console.get_by_role("link", name="Automations", exact=True)).to_be_visible(timeout=START_MS)
    app.by("console-close").click()
    app.by("stop-agent").click()
    app.by("confirm-action").click()
