"""The five tables. Times are milliseconds; `expires_at` is DynamoDB's TTL, in seconds."""

from typing import Any

from pynamodb.attributes import BooleanAttribute, JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.connection import TableConnection
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, KeysOnlyProjection, LocalSecondaryIndex
from pynamodb.models import Model

from chalicelib.platform import aws, settings


class _Meta:
    region = aws.region()
    billing_mode = "PAY_PER_REQUEST"


class _Table(Model):
    """A model on the process's one DynamoDB client.

    By default PynamoDB creates a session and a client for each model, 70-100 ms each on a cold start.
    Setting `_client` is the only way to share one (a test checks this with the pinned version).
    """

    @classmethod
    def _get_connection(cls) -> TableConnection:
        connection = super()._get_connection()
        if connection.connection._client is None:
            connection.connection._client = aws.client("dynamodb")
        return connection


class ActiveTasks(GlobalSecondaryIndex[Any]):
    """An index of only the rows that have a task."""

    class Meta:
        index_name = "active-index"
        projection = AllProjection()

    active = UnicodeAttribute(hash_key=True)
    user_id = UnicodeAttribute(range_key=True, attr_name="userId")


class Wakes(GlobalSecondaryIndex[Any]):
    """Only the rows of users with an automation that is due some day; eventually consistent."""

    class Meta:
        index_name = "wake-index"
        projection = KeysOnlyProjection()

    waking = UnicodeAttribute(hash_key=True)
    wake_at = NumberAttribute(range_key=True, attr_name="wakeAt")
    user_id = UnicodeAttribute(attr_name="userId")


class TaskRow(_Table):
    """One row per user (or per prewarmed container): which task may act for them."""

    class Meta(_Meta):
        table_name = settings.table_name("TaskState")

    user_id = UnicodeAttribute(hash_key=True, attr_name="userId")
    status = UnicodeAttribute(null=True)
    generation = NumberAttribute(null=True)
    phase = UnicodeAttribute(null=True)
    task_arn = UnicodeAttribute(null=True, attr_name="taskArn")
    agent_connection_id = UnicodeAttribute(null=True, attr_name="agentConnectionId")
    agent_endpoint = UnicodeAttribute(null=True, attr_name="agentEndpoint")
    started_at = NumberAttribute(null=True, attr_name="startedAt")
    ready_at = NumberAttribute(null=True, attr_name="readyAt")
    last_activity = NumberAttribute(null=True, attr_name="lastActivity")
    busy_until = NumberAttribute(null=True, attr_name="busyUntil")
    lease_until = NumberAttribute(null=True, attr_name="leaseUntil")
    prewarm_until = NumberAttribute(null=True, attr_name="prewarmUntil")
    prewarm_user = UnicodeAttribute(null=True, attr_name="prewarmUser")
    prewarm_generation = NumberAttribute(null=True, attr_name="prewarmGeneration")
    active_runs = JSONAttribute(null=True, attr_name="activeRuns")
    start_ms = NumberAttribute(null=True, attr_name="startMs")
    failed_starts = NumberAttribute(null=True, attr_name="failedStarts")
    expires_at = NumberAttribute(null=True, attr_name="expiresAt")
    # Set only while a task may exist, so that the watchdog's index contains no idle rows.
    active = UnicodeAttribute(null=True)
    # When the next automation is due (agents/wakes.py).
    waking = UnicodeAttribute(null=True)
    wake_at = NumberAttribute(null=True, attr_name="wakeAt")
    # A start before anybody wrote: how long it waits, and what is reserved for it (people/early.py).
    early_until = NumberAttribute(null=True, attr_name="earlyUntil")
    early = JSONAttribute(null=True)
    # Of a habit's row (agents/habits.py): the hour of the week, and when it is over.
    habit_hour = NumberAttribute(null=True, attr_name="habitHour")
    habit_end = NumberAttribute(null=True, attr_name="habitEnd")

    by_activity = ActiveTasks()
    by_wake = Wakes()


class WaitingByUser(LocalSecondaryIndex[Any]):
    """A user's unanswered messages in the order they were accepted; strongly consistent."""

    class Meta:
        index_name = "waiting-by-user-index"
        projection = AllProjection()

    user_id = UnicodeAttribute(hash_key=True, attr_name="userId")
    waiting_since = UnicodeAttribute(range_key=True, attr_name="waitingSince")


class WaitingAnywhere(GlobalSecondaryIndex[Any]):
    """Every user with an unanswered message, for the watchdog; eventually consistent."""

    class Meta:
        index_name = "waiting-index"
        projection = KeysOnlyProjection()

    waiting = UnicodeAttribute(hash_key=True)
    waiting_since = UnicodeAttribute(range_key=True, attr_name="waitingSince")


class PendingMessage(_Table):
    """One message for the agent. The `waiting…` attributes are removed when it is done or dead."""

    class Meta(_Meta):
        table_name = settings.table_name("PendingMessages")

    user_id = UnicodeAttribute(hash_key=True, attr_name="userId")
    message_id = UnicodeAttribute(range_key=True, attr_name="messageId")
    status = UnicodeAttribute()
    text = UnicodeAttribute()
    conversation_id = UnicodeAttribute(attr_name="conversationId")
    channel = UnicodeAttribute()
    attachments = JSONAttribute(null=True)
    route = JSONAttribute(null=True)
    queued_at = NumberAttribute(attr_name="queuedAt")
    waiting = UnicodeAttribute(null=True)
    waiting_since = UnicodeAttribute(null=True, attr_name="waitingSince")
    claimed_by = NumberAttribute(null=True, attr_name="claimedBy")
    lease_until = NumberAttribute(null=True, attr_name="leaseUntil")
    attempts = NumberAttribute(default=0)
    claims = NumberAttribute(default=0)
    not_before = NumberAttribute(null=True, attr_name="notBefore")
    error = UnicodeAttribute(null=True)
    first_words = JSONAttribute(null=True, attr_name="firstWords")  # messages/first_words.py
    expires_at = NumberAttribute(null=True, attr_name="expiresAt")

    by_user = WaitingByUser()
    anywhere = WaitingAnywhere()


class ConversationItem(_Table):
    """A message (`c#<conversation>#<time>-<id>`) or a conversation's title row (`m#<conversation>`)."""

    class Meta(_Meta):
        table_name = settings.table_name("Conversations")

    user_id = UnicodeAttribute(hash_key=True, attr_name="userId")
    item_key = UnicodeAttribute(range_key=True, attr_name="itemKey")
    conversation_id = UnicodeAttribute(attr_name="conversationId")
    message_id = UnicodeAttribute(null=True, attr_name="messageId")
    role = UnicodeAttribute(null=True)
    content = UnicodeAttribute(null=True)
    created_at = NumberAttribute(null=True, attr_name="createdAt")
    reply_to = UnicodeAttribute(null=True, attr_name="replyTo")
    reason = UnicodeAttribute(null=True)
    cause = UnicodeAttribute(null=True)
    attachments = JSONAttribute(null=True)
    files = JSONAttribute(null=True)
    error = JSONAttribute(null=True)
    question = JSONAttribute(null=True)  # of a row that asks (messages/questions.py)
    first_words = JSONAttribute(null=True, attr_name="firstWords")  # of a question that waits for its agent
    work = JSONAttribute(null=True)  # the tool calls of an answer (container/bridge/turns/work.py)
    card = JSONAttribute(null=True)  # the agent's progress card (container/bridge/turns/card.py)
    thinking = JSONAttribute(null=True)  # of an answer's model (container/bridge/turns/thinking.py)
    # Of an answer: which model gave it. Of a title row: the conversation's own model; "" is that of the settings.
    model = UnicodeAttribute(null=True)
    cost_usd = NumberAttribute(null=True, attr_name="costUsd")
    pinned = BooleanAttribute(null=True)
    folder = UnicodeAttribute(null=True)
    title = UnicodeAttribute(null=True)
    titled_by = UnicodeAttribute(null=True, attr_name="titledBy")
    preview = UnicodeAttribute(null=True)
    updated_at = NumberAttribute(null=True, attr_name="updatedAt")
    expires_at = NumberAttribute(null=True, attr_name="expiresAt")


class SettingItem(_Table):
    """A user's settings, links and counters, and the deployment's own under `*`."""

    class Meta(_Meta):
        table_name = settings.table_name("Settings")

    user_id = UnicodeAttribute(hash_key=True, attr_name="userId")
    key = UnicodeAttribute(range_key=True)
    value = JSONAttribute(null=True)
    tally = NumberAttribute(null=True)
    used_at = NumberAttribute(null=True, attr_name="usedAt")
    expires_at = NumberAttribute(null=True, attr_name="expiresAt")


class SpendingItem(_Table):
    """A user's (or, as `*`, everybody's) model usage in a month: counters in the Settings table.

    Money is in billionths of a US dollar, so that even the cheapest token has a whole-number price.
    """

    class Meta(_Meta):
        table_name = settings.table_name("Settings")

    user_id = UnicodeAttribute(hash_key=True, attr_name="userId")
    key = UnicodeAttribute(range_key=True)
    nano_usd = NumberAttribute(null=True, attr_name="nanoUsd")
    input_tokens = NumberAttribute(null=True, attr_name="inputTokens")
    output_tokens = NumberAttribute(null=True, attr_name="outputTokens")
    cached_tokens = NumberAttribute(null=True, attr_name="cachedTokens")
    requests = NumberAttribute(null=True)
    inexact = NumberAttribute(null=True)
    told = NumberAttribute(null=True)
    expires_at = NumberAttribute(null=True, attr_name="expiresAt")


class ActivityItem(_Table):
    """An hour of a user's week: rows `activity#<hour>` in the Settings table (agents/activity.py)."""

    class Meta(_Meta):
        table_name = settings.table_name("Settings")

    user_id = UnicodeAttribute(hash_key=True, attr_name="userId")
    key = UnicodeAttribute(range_key=True)
    tally = NumberAttribute(null=True)  # messages
    days = JSONAttribute(null=True)  # on which the user came in this hour, as dates in their zone
    learned = NumberAttribute(null=True)  # 1 from the day on which it became a habit
    misses = NumberAttribute(null=True)  # starts in a row to which nobody came
    expires_at = NumberAttribute(null=True, attr_name="expiresAt")


class EarlyItem(_Table):
    """A user's early starts in a month: rows `early#<month>` in the Settings table (people/early.py)."""

    class Meta(_Meta):
        table_name = settings.table_name("Settings")

    user_id = UnicodeAttribute(hash_key=True, attr_name="userId")
    key = UnicodeAttribute(range_key=True)
    nano_usd = NumberAttribute(null=True, attr_name="nanoUsd")
    starts = NumberAttribute(null=True)
    ready = NumberAttribute(null=True)
    expires_at = NumberAttribute(null=True, attr_name="expiresAt")


class DeviceItem(_Table):
    """A browser that asked for Web Push: a row `push#<id>` in the Settings table (people/devices.py)."""

    class Meta(_Meta):
        table_name = settings.table_name("Settings")

    user_id = UnicodeAttribute(hash_key=True, attr_name="userId")
    key = UnicodeAttribute(range_key=True)
    endpoint = UnicodeAttribute(null=True)
    p256dh = UnicodeAttribute(null=True)
    auth = UnicodeAttribute(null=True)
    name = UnicodeAttribute(null=True)
    language = UnicodeAttribute(null=True)
    created_at = NumberAttribute(null=True, attr_name="createdAt")
    used_at = NumberAttribute(null=True, attr_name="usedAt")
    problem = NumberAttribute(null=True)


class ConnectionsOfUser(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "userId-index"
        projection = AllProjection()

    user_id = UnicodeAttribute(hash_key=True, attr_name="userId")


class ConnectionItem(_Table):
    """An open WebSocket, or (`ticket#<hash>`, without `userId`) a ticket to open one."""

    class Meta(_Meta):
        table_name = settings.table_name("Connections")

    connection_id = UnicodeAttribute(hash_key=True, attr_name="connectionId")
    user_id = UnicodeAttribute(null=True, attr_name="userId")
    owner = UnicodeAttribute(null=True)
    role = UnicodeAttribute(null=True)
    generation = NumberAttribute(null=True)
    endpoint = UnicodeAttribute(null=True)
    valid_until = NumberAttribute(null=True, attr_name="validUntil")
    # Until when somebody looks at this tab, as far as it has said.
    visible_until = NumberAttribute(null=True, attr_name="visibleUntil")
    expires_at = NumberAttribute(null=True, attr_name="expiresAt")

    by_user = ConnectionsOfUser()


TABLES: tuple[type[Model], ...] = (ConversationItem, SettingItem, TaskRow, ConnectionItem, PendingMessage)
