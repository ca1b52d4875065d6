"""A user's conversations and settings, as files for a person to read: part of an export."""

import json
import re
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from chalicelib.messages.conversations import Conversations
from chalicelib.people.preferences import Preferences

PAGE = 100
README = """This file holds what your agent remembers.

.openclaw/      the agent's own folder: import this file elsewhere, or unpack the folder as ~/.openclaw
transcripts/    your conversations, to read (.md) and for programs (.json)
settings.json   your settings
"""
Message = dict[str, Any]


def add_readable(archive: zipfile.ZipFile, user_id: str) -> None:
    """Raises what the tables raise."""
    archive.writestr("README.txt", README)
    archive.writestr("settings.json", _json(Preferences().get(user_id).public()))
    conversations = Conversations()
    for number, title in enumerate(conversations.list(user_id), 1):
        name = str(title["conversationId"])
        messages = list(_messages(conversations, user_id, name))[::-1]
        stem = f"transcripts/{number:03d}-{_file_name(str(title['title']) or name)}"
        archive.writestr(f"{stem}.json", _json({**title, "messages": messages}))
        archive.writestr(f"{stem}.md", markdown(str(title["title"] or name), messages))


def _messages(conversations: Conversations, user_id: str, name: str) -> Iterator[Message]:
    """The latest first."""
    before: str | None = None
    while True:
        page = conversations.page(user_id, name, before, PAGE)
        yield from reversed(page.messages)
        before = page.before
        if before is None:
            return


def markdown(title: str, messages: list[Message]) -> str:
    lines = [f"# {title}", ""]
    for message in messages:
        who = "You" if message["role"] == "user" else "Agent"
        at = datetime.fromtimestamp(message["createdAt"] / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
        lines += [f"**{who}**, {at}", "", str(message["content"]) or "(no text)", ""]
    return "\n".join(lines)


def _file_name(title: str) -> str:
    return re.sub(r"[^\w.-]+", "-", title).strip("-.")[:60] or "conversation"


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False, default=str)
