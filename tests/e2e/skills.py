"""The room with skills and tools: with what a server may say, and with a real agent."""

from pathlib import Path
from typing import Any

from playwright.sync_api import expect

from tests.e2e.app import App
from tests.support.clawhub import ClawHub
from tests.support.skilled import manual, zipped

AT = 1_795_000_000_000
NONE: dict[str, Any] = {"needs": [], "missing": [], "bundled": False, "offered": True, "on": True}
LIST = {
    "at": AT,
    "skills": [
        NONE | {"key": "weather", "name": "weather", "description": "Current weather and forecasts.", "bundled": True},
        NONE | {"key": "tea-maker", "name": "tea-maker", "description": "Brews tea.", "folder": "tea-maker"},
        NONE
        | {"key": "films", "name": "films", "description": "Cuts films.", "folder": "films", "needs": ["ffmpeg", "jq"]}
        | {"missing": ["ffmpeg"], "offered": False, "on": False},
    ],
    "waiting": [
        {"name": "weather", "action": "off", "at": AT, "status": "pending"},
        {"name": "bread", "action": "put", "at": AT, "status": "pending", "description": "Bakes bread."},
        {"name": "tea-maker", "action": "put", "at": AT, "status": "refused"},
    ],
}
SERVERS = {"servers": [{"name": "docs", "url": "https://mcp.example.com/mcp?…", "token": True, "at": AT}]}
WORK_MS = 60_000


def room(app: App) -> None:
    app.page.route("**/api/skills", lambda route: route.fulfill(json=LIST))
    app.page.route("**/api/mcp", lambda route: route.fulfill(json=SERVERS))
    app.panel("status")
    app.by("open-skills").click()
    expect(app.by("skill")).to_have_count(4)
    for group in ("abilities-work", "abilities-not"):
        app.by(group).locator("summary").click()


def leave(app: App) -> None:
    app.by("panel-close").click()
    app.page.unroute("**/api/skills")
    app.page.unroute("**/api/mcp")


def upload_is_asked(app: App) -> None:
    room(app)
    app.by("skill-zip").set_input_files({"name": "tea.zip", "mimeType": "application/zip", "buffer": b"PK"})
    expect(app.by("confirm")).to_contain_text("tea.zip")


def leave_upload(app: App) -> None:
    app.page.keyboard.press("Escape")
    leave(app)


# Every screen of the room: how a person gets there and back.
SCREENS = {"skills": (room, leave), "skill-upload": (upload_is_asked, leave_upload)}


def opened(app: App) -> None:
    app.panel("status")
    app.by("open-skills").click()


def uploaded_asleep(app: App, folder: Path) -> None:
    """A zip that is refused, and a folder that waits until the agent wakes. It wakes nobody."""
    (folder / "tea" / "scripts").mkdir(parents=True)
    (folder / "tea" / "SKILL.md").write_bytes(manual(description="Brews walnut tea"))
    (folder / "tea" / "scripts" / "brew.sh").write_text("#!/bin/sh\necho tea\n")
    opened(app)
    expect(app.by("skill").filter(has_text="weather")).to_be_visible()
    expect(app.by("abilities-not")).to_be_visible()
    evil = {"name": "evil.zip", "mimeType": "application/zip", "buffer": zipped({"SKILL.md": manual(), "../evil": b""})}
    app.by("skill-zip").set_input_files(evil)  # type: ignore[arg-type]
    app.by("confirm-action").click()
    expect(app.by("skill-problem")).to_contain_text("leads out of the folder")
    app.by("skill-folder").set_input_files(folder / "tea")
    app.by("confirm-action").click()
    tea = app.by("skill").filter(has_text="Brews walnut tea")
    expect(tea).to_contain_text("when your agent wakes next")
    expect(app.by("wake-state")).to_contain_text("must be awake")
    expect(app.by("wake-agent")).to_be_visible()
    a_server(app)
    app.by("panel-close").click()
    expect(app.by("status")).to_have_text("Asleep")


def a_server(app: App) -> None:
    """An address inside is refused; a token that was sent is not shown again."""
    app.by("mcp-name").fill("docs")
    app.by("mcp-token").fill("tok-3nQv7")
    app.by("mcp-url").fill("https://169.254.169.254/latest")
    app.by("mcp-add").click()
    expect(app.by("mcp-problem")).to_contain_text("public host")
    app.by("mcp-url").fill("https://mcp.example.com/mcp?key=hidden")
    app.by("mcp-add").click()
    server = app.by("mcp-server")
    expect(server).to_contain_text("https://mcp.example.com/mcp?… · with a token")
    expect(app.by("mcp-token")).to_have_value("")
    server.get_by_test_id("mcp-remove").click()
    app.by("confirm-action").click()
    expect(server).to_have_count(0)


def used_awake(app: App) -> None:
    """The model is told of it until it is switched off; then it is deleted."""
    app.ask("quote your instructions on walnut", "Brews walnut tea")
    opened(app)
    tea = app.by("skill").filter(has_text="Brews walnut tea")
    expect(tea).not_to_have_attribute("data-waits", "put", timeout=WORK_MS)
    tea.get_by_test_id("skill-switch").click()
    expect(tea).to_have_attribute("data-on", "false")
    expect(tea).to_contain_text("Off.", timeout=WORK_MS)
    app.by("panel-close").click()
    app.ask("quote your instructions on walnut", "Nothing.")
    opened(app)
    tea.get_by_test_id("skill-delete").click()
    app.by("confirm-action").click()
    expect(tea).to_have_count(0, timeout=WORK_MS)
    app.by("panel-close").click()


def installed(app: App, clawhub: ClawHub) -> None:
    """From ClawHub: why it fails, what is found, and where it is then."""
    opened(app)
    clawhub.down = True
    searched(app, "bread")
    expect(app.by("hub-problem")).to_contain_text("cannot be reached", timeout=WORK_MS)
    clawhub.down = False
    clawhub.publish("bread-baker")
    searched(app, "bread")
    found = app.by("hub-skill")
    found.get_by_test_id("hub-detail").click()
    expect(found.get_by_test_id("hub-about")).to_contain_text("1.2.0 by ada")
    found.get_by_test_id("hub-install").click()
    app.by("confirm-action").click()
    expect(found.get_by_test_id("hub-installed")).to_contain_text("1.2.0 is installed", timeout=WORK_MS)
    expect(app.by("skill").filter(has_text="bread-baker")).to_contain_text("in its workspace")
    app.by("panel-close").click()


def searched(app: App, words: str) -> None:
    app.by("hub-search").fill(words)
    app.by("hub-submit").click()
