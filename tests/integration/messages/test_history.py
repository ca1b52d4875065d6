"""What was said comes back whole and in order, in frames and answers that API Gateway and Lambda let through."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.messages.conversations import answer_row, question_row
from chalicelib.messages.inbox import Message
from chalicelib.wire.protocol import encode
from local.stack import Stack
from tests.support.client import Client, Frame
from tests.support.tables import no_container, put_rows

LIMIT = 128 * 1000  # API Gateway's 128 KB, whichever KB it is
AT = 1_800_000_000_000


@pytest.fixture(scope="module")
def client(stack: Stack) -> Iterator[Client]:
    client = Client(stack)
    yield client
    client.close()


def say(client: Client, count: int, content: str = "", files: list[dict[str, str]] | None = None) -> tuple[str, Any]:
    """A stored conversation of that many questions with their answers; its id, and both as (id, content)."""
    conversation, said = uuid.uuid4().hex, []
    for number in range(count):
        text = f"{number} {content}"
        message = Message(client.user_id, f"message-{number}", text, conversation, AT + number, attachments=files or [])
        rows = question_row(message), answer_row(message, f"answer {text}", "final", AT + 2 * number)
        put_rows(client.stack, *rows)
        said += [(message.id, text), (f"{message.id}.answer", f"answer {text}")]
    return conversation, said


def asked(client: Client, conversation: str, **fields: Any) -> Frame:
    client.say({"action": "getHistory", "conversationId": conversation, **fields})
    frame = client.until(lambda f: f["type"] in ("history", "error"), 30)
    assert frame["type"] == "history", frame
    assert len(encode(frame)) <= LIMIT
    return frame


def pages(client: Client, conversation: str, limit: int) -> Iterator[Frame]:
    """From the newest page to the oldest."""
    before = None
    while True:
        frame = asked(client, conversation, limit=limit, **({"before": before} if before else {}))
        yield frame
        before = frame["before"]
        if before is None:
            return


def told(frames: list[Frame]) -> list[tuple[str, str]]:
    """The messages of pages, oldest first."""
    return [(m["messageId"], m["content"]) for frame in reversed(frames) for m in frame["messages"]]


def test_a_frame_of_history_says_what_was_said_and_who_said_it(client: Client) -> None:
    picture = {"mimeType": "image/png", "fileName": "a.png"}
    conversation, _ = say(client, 1, "good\nmorning", [picture | {"bucket": "b", "key": "k"}])
    (frame,) = pages(client, conversation, 20)
    question = {"type": "message", "messageId": "message-0", "role": "user", "content": "0 good\nmorning"}
    answer = {"type": "message", "messageId": "message-0.answer", "role": "assistant"}
    where = {"conversationId": conversation, "createdAt": AT}
    assert frame == {
        "type": "history",
        "conversationId": conversation,
        "before": None,
        "messages": [
            question | where | {"attachments": [picture]},
            answer | where | {"content": "answer 0 good\nmorning", "replyTo": "message-0", "reason": "final"},
        ],
    }


@pytest.mark.parametrize("limit", [1, 3, 4, 50])
def test_pages_hold_every_message_once_in_order_the_newest_last(client: Client, limit: int) -> None:
    conversation, said = say(client, 6)
    frames = list(pages(client, conversation, limit))
    assert told(frames) == said
    assert [len(frame["messages"]) for frame in frames[:-1]] == [limit] * (len(frames) - 1)
    assert len(frames) == -(-len(said) // limit), "no empty page at the end"


def test_a_cursor_points_into_the_past_whatever_is_said_meanwhile(client: Client) -> None:
    conversation, said = say(client, 3)
    newest = asked(client, conversation, limit=2)
    later = Message(client.user_id, "message-9", "later", conversation, AT + 9)
    put_rows(client.stack, question_row(later))
    older = asked(client, conversation, limit=50, before=newest["before"])
    assert told([newest, older]) == said
    over_rest = client.rest("GET", f"/conversations/{conversation}?before={newest['before']}").json()
    assert over_rest["messages"] == older["messages"]


@pytest.mark.parametrize("content", ['"', "\n", "\\", "\x01", "x", "한", "😀"])
def test_no_frame_of_history_is_larger_than_api_gateway_takes(client: Client, content: str) -> None:
    """Quotes and newlines are two bytes in a frame and one in the table, control characters six."""
    conversation, said = say(client, 20, content * 4_000)
    assert told(list(pages(client, conversation, 50))) == said


def test_the_names_of_pictures_count_too(client: Client) -> None:
    picture = {"mimeType": "image/png", "fileName": "\n" * 255}
    conversation, said = say(client, 40, files=[picture] * 4)
    assert told(list(pages(client, conversation, 50))) == said


@pytest.mark.parametrize("character", ['"', "x", "😀", "\x01"])
def test_a_message_larger_than_a_frame_is_cut_and_says_so_and_rest_has_the_whole(
    client: Client, character: str
) -> None:
    conversation, said = say(client, 1, character * (380_000 // len(character.encode()) - 20))
    frames = list(pages(client, conversation, 50))
    assert [message["truncated"] for frame in frames for message in frame["messages"]] == [True, True]
    for (_, whole), (_, shown) in zip(said, told(frames), strict=True):
        assert whole.startswith(shown)
        assert len(encode({"c": whole[: len(shown) + 9_000]})) > LIMIT, "as much as fits"
    assert told([client.rest("GET", f"/conversations/{conversation}").json()]) == said


@pytest.mark.parametrize("character", ['"', "한", "\x01"])
def test_no_page_over_rest_is_larger_than_lambda_takes(client: Client, character: str) -> None:
    """There an answer is JSON in ASCII, inside JSON: a quote is four bytes."""
    conversation, said = say(client, 8, character * (370_000 // len(character.encode())))
    frames: list[Frame] = []
    while not frames or frames[-1]["before"]:
        cursor = f"?before={frames[-1]['before']}" if frames else ""
        answer = client.rest("GET", f"/conversations/{conversation}{cursor}")
        assert answer.status_code == 200, answer.text
        frames.append(answer.json())
    assert told(frames) == said
    assert len(frames) > 1


@pytest.mark.parametrize("character", ["\x01", "😀"])
def test_the_longest_message_is_shown_in_the_users_other_tab(stack: Stack, client: Client, character: str) -> None:
    other, text = Client(stack, client.token), character * 32_000
    with no_container(stack, client.user_id):
        sent = client.rest("POST", "/messages", {"id": uuid.uuid4().hex, "text": text})
        assert sent.status_code == 202, sent.text
        frame = other.until(lambda f: f["type"] == "message" and f["messageId"] == sent.json()["id"], 20)
    other.close()
    assert len(encode(frame)) <= LIMIT
    assert text.startswith(frame["content"])
    assert len(encode(frame)) > LIMIT - 3_000
