"""Pictures and files in a message: chosen, dropped or pasted; shown, sent, and named again after a reload."""

import base64
import re
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, Locator, expect

from tests.e2e.app import App
from tests.e2e.pictures import png
from tests.e2e.test_access import AXE, violations
from tests.support.documents import docx

# A file as a drop or the clipboard carries it.
TRANSFER = """({name, type, content}) => {
  const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
  const carried = new DataTransfer();
  carried.items.add(new File([bytes], name, {type}));
  return carried;
}"""
PASTE = """(field, carried) => field.dispatchEvent(
  new ClipboardEvent('paste', {clipboardData: carried, bubbles: true, cancelable: true}))"""

# As a phone reads a large photo.
SLOWLY = """() => {
  const read = window.createImageBitmap;
  window.createImageBitmap = (file) => new Promise((done) => setTimeout(() => done(read(file)), 1500));
}"""


def picture(name: str = "sea.png", width: int = 60, height: int = 40, noise: bool = False) -> FilePayload:
    return {"name": name, "mimeType": "image/png", "buffer": png(width, height, noise)}


def previews(chat: App) -> Locator:
    return chat.page.locator("form.composer .attachments img")


def shown_width(image: Locator) -> int:
    """Pixels of the picture itself: 0 when the browser could not, or may not, draw it."""
    expect(image).to_be_visible()
    width: int = image.evaluate("image => image.decode().then(() => image.naturalWidth)")
    return width


def bring(chat: App, way: str, file: FilePayload) -> None:
    content = base64.b64encode(file["buffer"]).decode()
    fields = {"name": file["name"], "type": file["mimeType"], "content": content}
    carried = chat.page.evaluate_handle(TRANSFER, fields)
    if way == "paste":
        chat.by("composer").evaluate(PASTE, carried)
    else:  # onto the messages: beside the field, where a browser would open the file instead
        chat.by("log").dispatch_event("dragover", {"dataTransfer": carried})
        expect(chat.by("composer")).to_have_attribute("placeholder", "Drop files here")
        chat.by("log").dispatch_event("drop", {"dataTransfer": carried})
        expect(chat.by("composer")).to_have_attribute("placeholder", "Message your agent")


def test_a_chosen_picture_is_previewed_sent_and_named_after_a_reload(chat: App) -> None:
    chat.by("attach-input").set_input_files([picture("sea.png"), picture("sky.png")])
    expect(previews(chat)).to_have_count(2)
    assert shown_width(previews(chat).first) == 60
    chat.page.get_by_role("button", name="Remove sky.png").click()
    expect(previews(chat)).to_have_count(1)
    chat.send("7+8")
    expect(previews(chat)).to_have_count(0)
    question = chat.questions.first
    assert shown_width(question.get_by_role("img", name="Image: sea.png")) == 60
    chat.answered("7+8 = 15")
    chat.reload()
    chat.answered("7+8 = 15")
    expect(question.get_by_test_id("file")).to_have_text(["sea.png"])
    # Its bytes are gone, so it could not be asked again as it was.
    expect(chat.by("regenerate")).to_have_count(0)


@pytest.mark.parametrize("way", ["paste", "drop"])
def test_a_picture_alone_is_a_message(chat: App, way: str) -> None:
    """Pasted or dropped; the agent gets it without a word."""
    bring(chat, way, picture("cat.png"))
    expect(previews(chat)).to_have_count(1)
    chat.by("send").click()
    expect(chat.questions.get_by_role("img", name="Image: cat.png")).to_be_visible()
    expect(chat.messages("assistant", "done")).to_have_count(1, timeout=30_000)


def test_a_large_picture_is_made_small_enough(chat: App) -> None:
    """10 MB of noise: sent by REST, since a frame holds 32 KB, and answered."""
    chat.by("attach-input").set_input_files([picture("noise.png", 2200, 1500, noise=True)])
    expect(previews(chat)).to_have_count(1, timeout=20_000)
    assert shown_width(previews(chat).first) <= 1568
    with chat.page.expect_request("**/api/messages") as sent:
        chat.send("9+4")
    assert len(sent.value.post_data_buffer or b"") < 1_300_000
    chat.answered("9+4 = 13")
    chat.reload()
    chat.answered("9+4 = 13")
    expect(chat.questions.get_by_test_id("file")).to_have_text(["noise.jpg"])


def test_a_message_waits_for_its_pictures(chat: App) -> None:
    """Enter does not leave behind what is still being read, and two quick choices make no more than four."""
    chat.page.evaluate(SLOWLY)
    chat.by("attach-input").set_input_files([picture(f"{number}.png") for number in range(3)])
    chat.by("attach-input").set_input_files([picture(f"{number}.png") for number in range(3, 6)])
    form = chat.page.locator("form.composer")
    expect(form.get_by_role("alert")).to_have_text("At most 4 files in a message.")
    chat.by("composer").fill("6+7")
    expect(form.get_by_role("status")).to_contain_text("Adding files")
    expect(chat.by("send")).to_be_disabled()
    chat.by("composer").press("Enter")
    expect(chat.questions).to_have_count(0)
    expect(previews(chat)).to_have_count(4, timeout=15_000)
    expect(form.get_by_role("status")).to_have_count(0)
    chat.by("composer").press("Enter")
    expect(chat.questions.first.get_by_role("img")).to_have_count(4)
    expect(previews(chat)).to_have_count(0)
    chat.answered("6+7 = 13")


def test_files_are_uploaded_with_their_progress_sent_and_asked_about_again(chat: App) -> None:
    """Dropped and chosen; a drawing that models cannot see goes as a file. On a phone, too."""
    chat.page.set_viewport_size({"width": 360, "height": 740})
    long_name = "\u202e" + "보고서" * 100 + ".docx"
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    bring(chat, "drop", {"name": long_name, "mimeType": kind, "buffer": docx("Green tea at seventy")})
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    drawing: FilePayload = {"name": "drawing.svg", "mimeType": "image/svg+xml", "buffer": svg}
    chat.by("attach-input").set_input_files([drawing])
    form = chat.page.locator("form.composer")
    expect(form.get_by_test_id("file")).to_have_count(2)
    expect(form.get_by_role("progressbar")).to_have_count(0, timeout=15_000)
    expect(form.get_by_test_id("file").first).not_to_contain_text("\u202e")
    assert chat.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert violations_of(chat) == []
    chat.send("run: ls ~/.openclaw/media/inbound/*")
    expect(form.get_by_test_id("file")).to_have_count(0)
    expect(chat.answers.last).to_contain_text("2-drawing.svg", timeout=40_000)
    chat.reload()
    expect(chat.questions.get_by_test_id("file").last).to_contain_text("drawing.svg")
    chat.by("regenerate").click()
    expect(chat.by("versions")).to_be_visible(timeout=30_000)


def test_what_cannot_be_sent_is_said_in_plain_words(chat: App, tmp_path: Path) -> None:
    problem = chat.page.locator("form.composer").get_by_role("alert")
    bring(chat, "drop", {"name": "empty.txt", "mimeType": "text/plain", "buffer": b""})
    expect(problem).to_have_text("empty.txt is empty.")
    broken = b"\x89PNG\r\n\x1a\n and nothing after it"
    bring(chat, "drop", {"name": "broken.png", "mimeType": "image/png", "buffer": broken})
    expect(problem).to_have_text("broken.png cannot be sent: it is not the picture that its name says.")
    film = tmp_path / "film.mp4"
    with film.open("wb") as file:
        file.truncate(20_000_001)
    chat.by("attach-input").set_input_files(film)
    expect(problem).to_have_text("film.mp4 is too large. It may have up to 20 MB.")
    expect(chat.page.locator("form.composer").get_by_test_id("file")).to_have_count(0)
    chat.by("attach-input").set_input_files([picture()])
    expect(previews(chat)).to_have_count(1)
    expect(problem).to_have_count(0)


def test_too_large_and_too_many_are_told(chat: App, tmp_path: Path) -> None:
    """What fits is kept beside what does not."""
    problem = chat.page.locator("form.composer").get_by_role("alert")
    huge = tmp_path / "huge.png"
    with huge.open("wb") as file:
        file.truncate(41_000_000)
    chat.by("attach-input").set_input_files(huge)
    expect(problem).to_have_text("huge.png is too large. It may have up to 40 MB.")
    chat.by("attach-input").set_input_files([picture(f"{number}.png") for number in range(5)])
    expect(problem).to_have_text("At most 4 files in a message.")
    expect(previews(chat)).to_have_count(4)


REFUSED = (
    "() => { navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError')); }"
)


def test_a_voice_message_is_recorded_transcribed_and_corrected(chat: App) -> None:
    """The demo model hears only how long it is; the text of a correction goes to it as text."""
    chat.by("mic").click()
    expect(chat.by("mic")).to_have_attribute("aria-pressed", "true")
    assert violations_of(chat) == []
    chat.page.wait_for_timeout(1_200)
    chat.by("mic").click()
    expect(chat.page.locator("form.composer").get_by_test_id("file")).to_contain_text("voice-message.webm")
    expect(chat.by("send")).to_be_enabled(timeout=10_000)
    chat.by("send").click()
    expect(chat.questions.last.get_by_test_id("transcript")).to_contain_text("A recording of", timeout=30_000)
    expect(chat.messages("assistant", "done")).to_have_count(1, timeout=30_000)
    expect(chat.answers.last).to_contain_text("A recording of")
    chat.by("read-aloud").last.click()
    expect(chat.by("edit")).to_be_visible()
    chat.by("edit").click()
    expect(chat.by("composer")).to_have_value(re.compile("A recording of"))
    chat.by("composer").fill("7+6")
    chat.by("send").click()
    chat.answered("7+6 = 13")
    chat.by("mic").hover()
    chat.page.mouse.down()
    chat.page.wait_for_timeout(900)
    chat.page.mouse.up()
    expect(chat.by("mic")).to_have_attribute("aria-pressed", "false")
    expect(chat.page.locator("form.composer").get_by_test_id("file")).to_have_count(1)
    chat.page.evaluate(REFUSED)
    chat.by("mic").press("Enter")
    expect(chat.page.locator("form.composer").get_by_role("alert")).to_contain_text("microphone cannot be used")


def violations_of(chat: App) -> list[str]:
    chat.page.emulate_media(reduced_motion="reduce")  # axe would catch a colour half-way
    chat.page.evaluate(AXE.read_text())
    return violations(chat)
