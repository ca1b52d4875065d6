"""Steering a turn: stop, ask again, edit, reload in the middle, no network, two tabs, input methods."""

import re

from playwright.sync_api import BrowserContext, Locator, expect

from local.stack import Stack
from tests.e2e.app import App
from tests.e2e.conftest import Tab
from tests.e2e.people import User, client_of

STOPPED = "Stopped. This is what was written so far."
END = re.compile(r"\b(\d+)\D*$")
# Safari reports a key after the composition has ended, under the input method's own key code.
IME_KEY = "(e, key) => e.dispatchEvent(new KeyboardEvent('keydown', {key, keyCode: 229, bubbles: true}))"


def numbers(answer: Locator) -> list[int]:
    return [int(word) for word in re.findall(r"\b\d+\b", answer.locator(".markdown").inner_text())]


def test_stop_keeps_what_was_written_and_says_so(chat: App) -> None:
    """Also after a reload; and the conversation goes on."""
    chat.send("count to 900")
    chat.streaming(re.compile(r"\b15\b"))
    chat.by("stop").click()
    aborted = chat.messages("assistant", "aborted")
    expect(aborted).to_have_count(1)
    expect(aborted.get_by_test_id("note")).to_have_text(STOPPED)
    expect(chat.by("stop")).to_have_count(0)
    expect(chat.by("composer")).to_be_focused()
    kept = numbers(aborted)
    assert kept == list(range(1, len(kept) + 1))
    assert 15 <= len(kept) < 900
    chat.reload()
    expect(aborted.get_by_test_id("note")).to_have_text(STOPPED, timeout=20_000)
    assert numbers(aborted)[:15] == kept[:15]
    chat.ask("3+3", "3+3 = 6")


def test_asking_again_shows_the_new_answer_in_the_place_of_the_old(chat: App) -> None:
    """The old one is a click away; a reload and another question in between change nothing."""
    versions = chat.by("versions")
    chat.ask("5+6", "5+6 = 11").get_by_test_id("regenerate").click()
    expect(versions).to_contain_text("2/2")
    newest = chat.answered("5+6 = 11").get_attribute("data-message-id")
    expect(chat.questions).to_have_count(1)
    expect(chat.answers).to_have_count(1)

    chat.by("version-before").click()
    expect(versions).to_contain_text("1/2")
    expect(chat.by("version-before")).to_be_focused()
    oldest = chat.answers.first.get_attribute("data-message-id")
    assert newest != oldest
    chat.by("version-after").click()
    expect(chat.answers.first).to_have_attribute("data-message-id", str(newest))
    chat.reload()
    expect(versions).to_contain_text("2/2")
    chat.by("version-before").click()
    expect(chat.answers.first).to_have_attribute("data-message-id", str(oldest))
    chat.ask("1+5", "1+5 = 6")
    expect(versions).to_contain_text("1/2")
    expect(chat.questions.locator(".user-text")).to_have_text(["5+6", "1+5"])


def test_who_asks_the_same_twice_gets_two_answers(chat: App) -> None:
    chat.ask("continue", "You wrote")
    chat.ask("continue", "You wrote")
    expect(chat.questions).to_have_count(2)
    expect(chat.by("versions")).to_have_count(0)


def test_editing_a_question(chat: App) -> None:
    """The last one is replaced in view; an earlier one is asked anew, and nothing after it is hidden."""
    chat.ask("5+6", "5+6 = 11")
    question = chat.questions.first
    question.hover()
    question.get_by_test_id("edit").click()
    composer = chat.by("composer")
    expect(composer).to_be_focused()
    expect(composer).to_have_value("5+6")
    expect(chat.page.get_by_text("Editing an earlier message.")).to_be_visible()
    composer.press("Escape")
    expect(composer).to_have_value("")
    question.get_by_test_id("edit").click()
    composer.fill("5+7")
    composer.press("Enter")
    expect(chat.questions.locator(".user-text")).to_have_text(["5+7"])
    chat.answered("5+7 = 12")
    expect(chat.by("versions")).to_contain_text("2/2")
    chat.ask("1+2", "1+2 = 3")
    question.hover()
    question.get_by_test_id("edit").click()
    composer.fill("5+8")
    composer.press("Enter")
    chat.answered("5+8 = 13", 2)
    expect(chat.questions.locator(".user-text")).to_have_text(["5+7", "1+2", "5+8"])


def test_a_reload_in_mid_answer_goes_on_where_it_was(chat: App) -> None:
    """The reloaded page streams on, and ends with every word once."""
    chat.send("count to 250")
    chat.streaming(re.compile(r"\b20\b"))
    chat.reload()
    before = numbers(chat.streaming())
    assert before[0] == 1
    done = chat.answered("249 250")
    assert numbers(done)[:250] == list(range(1, 251))
    expect(chat.questions).to_have_count(1)
    expect(chat.answers).to_have_count(1)


def test_a_message_written_offline_waits_and_is_sent_once(chat: App, context: BrowserContext) -> None:
    """It is kept over a reload of the page, too (from the browser's cache it could not load here)."""
    chat.ask("1+2", "1+2 = 3")
    context.set_offline(True)
    expect(chat.by("connection")).to_have_text("You are offline. Messages wait here until you are back.")
    chat.send("40+2")
    waiting = chat.messages("user", "pending")
    expect(waiting.get_by_test_id("note")).to_contain_text("Waiting for the connection.")
    context.set_offline(False)
    chat.answered("40+2 = 42", 1)
    expect(waiting).to_have_count(0)
    chat.reload()
    chat.answered("40+2 = 42", 1)
    expect(chat.questions.locator(".user-text")).to_have_text(["1+2", "40+2"])
    expect(chat.answers).to_have_count(2)


def test_an_offline_message_can_be_taken_back(chat: App, context: BrowserContext) -> None:
    context.set_offline(True)
    chat.send("8+8")
    chat.messages("user", "pending").get_by_role("button", name="Discard").click()
    expect(chat.questions).to_have_count(0)
    context.set_offline(False)
    chat.ask("9+9", "9+9 = 18")
    expect(chat.questions).to_have_count(1)


def test_what_came_elsewhere_while_offline_is_there_when_opened(
    chat: App, context: BrowserContext, stack: Stack, warm: User
) -> None:
    """Also in a conversation that was read before and is not the open one."""
    first = chat.conversation_id
    chat.ask("2+3", "2+3 = 5")
    chat.new_conversation()
    context.set_offline(True)
    expect(chat.by("connection")).to_have_attribute("data-state", "offline")
    device = client_of(stack, warm)
    device.answer(device.send("3+4", conversationId=first))
    device.close()
    context.set_offline(False)
    chat.ready()
    chat.item(first).get_by_role("button", name="2+3", exact=True).click()
    chat.answered("3+4 = 7", 1)
    expect(chat.questions.locator(".user-text")).to_have_text(["2+3", "3+4"])


def test_two_tabs_show_the_same(tab: Tab, warm: User) -> None:
    """Question, answer as it is written, stop, title and deletion reach the other tab."""
    left = tab()
    left.sign_in(warm)
    conversation = left.new_conversation()
    right = tab()
    right.page.goto(f"/#/c/{conversation}")
    right.ready()

    left.page.bring_to_front()  # as a person does; Chromium draws the other tab once a second
    left.send("count to 800")
    right.page.bring_to_front()
    expect(right.questions.first).to_contain_text("count to 800")
    right.streaming(re.compile(r"\b10\b"))
    right.by("stop").click()
    for app in (left, right):
        expect(app.messages("assistant", "aborted").get_by_test_id("note")).to_have_text(STOPPED)
    right.ask("6+6", "6+6 = 12")
    left.page.bring_to_front()
    left.answered("6+6 = 12", 1)

    left.item(conversation).hover()
    left.item(conversation).get_by_test_id("rename").click()
    left.by("title-input").fill("Two tabs")
    left.by("title-input").press("Enter")
    expect(right.item(conversation)).to_contain_text("Two tabs")
    left.item(conversation).hover()
    left.item(conversation).get_by_test_id("delete").click()
    left.by("confirm-action").click()
    for app in (left, right):
        expect(app.item(conversation)).to_have_count(0)
        expect(app.by("empty")).to_be_visible()


def test_enter_that_ends_a_composition_sends_nothing(chat: App) -> None:
    """Korean and Japanese input methods use Enter to take a suggestion; the next Enter sends."""
    composer = chat.by("composer")
    composer.focus()
    keyboard = chat.page.context.new_cdp_session(chat.page)
    keyboard.send("Input.imeSetComposition", {"text": "안녕", "selectionStart": 2, "selectionEnd": 2})
    expect(composer).to_have_value("안녕")
    composer.press("Enter")
    expect(composer).to_have_value(re.compile("안녕"))
    expect(chat.questions).to_have_count(0)
    keyboard.send("Input.insertText", {"text": ""})
    composer.fill("안녕")
    composer.evaluate(IME_KEY, "Enter")
    expect(chat.questions).to_have_count(0)
    composer.press("Shift+Enter")
    expect(composer).to_have_value("안녕\n")
    composer.press("Enter")
    expect(chat.questions.locator(".user-text")).to_have_text(["안녕"])
    expect(chat.questions).to_have_count(1)
    chat.answered("안녕")


def test_an_input_method_keeps_its_keys_in_a_title_and_in_an_edit(chat: App) -> None:
    """Neither saves a half-written title, nor gives an edit up."""
    chat.ask("4+5", "4+5 = 9")
    chat.questions.first.hover()
    chat.questions.first.get_by_test_id("edit").click()
    composer = chat.by("composer")
    composer.evaluate(IME_KEY, "Escape")
    expect(composer).to_have_value("4+5")
    composer.press("Escape")
    expect(composer).to_have_value("")

    item = chat.item(chat.conversation_id)
    item.hover()
    item.get_by_test_id("rename").click()
    title = chat.by("title-input")
    title.fill("덧셈")
    title.evaluate(IME_KEY, "Enter")
    expect(title).to_have_value("덧셈")
    title.press("Enter")
    expect(item).to_have_text("덧셈")
