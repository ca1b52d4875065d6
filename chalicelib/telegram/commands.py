"""The bot's commands. Each may run twice for one update without harm."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from chalicelib.agents.runtime import StartFailed
from chalicelib.lifecycle.automations import ACTIONS, STOP, change, doing
from chalicelib.lifecycle.dispatch import Dispatch
from chalicelib.lifecycle.texts import START_FAILED_TEXT
from chalicelib.people.linking import Link, Linking, Refused
from chalicelib.people.preferences import Preferences, find_zone
from chalicelib.people.spending import summary
from chalicelib.platform import log
from chalicelib.platform.clock import MINUTE, Clock
from chalicelib.platform.parallel import both
from chalicelib.telegram import moved, texts
from chalicelib.telegram.rows import Chats
from chalicelib.telegram.update import Incoming
from chalicelib.wire.protocol import number_in

_CODE = re.compile(r"\d{6}")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{20,64}")


@dataclass(frozen=True)
class Commands:
    dispatch: Dispatch
    linking: Linking
    chats: Chats
    clock: Clock
    cost: Callable[[str], dict[str, Any]] = summary
    preferences: Preferences = field(default_factory=Preferences)

    def run(self, name: str, argument: str, incoming: Incoming, link: Link | None) -> str:
        """The reply to a command. Whoever is not paired and uses another command than OPEN learns how to pair."""
        if name in OPEN:
            return OPEN[name](self, argument, incoming, link)
        if link is None:
            return texts.PAIR if incoming.private else texts.PAIR_GROUP
        return PAIRED[name](self, argument, incoming, link) if name in PAIRED else texts.AGAIN_HOW

    def _start(self, token: str, incoming: Incoming, link: Link | None) -> str:
        if token and incoming.private and _TOKEN.fullmatch(token):
            return self._pair(incoming, lambda: self.linking.redeem_token(incoming.sender, incoming.name, token))
        return texts.WELCOME if link is not None else texts.PAIR

    def _link(self, code: str, incoming: Incoming, _: Link | None) -> str:
        if not incoming.private:
            return texts.LINK_IN_PRIVATE
        digits = re.sub(r"[\s-]", "", code)
        if not _CODE.fullmatch(digits):
            return texts.LINK_HOW
        return self._pair(incoming, lambda: self.linking.redeem_code(incoming.sender, incoming.name, digits))

    def _pair(self, incoming: Incoming, redeem: Any) -> str:
        try:
            link: Link = redeem()
        except Refused as refused:
            log.event("link_refused", telegram=incoming.sender, why=str(refused.why))
            minutes = max(1, -(-(refused.until - self.clock()) // MINUTE))
            return texts.REFUSED[refused.why].format(minutes=minutes)
        log.event("linked", user=link.user_id, telegram=incoming.sender)
        self.dispatch.tell(link.user_id, {"type": "link", "status": "linked", "telegramName": link.name})
        asked = self.preferences.ask_zone(link.user_id)
        return f"{texts.LINKED}\n\n{texts.ASK_TIME_ZONE}" if asked else texts.LINKED

    def _new(self, _: str, incoming: Incoming, link: Link) -> str:
        # The update's id is part of the name: handling the command twice creates one conversation.
        self.chats.change(incoming.sender, link.user_id, incoming.chat, f"tg-{incoming.chat}-{incoming.update_id}")
        return texts.NEW

    def _stop(self, _: str, incoming: Incoming, link: Link) -> str:
        task, conversation = both(
            lambda: self.dispatch.tasks.get(link.user_id), lambda: conversation_of(self.chats, incoming, link)
        )
        stop = {"type": "stop", "runId": None, "conversationId": conversation}
        if task.runs_in(conversation) and self.dispatch.forward(task, stop):
            return texts.STOPPED
        return texts.RUNS_ELSEWHERE if task.active_runs else texts.NOTHING_TO_STOP

    def _now(self, _: str, incoming: Incoming, link: Link) -> str:
        """Hand this chat's waiting messages to its running turn."""
        task, conversation = both(
            lambda: self.dispatch.tasks.get(link.user_id), lambda: conversation_of(self.chats, incoming, link)
        )
        steer = {"type": "steer", "conversationId": conversation}
        if task.runs_in(conversation) and self.dispatch.forward(task, steer):
            return texts.STEERED
        return texts.NOTHING_TO_STEER

    def _automations(self, argument: str, where: Incoming, link: Link) -> str:
        """The list, or a change of its n-th: `pause 2`. Work that can be stopped stands behind the automations."""
        zone = self.preferences.get(link.user_id).time_zone
        action, _, number = argument.lower().partition(" ")
        now = doing(link.user_id)
        if not argument:
            return texts.automations(now.automations, now.work, zone)
        at, first = number_in(number.strip()) or 0, len(now.automations) if action == STOP else 0
        entries = now.work if action == STOP else now.automations
        if action not in ACTIONS or not first < at <= first + len(entries):
            return texts.AUTOMATIONS_HOW
        entry = entries[at - first - 1]
        try:
            change(self.dispatch, link.user_id, entry["id"], action)
        except StartFailed as error:
            return START_FAILED_TEXT[error.code]
        return texts.AUTOMATION_ASKED[action].format(name=entry.get("name") or entry["text"])

    def _timezone(self, typed: str, _: Incoming, link: Link) -> str:
        if not typed:
            known = self.preferences.get(link.user_id).known_zone
            return texts.TIME_ZONE.format(zone=known) if known else texts.ASK_TIME_ZONE
        zone = find_zone(typed)
        if zone is None:
            return texts.TIME_ZONE_UNKNOWN
        self.preferences.change(link.user_id, {"timeZone": zone})
        self.dispatch.forward(self.dispatch.tasks.get(link.user_id), {"type": "settings"})
        return texts.TIME_ZONE.format(zone=zone)

    def _status(self, _: str, incoming: Incoming, link: Link) -> str:
        task, cost = both(lambda: self.dispatch.tasks.get(link.user_id), lambda: self.cost(link.user_id))
        spent = texts.spent(cost)
        return texts.STATUS[str(task.status)] + (f" {texts.BUSY}" if task.active_runs else "") + f"\n{spent}"


# For everybody, paired or not.
OPEN: dict[str, Callable[[Commands, str, Incoming, Link | None], str]] = {
    "start": Commands._start,
    "link": Commands._link,
    "help": lambda *_: texts.HELP,
}
# For paired people.
PAIRED: dict[str, Callable[[Commands, str, Incoming, Link], str]] = {
    "new": Commands._new,
    "stop": Commands._stop,
    "now": Commands._now,
    "status": Commands._status,
    "automations": Commands._automations,
    "timezone": Commands._timezone,
    "unlink": lambda *_: texts.UNLINK,
}


def conversation_of(chats: Chats, incoming: Incoming, link: Link) -> str:
    """`main` in the private chat, a separate one for each group or topic, until /new starts another."""
    current = partial(chats.current, incoming.sender, link.user_id, incoming.chat)
    if incoming.private or incoming.thread_id is not None:
        new = "main" if incoming.private and incoming.thread_id is None else f"tg-{incoming.chat}"
        return current() or new
    chosen, before = both(current, lambda: moved.was(incoming.chat))
    if chosen is not None:
        return chosen
    if before is None:
        return f"tg-{incoming.chat}"
    conversation = chats.current(incoming.sender, link.user_id, before) or f"tg-{before}"
    chats.change(incoming.sender, link.user_id, incoming.chat, conversation)
    return conversation


def reply_to(incoming: Incoming, text: str) -> dict[str, Any]:
    """A reply in the body of the webhook's HTTP response: it needs no API call and no token."""
    body: dict[str, Any] = {"method": "sendMessage", "chat_id": incoming.chat_id, "text": text}
    if incoming.thread_id is not None:
        body["message_thread_id"] = incoming.thread_id
    if not incoming.private:
        body["reply_parameters"] = {"message_id": incoming.message_id, "allow_sending_without_reply": True}
    return body
