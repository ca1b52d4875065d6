"""The memory room with what a server may say: edits that wait, a conflict, what the agent changed."""

from typing import Any

from playwright.sync_api import Route, expect

from tests.e2e.app import App

AT = 1_795_000_000_000
SOUL = "# SOUL\n\nYou are calm and brief.\n\n- Say what you know.\n- Ask before you **delete** anything.\n"
DIFF = """\
@@ -2,3 +2,4 @@
 - Lives in Busan.
-- Drinks coffee.
+- Drinks tea, never after 16:00.
+- Has a bicycle with a basket."""
WAITS: dict[str, Any] = {"id": "1", "at": AT, "status": "pending"}
LIST = {
    "savedAt": AT,
    "notes": [
        {"name": "SOUL.md", "sizeBytes": 90, "updatedAt": AT, "edit": WAITS},
        {"name": "USER.md", "sizeBytes": 20, "updatedAt": AT},
        {"name": "MEMORY.md", "sizeBytes": 20, "updatedAt": AT, "edit": WAITS | {"status": "conflict"}},
        {"name": "memory/2026-11-18-the-trip-to-jeju-and-what-came-of-it.md", "sizeBytes": 20, "updatedAt": AT},
    ],
    "changed": {"at": AT, "files": [{"name": "USER.md", "diff": DIFF}], "cut": False},
}
MINE = SOUL.replace("brief", "warm")
FILES: dict[str, dict[str, Any]] = {
    "SOUL.md": {"text": SOUL, "version": "a", "edit": WAITS | {"text": MINE, "version": "b"}},
    "MEMORY.md": {"text": SOUL, "version": "a", "edit": WAITS | {"text": MINE, "version": "b", "status": "conflict"}},
    "USER.md": {"text": "- Lives in Busan.\n", "version": "a", "edit": None},
}


def serve(app: App, now: dict[str, Any] | None = None) -> None:
    """`now`: what any file is instead."""

    def one(route: Route) -> None:
        name = route.request.url.partition("name=")[2]
        route.fulfill(json={"name": name, "savedAt": AT} | (now or FILES[name]))

    app.page.route("**/api/notes", lambda route: route.fulfill(json=LIST))
    app.page.route("**/api/notes/one?*", one)


def room(app: App) -> None:
    serve(app)
    app.panel("status")
    app.by("open-notes").click()
    expect(app.by("note")).to_have_count(4)


def page(app: App, name: str) -> None:
    app.by("note").filter(has_text=name).get_by_role("button").click()
    expect(app.page.get_by_role("heading", name=name, exact=True)).to_be_focused()


def pending(app: App) -> None:
    room(app)
    page(app, "SOUL.md")
    expect(app.by("note-pending")).to_be_visible()


def conflict(app: App) -> None:
    room(app)
    page(app, "MEMORY.md")
    expect(app.by("note-conflict")).to_be_visible()


def editor(app: App) -> None:
    """With what the file has become meanwhile."""
    room(app)
    page(app, "USER.md")
    app.by("note-edit").click()
    app.by("note-input").fill("- Lives in Seoul.\n")
    refused = {"code": "NOTE_CHANGED", "message": "changed"}
    app.page.route("**/api/notes/one", lambda route: route.fulfill(status=409, json=refused))
    serve(app, {"text": "- Lives in Busan and has a cat.\n", "version": "c", "edit": None})
    app.by("note-save").click()
    expect(app.by("panel-notes").get_by_role("alert")).to_contain_text("was changed while you edited it")


def leave(app: App) -> None:
    app.by("panel-close").click()
    app.page.unroute("**/api/notes/one")


def leave_editor(app: App) -> None:
    app.by("note-stop").click()
    app.by("confirm-action").click()
    leave(app)


# Every screen of the room: how a person gets there and back.
SCREENS = {
    "notes": (room, leave),
    "note-pending": (pending, leave),
    "note-conflict": (conflict, leave),
    "note-editor": (editor, leave_editor),
}
