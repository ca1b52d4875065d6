"""What comes in: everything a person may send is understood, and nothing else can do harm."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.telegram.update import Bot, Incoming, parse
from chalicelib.wire.files import MAX_FILE

BOT = Bot(99, "My_Bot")
Json = dict[str, Any]


def update(message: Json | None = None, chat: Json | None = None, kind: str = "message", **fields: Any) -> Json:
    base = {"message_id": 5, "chat": chat or {"id": 7, "type": "private"}, "from": {"id": 7, "first_name": "Ann"}}
    return {"update_id": 1, kind: base | (message or {}) | fields}


def read(*args: Any, **fields: Any) -> Incoming:
    incoming = parse(update(*args, **fields), BOT)
    assert incoming is not None
    return incoming


def test_text() -> None:
    incoming = read(text="hello")
    assert (incoming.text, incoming.private, incoming.name, incoming.addressed) == ("hello", True, "Ann", True)


def test_the_largest_picture_that_can_be_fetched() -> None:
    sizes = [
        {"file_id": "s", "width": 90, "height": 90, "file_size": 900},
        {"file_id": "l", "width": 900, "height": 900, "file_size": 90_000},
        {"file_id": "xl", "width": 9000, "height": 9000, "file_size": MAX_FILE + 1},
    ]
    incoming = read(photo=sizes, caption="see")
    assert ([f.id for f in incoming.files], incoming.text) == (["l"], "see")


@pytest.mark.parametrize(
    ("field", "mime"), [("voice", "audio/ogg"), ("audio", "audio/mpeg"), ("document", "application/octet-stream")]
)
def test_voice_and_files(field: str, mime: str) -> None:
    assert [(f.id, f.mime_type) for f in read({field: {"file_id": "f"}}).files] == [("f", mime)]
    named = read({field: {"file_id": "f", "mime_type": "text/plain", "file_name": "a.txt", "file_size": 3}}).files[0]
    assert (named.mime_type, named.name, named.size) == ("text/plain", "a.txt", 3)


def test_a_reply_quotes() -> None:
    other = {"message_id": 1, "text": "the whole", "from": {"id": 3}}
    assert read(text="x", reply_to_message=other).quote == "the whole"
    assert read(text="x", reply_to_message=other, quote={"text": "whole"}).quote == "whole"


GROUP = {"id": -100123, "type": "supergroup"}


@pytest.mark.parametrize(
    ("fields", "addressed"),
    [
        ({"text": "hello"}, False),
        ({"text": "@my_bot hello", "entities": [{"type": "mention", "offset": 0, "length": 7}]}, True),
        ({"text": "😀 @My_Bot", "entities": [{"type": "mention", "offset": 3, "length": 7}]}, True),
        ({"text": "@other_bot hi", "entities": [{"type": "mention", "offset": 0, "length": 10}]}, False),
        ({"text": "@my_bot hello"}, False),  # not a mention by Telegram's own reading
        ({"text": "/stop@My_Bot", "entities": [{"type": "bot_command", "offset": 0, "length": 12}]}, True),
        ({"text": "/stop", "entities": [{"type": "bot_command", "offset": 0, "length": 5}]}, False),
        ({"text": "Ann", "entities": [{"type": "text_mention", "offset": 0, "length": 3, "user": {"id": 99}}]}, True),
        ({"text": "yes", "reply_to_message": {"from": {"id": 99}, "text": "?"}}, True),
        ({"text": "yes", "reply_to_message": {"from": {"id": 3}, "text": "?"}}, False),
        ({"text": "in topic", "reply_to_message": {"from": {"id": 99}, "forum_topic_created": {}}}, False),
        (
            {
                "photo": [{"file_id": "f"}],
                "caption": "@my_bot",
                "caption_entities": [{"type": "mention", "offset": 0, "length": 7}],
            },
            True,
        ),
    ],
)
def test_groups(fields: Json, addressed: bool) -> None:
    assert read(chat=GROUP, **fields).addressed is addressed


def test_our_name_is_not_part_of_the_question() -> None:
    assert read(chat=GROUP, text="@my_bot, what now?").text == "what now?"
    assert read(chat=GROUP, text="what now @My_Bot").text == "what now"


def test_topics_and_chats_are_places() -> None:
    assert read(text="x").chat == "p7"
    assert read(chat=GROUP, text="x").chat == "g100123"
    assert read(chat=GROUP, text="x", message_thread_id=4, is_topic_message=True).chat == "g100123-4"
    assert read(chat=GROUP, text="x", message_thread_id=4).chat == "g100123"


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/new", ("new", "")),
        ("/link 123456", ("link", "123456")),
        ("/LINK@my_bot  1 ", ("link", "1")),
        ("/link@other 1", None),
        ("/", None),
        ("hello /new", None),
    ],
)
def test_commands(text: str, command: tuple[str, str] | None) -> None:
    assert read(text=text).command(BOT) == command


@pytest.mark.parametrize(
    "ignored",
    [
        update(text="x", chat={"id": -1, "type": "channel"}),
        {"update_id": 1, "callback_query": {}},
        {"update_id": -1, **update(text="x")} | {"update_id": -1},
        update(text="x") | {"update_id": 2**70},
        update({"text": "x", "from": {"id": 1, "is_bot": True}}),
        update(new_chat_members=[]),
        update(),
    ],
)
def test_what_is_not_for_us(ignored: Json) -> None:
    assert parse(ignored, BOT) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
FIELDS = ["chat", "from", "text", "caption", "entities", "photo", "voice", "document", "reply_to_message", "quote"]
FIELDS += ["forward_origin", "location", "venue", "contact", "poll", "sticker", "dice", "video", "media_group_id"]


@settings(max_examples=200, deadline=None)
@given(json_values)
def test_any_json_is_survived(value: Any) -> None:
    parse(value, BOT)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from([*FIELDS, "message_thread_id", "is_topic_message"]), json_values, max_size=5))
def test_broken_fields_are_survived(fields: Json) -> None:
    """Every result can be stored: text is UTF-8, numbers are whole."""
    incoming = parse(update(fields, chat=GROUP), BOT)
    if incoming is not None:
        json.dumps(incoming.text).encode()
        incoming.text.encode()
        incoming.command(BOT)
