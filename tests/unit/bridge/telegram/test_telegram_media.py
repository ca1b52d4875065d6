"""Files of an answer in a chat: by kind, as albums, within the Bot API's limits, each once."""

import io
import time
from itertools import pairwise
from typing import IO, Any

import pytest

from bridge.telegram.answer import Answer
from bridge.telegram.media import FILE_BYTES, PHOTO_BYTES, kind_of, parcels
from chalicelib.messages.files import OTHER, StoredFile
from chalicelib.telegram.api import Flood, Rejected, Unknown
from tests.support.fake_telegram import FakeApi, FakeProgress

PLACE = {"chatId": 7, "messageId": 1, "private": True, "chat": "p7", "userId": 7}
PNG = b"\x89PNG" + b"x" * 96


def file(name: str, kind: str, size: int = 100, voice: bool = False) -> StoredFile:
    return StoredFile(name, name, kind, size, voice)


def content(one: StoredFile) -> IO[bytes] | None:
    return io.BytesIO(PNG) if one.name != "gone" else None


def send(api: FakeApi, *files: StoredFile, text: str = "Here:", progress: Any = None) -> FakeProgress:
    progress = progress or FakeProgress()
    made = Answer(api, PLACE, progress, lambda: text, gap=0.0, files_from=content)  # type: ignore[arg-type]
    made.start()
    assert made.finish(text, 5, [one.public() for one in files])
    return progress  # type: ignore[no-any-return]


def made(api: FakeApi) -> list[str]:
    """The calls that put something into the chat."""
    return [name for _, name, _ in api.chats.calls if name.startswith("send") and name != "sendChatAction"]


@pytest.mark.parametrize(
    ("one", "kind"),
    [
        (file("a", "image/png"), "photo"),
        (file("a", "image/png", PHOTO_BYTES + 1), "document"),
        (file("a", "image/gif"), "animation"),
        (file("a", "video/mp4"), "video"),
        (file("a", "video/webm"), "document"),
        (file("a", "audio/mpeg"), "audio"),
        (file("a", "audio/ogg"), "document"),
        (file("a", "audio/ogg", voice=True), "voice"),
        (file("a", "audio/wav", voice=True), "document"),
        (file("a", "application/pdf"), "document"),
        (file("a", OTHER), "document"),
        (file("a", OTHER, FILE_BYTES + 1), "link"),
        (file("a", "text/plain", 0), "link"),
    ],
)
def test_the_kind_of_a_file(one: StoredFile, kind: str) -> None:
    assert kind_of(one) == kind


def test_albums_hold_what_telegram_shows_together() -> None:
    photos = [file(f"{n}.png", "image/png") for n in range(12)]
    films, papers = [file("f.mp4", "video/mp4")], [file(f"{n}.pdf", "application/pdf") for n in range(2)]
    huge = [file(f"{n}.zip", "application/zip", 30_000_000) for n in range(2)]
    found = parcels([*photos, *films, *papers, *huge])
    assert [len(one.files) for one in found] == [10, 3, 3, 1]
    assert found[1].kinds == ("photo", "photo", "video")


def test_each_kind_has_its_method(api: FakeApi) -> None:
    send(
        api,
        file("p.png", "image/png"),
        file("v.ogg", "audio/ogg", voice=True),
        file("m.mp3", "audio/mpeg"),
        file("g.gif", "image/gif"),
        file("r.pdf", "application/pdf"),
    )
    assert made(api) == ["sendMessage", "sendPhoto", "sendVoice", "sendAudio", "sendAnimation", "sendDocument"]
    photo = next(m for m in api.chats.shown(7) if "photo" in m)
    assert photo["caption"] == "p.png"


def test_several_pictures_are_one_album(api: FakeApi) -> None:
    send(api, *[file(f"{n}.png", "image/png") for n in range(3)])
    assert made(api) == ["sendMessage", "sendMediaGroup"]
    assert len({m["media_group_id"] for m in api.chats.shown(7) if "photo" in m}) == 1


def test_an_answer_that_is_only_a_file_has_no_other_message(api: FakeApi) -> None:
    send(api, file("p.png", "image/png"), text="")
    assert made(api) == ["sendPhoto"]


def test_what_cannot_be_sent_is_named(api: FakeApi) -> None:
    send(api, file("big.zip", "application/zip", FILE_BYTES + 1), file("gone", "application/pdf"))
    assert api.shown()[1:] == [
        "📎 “big.zip” (50.0 MB): cannot be sent in Telegram. Open the web page to save it.",
        "📎 “gone” (100 bytes): cannot be sent in Telegram. Open the web page to save it.",
    ]


def test_a_picture_that_is_refused_goes_as_a_document(api: FakeApi) -> None:
    api.fail("sendPhoto", Rejected(400, "Bad Request: PHOTO_INVALID_DIMENSIONS"))
    send(api, file("tall.png", "image/png"))
    assert made(api) == ["sendMessage", "sendDocument"]


def test_what_is_refused_twice_is_named(api: FakeApi) -> None:
    for method in ("sendPhoto", "sendDocument"):
        api.fail(method, Rejected(400, "Bad Request: no"))
    send(api, file("tall.png", "image/png"))
    assert "“tall.png”" in api.shown()[1]


def test_a_flood_repeats_nothing(api: FakeApi) -> None:
    api.fail("sendDocument", Flood(0.05))
    send(api, file("a.png", "image/png"), file("r.pdf", "application/pdf"))
    assert made(api) == ["sendMessage", "sendPhoto", "sendDocument"]


@pytest.mark.parametrize("happened", [True, False])
def test_a_call_with_an_unknown_outcome_is_not_repeated(api: FakeApi, happened: bool) -> None:
    api.fail("sendPhoto", Unknown("sendPhoto"), happened)
    send(api, file("a.png", "image/png"), file("r.pdf", "application/pdf"))
    assert api.calls("sendPhoto") == 1
    assert made(api)[-1] == "sendDocument"


def test_another_try_goes_on_behind_what_was_sent(api: FakeApi) -> None:
    files = file("a.png", "image/png"), file("r.pdf", "application/pdf")
    progress = FakeProgress()
    progress.parcels = 1
    send(api, *files, progress=progress)
    assert made(api) == ["sendMessage", "sendDocument"]
    again = send(api, *files, progress=progress)
    assert (len(made(api)), again.done) == (2, True)


def test_each_pause_is_for_the_files_just_sent(api: FakeApi) -> None:
    """30 pictures waited for 30 messages behind each of their three albums."""
    gap = 0.04
    photos = [file(f"{n}.png", "image/png") for n in range(30)]
    first = Answer(api, PLACE, FakeProgress(), lambda: "", gap=gap, files_from=content)  # type: ignore[arg-type]
    first.start()
    assert first.finish("", 5, [one.public() for one in photos])
    second = Answer(api, PLACE, FakeProgress(), lambda: "", first, gap=gap)  # type: ignore[arg-type]
    second.start()
    assert second.finish("Next.", 5)
    sent = [at for at, method in api.times if method in ("sendMediaGroup", "sendMessage")]
    pauses = [after - before for before, after in pairwise(sent)]
    assert len(pauses) == 3
    assert all(9.5 * gap <= pause < 28 * gap for pause in pauses), "the last one is kept by the next answer"


def test_an_answer_is_done_with_its_last_file(api: FakeApi) -> None:
    begun = time.monotonic()
    made = Answer(api, PLACE, FakeProgress(), lambda: "", gap=4.0, files_from=content)  # type: ignore[arg-type]
    made.start()
    assert made.finish("", 3, [file("a.png", "image/png").public()])
    assert made.paced > begun + 4
