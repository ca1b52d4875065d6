"""Files that the agent gives: a card with a picture or a player, saved by one press; and its workspace in a panel."""

import hashlib
import re
from contextlib import suppress
from pathlib import Path

from playwright.sync_api import Error, Locator, expect

from tests.e2e.app import App
from tests.e2e.test_images import shown_width

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SOUND = (
    "import wave; w = wave.open('tone.wav', 'wb'); w.setparams((1, 2, 8000, 0, 'NONE', '')); "
    "w.writeframes(bytes(16000))"
)
WORK_MS = 30_000


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
        "head -c 100000 /dev/zero > '보고서 2026.bin'",
        "echo Here they are.",
    ]
    names = ["dot.png", "tone.wav", "page.html", "drawing.svg", "paper.pdf", "보고서 2026.bin", "nothing.pdf"]
    chat.send("run: " + "; ".join([*commands, *(f"echo 'MEDIA:{name}'" for name in names)]))
    answer = chat.answered("Here they are.")
    expect(answer).to_contain_text("“nothing.pdf” could not be sent: it is not there.")
    expect(chat.by("file")).to_have_count(6)
    chat.page.reload()
    expect(chat.by("file")).to_have_count(6, timeout=WORK_MS)

    assert shown_width(card(chat, "dot.png").get_by_test_id("file-picture")) == 1
    player = card(chat, "tone.wav").get_by_test_id("file-audio")
    expect(player).to_be_visible()
    chat.page.wait_for_function("document.querySelector('audio').duration > 0.9", timeout=WORK_MS)
    name, content = saved(chat, card(chat, "보고서").get_by_test_id("file-save"), tmp_path)
    assert (name, hashlib.sha256(content).digest()) == ("보고서 2026.bin", hashlib.sha256(bytes(100_000)).digest())

    are_never_opened(chat, tmp_path)

    chat.send("run: mkdir -p notes; echo green > notes/tea.txt")
    chat.answered("The command printed", 1)
    chat.panel("status")
    chat.by("open-files").click()
    entries = chat.by("workspace-entry")
    entries.filter(has_text="notes").get_by_role("button").click(timeout=WORK_MS)
    name, content = saved(chat, entries.filter(has_text="tea.txt").get_by_role("button"), tmp_path)
    assert (name, content) == ("tea.txt", b"green\n")
    chat.by("panel-files").get_by_role("button", name="Workspace").click()
    expect(entries.filter(has_text="page.html")).to_be_visible()


def are_never_opened(chat: App, folder: Path) -> None:
    """HTML, SVG and PDF have a card without a preview, and their signed address saves them instead of showing them."""
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
