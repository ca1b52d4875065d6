"""Our Telegram code on two Bot APIs: ours, and telegram-test-api by other people.

What only one of them says is in DIFFERENT, with the Bot API's documented answer; docs/local.md has the same list.
"""

import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from bridge.telegram.answer import Answer
from bridge.telegram.asking import Asking
from bridge.telegram.chat import Chat
from chalicelib.messages.questions import ANSWERED, QUESTION, Question, question_id
from chalicelib.platform.clock import MINUTE
from chalicelib.telegram.api import BotApi, Rejected, Unknown
from chalicelib.telegram.cards import Pressed, pressed
from chalicelib.telegram.update import Bot, parse
from tests.support.bot_apis import BOT, CHAT, PERSON, Api, Hook, Json, Ours, Theirs
from tests.support.fake_telegram import FakeProgress
from tests.support.judges import Judges

PLACE = {"chatId": CHAT, "messageId": 1, "private": True, "chat": f"p{CHAT}", "userId": CHAT}
PART = {"id": "colour", "header": "C", "text": "Which?", "options": [{"label": "Red"}], "multi": False, "other": True}


@pytest.fixture(scope="module", params=[Ours, Theirs])
def side(request: pytest.FixtureRequest, server: str, judges: Judges) -> Api:
    made: Api = request.param(server if request.param is Ours else judges.url("telegram"))
    return made


@pytest.fixture
def api(side: Api) -> BotApi:
    side.says("hello")
    return BotApi(BOT, side.url)


@pytest.fixture
def hook(api: BotApi) -> Iterator[Hook]:
    hook = Hook()
    api.call("setWebhook", url=hook.url, secret_token="s3cret", allowed_updates=["message", "callback_query"])
    yield hook
    api.call("deleteWebhook")
    hook.close()


class Notes:
    """Keeps which message shows a question."""

    kept: Json | None = None

    def note_chat(self, question: Question, place: Json, message_id: int) -> None:
        self.kept = {"place": place, "messageId": message_id}

    def chat_of(self, question: Question) -> Json | None:
        return self.kept


def question() -> Question:
    name, now = f"ask_{uuid.uuid4().hex}", int(time.time() * 1000)
    return Question("user-1", question_id(name), "main", name, QUESTION, [PART], now, now + 15 * MINUTE, 1)


def test_an_answer_grows_in_one_message(api: BotApi, side: Api) -> None:
    before, words = len(side.shown()), ["first words"]
    answer = Answer(api, PLACE, FakeProgress(), lambda: words[0], gap=0.05)  # type: ignore[arg-type]
    answer.start()
    time.sleep(0.3)
    assert [message["text"] for message in side.shown()[before:]] == ["first words"]
    words[0] = "first words, and **bold** ones"
    assert answer.finish(words[0], 5)
    [shown] = side.shown()[before:]
    assert shown["text"] == "first words, and bold ones"
    assert [(entity["type"], entity["offset"], entity["length"]) for entity in shown["entities"]] == [("bold", 17, 4)]


def test_a_long_answer_is_several_messages(api: BotApi, side: Api) -> None:
    before, text = len(side.shown()), "\n\n".join(f"{n} " + "word " * 300 for n in range(5))
    answer = Answer(api, PLACE, FakeProgress(), lambda: "", gap=0.05)  # type: ignore[arg-type]
    answer.start()
    assert answer.finish(text, 10)
    shown = [message["text"] for message in side.shown()[before:]]
    assert len(shown) > 1
    assert "".join("".join(shown).split()) == "".join(text.split())


def test_a_line_goes_with_the_end_and_is_gone_once(api: BotApi, side: Api) -> None:
    chat, before = Chat(api, PLACE), len(side.shown())
    line = chat.line("⏳ reading")
    chat.edit_line(line, "⏳ writing")
    assert [message["text"] for message in side.shown()[before:]] == ["⏳ writing"]
    chat.delete(line)
    assert side.shown()[before:] == []
    chat.delete(line)
    with pytest.raises(Rejected):
        api.call("deleteMessage", chat_id=CHAT, message_id=line)


def test_a_question_has_buttons_and_its_press_arrives(api: BotApi, side: Api, hook: Hook) -> None:
    asked, notes = question(), Notes()
    asking = Asking(api, lambda _: PLACE)
    asking.ask(asked, notes)
    shown = side.shown()[-1]
    [[red], [_skip]] = shown["reply_markup"]["inline_keyboard"]
    assert (shown["text"].splitlines()[0], red["text"]) == ("❓ Which?", "Red")
    assert notes.kept is not None
    side.presses({"message_id": notes.kept["messageId"]}, red["callback_data"])
    update, _ = hook.next(lambda update: "callback_query" in update)
    query = update["callback_query"]
    assert pressed(query["data"]) == Pressed(asked.id, 0, "0")
    assert (query["from"]["id"], query["message"]["chat"]["id"]) == (CHAT, CHAT)
    api.call("answerCallbackQuery", callback_query_id=query["id"])
    asking.settle(Question(**{**vars(asked), "state": ANSWERED, "answers": {"colour": ["Red"]}}), notes)
    assert "Red" in side.shown()[-1]["text"]


@pytest.mark.parametrize("text", ["What is the weather?", "/link 123456", "안녕 😀"])
def test_what_a_person_writes_reaches_the_webhook(side: Api, hook: Hook, api: BotApi, text: str) -> None:
    bot = Bot(4242, str(api.call("getMe")["username"]))
    side.says(text)
    update, _ = hook.next(lambda update: update.get("message", {}).get("text") == text)
    incoming = parse(update, bot)
    assert incoming is not None
    assert (incoming.text, incoming.chat_id, incoming.sender, incoming.private) == (text, CHAT, PERSON["id"], True)
    assert incoming.command(bot) == (("link", "123456") if text.startswith("/") else None)


def an_empty_text(api: BotApi, side: Api) -> Any:
    return "taken" if api.call("sendMessage", chat_id=CHAT, text=" ") else ""


def a_text_that_is_too_long(api: BotApi, side: Api) -> Any:
    return "taken" if api.call("sendMessage", chat_id=CHAT, text="x" * 4097) else ""


def an_entity_outside_of_the_text(api: BotApi, side: Api) -> Any:
    wrong = [{"type": "bold", "offset": 5, "length": 9}]
    return "taken" if api.call("sendMessage", chat_id=CHAT, text="short", entities=wrong) else ""


def an_edit_that_changes_nothing(api: BotApi, side: Api) -> Any:
    sent = api.call("sendMessage", chat_id=CHAT, text="the same")
    return api.call("editMessageText", chat_id=CHAT, message_id=sent["message_id"], text="the same")


def an_edit_of_nothing(api: BotApi, side: Api) -> Any:
    return api.call("editMessageText", chat_id=CHAT, message_id=999_999_999, text="x")


def the_answer_to_an_edit(api: BotApi, side: Api) -> Any:
    sent = api.call("sendMessage", chat_id=CHAT, text="before")
    edited = api.call("editMessageText", chat_id=CHAT, message_id=sent["message_id"], text="after")
    return edited and edited["text"]


def buttons_after_an_edit_without_them(api: BotApi, side: Api) -> Any:
    buttons = {"inline_keyboard": [[{"text": "a", "callback_data": "a"}]]}
    sent = api.call("sendMessage", chat_id=CHAT, text="before", reply_markup=buttons)
    api.call("editMessageText", chat_id=CHAT, message_id=sent["message_id"], text="after")
    return "reply_markup" in side.shown()[-1]


def the_unit_of_a_date(api: BotApi, side: Api) -> Any:
    return "s" if api.call("sendMessage", chat_id=CHAT, text="now")["date"] < 1e11 else "ms"


def a_press_that_nobody_made(api: BotApi, side: Api) -> Any:
    return api.call("answerCallbackQuery", callback_query_id="77")


def a_method_that_is_not_there(api: BotApi, side: Api) -> Any:
    return api.call("noSuchMethod")


def another_bots_token(api: BotApi, side: Api) -> Any:
    return BotApi("1:wrong", side.url).call("getMe")["username"]


def a_file(api: BotApi, side: Api) -> Any:
    sent = api.call("sendDocument", {"document": ("a.txt", b"content")}, chat_id=CHAT)
    return api.download(sent["document"]["file_id"])


def the_webhook_that_is_set(api: BotApi, side: Api) -> Any:
    return api.call("getWebhookInfo")["url"]


def the_webhooks_secret(api: BotApi, side: Api) -> Any:
    hook = Hook()
    api.call("setWebhook", url=hook.url, secret_token="s3cret")
    side.says("a secret")
    _, secret = hook.next(lambda update: update.get("message", {}).get("text") == "a secret")
    api.call("deleteWebhook")
    hook.close()
    return secret


def typing(api: BotApi, side: Api) -> Any:
    return api.call("sendChatAction", chat_id=CHAT, action="typing")


Case = Callable[[BotApi, Api], Any]
# The Bot API's answer, and telegram-test-api's. 400 and the like: refused with that code.
DIFFERENT: dict[Case, tuple[Any, Any]] = {
    an_empty_text: (400, "taken"),
    a_text_that_is_too_long: (400, "taken"),
    an_entity_outside_of_the_text: (400, "taken"),
    an_edit_that_changes_nothing: (400, None),
    an_edit_of_nothing: (400, None),
    the_answer_to_an_edit: ("after", None),
    buttons_after_an_edit_without_them: (False, True),
    the_unit_of_a_date: ("s", "ms"),
    a_press_that_nobody_made: (400, None),
    a_method_that_is_not_there: (404, Unknown),
    another_bots_token: (401, "TestNameBot"),
    a_file: (b"content", Unknown),
    the_webhook_that_is_set: ("", Unknown),
    the_webhooks_secret: ("s3cret", None),
    typing: (True, Unknown),
}


@pytest.mark.parametrize("case", DIFFERENT, ids=lambda case: case.__name__)
def test_ours_answers_as_documented_and_theirs_as_listed(api: BotApi, side: Api, case: Case) -> None:
    try:
        answer = case(api, side)
    except Rejected as error:
        answer = error.status
    except Unknown:
        answer = Unknown
    assert answer == DIFFERENT[case][isinstance(side, Theirs)]


def test_theirs_gives_updates_to_who_polls(judges: Judges) -> None:
    """Our code never polls. It is their answer that is looked at: the same update as at a webhook."""
    theirs = Theirs(judges.url("telegram"))
    theirs.says("polled")
    found = requests.get(f"{theirs.url}/bot{BOT}/getUpdates", timeout=10).json()["result"]
    incoming = parse(found[-1], Bot(4242, "my_bot"))
    assert incoming is not None
    assert incoming.text == "polled"
