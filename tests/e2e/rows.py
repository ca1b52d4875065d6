"""Conversations as the server would tell of them: states that are hard to reach by hand."""

from typing import Any

from playwright.sync_api import Route, expect

from tests.e2e.app import App

Rows = list[dict[str, Any]]
AT = 1_795_000_000_000


def from_history(app: App, rows: Rows) -> None:
    """The open conversation has these rows, after a reload."""
    name = app.conversation_id
    messages = [{"conversationId": name, "createdAt": AT} | row for row in rows]
    page = {"conversationId": name, "messages": messages, "before": None}
    app.page.route(f"**/api/conversations/{name}?*", lambda route: route.fulfill(json=page))
    app.reload()
    expect(app.answers).to_have_count(1)


def posted() -> Rows:
    """What a program sent, and the answer."""
    cause = "Hook: Home Assistant"
    rows = [
        {"messageId": "hook-1", "role": "user", "content": '{"state": "done", "machine": "washing"}'},
        {"messageId": "hook-1.answer", "role": "assistant", "content": "The washing is done.", "replyTo": "hook-1"},
    ]
    return [row | {"cause": cause} for row in rows]


def given() -> Rows:
    """An answer with files: one that is gone, so its picture cannot be shown, and a very long name."""
    named = {
        "sea.png": "image/png",
        "note.ogg": "audio/ogg",
        "sea.mp4": "video/mp4",
        "한" * 100 + ".pdf": "application/pdf",
    }
    files = [
        {"id": f"{number:032x}", "name": name, "mimeType": kind, "sizeBytes": 123_456}
        for number, (name, kind) in enumerate(named.items())
    ]
    answer = {"messageId": "m-1.answer", "role": "assistant", "content": "Here:", "replyTo": "m-1", "files": files}
    return [{"messageId": "m-1", "role": "user", "content": "Send me the files"}, answer]


def diagram_rows() -> Rows:
    diagram = "flowchart LR\n  You -->|message| Gateway --> Inbox --> Agent\n  Agent -->|answer| You"
    answer = f"It waits in an inbox until I have it, so nothing is lost:\n\n```mermaid\n{diagram}\n```"
    return [
        {"messageId": "m-2", "role": "user", "content": "How do my messages reach you?"},
        {"messageId": "m-2.answer", "role": "assistant", "content": answer, "replyTo": "m-2"},
    ]


WORKSPACE = {
    "path": [{"id": "a", "name": "workspace"}, {"id": "b", "name": "notes"}],
    "entries": [
        {"id": "c", "name": "trips", "kind": "folder"},
        {"id": "d", "name": "a-name-that-does-not-fit-a-phone-" * 6, "kind": "file", "sizeBytes": 5, "updatedAt": AT},
        {"id": "e", "name": "link", "kind": "link"},
    ],
    "savedAt": AT,
}


def workspace(app: App) -> None:
    app.page.route("**/api/workspace", lambda route: route.fulfill(json=WORKSPACE))
    app.panel("status")
    app.by("open-files").click()
    expect(app.by("workspace-entry")).to_have_count(3)


_PLANTS = {"id": "a", "name": "water the plants", "schedule": "every day at 8:00 (Asia/Seoul)", "enabled": True}
_PAUSED = {"id": "b", "name": "look for a flat", "schedule": "", "enabled": False, "asked": "resume"}
# What the agent does by itself and in the background.
COSTS = {
    "month": "2026-11",
    "parts": [
        {"cause": "answers", "model": "anthropic/claude-sonnet-5", "usd": 1.84, "calls": 212},
        {"cause": "itself", "model": "anthropic/claude-haiku-5", "usd": 0.11, "calls": 40},
    ],
    "awakeMs": 151_200_000,
    "awsUsd": 0.88,
}
STARTS = [
    {"generation": 5, "state": "awake", "kind": "early", "began": 1_795_000_000_000, "ready": 1_795_000_008_300}
    | {"restore": 310, "gateway": 4100},
    {"generation": 4, "state": "failed"},
    {"generation": 3, "state": "ended", "kind": "cold", "began": 1_794_900_000_000, "ready": 1_794_900_034_200}
    | {"restore": 290, "gateway": 5200, "restarts": 1, "ended": 1_794_903_600_000, "end": "told"},
]
DOING = {
    "automations": [_PLANTS | {"nextRunAt": 1_795_000_000_000, "lastRunAt": 1_794_000_000_000}, _PAUSED],
    "work": [{"id": "c", "kind": "subagent", "text": "compare three flats", "at": 1_794_999_000_000}],
}


def explained(app: App) -> None:
    """What Status tells of the last starts and of the month's money, from now on."""
    app.page.route("**/api/starts", lambda route: route.fulfill(json={"starts": STARTS}))
    app.page.route("**/api/costs", lambda route: route.fulfill(json=COSTS))


def cost_is(app: App, **fields: Any) -> None:
    """What the server says of this month from now on."""

    def handle(route: Route) -> None:
        answer = route.fetch()
        month = {"month": "2026-11", "usd": 1.0, "complete": True, "limitUsd": 5.0} | fields
        route.fulfill(response=answer, json=answer.json() | {"cost": month})

    app.page.unroute("**/api/status")
    app.page.route("**/api/status", handle)
