"""Pages of the history with questions, thoughts and failures, for the pictures and for axe: real ones take long."""

from typing import Any

from tests.e2e.app import App

Json = dict[str, Any]
OPTIONS = [{"label": "Red"}, {"label": "Green", "description": "like tea"}]
PART: Json = {"id": "colour", "header": "Colour", "text": "Which colour?", "options": OPTIONS, "other": True}
ONE: Json = {"kind": "question", "state": "open", "expiresAt": 1_795_000_900_000, "parts": [PART | {"multi": False}]}
DECISIONS = [{"label": name} for name in ("allow-once", "allow-always", "deny")]
DECISION = PART | {"multi": False, "other": False, "options": DECISIONS}
COMMAND = {"command": "rm -r " + "very/" * 60 + "long", "directory": "/home/agent/workspace", "warning": "Deletes"}
QUESTIONS: list[Json] = [
    ONE,
    ONE | {"parts": [PART | {"multi": True}, PART | {"id": "size", "multi": False}]},
    ONE | {"kind": "approval", "parts": [DECISION]} | COMMAND,
    ONE | {"state": "answered", "answers": {"colour": ["Green"]}, "by": "telegram"},
    ONE | {"state": "expired"},
]


def page(conversation: str) -> Json:
    """A page of the history that has them all."""
    row = {"role": "assistant", "content": "?", "reason": "question", "conversationId": conversation}
    rows = [
        row | {"messageId": f"q{n}", "createdAt": 1_795_000_000_000 + n, "question": {"id": f"q{n}"} | question}
        for n, question in enumerate(QUESTIONS)
    ]
    thinking = {"text": "They like tea.\n" * 30 + "unbroken" * 40, "cut": True, "hidden": True}
    steps = [{"text": f"Step {state} " * 9, "state": state} for state in ("done", "running", "pending")]
    card = {"steps": steps, "note": "**Half** done.", "bar": {"label": "Tests · 3/7", "value": 3, "max": 7}}
    more = {"reason": "proactive", "thinking": thinking, "card": card}
    rows.append(row | {"messageId": "t", "createdAt": 1_795_000_001_000} | more)
    return {"conversationId": conversation, "messages": rows, "before": None}


def failed(conversation: str) -> Json:
    question = "m-aaaaaaaaaaaaaaaaaaaa"
    error = {"code": "PROVIDER_ERROR", "message": "the provider is overloaded"}
    rows: list[Json] = [
        {"messageId": question, "role": "user", "content": "How far is the moon?"},
        {"messageId": f"{question}.answer", "role": "assistant", "content": "", "replyTo": question, "reason": "error"},
    ]
    rows[1]["error"] = error
    messages = [row | {"conversationId": conversation, "createdAt": 1_795_000_000_000} for row in rows]
    return {"conversationId": conversation, "messages": messages, "before": None}


def show(app: App, page: Json) -> None:
    """The conversation that is open, with these rows."""
    app.page.route(f"**/api/conversations/{app.conversation_id}?*", lambda route: route.fulfill(json=page))
    app.reload()
