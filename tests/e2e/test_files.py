"""Files that the agent gives: a card with a picture or a player, saved by one press; and its workspace in a panel."""

import hashlib
from pathlib import Path

from playwright.sync_api import Locator, expect

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
        "head -c 100000 /dev/zero > '보고서 2026.bin'",
        "echo Here they are.",
    ]
    names = ["dot.png", "tone.wav", "page.html", "보고서 2026.bin", "nothing.pdf"]
    chat.send("run: " + "; ".join([*commands, *(f"echo 'MEDIA:{name}'" for name in names)]))
    answer = chat.answered("Here they are.")
    expect(answer).to_contain_text("“nothing.pdf” could not be sent: it is not there.")
    expect(chat.by("file")).to_have_count(4)
    chat.page.reload()
    expect(chat.by("file")).to_have_count(4, timeout=WORK_MS)

    assert shown_width(card(chat, "dot.png").get_by_test_id("file-picture")) == 1
    player = card(chat, "tone.wav").get_by_test_id("file-audio")
    expect(player).to_be_visible()
    chat.page.wait_for_function("document.querySelector('audio').duration > 0.9", timeout=WORK_MS)
    name, content = saved(chat, card(chat, "보고서").get_by_test_id("file-save"), tmp_path)
    assert (name, hashlib.sha256(content).digest()) == ("보고서 2026.bin", hashlib.sha256(bytes(100_000)).digest())
    name, content = saved(chat, card(chat, "page.html").get_by_test_id("file-save"), tmp_path)
    assert (name, content.startswith(b"<script>")) == ("page.html", True)

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
