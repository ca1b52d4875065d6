"""Work behind the turns that is not reported yet: noted, so that a container that dies in it has a successor.

A snapshot is taken only at rest, so the successor's OpenClaw mostly knows nothing of that work. The agent is told of it
in a message of the inbox, which has its own retries, and finishes it. A helper that it does know OpenClaw resumes.
"""

import hashlib
from collections.abc import Callable
from typing import Any

from bridge.openclaw.gateway import Gateway, GatewayError
from bridge.outbox.shell_commands import command_of
from chalicelib.agents.wakes import Wakes
from chalicelib.messages.inbox import Inbox, Message
from chalicelib.platform import log
from chalicelib.platform.clock import MINUTE, now_ms

Json = dict[str, Any]
HELPER, COMMAND = "subagent", "exec"
NAMES = {HELPER: "helper", COMMAND: "background command"}
MOST, PROMPT_LENGTH = 10, 1_000
LISTED = 100
OPEN = ("queued", "running")
# A helper that ended is reported within moments, or never.
REPORTING = 5 * MINUTE
# Of one day: then the person decides, or a helper that always takes its container down would run for ever.
PER_DAY = 3
NEVER = 1 << 62
CHANNEL, CAUSE = "system", "Interrupted work"
TEXT = (
    "[System: your container ended while you worked in the background, and the user was told no result. What ran:\n"
    "{work}\nLook how far it got. Then finish it, or do it again, and report the result here. Do not repeat what must "
    "not happen twice.]"
)
TOLD = (
    "Your agent's container ended several times today while it worked in the background, so this work is not begun "
    "again by itself: {work}. Write to your agent if you still need it."
)


class Background:
    """Called on the outbox's thread only. `conversation` names a session's conversation, None if it is not shown."""

    def __init__(self, user_id: str, inbox: Inbox, wakes: Wakes, conversation: Callable[[str], str | None]) -> None:
        self._user_id = user_id
        self._inbox = inbox
        self._wakes = wakes
        self._conversation = conversation
        self._prompts: dict[str, str] = {}
        self.on_message: Callable[[], None] = lambda: None  # something is in the inbox
        self.tell: Callable[[str], None] = lambda text: None

    def unreported(self, gateway: Gateway) -> list[Json]:
        """What runs, or has ended and is still to be reported. Raises GatewayError, GatewayClosed."""
        found = [task for task in self._tasks(gateway) if _is_open(task)]
        return [self._note(gateway, task) for task in found[:MOST]]

    def _tasks(self, gateway: Gateway) -> list[Json]:
        listed: list[Json] = gateway.request("tasks.list", {"limit": LISTED}).get("tasks") or []
        shown = [task for task in listed if task.get("kind") in NAMES]
        return [task for task in shown if self._conversation(str(task.get("sessionKey"))) is not None]

    def _note(self, gateway: Gateway, task: Json) -> Json:
        task_id = str(task["id"])
        if task_id not in self._prompts:
            try:
                whole = gateway.request("tasks.get", {"taskId": task_id}).get("task") or {}
            except GatewayError:  # it has just been removed
                whole = {}
            text = self._command(gateway, task) or whole.get("prompt") or task.get("title") or ""
            self._prompts[task_id] = str(text)[:PROMPT_LENGTH]
        about = {"text": self._prompts[task_id], "session": task["sessionKey"], "at": int(task.get("createdAt") or 0)}
        return {"id": task_id, "kind": task["kind"], **about}

    @staticmethod
    def _command(gateway: Gateway, task: Json) -> str | None:
        if task.get("kind") != COMMAND:
            return None
        try:
            return command_of(gateway, str(task["sessionKey"]), str(task.get("sourceId")))
        except GatewayError as error:
            log.failure("command_unread", error)
            return None

    def take_over(self, gateway: Gateway, left: list[Json]) -> None:
        """What the last container left unreported, once. Raises GatewayError, GatewayClosed, what AWS raises."""
        if not left:
            return
        known = {str(task["id"]): task for task in self._tasks(gateway)}
        redone = self._redone()
        by_conversation: dict[str, list[Json]] = {}
        for work in left:
            conversation = self._conversation(str(work["session"]))
            if conversation is None or int(work.get("at") or 0) >= redone.get(conversation, NEVER):
                continue  # the turn that began it is done again, and begins it again
            if _lost(work, known.get(str(work["id"]))):
                by_conversation.setdefault(conversation, []).append(work)
        for conversation, works in by_conversation.items():
            self._ask(conversation, works)

    def _redone(self) -> dict[str, int]:
        """Since when a conversation has a turn that was begun and is done again, by conversation."""
        since: dict[str, int] = {}
        for message in self._inbox.waiting(self._user_id):
            if message.claims:
                since[message.conversation_id] = min(message.queued_at, since.get(message.conversation_id, NEVER))
        return since

    def _ask(self, conversation: str, works: list[Json]) -> None:
        names = hashlib.sha256("/".join(sorted(str(work["id"]) for work in works)).encode()).hexdigest()[:32]
        message_id = f"interrupted-{names}"
        if self._inbox.get(self._user_id, message_id) is not None:
            return
        lines = [f"- {NAMES[str(work['kind'])]}: {work['text']}" for work in works]
        again = self._wakes.interrupted(self._user_id) <= PER_DAY
        log.event("background_interrupted", works=len(works), again=again)
        if not again:
            self.tell(TOLD.format(work="; ".join(line.removeprefix("- ")[:100] for line in lines)))
            return
        text, route = TEXT.format(work="\n".join(lines)), {"cause": CAUSE}
        self._inbox.put(Message(self._user_id, message_id, text, conversation, now_ms(), CHANNEL, route=route))
        self.on_message()


def _is_open(task: Json) -> bool:
    if task.get("status") in OPEN:
        return True
    reporting = task.get("kind") == HELPER and task.get("deliveryStatus") == "pending"
    return reporting and int(task.get("endedAt") or 0) > now_ms() - REPORTING


def _lost(work: Json, known: Json | None) -> bool:
    """Whether nobody goes on with it. A command's process ended with its container, whatever OpenClaw says yet."""
    if known is None:
        return True
    return work["kind"] == COMMAND and _is_open(known)
