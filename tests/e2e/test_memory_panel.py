"""The memory panel: a person takes everything along, brings it back, and goes back to an earlier state."""

import zipfile
from pathlib import Path

from playwright.sync_api import expect

from tests.e2e.app import App
from tests.e2e.people import User

WORK_MS = 60_000


def test_the_memory_moves_out_and_in_and_back(app: App, user: User, tmp_path: Path) -> None:
    """The file goes from the browser straight to the bucket, under the page's own security policy."""
    app.sign_in(user)
    app.ask("run: echo kept | tee note.txt", "kept")
    app.panel("status")
    app.by("open-memory").click()
    expect(app.by("memory-point").first).to_be_visible(timeout=WORK_MS)

    app.by("memory-export").click()
    with app.page.expect_download(timeout=WORK_MS) as download:
        app.by("memory-download").click(timeout=WORK_MS)
    file = tmp_path / "export.zip"
    download.value.save_as(file)
    assert any(name.endswith("note.txt") for name in zipfile.ZipFile(file).namelist())

    app.by("memory-file").set_input_files(file)
    expect(app.by("confirm")).to_contain_text("export.zip")
    app.by("confirm-action").click()
    before = app.by("memory-point").filter(has_text="before an import")
    expect(before).to_be_visible(timeout=WORK_MS)
    expect(app.by("memory-ended")).to_contain_text("Import: done.", timeout=WORK_MS)

    before.get_by_test_id("memory-restore").click()
    app.by("confirm-action").click()
    expect(app.by("memory-ended")).to_contain_text("Go back: done.", timeout=WORK_MS)
    app.by("panel-close").click()
    app.ask("run: cat note.txt", "kept")
