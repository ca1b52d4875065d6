"""Two conversations at once, and a waiting message that is sent into the running answer."""

from playwright.sync_api import expect

from tests.e2e.app import App


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
    chat.page.reload()
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
