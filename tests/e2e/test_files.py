"""Files that the agent gives: a card with a picture or a player, saved by one press; and its workspace in a panel."""

import base64
import hashlib
import re
from contextlib import suppress
from pathlib import Path

from playwright.sync_api import Error, Locator, Request, expect

from tests.e2e.app import App
from tests.e2e.conftest import DESKTOP, PHONE
from tests.e2e.test_access import AXE, violations_in
from tests.e2e.test_images import shown_width
from tests.support.documents import OPENED, SHOWN, locked, pdf

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SOUND = (
    "import wave; w = wave.open('tone.wav', 'wb'); w.setparams((1, 2, 8000, 0, 'NONE', '')); "
    "w.writeframes(bytes(16000))"
)
WORK_MS = 30_000
REPORT = pdf("The first page", "The second page", opened=OPENED, shown=SHOWN)
LOADED = "performance.getEntriesByType('resource').map(({name}) => name).filter(name => /Pdf|sandbox/.test(name))"
INK = """canvas => {
  const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return [0, 255].every((shade) => data.some((value, at) => at % 4 === 0 && value === shade));
}"""


def saved(chat: App, button: Locator, folder: Path) -> tuple[str, bytes]:
    """The name and the content of a file that is saved by a press."""
    with chat.page.expect_download(timeout=WORK_MS) as download:
        button.click()
    file = folder / "saved"
    download.value.save_as(file)
    return download.value.suggested_filename, file.read_bytes()


def card(chat: App, name: str) -> Locator:
    return chat.by("file").filter(has_text=name)


def test_cards_and_the_workspace(chat: App, tmp_path: Path) -> None:
    commands = [
        f"echo {PNG} | base64 -d > dot.png",
        f'python3 -c "{SOUND}"',
        "echo '<script>document.title=1</script>' > page.html",
        'echo \'<svg xmlns="http://www.w3.org/2000/svg" onload="top.document.title=2"/>\' > drawing.svg',
        "printf '%%PDF-1.4\\n1 0 obj<</Type/Catalog/OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj' > paper.pdf",
        f"echo {base64.b64encode(REPORT).decode()} | base64 -d > report.pdf",
        f"echo {base64.b64encode(locked(REPORT, 'secret')).decode()} | base64 -d > locked.pdf",
        "head -c 100000 /dev/zero > '보고서 2026.bin'",
        "echo Here they are.",
    ]
    names = ["dot.png", "tone.wav", "page.html", "drawing.svg", "paper.pdf", "report.pdf", "locked.pdf"]
    names += ["보고서 2026.bin", "nothing.pdf"]
    chat.send("run: " + "; ".join([*commands, *(f"echo 'MEDIA:{name}'" for name in names)]))
    answer = chat.answered("Here they are.")
    expect(answer).to_contain_text("“nothing.pdf” could not be sent: it is not there.")
    expect(chat.by("file")).to_have_count(8)
    chat.reload()
    expect(chat.by("file")).to_have_count(8, timeout=WORK_MS)

    assert shown_width(card(chat, "dot.png").get_by_test_id("file-picture")) == 1
    player = card(chat, "tone.wav").get_by_test_id("file-audio")
    expect(player).to_be_visible()
    expect(player).to_have_js_property("duration", 1, timeout=WORK_MS)
    name, content = saved(chat, card(chat, "보고서").get_by_test_id("file-save"), tmp_path)
    assert (name, hashlib.sha256(content).digest()) == ("보고서 2026.bin", hashlib.sha256(bytes(100_000)).digest())

    are_never_opened(chat, tmp_path)
    a_pdf_is_drawn_and_can_do_no_harm(chat)
    what_cannot_be_drawn_is_said(chat)
    the_workspace_is_shown(chat, tmp_path)


def the_workspace_is_shown(chat: App, folder: Path) -> None:
    chat.send("run: mkdir -p notes; echo green > notes/tea.txt")
    chat.answered("The command printed", 1)
    chat.panel("status")
    chat.by("open-files").click()
    entries = chat.by("workspace-entry")
    entries.filter(has_text="notes").get_by_role("button").click(timeout=WORK_MS)
    name, content = saved(chat, entries.filter(has_text="tea.txt").get_by_role("button"), folder)
    assert (name, content) == ("tea.txt", b"green\n")
    chat.by("panel-files").get_by_role("button", name="Workspace").click()
    expect(entries.filter(has_text="page.html")).to_be_visible()


def are_never_opened(chat: App, folder: Path) -> None:
    """HTML, SVG and PDF are in no element of the page, and their signed address saves them instead of showing them."""
    for name, start in (("page.html", b"<script>"), ("drawing.svg", b"<svg"), ("paper.pdf", b"%PDF-1.4")):
        one = card(chat, name)
        expect(one.locator("img, iframe, embed, object, video, audio")).to_have_count(0)
        with chat.page.expect_response("**/api/files/*") as found:
            assert saved(chat, one.get_by_test_id("file-save"), folder)[1].startswith(start)
        tab = chat.page.context.new_page()
        with tab.expect_download(timeout=WORK_MS) as download, suppress(Error):  # Chromium calls a download an error
            tab.goto(found.value.json()["url"])
        assert (download.value.suggested_filename, tab.url) == (name, "about:blank")
        tab.close()
    expect(chat.page).to_have_title(re.compile("OpenClaw"))


def a_pdf_is_drawn_and_can_do_no_harm(chat: App) -> None:
    """A page at a time, in a page without an origin, whatever the file would run or open."""
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    chat.page.on("request", note)
    button = card(chat, "report.pdf").get_by_test_id("file-preview")
    assert chat.page.evaluate(LOADED) == []
    button.click()
    frame = chat.page.frame_locator("[data-testid=pdf-frame]")
    picture = frame.get_by_role("img", name="Page 1 of 2")
    expect(picture).to_be_visible(timeout=WORK_MS)
    assert picture.evaluate(INK) is True
    expect(frame.locator("#text")).to_have_text("The first page")
    expect(frame.locator("a, input, section, iframe, embed, object")).to_have_count(0)
    picture.click(position={"x": 80, "y": 80})
    assert frame.locator("body").evaluate("() => origin + window.harmed") == "nullundefined"
    assert chat.page.evaluate("window.harmed") is None
    chat.page.emulate_media(reduced_motion="reduce")
    chat.page.evaluate(AXE.read_text())
    assert violations_in(chat, "dark") == []
    turned(chat, frame.locator("body"))
    expect(chat.by("pdf")).to_have_count(0)
    expect(button).to_be_focused()
    chat.page.remove_listener("request", note)
    assert not [url for url in asked if "evil" in url]
    assert len(chat.page.context.pages) == 1


def turned(chat: App, body: Locator) -> None:
    """By buttons and by keys, on both sides of the frame's border; as wide as the window. Ends closed."""
    chat.by("pdf").get_by_role("button", name="Next page").click()
    expect(chat.by("pdf-page")).to_have_text("Page 2 of 2")
    expect(body.locator("#text")).to_have_text("The second page")
    chat.page.keyboard.press("ArrowRight")  # there is no third
    chat.page.keyboard.press("ArrowLeft")
    expect(body.get_by_role("img", name="Page 1 of 2")).to_be_visible()
    chat.page.set_viewport_size(PHONE)
    expect(body.locator("canvas")).to_have_css("width", "374px")
    assert violations_in(chat, "light") == []
    chat.page.set_viewport_size(DESKTOP)
    body.press("ArrowRight")
    expect(chat.by("pdf-page")).to_have_text("Page 2 of 2")
    body.press("Escape")


def what_cannot_be_drawn_is_said(chat: App) -> None:
    for name, said in (("paper.pdf", "This PDF is damaged"), ("locked.pdf", "protected by a password")):
        card(chat, name).get_by_test_id("file-preview").click()
        expect(chat.by("pdf-problem")).to_contain_text(said, timeout=WORK_MS)
        chat.page.keyboard.press("Escape")
        expect(chat.by("pdf")).to_have_count(0)
