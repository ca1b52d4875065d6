"""Every row of the input limits, and what an accepted message looks like."""

from typing import Any

import pytest

from chalicelib.wire.protocol import MAX_TEXT, ProtocolError, number_in, parse_body, parse_message

GOOD: dict[str, Any] = {"id": "message-1", "text": "hello"}
PICTURE = {"mimeType": "image/png", "fileName": "a.png", "content": "aGVsbG8="}


@pytest.mark.parametrize("body", ["", "{", "[]", '"text"', "null", "1", None, "\x00", "[" * 20_000, '{"a":' * 6_000])
def test_what_is_not_a_json_object_is_bad_json(body: str | None) -> None:
    with pytest.raises(ProtocolError) as refused:
        parse_body(body)
    assert refused.value.code == "BAD_JSON"


@pytest.mark.parametrize("text", ["", "²", "٣", "+1", "-1", "1_0", " 1", "1.0", "9" * 5_000])
def test_only_ascii_digits_spell_a_number(text: str) -> None:
    """Python's isdigit() and int() each take some of these."""
    assert number_in(text) is None


def test_a_number_is_read_as_it_is_written() -> None:
    assert [number_in(text) for text in ("0", "7", "050")] == [0, 7, 50]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"text": ""}, "EMPTY_MESSAGE"),
        ({"text": " \n\t "}, "EMPTY_MESSAGE"),
        ({"text": "x" * (MAX_TEXT + 1)}, "TEXT_TOO_LONG"),
        ({"text": 5}, "BAD_FIELD"),
        ({"text": None}, "BAD_FIELD"),
        ({"text": "a\x00b"}, "BAD_FIELD"),
        ({"conversationId": 7}, "BAD_FIELD"),
        ({"conversationId": ""}, "BAD_FIELD"),
        ({"conversationId": "a#b"}, "BAD_FIELD"),
        ({"conversationId": "x" * 65}, "BAD_FIELD"),
        ({"attachments": "x"}, "BAD_FIELD"),
        ({"attachments": [PICTURE] * 5}, "BAD_FIELD"),
        ({"attachments": [PICTURE | {"mimeType": "text/html"}]}, "BAD_FIELD"),
        ({"attachments": [PICTURE | {"content": "not base64!"}]}, "BAD_FIELD"),
        ({"attachments": [PICTURE | {"content": "A" * 5_000_000}]}, "ATTACHMENT_TOO_LARGE"),
    ],
)
def test_a_bad_field_is_refused_with_its_code_and_the_messages_id(change: dict[str, Any], code: str) -> None:
    with pytest.raises(ProtocolError) as refused:
        parse_message(GOOD | change)
    assert refused.value.frame() == {"type": "error", "code": code, "message": refused.value.message, "id": "message-1"}


@pytest.mark.parametrize("message_id", [None, 7, "", "short", "x" * 65, "with space", "semi;colon", "line\nbreak1"])
def test_a_bad_id_is_refused_without_an_id(message_id: object) -> None:
    with pytest.raises(ProtocolError) as refused:
        parse_message(GOOD | {"id": message_id})
    assert refused.value.code == "BAD_FIELD"
    assert "id" not in refused.value.frame()


def test_the_longest_text_and_a_picture_alone_are_accepted() -> None:
    assert len(parse_message(GOOD | {"text": "x" * MAX_TEXT}).text) == MAX_TEXT
    sent = parse_message({"id": "message-1", "attachments": [PICTURE]})
    assert (sent.text, sent.conversation_id, sent.attachments) == ("", "main", [PICTURE])
