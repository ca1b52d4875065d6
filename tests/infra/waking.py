"""What leads to the AWS calls of first words: in tabs, in Telegram, with a memory, and for an agent that is ready."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.infra.channels import Chat
from tests.infra.scenarios import new_id

if TYPE_CHECKING:
    from tests.infra.drive import Drive


def _answers(asked: Any, system: str, turns: Any) -> Iterator[str]:
    """In place of the provider, which moto has not."""
    from chalicelib.providers.usage import Reader

    asked.credentials.headers(asked.route, "https://model.example", b"", {})
    asked.used = Reader(4)
    yield from ("[[done]] " if "[[done]]" in system else "First ", "words")


def first_words(drive: "Drive") -> None:
    """Said once, and not again; said to a chat; too late; and without a provider."""
    from bridge.memory.snapshots import Snapshots
    from chalicelib import wiring
    from chalicelib.first_words.model import Asked
    from chalicelib.messages.inbox import Inbox
    from chalicelib.people.linking import Linking
    from chalicelib.platform import aws

    user = drive.user()
    for tab in (f"tab-{user}", f"gone-{user}"):
        drive.connect({"token": user}, tab)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "state" / "workspace").mkdir(parents=True)
        (Path(folder) / "state" / "workspace" / "SOUL.md").write_text("kind")
        Snapshots(wiring.settings().need("DATA_BUCKET"), user, 1).backup(Path(folder) / "state")
    drive.rest(user, "POST", "/messages", {"id": new_id(), "text": "cold", "conversationId": "main"})
    message = new_id()
    drive.send(f"tab-{user}", "sendMessage", id=message, text="cold", conversationId="other")
    drive.connect({"token": user}, f"gone-{user}")
    event = {"userId": user, "messageId": message}
    drive.call("first_words", event)
    place = wiring.settings().need("PARAMETER_PATH") + "anthropic-api-key"
    aws.client("ssm").put_parameter(Name=place, Value="key", Type="String")
    asked, Asked.stream = Asked.stream, _answers  # type: ignore[assignment,method-assign]
    drive.call("first_words", event)
    drive.call("first_words", event)
    chat, person = Chat(drive, 4001), drive.user()
    chat.say(f"/start {Linking('secret').issue(person).token}")
    chat.say("cold")
    for waiting in Inbox().waiting(person):
        drive.call("first_words", {"userId": person, "messageId": waiting.id})
    small_talk(drive)
    stopped_while_waking(drive)
    Asked.stream = asked  # type: ignore[method-assign]
    aws.client("ssm").delete_parameter(Name=place)


def stopped_while_waking(drive: "Drive") -> None:
    from chalicelib.messages import first_words
    from chalicelib.messages.inbox import Inbox

    user, message = drive.user(), new_id()
    drive.connect({"token": user}, f"tab-{user}")
    drive.send(f"tab-{user}", "sendMessage", id=message, text="cold")
    (waiting,) = Inbox().waiting(user)
    first_words.begin(waiting)
    drive.send(f"tab-{user}", "stop")


def small_talk(drive: "Drive") -> None:
    """An answer that stands; and messages that need the agent after all."""
    user = drive.user()
    drive.rest(user, "PUT", "/settings", {"smallTalk": True})
    for tab in (f"tab-{user}", f"gone-{user}"):
        drive.connect({"token": user}, tab)
    for conversation in ("main", "other"):
        message = new_id()
        drive.send(f"tab-{user}", "sendMessage", id=message, text="thanks", conversationId=conversation)
        event = {"userId": user, "messageId": message, "alone": True}
        drive.call("first_words", event)
    message = new_id()
    drive.send(f"tab-{user}", "sendMessage", id=message, text="thanks")
    drive.connect({"token": user}, f"gone-{user}")
    drive.rest(user, "PUT", "/settings", {"firstWords": False})
    for _ in range(2):  # then an agent starts already
        drive.call("first_words", {"userId": user, "messageId": message, "alone": True})


ALL = (first_words,)
