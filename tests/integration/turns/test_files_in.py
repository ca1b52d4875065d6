"""Files of any kind reach the agent on the real gateway: the same bytes for its tools, the text for its model."""

import hashlib
import os
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from local.stack import Stack
from tests.integration.telegram.test_telegram_stack import latest, paired
from tests.support.client import Client, eventually
from tests.support.documents import docx, pdf
from tests.support.telegram import Person

pytestmark = pytest.mark.timeout(150)
SIZES = {"1 KB": 1_000, "1 MB": 1_000_000, "20 MB": 20_000_000}
NOTE_BYTES = 60_000  # 30 s of a voice message at 16 kbit/s
SUMS = "run: cd ~/.openclaw/media/inbound/{id} && sha256sum *"


@pytest.fixture(scope="module")
def pair(stack: Stack) -> Iterator[tuple[Client, Person]]:
    client, person = paired(stack)
    yield client, person
    client.rest("POST", "/stop-agent")
    eventually(lambda: not stack.pids(), 40)  # other files count the tasks of this stack
    client.close()


def upload(client: Client, name: str, content: bytes, kind: str = "application/octet-stream") -> dict[str, Any]:
    wanted = {"fileName": name, "mimeType": kind, "bytes": len(content)}
    place = client.rest("POST", "/attachments", wanted).json()
    form = {"data": place["fields"], "files": {"file": content}}
    assert requests.post(place["uploadUrl"], timeout=60, **form).status_code == 204
    return {"mimeType": place["mimeType"], "fileName": place["fileName"], "uploadId": place["id"]}


def sum_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_the_same_bytes_are_there_for_the_agents_tools(pair: tuple[Client, Person]) -> None:
    """1 KB, 1 MB and 20 MB in one message; what no model can read is said in the answer's first lines."""
    client, _ = pair
    contents = {f"{name}.bin": b"\0" + os.urandom(size - 1) for name, size in SIZES.items()}
    sent = [upload(client, name, content) for name, content in contents.items()]
    message = uuid.uuid4().hex
    answer = client.answer(client.send(SUMS.format(id=message), message, attachments=sent))
    for content in contents.values():
        assert sum_of(content) in answer
    assert answer.startswith("⚠️ “1 KB.bin”: its kind is none that can be read as text.\n⚠️ “1 MB.bin”")
    row = client.history()[-2]
    assert [(entry["fileName"], entry["bytes"]) for entry in row["attachments"]] == [
        (name, len(content)) for name, content in contents.items()
    ]
    assert client.history()[-1]["content"].startswith("⚠️ “1 KB.bin”")


def test_the_model_reads_documents_and_no_line_of_them_is_a_command(pair: tuple[Client, Person]) -> None:
    client, _ = pair
    documents = [
        upload(client, "녹차.docx", docx("Green tea at seventy degrees", "/new")),
        upload(client, "book.pdf", pdf("The second chapter is about pots")),
    ]
    client.answer(client.send("fast: what is in them?", attachments=documents))
    told = client.ask("fast, recall what I told you")
    assert "Green tea at seventy degrees" in told
    assert "The second chapter is about pots" in told
    assert "The attached file “녹차.docx” (" in told
    # Asked again with what the server kept of the upload.
    again = client.history()[-4]["attachments"]
    client.answer(client.send("fast: and again?", attachments=again))


def test_an_upload_of_another_user_or_of_nobody_is_refused(pair: tuple[Client, Person], stack: Stack) -> None:
    mine, other = pair[0], Client(stack)
    theirs = upload(other, "secret.txt", b"the other's secret")
    for upload_id in (theirs["uploadId"], "0" * 32):
        body = {"id": uuid.uuid4().hex, "text": "read", "attachments": [theirs | {"uploadId": upload_id}]}
        refused = mine.rest("POST", "/messages", body)
        assert (refused.status_code, refused.json()["code"]) == (404, "ATTACHMENT_GONE")
        mine.say({"action": "sendMessage", **body})
        assert mine.until(lambda frame: frame["type"] == "error")["code"] == "ATTACHMENT_GONE"
    other.close()


@pytest.mark.parametrize(
    ("size", "status", "code"),
    [
        (0, 400, "EMPTY_FILE"),
        (20_000_001, 413, "ATTACHMENT_TOO_LARGE"),
        (-1, 400, "BAD_FIELD"),
        (None, 400, "BAD_FIELD"),
    ],
)
def test_a_file_that_may_not_be_sent_gets_no_place(
    pair: tuple[Client, Person], size: int | None, status: int, code: str
) -> None:
    refused = pair[0].rest("POST", "/attachments", {"fileName": "a.pdf", "bytes": size})
    assert (refused.status_code, refused.json()["code"]) == (status, code)


def test_a_document_of_20_mb_from_telegram(pair: tuple[Client, Person]) -> None:
    """And one that Telegram does not give: the answer begins with that."""
    _, person = pair
    content = b"%PDF-1.4\n" + os.urandom(SIZES["20 MB"] - 9)
    document = {"file_id": person.upload(content), "file_size": len(content), "file_name": "a.pdf"}
    person.say(message={"document": document, "caption": "run: sha256sum ~/.openclaw/media/inbound/tg-*/1-a.pdf"})
    eventually(lambda: any(sum_of(content) in text for text in person.texts()), 60)
    assert any("⚠️ “a.pdf”: the PDF is damaged" in text for text in person.texts())
    lost = {"file_id": "gone", "file_size": 9, "file_name": "lost.txt"}
    person.say(message={"document": lost, "caption": "fast, read this"})
    assert person.reply("lost.txt", 30)["text"].startswith("⚠️ “lost.txt”: it could not be fetched.")


def voice_answered_by_voice(client: Client, person: Person) -> None:
    content = b"OggS SAYS:Buy green tea".ljust(NOTE_BYTES, b"\0")
    voice = {"file_id": person.upload(content), "file_size": NOTE_BYTES, "duration": 30, "mime_type": "audio/ogg"}
    client.rest("PUT", "/settings", {"voiceAnswers": True})
    person.say(message={"voice": voice, "caption": "listen to this"})
    person.reply("Buy green tea", 30)  # the demo model repeats the end of what it was given
    spoken = eventually(lambda: [message["voice"] for message in person.messages() if "voice" in message], 30)
    assert b"SPOKE:" in person.download(spoken[0]["file_id"])
    client.rest("PUT", "/settings", {"voiceAnswers": False})


def test_pictures_voice_and_quotes_reach_the_agent(pair: tuple[Client, Person]) -> None:
    """What a person sends besides text is an attachment of the turn; a reply quotes its context."""
    client, person = pair
    png = bytes.fromhex(
        "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001a5f64540"
        "0000000049454e44ae426082"
    )
    small, large = person.upload(b"small"), person.upload(png)
    photo = [
        {"file_id": small, "file_size": 5, "width": 9, "height": 9},
        {"file_id": large, "file_size": len(png), "width": 900, "height": 900},
    ]
    person.say(message={"photo": photo, "caption": "What is 5*5?"})
    person.reply("5*5 = 25", 30)
    voice_answered_by_voice(client, person)
    person.say(f"run: find ~ -name '*.ogg' -size {NOTE_BYTES}c")
    eventually(lambda: any("The command printed" in text and ".ogg" in text for text in person.texts()), 40)
    quoted = {"message_id": 1, "text": "the old story", "from": {"id": person.user_id}}
    person.say("What is 9*9?", message={"reply_to_message": quoted})
    person.reply("9*9 = 81", 30)
    asked = {m["content"]: m for m in client.history(latest(client)) if m["role"] == "user"}
    assert asked["What is 5*5?"]["attachments"] == [
        {"mimeType": "image/jpeg", "fileName": "photo.jpg", "bytes": len(png)}
    ]
    voices = next(m for text, m in asked.items() if text == "listen to this")
    heard = {"voice": True, "transcript": "Buy green tea", "bytes": NOTE_BYTES}
    assert voices["attachments"] == [{"mimeType": "audio/ogg", "fileName": "voice.ogg", **heard}]
    assert "> the old story\n\nWhat is 9*9?" in asked
    answers = [m for m in client.history(latest(client)) if m["role"] == "assistant"]
    assert {m["costUsd"] for m in answers} == {0}, "the demo model is free, and its calls are counted"
