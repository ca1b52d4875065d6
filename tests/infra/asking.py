"""What leads to the AWS calls of questions, edits, reactions and groups that moved; and the Bridge's part of them."""

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from tests.infra.channels import HEADER, Chat

if TYPE_CHECKING:
    from tests.infra.drive import Drive


def asked(user: str, generation: int, name: str) -> Any:
    """A question as the Bridge keeps it."""
    from chalicelib.messages.questions import QUESTION, Question, Questions, question_id
    from chalicelib.platform.clock import MINUTE, now_ms

    part = {"id": "c", "header": "C", "text": "Which?", "options": [{"label": "A"}], "multi": False, "other": True}
    now = now_ms()
    made = Question(user, question_id(name), "main", name, QUESTION, [part], now, now + MINUTE, generation)
    Questions().open(made)
    return made


def questions(drive: "Drive") -> None:
    """Answered on the page, twice; by a button, and by a text, in Telegram."""
    from chalicelib.agents.tasks import Tasks
    from chalicelib.people.linking import Linking

    user, chat = drive.user(), Chat(drive, 3001)
    drive.connect({"token": user}, f"tab-{user}")
    drive.connect({"token": user}, f"gone-{user}")
    drive.agent(user)
    generation = Tasks().get(user).generation
    first = asked(user, generation, f"{user}-1")
    for _ in range(2):
        drive.send(f"tab-{user}", "answer", questionId=first.id, answers={"c": ["A"]})
    chat.say(f"/start {Linking('secret').issue(user).token}")
    second = asked(user, generation, f"{user}-2")
    where = {"message_id": 1, "chat": {"id": 3001, "type": "private"}}
    query = {"id": "1", "from": {"id": 3001}, "message": where, "data": f"q:{second.id}:0:0"}
    for _ in range(2):
        drive.rest("", "POST", "/telegram", {"update_id": 1, "callback_query": query}, headers=HEADER)


def changes(drive: "Drive") -> None:
    """An edit in time and one too late, a reaction and its end, a group with another id."""
    from chalicelib.agents.tasks import Tasks
    from chalicelib.messages import allowed
    from chalicelib.messages.inbox import Inbox
    from chalicelib.people.linking import Linking

    user, chat = drive.user(), Chat(drive, 3002)
    chat.say(f"/start {Linking('secret').issue(user).token}")
    chat.say("the old words")
    place = {"chat": {"id": 3002, "type": "private"}, "from": {"id": 3002, "is_bot": False, "first_name": "A"}}

    def edit(text: str, update: int) -> None:
        message = place | {"message_id": Chat.number, "text": text}
        drive.rest("", "POST", "/telegram", {"update_id": update, "edited_message": message}, headers=HEADER)

    edit("the new words", 9_001)
    drive.agent(user)
    [message] = Inbox().waiting(user)
    Inbox().claim(
        message, Tasks().get(user).generation, {"runId": "r", "conversationId": "main", "replyTo": message.id}
    )
    chat.say("the turn runs")
    edit("the turn runs now", 9_002)
    for emoji in ([{"type": "emoji", "emoji": "👍"}], []):
        body = {"chat": place["chat"], "user": place["from"], "message_id": 5, "new_reaction": emoji}
        drive.rest("", "POST", "/telegram", {"update_id": 9_003, "message_reaction": body}, headers=HEADER)
    group = place | {"chat": {"id": -5, "type": "group"}, "message_id": 8, "migrate_to_chat_id": -1005}
    drive.rest("", "POST", "/telegram", {"update_id": 9_004, "message": group}, headers=HEADER)
    drive.rest(user, "GET", "/link/status")
    allowed.project(user, 1, [{"id": "E1", "command": "ls", "entries": ["E1"]}])
    drive.rest(user, "GET", "/allowed")
    drive.rest(user, "DELETE", "/allowed/E1", resource="/allowed/{command_id}")
    new = place | {"chat": {"id": -1005, "type": "supergroup"}, "message_id": 9, "text": "/status@b hello"}
    drive.rest("", "POST", "/telegram", {"update_id": 9_005, "message": new | {"text": "/new"}}, headers=HEADER)
    reply = {"message_id": 4, "from": {"id": 4242}, "text": "x"}
    hello = new | {"text": "hello", "reply_to_message": reply, "entities": []}
    drive.rest("", "POST", "/telegram", {"update_id": 9_006, "message": hello}, headers=HEADER)


def bridge(user: str, generation: int) -> None:
    """What the Bridge asks of chalicelib for them."""
    from chalicelib.messages import allowed
    from chalicelib.messages.questions import ANSWERED, Questions
    from chalicelib.people.linking import note_blocked
    from chalicelib.telegram import reactions
    from chalicelib.telegram.moved import now_at

    rows = Questions()
    made = asked(user, generation, f"{user}-q")
    rows.note_chat(made, {"chatId": 1}, 2)
    rows.chat_of(made)
    rows.get(user, made.id)
    rows.unclosed(user)
    with suppress(ValueError):
        made = rows.choose(user, made.id, {"c": ["A"]}, "text")
    rows.close(made, ANSWERED, made.answers, "text")
    for blocked in (True, False):
        note_blocked(user, blocked)
    for key, value in reactions.noted(user):
        reactions.forget(user, key, value)
    reactions.forget(user, "telegram-reaction#1#1", {})
    now_at({"chatId": -5, "private": False})
    allowed.project(user, generation, [{"id": "E1", "command": "ls", "entries": ["E1"]}])
    for name in [*allowed.asked(user), *(entry["id"] for entry in allowed.kept(user))]:
        allowed.done(user, name)


ALL = (questions, changes)
