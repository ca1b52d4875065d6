"""The user's inbox: every message waits here under its own id until it is answered or dead.

    queued --claim--> claimed --finish--> done
       ^                 |------fail----> queued again (with back-off), or dead after MAX_ATTEMPTS
       '----hand_back----'

A claim and the turn it starts are one transaction with TaskState, so only the current generation
can claim, and a message that is claimed makes its task busy in the same instant.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pynamodb.exceptions import PutError
from pynamodb.expressions.condition import Condition

from chalicelib.agents.tasks import LeaseLost, Status
from chalicelib.messages.message import Message as Message
from chalicelib.messages.message import from_row
from chalicelib.messages.message import from_wire as from_wire
from chalicelib.platform.clock import DAY, MINUTE, SECOND, Clock, now_ms, ttl
from chalicelib.platform.models import PendingMessage, TaskRow
from chalicelib.platform.writes import commit, transaction

MAX_ATTEMPTS = 3
# Containers that die in a turn of the message until it is given up. A container that dies takes the turns of other
# conversations along, so a crash says less about a message than a failed try.
CRASHES = 5
# Renewed by every heartbeat; long enough for two of them to be missed.
CLAIM_LEASE = 100 * SECOND
KEEP_ANSWERED = 7 * DAY
# Errors that another try cannot mend: somebody must do something first (container/bridge/provider/failures.py).
REFUSED = ("PROVIDER_KEY", "PROVIDER_CREDIT", "PROVIDER_LIMIT", "PROVIDER_MODEL", "PROVIDER_REQUEST")
HOPELESS = ("BUDGET_REACHED", *REFUSED)
BACK_OFF = (5 * SECOND, 30 * SECOND, 2 * MINUTE)
WAITING = "1"
# Names of one run, as the task's row and the tabs know it: runId, conversationId, replyTo.
Run = dict[str, str]


class NotClaimable(Exception):
    """Done, dead, claimed by another, or not due yet."""


def _claimable(message: Message, generation: int, now: int) -> Any:
    """Waiting and due, or claimed by a container that is gone; and unchanged since the caller read it."""
    stale = (PendingMessage.claimed_by < generation) | (PendingMessage.lease_until < now)
    due = PendingMessage.not_before.does_not_exist() | (PendingMessage.not_before <= now)
    free = ((PendingMessage.status == "queued") & due) | ((PendingMessage.status == "claimed") & stale)
    if message.channel == "telegram":  # it may be edited while it waits (edits.py)
        free &= PendingMessage.text == message.text
    # What the caller read is still so; then the claimed message is known without reading it again.
    return free & (PendingMessage.claims == message.claims)


class Inbox:
    """The PendingMessages table."""

    def __init__(self, clock: Clock = now_ms) -> None:
        self._clock = clock

    def put(self, message: Message) -> bool:
        """Accept a message; False when its id was accepted before (then nothing changes)."""
        row = PendingMessage(
            message.user_id,
            message.id,
            status="queued",
            text=message.text,
            conversation_id=message.conversation_id,
            channel=message.channel,
            attachments=message.attachments or None,
            route=message.route,
            queued_at=message.queued_at,
            waiting=WAITING,
            waiting_since=f"{message.queued_at:013d}-{message.id}",
            attempts=0,
            claims=0,
        )
        try:
            row.save(condition=PendingMessage.message_id.does_not_exist())
        except PutError as error:
            if error.cause_response_code == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def take_back(self, user_id: str, message_id: str) -> bool:
        """Undo a put that must not count; False when it has been claimed meanwhile."""
        try:
            PendingMessage(user_id, message_id).delete(condition=PendingMessage.status == "queued")
        except Exception as error:  # pynamodb's DeleteError; other causes are raised again
            if getattr(error, "cause_response_code", None) == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def get(self, user_id: str, message_id: str) -> Message | None:
        try:
            return from_row(PendingMessage.get(user_id, message_id, consistent_read=True))
        except PendingMessage.DoesNotExist:
            return None

    def waiting(self, user_id: str, limit: int | None = None) -> list[Message]:
        """Messages neither done nor dead, oldest first; strongly consistent."""
        rows = PendingMessage.by_user.query(user_id, consistent_read=True, limit=limit)
        return [from_row(row) for row in rows]

    def users_waiting(self) -> set[str]:
        """Everybody with a waiting message (eventually consistent)."""
        return {row.user_id for row in PendingMessage.anywhere.query(WAITING)}

    def claim(self, message: Message, generation: int, run: Run, others: Sequence[Run] = ()) -> Message:
        """Take a message for a turn, beside the container's other runs.

        Raises NotClaimable, or LeaseLost for an old generation.
        """
        now = self._clock()
        free = _claimable(message, generation, now)
        actions: list[Any] = [
            PendingMessage.status.set("claimed"),
            PendingMessage.claimed_by.set(generation),
            PendingMessage.lease_until.set(now + CLAIM_LEASE),
            PendingMessage.attempts.set(message.attempts + 1),
            PendingMessage.claims.set(message.claims + 1),
        ]
        busy: list[Any] = [
            TaskRow.busy_until.set(now + CLAIM_LEASE),
            TaskRow.last_activity.set(now),
            TaskRow.active_runs.set([*others, run]),
        ]
        if message.cause is None:  # a person: from now on the ordinary idle rules count
            busy.append(TaskRow.early_until.remove())

        def write() -> None:
            with transaction() as write:
                write.update(PendingMessage(message.user_id, message.id), actions=actions, condition=free)
                write.update(
                    TaskRow(message.user_id),
                    actions=busy,
                    condition=(TaskRow.generation == generation) & (TaskRow.status == Status.RUNNING),
                )

        commit(write, (NotClaimable, LeaseLost))
        return replace(
            message,
            status="claimed",
            claimed_by=generation,
            attempts=message.attempts + 1,
            claims=message.claims + 1,
        )

    def give_up(self, message: Message, code: str) -> bool:
        """Declare a message dead for want of a container; False when it was claimed or closed meanwhile."""
        unchanged = PendingMessage.waiting.exists() & (PendingMessage.claims == message.claims)
        actions = [*closing("dead", self._clock()), PendingMessage.error.set(code)]
        try:
            self._update(message.user_id, message.id, actions, unchanged)
        except LeaseLost:
            return False
        return True

    def renew(self, user_id: str, message_id: str, generation: int) -> None:
        """Keep the claim while its turn runs. Raises LeaseLost."""
        lease = PendingMessage.lease_until.set(self._clock() + CLAIM_LEASE)
        self._update(user_id, message_id, [lease], _mine(generation))

    def finish(
        self,
        message: Message,
        generation: int,
        answer: list[Any],
        others: Sequence[Run] = (),
        steered: Sequence[Message] = (),
    ) -> None:
        """Answered: save the answer's rows, close the message and its run in one transaction. Raises LeaseLost.

        `others`: the container's runs that go on. `steered`: messages that this run took in (they are claimed too).
        """
        done = closing("done", self._clock())
        self._end_turn([message, *steered], generation, done, answer, others)

    def hand_back(
        self, message: Message, generation: int, others: Sequence[Run] = (), thought: Sequence[Message] = ()
    ) -> None:
        """Not answered, but not the fault of the message: the next task takes it, and no try is used up.

        `thought`: messages that are one with it; the same happens to them.
        """
        attempts = PendingMessage.attempts.set(max(message.attempts - 1, 0))
        self._requeue([message, *thought], generation, [attempts], others)

    def fail(
        self,
        message: Message,
        generation: int,
        code: str,
        failure: Sequence[Any] = (),
        others: Sequence[Run] = (),
        thought: Sequence[Message] = (),
    ) -> bool:
        """One try failed. True when it was the last: the message is dead, and `failure` its answer's rows.

        Raises LeaseLost.
        """
        if message.attempts >= MAX_ATTEMPTS or code in HOPELESS:
            actions = [*closing("dead", self._clock()), PendingMessage.error.set(code)]
            self._end_turn([message, *thought], generation, actions, list(failure), others)
            return True
        wait = BACK_OFF[min(max(message.attempts, 1), len(BACK_OFF)) - 1]
        due = PendingMessage.not_before.set(self._clock() + wait)
        self._requeue([message, *thought], generation, [due], others)
        return False

    def heard(self, message: Message, generation: int, attachments: list[dict[str, Any]]) -> None:
        """Keep what was found out about the files of a claimed message. Raises LeaseLost."""
        keep = [PendingMessage.attachments.set(attachments)]
        self._update(message.user_id, message.id, keep, _mine(generation))

    def _requeue(self, messages: list[Message], generation: int, more: list[Any], others: Sequence[Run]) -> None:
        actions = [PendingMessage.status.set("queued"), PendingMessage.claimed_by.remove(), *more]
        self._end_turn(messages, generation, actions, [], others)

    def _end_turn(
        self, messages: list[Message], generation: int, actions: list[Any], rows: list[Any], others: Sequence[Run]
    ) -> None:
        """The messages' new state, the task's other runs and the rows of the answer: all or nothing."""
        now, user_id = self._clock(), messages[0].user_id
        left: list[Any] = [TaskRow.busy_until.set(0), TaskRow.active_runs.remove()]
        if others:
            left = [TaskRow.busy_until.set(now + CLAIM_LEASE), TaskRow.active_runs.set(list(others))]

        def write() -> None:
            with transaction() as write:
                for message in messages:
                    write.update(PendingMessage(user_id, message.id), actions=actions, condition=_mine(generation))
                left_and_seen = [*left, TaskRow.last_activity.set(now)]
                write.update(TaskRow(user_id), actions=left_and_seen, condition=TaskRow.generation == generation)
                for row in rows:
                    write.save(row)

        commit(write, (LeaseLost,) * (len(messages) + 1))

    @staticmethod
    def _update(user_id: str, message_id: str, actions: list[Any], condition: Condition) -> None:
        def write() -> None:
            with transaction() as write:
                write.update(PendingMessage(user_id, message_id), actions=actions, condition=condition)

        commit(write, (LeaseLost,))


def _mine(generation: int) -> Condition:
    mine: Condition = (PendingMessage.status == "claimed") & (PendingMessage.claimed_by == generation)
    return mine


def closing(status: str, now: int) -> list[Any]:
    """What ends the waiting of a message: `done` or `dead`."""
    return [
        PendingMessage.status.set(status),
        PendingMessage.waiting.remove(),
        PendingMessage.waiting_since.remove(),
        PendingMessage.expires_at.set(ttl(now + KEEP_ANSWERED)),
    ]
