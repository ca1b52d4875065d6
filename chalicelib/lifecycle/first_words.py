"""Asks the function `first_words` to answer a message while its agent sleeps. The agent is started all the same."""

import json

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.agents.tasks import Status, Task
from chalicelib.messages.first_words import suits
from chalicelib.messages.inbox import Message
from chalicelib.platform import aws, log
from chalicelib.platform.clock import SECOND
from chalicelib.platform.settings import stage

# An agent that will be ready so soon says its first words itself.
SOON = 3 * SECOND


def wanted(message: Message, task: Task, now: int) -> bool:
    """Whether the person would wait long without them. `task`: as it was before this message started one."""
    if not suits(message) or (task.status is Status.RUNNING and task.live(now)):
        return False
    starting = task.status is Status.STARTING and task.live(now)
    return not (starting and task.start_ms and task.started_at + task.start_ms - now < SOON)


def ask(message: Message) -> None:
    """Returns at once. Without them the person waits for the agent, as before: a failure is only logged."""
    event = {"userId": message.user_id, "messageId": message.id}
    name = f"serverless-openclaw-{stage()}-first_words"
    try:
        aws.client("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps(event).encode())
    except (ClientError, BotoCoreError) as error:
        log.failure("first_words_unasked", error, message_id=message.id)
