"""The services of one function instance, put together on first use and kept for the next events."""

from functools import cache
from typing import TYPE_CHECKING

from chalicelib.agents.containers import Containers
from chalicelib.agents.runtime import MICROVM, Runtime
from chalicelib.agents.schedules import Schedules
from chalicelib.agents.tasks import Tasks
from chalicelib.agents.wakes import Wakes
from chalicelib.lifecycle.dispatch import Dispatch
from chalicelib.lifecycle.first_words import Asking
from chalicelib.lifecycle.wake import Wake
from chalicelib.messages.conversations import Conversations
from chalicelib.messages.inbox import Inbox, Message
from chalicelib.people.identity import Identity, fetch_jwks
from chalicelib.people.linking import Linking
from chalicelib.people.rate import Rate
from chalicelib.people.spending import used_up
from chalicelib.platform import log
from chalicelib.platform.settings import Settings
from chalicelib.wire.connections import Connections, Post

if TYPE_CHECKING:
    from chalicelib.lifecycle.early import EarlyStarts
    from chalicelib.lifecycle.hooks import HookPosts
    from chalicelib.lifecycle.owed import Owed
    from chalicelib.lifecycle.removal import Removal
    from chalicelib.people.pool import Pool


@cache
def settings() -> Settings:
    return Settings.from_env()


@cache
def connections() -> Connections:
    return Connections()


@cache
def identity() -> Identity:
    """Verifies tokens. The key set is fetched at the first token, not here."""
    keys = fetch_jwks(settings().need("JWKS_URL"))
    return Identity(settings().need("COGNITO_ISSUER"), settings().need("COGNITO_CLIENT_ID"), keys)


@cache
def runtime() -> Runtime:
    """The engine of this deployment, as RUNTIME says. Raises MissingSetting for a name that is none."""
    if settings().runtime == MICROVM:
        from chalicelib.agents.microvms import MicroVms  # imported here for the cold start
        from chalicelib.agents.moved import Moved
        from chalicelib.lifecycle.watching import ask

        return Moved(MicroVms(settings(), ask), Containers(settings()))
    return Containers(settings())


@cache
def dispatch() -> Dispatch:
    rate = Rate(int(settings().optional("MESSAGES_PER_MINUTE", "30")))
    claims = bool(settings().optional("PREWARM_CRONS"))
    return Dispatch(
        Inbox(),
        Tasks(),
        runtime(),
        connections(),
        Conversations(),
        Post(),
        rate,
        tell_chat=_tell_chat,
        first_words=Asking() if settings().optional("FIRST_WORDS") == "true" else None,
        claim_prewarmed=claims,
    )


def wake() -> Wake:
    """Starts sleeping agents for their automations."""
    per_day = int(settings().optional("WAKES_PER_DAY", "48"))
    return Wake(dispatch(), Wakes(), Schedules.from_env(settings().env), used_up, _tell_user, per_day)


def owed() -> "Owed":
    """Wakes agents for what their last container could not send. Imported here for the cold start."""
    from chalicelib.lifecycle.owed import Owed
    from chalicelib.telegram.progress import waiting_since

    return Owed(Wakes(), waiting_since)


def early_usd() -> float:
    """The monthly budget of early starts for users without one of their own; 0: there are none here."""
    from chalicelib.people.early import DEFAULT_USD

    return float(settings().optional("PREWARM_BUDGET_USD", str(DEFAULT_USD)))


def early() -> "EarlyStarts":
    """Starts agents before their users write. Imported here for the cold start."""
    from chalicelib.agents.activity import Activity
    from chalicelib.agents.habits import Habits
    from chalicelib.lifecycle.early import EarlyStarts
    from chalicelib.people.early import EarlyBudget
    from chalicelib.people.preferences import Preferences
    from chalicelib.people.rate import Intents

    parts = EarlyBudget(), Preferences(), Activity(), Habits(), used_up, Intents().first
    return EarlyStarts(dispatch(), *parts, early_usd())


def intent(user_id: str) -> None:
    """A hint that the user is about to write: it fails for itself only."""
    from botocore.exceptions import BotoCoreError, ClientError
    from pynamodb.exceptions import PynamoDBException

    try:
        early().intent(user_id)
    except (PynamoDBException, ClientError, BotoCoreError) as error:
        log.failure("intent_failed", error, user=user_id)


def hook_posts() -> "HookPosts":
    """Accepts what programs post."""
    from chalicelib.lifecycle.hooks import HookPosts
    from chalicelib.people.hooks import Hooks

    return HookPosts(dispatch(), Hooks(), wake())


def removal(pool: "Pool") -> "Removal":
    """Removes people. Imported here for the cold start."""
    from chalicelib.lifecycle.removal import Removal
    from chalicelib.people.servers import McpServers

    servers = McpServers(settings().need("PARAMETER_PATH"))
    return Removal(dispatch(), pool, Schedules.from_env(settings().env), settings().need("DATA_BUCKET"), servers)


def _tell_user(user_id: str, text: str) -> None:
    """A notice to every tab, and to the user's own Telegram chat."""
    dispatch().tell(user_id, {"type": "notice", "code": "AUTOMATIONS", "message": text})
    _tell_own_chat(user_id, text)


def _tell_own_chat(user_id: str, text: str) -> None:
    from chalicelib.telegram.links import Links

    link = Linking("").of_user(user_id)
    if link is not None:
        Links(dispatch(), settings()).say(text, link.telegram_id)


def _tell_chat(message: Message, text: str) -> None:
    """To the Telegram chat that a message came from; what a program sent is told in the person's own chat."""
    if message.cause is not None:
        _tell_own_chat(message.user_id, f"{message.cause}: {text}")
    elif (message.route or {}).get("telegram") is not None:
        # Imported here for the cold start: the Telegram modules take 30 ms, and most instances never need them.
        from chalicelib.telegram.links import Links

        Links(dispatch(), settings()).give_up(message, text)
