"""What happens to a message or a chat later: edits, buttons, reactions, a group with a new id, a blocked bot."""

import json
from dataclasses import replace
from typing import Any

import pytest

from bridge.telegram.places import Places
from bridge.turns.reactions import Reactions
from bridge.turns.reconcile import Nothing
from chalicelib.messages.conversations import Conversations, answer_row
from chalicelib.messages.inbox import Inbox, Message, NotClaimable
from chalicelib.messages.questions import QUESTION, Question, Questions, question_id
from chalicelib.people.linking import is_blocked
from chalicelib.platform.clock import MINUTE
from chalicelib.platform.models import SettingItem, TaskRow
from chalicelib.telegram import texts
from chalicelib.telegram.reactions import noted
from tests.integration.telegram.test_telegram_webhook import Gateway, Json

pytestmark = pytest.mark.usefixtures("table_server")

PART = {"id": "colour", "header": "C", "text": "Which?", "multi": False, "other": True}
COLOUR = PART | {"options": [{"label": "Red"}, {"label": "Green"}]}
DAYS = COLOUR | {"id": "days", "multi": True}


@pytest.fixture
def gateway(cloud: str) -> Gateway:
    return Gateway()


def edited(update: Json, text: str, number: int = 1) -> Json:
    message = update["message"] | {"text": text}
    return {"update_id": update["update_id"] + number, "edited_message": message}


def claimed(gateway: Gateway, message: Message) -> Message:
    TaskRow(gateway.user, status="Running", generation=1).save()
    return Inbox().claim(message, 1, {"runId": "r", "conversationId": "main", "replyTo": message.id})


def test_an_edit_changes_a_message_that_waits(gateway: Gateway) -> None:
    update = gateway.update("the old words")
    gateway.send(update)
    [old] = Inbox().waiting(gateway.user)
    assert gateway.send(edited(update, "the new words")) == (200, {})
    assert gateway.waiting() == ["the new words"]
    with pytest.raises(NotClaimable):  # a wake has carried the old words to the container
        claimed(gateway, old)
    [new] = Inbox().waiting(gateway.user)
    assert claimed(gateway, new).text == "the new words"
    [row] = Conversations().page(gateway.user, "main", None, 5).messages
    assert row["content"] == "the new words"
    late = edited(update, "too late", 2)
    assert gateway.send(late)[1]["text"] == texts.EDIT_TOO_LATE
    assert gateway.send(late) == (200, {}), "once"
    assert gateway.send(edited(update, "the new words", 3)) == (200, {}), "nothing has changed"


def test_an_edit_of_something_unknown_says_nothing(gateway: Gateway) -> None:
    assert gateway.send(edited(gateway.update("/status"), "what?")) == (200, {})
    assert gateway.send(edited(gateway.update("hi", sender=77), "what?")) == (200, {})


def asked(gateway: Gateway, *parts: Json) -> Question:
    name = f"ask_{gateway.user}"
    now = gateway.world.clock()
    question = Question(
        gateway.user, question_id(name), "main", name, QUESTION, list(parts), now, now + 15 * MINUTE, generation=1
    )
    Questions(gateway.world.clock).open(question)
    gateway.world.send(user_id=gateway.user)
    gateway.world.boot(gateway.user)
    return question


def press(gateway: Gateway, question: Question, part: int, value: str, sender: int = 0, chat: int = 0) -> str:
    """What the bot says to the button."""
    sender = sender or gateway.telegram
    message = {"message_id": 5, "chat": {"id": chat or sender, "type": "private"}}
    query = {"id": "77", "from": {"id": sender}, "message": message, "data": f"q:{question.id}:{part}:{value}"}
    status, body = gateway.send({"update_id": 1, "callback_query": query})
    assert (status, body["method"], body["callback_query_id"]) == (200, "answerCallbackQuery", "77")
    return str(body.get("text", ""))


def test_buttons_answer_one_part_after_the_other(gateway: Gateway) -> None:
    question = asked(gateway, DAYS, COLOUR)
    rows = Questions(gateway.world.clock)
    assert press(gateway, question, 0, "d") == "", "nothing is ticked yet"
    for value in ("0", "1", "0", "d"):
        assert press(gateway, question, 0, value) == ""
    press(gateway, question, 0, "0")  # an old keyboard: that part is finished
    assert press(gateway, question, 1, "7") == ""
    assert press(gateway, question, 1, "0") == ""
    [chosen] = rows.unclosed(gateway.user)
    assert (chosen.state, chosen.answers, chosen.by) == ("chosen", {"days": ["Green"], "colour": ["Red"]}, "telegram")
    assert press(gateway, question, 1, "1") == "This was answered a moment ago."


def test_a_last_press_that_failed_half_way_is_made_good_by_its_repetition(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Telegram sends it again after a 5xx. The keyboard is gone by then, so the choice must not hang."""
    question = asked(gateway, COLOUR)
    with monkeypatch.context() as patch:
        patch.setattr(Questions, "choose", lambda *_: (_ for _ in ()).throw(TimeoutError()))
        query = {"id": "7", "from": {"id": gateway.telegram}, "data": f"q:{question.id}:0:0"}
        query["message"] = {"message_id": 5, "chat": {"id": gateway.telegram, "type": "private"}}
        with pytest.raises(TimeoutError):
            gateway.send({"update_id": 1, "callback_query": query})
    press(gateway, question, 0, "0")
    [chosen] = Questions(gateway.world.clock).unclosed(gateway.user)
    assert (chosen.state, chosen.answers) == ("chosen", {"colour": ["Red"]})


def test_two_ticks_at_once_both_count(gateway: Gateway) -> None:
    question = asked(gateway, DAYS)
    rows, other = Questions(gateway.world.clock), Questions(gateway.world.clock)

    def first(now: Question) -> dict[str, list[str]]:
        if not now.picked:  # the other press comes between our read and our write
            other.pick(gateway.user, question.id, lambda there: there.picked | {"days": ["Green"]})
        return now.picked | {"days": [*now.picked.get("days", []), "Red"]}

    assert rows.pick(gateway.user, question.id, first).picked == {"days": ["Green", "Red"]}


def test_only_the_person_who_is_asked_may_press(gateway: Gateway) -> None:
    question = asked(gateway, COLOUR)
    Questions(gateway.world.clock).note_chat(question, {"chatId": gateway.telegram}, 5)
    assert press(gateway, question, 0, "0", sender=99_999) == texts.NOT_YOUR_QUESTION
    other = Gateway()
    assert press(gateway, question, 0, "0", sender=other.telegram) == texts.NOT_YOUR_QUESTION
    assert press(gateway, question, 0, "0", chat=-100) == texts.NOT_YOUR_QUESTION
    assert press(gateway, replace(question, id="q" + "0" * 20), 0, "0") == texts.NOT_YOUR_QUESTION
    assert press(gateway, replace(question, id="x"), 0, "0") == ""
    assert press(gateway, question, 0, "s") == ""
    assert [one.state for one in Questions(gateway.world.clock).unclosed(gateway.user)] == ["chosen"]


@pytest.mark.parametrize("query", [{}, [], {"from": 7}, {"data": 5}, {"message": "x"}, None])
def test_a_broken_button_is_answered(gateway: Gateway, query: Any) -> None:
    assert gateway.send({"update_id": 1, "callback_query": query})[0] == 200


def reaction(gateway: Gateway, number: int, *emoji: str) -> Json:
    new = [{"type": "emoji", "emoji": one} for one in emoji]
    chat = {"id": gateway.telegram, "type": "private"}
    body = {"chat": chat, "user": {"id": gateway.telegram}, "message_id": number, "new_reaction": new}
    return {"update_id": 3, "message_reaction": body}


def test_a_reaction_is_told_with_the_next_turn_of_its_conversation(gateway: Gateway) -> None:
    answered = Message(gateway.user, "tg-answered", "hi", "main", gateway.world.clock())
    answer_row(answered, "The **tea** is ready", "final", gateway.world.clock()).save()
    about = {"conversationId": "main", "queuedAt": answered.queued_at, "done": True, "ids": [41, 42]}
    elsewhere = replace(answered, id="tg-group", conversation_id="tg-g5")
    for message, chat in ((elsewhere, -5), (answered, gateway.telegram)):  # each chat has a message 42
        value = about | {"place": {"chatId": chat}, "conversationId": message.conversation_id}
        SettingItem(gateway.user, f"telegram-sent#{message.id}", value=value).save()
    answer_row(elsewhere, "For the group", "final", gateway.world.clock()).save()
    for number, emoji in ((42, "👍"), (999, "👎")):
        assert gateway.send(reaction(gateway, number, emoji)) == (200, {})
    untold = Reactions(gateway.user, Nothing())
    untold.look()
    next_one, command = replace(answered, id="next-one"), replace(answered, text="/status")
    nothing: Any = None
    assert untold.before(nothing, command) == ""
    assert untold.before(nothing, replace(answered, conversation_id="tg-g5")) == "", "not that chat's message"
    words = "[The person reacted with 👍 to your message “The **tea** is ready” in Telegram.]\n\n"
    assert untold.before(nothing, next_one) == words
    gateway.send(reaction(gateway, 42, "❤"))
    untold.told(nothing, next_one)
    assert [value["emoji"] for _, value in noted(gateway.user)] == [["❤"]], "changed meanwhile; 999 is nobody's"
    untold.look()
    assert untold.before(nothing, next_one) == words.replace("👍", "❤")
    untold.told(nothing, next_one)
    assert (untold.before(nothing, next_one), noted(gateway.user)) == ("", [])
    gateway.send(reaction(gateway, 42, "👍"))
    gateway.send(reaction(gateway, 42))
    assert noted(gateway.user) == [], "taken back before it was told"


@pytest.mark.parametrize("body", [None, [], {}, {"user": {"id": 1}}, {"new_reaction": "x"}])
def test_a_broken_reaction_is_accepted(gateway: Gateway, body: Any) -> None:
    assert gateway.send({"update_id": 3, "message_reaction": body}) == (200, {})


def test_a_group_keeps_its_conversation_when_it_becomes_a_supergroup(gateway: Gateway) -> None:
    old, new = -gateway.telegram * 10, -1_000_000_000_000 - gateway.telegram
    mention: Json = {"entities": [{"type": "mention", "offset": 0, "length": 7}]}

    def say(chat: int, kind: str, text: str) -> str:
        gateway.send(gateway.update(text, chat={"id": chat, "type": kind}, **mention))
        [*_, last] = Inbox().waiting(gateway.user)
        return last.conversation_id

    assert say(old, "group", "@my_bot one") == f"tg-g{-old}"
    place = {"chatId": old, "chat": f"g{-old}", "userId": gateway.telegram, "private": False}
    Places(gateway.user).remember(f"tg-g{-old}", place)
    moved = gateway.update("", chat={"id": old, "type": "group"}, migrate_to_chat_id=new)
    assert gateway.send(moved) == (200, {})
    assert gateway.send(moved) == (200, {}), "may come twice"
    found = Places(gateway.user).of(f"tg-g{-old}")
    assert found is not None
    assert (found["chatId"], found["chat"]) == (new, f"g{-new}")
    assert say(new, "supergroup", "@my_bot two") == f"tg-g{-old}"
    gateway.send(gateway.update("@my_bot /new", chat={"id": new, "type": "supergroup"}, **mention))
    assert json.dumps(Inbox().waiting(gateway.user)[-1].route).count(str(new)) == 1


def test_a_blocked_bot_is_noted_until_something_arrives(gateway: Gateway) -> None:
    from bridge.telegram.blocked import Blocked
    from chalicelib.telegram.links import Links

    blocked = Blocked(gateway.user)
    assert not is_blocked(gateway.user)
    assert [blocked.refused(), blocked.refused()] == [True, False]
    assert Links.status(gateway.user)["blocked"] is True
    Blocked(gateway.user).sent()
    assert "blocked" not in Links.status(gateway.user)
