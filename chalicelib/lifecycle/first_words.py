"""Asks the function `first_words` to answer a message while its agent sleeps. The agent is started all the same.

Who switched on small talk lets that function decide whether the agent starts.
"""

import contextlib
import json

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.agents.tasks import Status, Task
from chalicelib.messages.conversations import message_frame, retention
from chalicelib.messages.first_words import NotWaiting, finish, suits
from chalicelib.messages.inbox import Inbox, Message
from chalicelib.people.preferences import Preferences
from chalicelib.platform import aws, log
from chalicelib.platform.clock import SECOND, now_ms
from chalicelib.platform.settings import stage
from chalicelib.wire.protocol import Frame
from chalicelib.wire.room import SOCKET

# An agent that will be ready so soon says its first words itself.
SOON = 3 * SECOND


def wanted(message: Message, task: Task, now: int) -> bool:
    """Whether the person would wait long without them. `task`: as it was before this message started one."""
    if not suits(message) or task.near(now):
        return False
    starting = task.status is Status.STARTING and task.live(now)
    return not (starting and task.start_ms and task.started_at + task.start_ms - now < SOON)


def stopped(user_id: str, conversation_id: str | None) -> list[Frame]:
    """Ends what is being said in a conversation (or anywhere): what was said is the answer, and its rows are these."""
    waiting = [one for one in Inbox().waiting(user_id) if one.first_words is not None]
    here = [one for one in waiting if conversation_id in (None, one.conversation_id)]
    if not here:
        return []
    now = now_ms()
    until = retention(Preferences().get(user_id).retention_days, now)
    ended: list[Frame] = []
    for message in here:
        text = str((message.first_words or {}).get("text", ""))
        with contextlib.suppress(NotWaiting):  # its agent has it: that turn can be stopped
            ended.append(SOCKET.cut(message_frame(finish(message, "aborted", text, until, now))))
    return ended


class Asking:
    """Calls the function and does not wait for it. Without it the person waits for the agent: failures are logged."""

    def alone(self, message: Message, task: Task) -> bool:
        """Whether it takes over: then it starts the agent if that is needed."""
        if task.status is not Status.IDLE:
            return False
        choice = Preferences().get(message.user_id)
        return choice.first_words and choice.small_talk and self._invoked(message, {"alone": True})

    def ask(self, message: Message) -> None:
        self._invoked(message, {})

    def _invoked(self, message: Message, more: dict[str, bool]) -> bool:
        event = {"userId": message.user_id, "messageId": message.id, **more}
        name = f"serverless-openclaw-{stage()}-first_words"
        try:
            aws.client("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps(event).encode())
        except (ClientError, BotoCoreError) as error:
            log.failure("first_words_unasked", error, message_id=message.id)
            return False
        return True
