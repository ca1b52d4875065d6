"""A message that waits while its agent sleeps, and what becomes of it."""

import uuid
from typing import Any

from chalicelib.agents.tasks import Tasks
from chalicelib.messages.inbox import Inbox, Message
from chalicelib.platform.clock import now_ms

KEY = "sk-secret"
Json = dict[str, Any]


def waiting(text: str, user: str = "", **more: Any) -> Message:
    found = Message(user or uuid.uuid4().hex, uuid.uuid4().hex, text, "main", now_ms(), **more)
    assert Inbox().put(found)
    return found


def kept(message: Message) -> Json | None:
    found = Inbox().get(message.user_id, message.id)
    assert found is not None
    return found.first_words


def claim(message: Message) -> int:
    tasks = Tasks()
    generation = tasks.begin_start(message.user_id).generation
    tasks.running(message.user_id, generation, "arn:task")
    Inbox().claim(message, generation, {"runId": "r", "conversationId": "main", "replyTo": message.id})
    return generation
