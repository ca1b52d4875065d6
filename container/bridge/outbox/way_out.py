"""All that OpenClaw does by itself, as one part of the Bridge: what it says, when it wakes, whether it rests."""

import os
from collections.abc import Callable, Sequence

from bridge.files.shelf import Shelf
from bridge.openclaw.gateway import Gateway, GatewayClosed, GatewayError
from bridge.openclaw.process import OpenClaw
from bridge.outbox.automations import Automations
from bridge.outbox.background import Background
from bridge.outbox.outbox import Outbox
from bridge.outbox.push import Push
from bridge.outbox.rest import REST_SECONDS, Rest
from bridge.shared.aws_errors import AWS_ERRORS
from bridge.telegram.channel import Telegram
from bridge.turns.delivery import Delivery
from chalicelib.agents.schedules import Schedules
from chalicelib.agents.tasks import LeaseLost
from chalicelib.agents.wakes import Wakes
from chalicelib.messages.inbox import Inbox, Message
from chalicelib.people.preferences import Choice
from chalicelib.platform import log
from chalicelib.platform.clock import MINUTE, SECOND, now_ms
from chalicelib.platform.models import ConversationItem

NEAR = 3 * MINUTE
AUTOMATIONS = "cron"
CODE = "BACKGROUND_LIMIT"
PUSH_SECONDS = 2.0
# To ask whether OpenClaw rests is to suspend it for a moment: it allows that 30 times a minute, and each time it puts
# off a due automation by two seconds.
LOOK_SECONDS = 3.0
# Whoever waited that long for an answer has perhaps gone elsewhere.
LONG = 30 * SECOND
WEB = "web"


class WayOut:
    """`hear` of everything from the start; nothing is delivered before `start`."""

    def __init__(
        self,
        user_id: str,
        generation: int,
        openclaw: OpenClaw,
        delivery: Delivery,
        telegram: Telegram,
        push: Push,
        expires_at: Callable[[int], int | None],
        rest_seconds: float = REST_SECONDS,
        choice: Callable[[], Choice] = Choice,
    ) -> None:
        self._openclaw = openclaw
        self._delivery = delivery
        self._telegram = telegram
        self._rest_seconds = rest_seconds
        self._push = push
        self._outbox = Outbox(user_id, delivery, telegram, push, expires_at)
        schedules, conversation = Schedules.from_env(os.environ), self._outbox.conversation
        self.background = Background(user_id, Inbox(), Wakes(), conversation)
        self.background.tell = self._tell
        self._automations = Automations(user_id, generation, self._outbox.causes, schedules, self.background)
        self._automations.asleep = lambda: self._asleep or self._rest.given_up
        self._asleep = False  # whether work that is cut off now is not to be begun again
        self._automations.on_change = self._changed
        self._automations.deliver = self._outbox.deliver_all
        self._automations.choice = choice
        self._outbox.begin, self._outbox.learn = self._automations.load, self._automations.listed
        self._automations.owes = lambda: self._outbox.owes() or (self._closing and push.left())
        self._outbox.also[AUTOMATIONS] = self._automations.follow
        self._rest = Rest(self._tell)
        self._closing = False
        self._written_to = False  # whether anybody wrote in this container's life
        self._early_until = 0  # until when one that was started early waits for that, in ms
        self.on_work: Callable[[], None] = lambda: None  # there is something new to remember
        self._outbox.on_delivered = self._delivered
        openclaw.on_event, openclaw.on_connected = self._outbox.hear, self._outbox.connected

    def forgets(self, gaps: Callable[[], Sequence[tuple[int, int]]]) -> None:
        """The times that the person chose to forget by going back to a restore point."""
        self._automations.forgotten = gaps

    def asks(self, row: ConversationItem) -> None:
        """The agent waits for an answer: whoever looks at no tab is told by Web Push."""
        self._push.announce(row)

    def tell(self, message: Message, row: ConversationItem) -> Callable[[], None]:
        """Before an answer is saved: is it for somebody who hardly waits for it? Then it is pushed, once it is saved.

        That is one that no person asked for, and one that took long. Telegram notifies by itself.
        """
        long = message.channel == WEB and int(row.created_at or 0) - message.queued_at >= LONG
        if row.reason != "final" or not row.content or not (message.cause or long):
            return lambda: None
        try:
            owed = self._push.owed(row)
            if owed is not None:
                owed.save()
                return lambda: self._push.announce(row)
        except AWS_ERRORS as error:  # the answer is more than a notification of it
            log.failure("push_not_owed", error)
        return lambda: None

    def conversation(self, session: str) -> str | None:
        """A session's conversation; None for one that is not shown. Raises as AWS does."""
        return self._outbox.conversation(session)

    def also(self, word: str, work: Callable[[Gateway], None]) -> None:
        """More work of the outbox's thread: with each connection, before the end, and when `ask` names it."""
        self._outbox.also[word] = work

    def ask(self, word: str) -> None:
        self._outbox.ask(word)

    def stores(self, shelf: Shelf) -> None:
        """Where files go that the agent gives by itself."""
        self._outbox.shelf = shelf

    def start(self) -> None:
        self._push.start()
        self._outbox.start(self._openclaw.gateway)

    def follow(self) -> None:
        """The user has changed an automation."""
        self._outbox.ask(AUTOMATIONS)

    def sleep(self) -> None:
        """The person puts the agent to sleep: what still works in the background is not begun again."""
        self._asleep = True
        self.follow()

    def turn(self, messages: list[Message]) -> None:
        """Turns of ours run or have ended. A program's message is no sign of the person."""
        if any(message.cause is None for message in messages):
            self._written_to = True
            self._rest.turn()
        else:
            self._rest.disturbed()

    def early(self, until: int) -> None:
        """Until when a container that was started early waits for its user, as its row says, in ms."""
        if self._early_until and not until:  # a person's message was claimed just now
            self._written_to = True
        self._early_until = until

    def pause(self, longest: float) -> float:
        """Seconds until the next heartbeat: a wake without a person is watched closely enough."""
        if self._written_to or self._early_until > now_ms() + longest * SECOND:
            return longest
        return min(longest, max(self._rest_seconds / 6, LOOK_SECONDS))

    def working(self, turns: list[Message]) -> bool:
        """Whether the agent does something; at each heartbeat, with the messages of the turns that run."""
        if turns:
            self.turn(turns)
            return True
        return self._rest.working(self._openclaw.gateway)

    def idle(self) -> bool:
        """Whether it may be suspended: a person wrote, nothing is left to deliver, no automation is due soon.

        One to which nobody wrote ends by itself.
        """
        owed = self._outbox.owes() or self._push.left()
        return self._written_to and not owed and not self._automations.near(now_ms(), NEAR)

    def beating(self) -> bool:
        """Whether what runs is OpenClaw's own heartbeat."""
        return self._outbox.causes.beating(now_ms())

    def finished(self) -> bool:
        """Whether a container that was woken, or started early, has nothing left to do: nobody wrote, it rests."""
        if self._written_to or self._early_until > now_ms() or not self._rest.rested(self._rest_seconds):
            return False
        if self._automations.near(now_ms(), NEAR):
            return False
        self._asleep = True  # it is at rest: there is none
        log.event("wake_over")
        return True

    def close(self, seconds: float) -> None:
        """What no push service has taken until then, the next container sends: it is started for it."""
        ended = self._outbox.close(seconds)
        self._push.close(PUSH_SECONDS)
        self._closing, gateway = True, self._openclaw.gateway
        if not ended:
            log.event("outbox_not_closed")  # its thread still follows the automations: nobody else may
        elif self._push.left() and gateway is not None:
            try:
                self._automations.follow(gateway)
            except (GatewayClosed, GatewayError, LeaseLost, *AWS_ERRORS) as error:
                log.failure("push_left", error)

    def _delivered(self) -> None:
        self._outbox.ask(AUTOMATIONS)
        self._rest.disturbed()
        self.on_work()

    def _changed(self) -> None:
        self.on_work()
        self._delivery.refresh()
        self._delivery.everyone({"type": "automations"})

    def _tell(self, text: str) -> None:
        self._delivery.refresh()
        self._delivery.everyone({"type": "notice", "code": CODE, "message": text})
        self._telegram.say(text)
