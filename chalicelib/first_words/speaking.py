"""The first words to one message: from the decision to the last frame.

    begin (one caller, only while the message waits)  ->  the model streams
      ->  keep on the message  ->  show in every tab and in the chat      (again and again, and at the end)

What is shown was kept before, and nothing is kept once a container has the message. A failure at any point leaves
what was said so far; the agent answers in every case.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from chalicelib.agents.notebook import with_edits
from chalicelib.agents.notes import Edits
from chalicelib.agents.workspace import Workspace
from chalicelib.first_words.chat import Chat
from chalicelib.first_words.delivery import Delivery
from chalicelib.first_words.model import Asked, Unanswered, choose, count
from chalicelib.first_words.prompt import FILE_BYTES, MEMORY, OF_GROUPS, system, turns
from chalicelib.first_words.small_talk import RULES, Certain, Verdict
from chalicelib.first_words.tabs import Tabs
from chalicelib.messages import first_words
from chalicelib.messages.conversations import Conversations, retention
from chalicelib.messages.first_words import NotWaiting
from chalicelib.messages.inbox import Inbox, Message
from chalicelib.people.preferences import Choice, Preferences
from chalicelib.people.spending import used_up
from chalicelib.platform import aws, log
from chalicelib.platform.clock import now_ms
from chalicelib.platform.parallel import both
from chalicelib.platform.secrets import Secrets, named
from chalicelib.platform.settings import Settings
from chalicelib.providers.credentials import Credentials
from chalicelib.providers.routes import KNOWN, NoProvider, routes
from chalicelib.wire.protocol import Frame

# The model may also see as many earlier rows of the conversation.
ROWS = 14
TOKEN = "telegram-bot-token"  # noqa: S105  a name
# What this function may read of the deployment's secrets.
PARAMETERS = ("model", "openai-base-url", *(route.parameter for route in KNOWN), TOKEN)


@dataclass(frozen=True)
class Known:
    """What was read before the call: the user's settings, the conversation's model and rows, the agent's own files."""

    choice: Choice
    rows: list[Frame]
    files: dict[str, str]


class FirstWords:
    """One user's message at a time; `secrets` has the providers' keys, `start` starts a user's agent."""

    def __init__(self, settings: Settings, secrets: Secrets, start: Callable[[str], object]) -> None:
        self._settings = settings
        self._secrets = secrets
        self._start = start
        self._workspace = Workspace(settings.need("DATA_BUCKET"))

    def speak(self, user_id: str, message_id: str, alone: bool = False) -> str:
        """Says them, or says why not, in one word for the log. `alone`: nobody else starts the agent."""
        verdict = Verdict(partial(self._start, user_id)) if alone else Certain()
        try:
            return self._speak(user_id, message_id, verdict)
        finally:
            if alone and not verdict.done and not verdict.started:
                self._start(user_id)

    def _speak(self, user_id: str, message_id: str, verdict: Verdict | Certain) -> str:
        message = Inbox().get(user_id, message_id)
        if message is None or message.status != "queued" or not first_words.suits(message):
            return "unsuited"
        (known, used), first = both(
            lambda: both(lambda: self._known(message), lambda: used_up(user_id)), lambda: _first(message)
        )
        if not known.choice.first_words:
            return "off"
        if used:
            return "budget"
        if not first:
            return "behind"  # it waits behind another one, which gets them
        try:
            asked = self._asked(known.choice)
            first_words.begin(message)
        except (NoProvider, Unanswered) as error:
            log.event("first_words_without_model", reason=str(error))
            return "no model"
        except NotWaiting:
            return "taken"
        return self._said(message, known, asked, verdict)

    def _known(self, message: Message) -> Known:
        place = (message.route or {}).get("telegram")
        names = OF_GROUPS if place is not None and not place["private"] else MEMORY
        settings = lambda: Preferences().get(message.user_id)  # noqa: E731
        model = lambda: Conversations().model(message.user_id, message.conversation_id)  # noqa: E731
        page = lambda: Conversations().page(message.user_id, message.conversation_id, None, ROWS).messages  # noqa: E731
        files = lambda: self._files(message.user_id, names)  # noqa: E731
        (choice, own), (rows, found) = both(lambda: both(settings, model), lambda: both(page, files))
        return Known(replace(choice, model=own) if own else choice, rows, found)

    def _files(self, user_id: str, names: tuple[str, ...]) -> dict[str, str]:
        """The agent's own files as its next start will have them."""
        texts, edits = both(lambda: self._workspace.texts(user_id, names, FILE_BYTES), lambda: Edits().of(user_id))
        return with_edits(texts, edits, FILE_BYTES)

    def _asked(self, choice: Choice) -> Asked:
        parameters = self._secrets.all()
        # Bedrock is called with a role, and this function has none for it: with it alone there are no first words.
        found = routes(parameters, aws.region(), bedrock=False)
        wanted = self._settings.optional("FIRST_WORDS_MODEL")
        return Asked(*choose(found, parameters.get("model", ""), wanted, choice), Credentials(self._secrets))

    def _said(self, message: Message, known: Known, asked: Asked, verdict: Verdict | Certain) -> str:
        chat = Chat(message, self._secrets.get(TOKEN), self._settings)
        delivery = Delivery(message, f"{asked.route.id}/{asked.model}", Tabs(message.user_id), chat)
        marks = RULES if isinstance(verdict, Verdict) else ""
        told = system(known.files, now_ms(), known.choice.time_zone, marks)
        try:
            pieces = verdict.read(asked.stream(told, turns(message, known.rows)))
            outcome = delivery.say(pieces, hold=lambda: verdict.done)
        finally:
            count(message.user_id, known.choice.time_zone, asked)
        stands, verdict.done = verdict.done and outcome == "said", False
        if stands:
            outcome = delivery.finish(asked, retention(known.choice.retention_days, now_ms()))
            verdict.done = outcome in ("stood", "overtaken")
        return outcome


def _first(message: Message) -> bool:
    """Whether no earlier message of its conversation waits: there is one first answer for each start."""
    waiting = [one for one in Inbox().waiting(message.user_id) if one.conversation_id == message.conversation_id]
    return bool(waiting) and waiting[0].id == message.id


def run(event: dict[str, Any], settings: Settings, start: Callable[[str], object]) -> None:
    """The function's event: {"userId": …, "messageId": …, "alone": true if only a start by us wakes the agent}."""
    begun = now_ms()
    secrets = Secrets(settings.need("PARAMETER_PATH"), named(*PARAMETERS))
    names = str(event["userId"]), str(event["messageId"])
    outcome = FirstWords(settings, secrets, start).speak(*names, bool(event.get("alone")))
    log.event("first_words", message_id=event["messageId"], outcome=outcome, ms=now_ms() - begun)
