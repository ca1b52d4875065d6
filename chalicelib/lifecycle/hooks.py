"""A program posts to a hook: one more producer into the inbox. What it posts is data, never the person's words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from chalicelib.agents.tasks import Status
from chalicelib.lifecycle.dispatch import Dispatch, status_frame
from chalicelib.lifecycle.services import RateService
from chalicelib.lifecycle.wake import Wake
from chalicelib.messages.conversations import echo_frame
from chalicelib.messages.inbox import Message
from chalicelib.people.hooks import Hook, Hooks
from chalicelib.people.rate import Rate
from chalicelib.platform import log
from chalicelib.platform.clock import DAY, MINUTE, SECOND, Clock, now_ms
from chalicelib.platform.parallel import each
from chalicelib.wire.posted import post_id, posted_text
from chalicelib.wire.protocol import ProtocolError

CHANNEL = "hook"
PER_HOOK, PER_USER = 10, 20  # posts a minute
LIMITS = {
    "limit": ("WAKE_LIMIT", "this agent was woken as often today as it may be: post again tomorrow"),
    "budget": ("BUDGET_REACHED", "this month's limit of spending is reached"),
}


class Later(ProtocolError):
    """Refused for now; `seconds` until another try makes sense."""

    def __init__(self, code: str, message: str, seconds: int) -> None:
        super().__init__(code, message)
        self.seconds = seconds


@dataclass(frozen=True)
class _Posts:
    """Counts a hook's posts and those of all the user's hooks; the person's own messages are counted apart."""

    hook_id: str
    clock: Clock = now_ms

    def exceeded(self, user_id: str) -> bool:
        of_hook = Rate(PER_HOOK, self.clock, f"rate-hook#{self.hook_id}").exceeded(user_id)
        return Rate(PER_USER, self.clock, "rate-hooks").exceeded(user_id) or of_hook


@dataclass(frozen=True)
class HookPosts:
    """Accepts posts. Raises ProtocolError; Later where a sender should try again."""

    dispatch: Dispatch
    hooks: Hooks
    wake: Wake
    clock: Clock = now_ms
    rate_of: Callable[[str], RateService] = _Posts

    def receive(self, token: str, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
        """`headers` by lower-case names. The answer names the message; a repeated one says so."""
        hook = self.hooks.find(token)
        text, message_id = posted_text(headers, body), post_id(hook.id, headers)
        known = self.dispatch.inbox.get(hook.user_id, message_id)  # accepted before: whatever is true today
        refused = None if known else self.wake.refuse_hook(self.dispatch.tasks.get(hook.user_id))
        if refused is not None:
            raise Later(*LIMITS[refused], self._until(DAY))
        message = message_of(hook, message_id, text, self.clock())
        duplicate = self._accept(hook, message)
        log.event("hook", user=hook.user_id, hook=hook.id, message_id=message_id, duplicate=duplicate)
        return {"id": message_id} | ({"duplicate": True} if duplicate else {})

    def _accept(self, hook: Hook, message: Message) -> bool:
        """True for a message that was accepted before. One that is kept while the start fails is accepted too."""
        counted = replace(self.dispatch, rate=self.rate_of(hook.id))
        try:
            done = counted.accept(message)
        except ProtocolError as error:
            if error.code != "RATE_LIMITED":
                raise
            raise Later("RATE_LIMITED", "too many posts in a short time", self._until(MINUTE)) from None
        tasks: list[Callable[[], Any]] = []
        if done.task.status is not Status.RUNNING:
            tasks.append(lambda: self.dispatch.tell(hook.user_id, status_frame(done.task)))
        if not done.duplicate:
            tasks.append(lambda: self.dispatch.tell(hook.user_id, echo_frame(message)))
            tasks.append(lambda: self.hooks.used(hook))
        if done.started:
            tasks.append(lambda: self.wake.wakes.count(hook.user_id))
        for failed in each(tasks):
            if failed is not None:  # the message is stored and on its way
                log.failure("hook_alongside_failed", failed, message_id=message.id)
        return done.duplicate

    def _until(self, span: int) -> int:
        """Seconds until the next minute or day (UTC) begins."""
        return -(-(span - self.clock() % span) // SECOND)


def message_of(hook: Hook, message_id: str, text: str, now: int) -> Message:
    about = {"name": hook.name, "instruction": hook.instruction}
    route = {"cause": f"Hook: {hook.name}", "hook": about}
    return Message(hook.user_id, message_id, text, hook.conversation_id, now, CHANNEL, route=route)
