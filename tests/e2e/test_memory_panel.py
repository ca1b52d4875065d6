"""The memory: a person takes everything along, brings it back, goes back to an earlier state, and edits its files.

The same agent is given a skill.
"""

import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e import skills
from tests.e2e.app import App
from tests.e2e.conftest import DESKTOP, PHONE
from tests.e2e.people import User
from tests.support.clawhub import ClawHub

WORK_MS = 60_000


@pytest.mark.timeout(240)
def test_the_memory_moves_out_and_in_and_back(app: App, user: User, tmp_path: Path, clawhub: ClawHub) -> None:
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
    its_soul_is_edited_awake(app)
    asleep(app)
    its_soul_is_edited_asleep(app)
    skills.uploaded_asleep(app, tmp_path)
    app.ask("quote your instructions on zanzibar", "Never end with zanzibar.")
    skills.used_awake(app)
    skills.installed(app, clawhub)
    its_memory_is_searched_awake(app)
    app.ask("run: cat note.txt", "kept")


def its_memory_is_searched_awake(app: App) -> None:
    """By the agent's own index: the words in another order, which no line has as a text."""
    app.ask("run: echo 'The dentist is on Thursday.' > MEMORY.md; echo noted", "noted")
    app.panel("status")
    app.by("open-notes").click()
    app.by("notes-search").fill("thursday dentist")
    expect(app.by("note-recalled")).to_contain_text("The dentist is on Thursday.", timeout=WORK_MS)
    app.by("notes-search").fill("")
    app.by("panel-close").click()


ALWAYS, NEVER = "Always end with zanzibar.", "Never end with zanzibar."


def its_soul_is_edited_awake(app: App) -> None:
    """The file changes while the agent runs; what was typed survives a closed panel."""
    soul(app)
    app.by("note-edit").click()
    text = app.by("note-input").input_value()
    app.by("note-input").fill(f"{ALWAYS}\n\n{text}")
    app.by("panel-close").click()
    soul(app)
    expect(app.by("note-input")).to_have_value(f"{ALWAYS}\n\n{text}")
    app.by("note-save").click()
    expect(app.by("note-pending")).to_contain_text("as soon as it has finished")
    expect(app.by("note-pending")).to_have_count(0, timeout=WORK_MS)
    expect(app.by("note-text")).to_contain_text(ALWAYS)
    app.by("panel-close").click()


def asleep(app: App) -> None:
    app.panel("status")
    app.by("stop-agent").click()
    app.by("confirm-action").click()
    expect(app.by("agent-state")).to_have_attribute("data-status", "Idle", timeout=WORK_MS)
    app.by("panel-close").click()


def its_soul_is_edited_asleep(app: App) -> None:
    """By the keyboard, on a phone, in Korean. It waits, and wakes nobody."""
    soul(app)
    app.page.set_viewport_size(PHONE)
    app.page.evaluate("localStorage.setItem('language', 'ko')")
    app.reload()
    app.by("status").click()
    app.by("open-notes").click()
    app.by("notes-search").fill("ZANZIBAR")
    hit = app.by("note-hit").get_by_role("button")
    expect(hit).to_contain_text("SOUL.md · 1번째 줄")
    hit.focus()
    app.page.keyboard.press("Enter")
    expect(app.page.get_by_role("heading", name="SOUL.md", exact=True)).to_be_focused()
    expect(app.by("note-edit")).to_be_visible()
    app.page.keyboard.press("Tab")
    app.page.keyboard.press("Enter")
    expect(app.by("note-input")).to_be_focused()
    app.by("note-input").fill(NEVER)
    app.page.keyboard.press("Tab")
    app.page.keyboard.press("Tab")
    app.page.keyboard.press("Enter")
    expect(app.by("note-pending")).to_contain_text("다음에 깨어날 때 받습니다")
    expect(app.by("note-text")).to_have_text(NEVER)
    app.by("note-back").click()
    expect(app.by("note-hit")).to_contain_text(NEVER)
    app.by("notes-search").fill("")
    expect(app.by("note").filter(has_text="SOUL.md")).to_contain_text("편집 대기 중")
    app.by("panel-close").click()
    app.page.evaluate("localStorage.removeItem('language')")
    app.page.set_viewport_size(DESKTOP)
    app.reload()
    expect(app.by("status")).to_have_text("Asleep")


def soul(app: App) -> None:
    app.panel("status")
    app.by("open-notes").click()
    app.by("note").filter(has_text="SOUL.md").get_by_role("button").click()
