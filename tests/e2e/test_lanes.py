"""Two conversations at once, a message that is sent into the running answer, and a question of the agent."""

import json

from playwright.sync_api import expect

from tests.e2e.app import App
from tests.e2e.conftest import Tab, enter


def test_send_now_hands_a_waiting_message_to_the_running_answer(chat: App) -> None:
    chat.send("run: sleep 8; echo done")
    expect(chat.by("activity")).to_contain_text("exec", timeout=20_000)
    chat.send("What is 7+7?")
    waiting = chat.messages("user").last
    expect(waiting.get_by_test_id("note")).to_contain_text("Waits until this answer is finished.")
    chat.by("send-now").click()
    answer = chat.answers.last
    expect(answer).to_contain_text("7+7 = 14", timeout=30_000)
    expect(waiting.get_by_test_id("note")).to_have_text("Included in the answer above.", timeout=20_000)
    expect(chat.answers).to_have_count(1)
    chat.reload()
    expect(chat.messages("user").last.get_by_test_id("note")).to_have_text("Included in the answer above.")


def test_another_conversation_is_answered_while_the_first_one_works(chat: App) -> None:
    chat.send("run: sleep 12; echo done")
    expect(chat.by("activity")).to_contain_text("exec", timeout=20_000)
    chat.by("new-conversation").click()
    chat.ask("4+5", "4+5 = 9")
    chat.by("conversation-item").nth(1).get_by_role("button").first.click()
    expect(chat.by("stop")).to_be_visible()
    chat.by("stop").click()
    expect(chat.messages("assistant", "aborted")).to_have_count(1)


COLOURS = [{"label": "Red"}, {"label": "Green"}]
QUESTION = {"id": "colour", "header": "Colour", "question": "Which colour?", "options": COLOURS}


def ask(app: App, **more: object) -> None:
    app.send(f"call ask_user {json.dumps({'questions': [QUESTION | more]})}")
    expect(app.by("question").last).to_have_attribute("data-state", "open", timeout=30_000)


def test_a_question_is_answered_in_one_tap_in_any_tab(chat: App, tab: Tab, warm_session: str) -> None:
    """The other tab shows the card too, and its end; a reload keeps it; a written reply is an answer as well."""
    other = tab()
    enter(other, warm_session)
    other.page.goto(chat.page.url)
    ask(chat)
    expect(other.by("question")).to_have_attribute("data-state", "open", timeout=20_000)
    other.by("question-option").nth(1).click()
    expect(chat.by("question-end")).to_contain_text("Green", timeout=20_000)
    expect(chat.answers.first).to_contain_text("Green", timeout=20_000)
    ask(chat, multiSelect=True)
    for number in (0, 1):
        chat.by("question-option").nth(number).check()
    chat.by("question-own").fill("and blue")
    chat.by("question-send").click()
    expect(chat.by("question-end").last).to_contain_text("Red, Green, and blue", timeout=20_000)
    ask(chat)
    chat.send("neither of them")
    expect(chat.by("question-end").last).to_contain_text("neither of them", timeout=20_000)
    expect(chat.messages("user").last.get_by_test_id("note")).to_have_text("Included in the answer above.")
    chat.reload()
    expect(chat.by("question-end")).to_have_count(3)


def test_the_progress_card_is_shown_and_kept(chat: App) -> None:
    """Written by the agent's own tool; folded at its answer, and not among the tool calls."""
    plan = [{"step": "Look", "status": "completed"}, {"step": "Mend", "status": "in_progress"}]
    chat.send(f"call progress_card {json.dumps({'plan': plan, 'markdown': '**Half** done'})}")
    chat.answered("Progress card updated")
    for _ in range(2):
        card = chat.by("card")
        expect(card.locator("summary")).to_have_text("Progress · 1 of 2", timeout=20_000)
        card.locator("summary").press("Enter")
        expect(card.get_by_test_id("card-step").last).to_have_attribute("data-state", "running")
        expect(card.locator("strong")).to_have_text("Half")
        expect(chat.by("work-step")).to_have_count(0)
        chat.reload()


def test_the_work_of_an_answer_can_be_watched_and_is_kept(chat: App) -> None:
    """One quiet line while it works and afterwards; command, result and model in it, also after a reload."""
    chat.send("run: sleep 3; echo finished; ls /nowhere")
    step = chat.by("work-step")
    expect(chat.by("work")).to_contain_text("1 step", timeout=20_000)
    chat.by("work").locator("summary").click()
    expect(step).to_have_attribute("data-state", "running")
    expect(step).to_contain_text("sleep 3; echo finished")
    expect(step).to_have_attribute("data-state", "failed", timeout=20_000)
    chat.answered("finished")
    for _ in range(2):
        expect(chat.by("work")).to_contain_text("demo")
        if not step.is_visible():
            chat.by("work").locator("summary").click()
        step.get_by_role("button").click()
        expect(step).to_contain_text("No such file or directory")
        chat.reload()
