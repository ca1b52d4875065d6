"""Voice messages and recordings: what is said in them is known, shown and kept before their turn begins."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from bridge.provider.hearing import Hearing
from bridge.telegram.channel import Channel, Channels
from chalicelib.messages.conversations import message_frame, question_row
from chalicelib.messages.inbox import Message

Entry = dict[str, Any]


class Listening:
    """The channels, with ears. `keep` saves what was heard, so that another try of the turn does not pay again."""

    def __init__(
        self,
        channels: Channels,
        hearing: Hearing,
        load: Callable[[Entry], bytes | None],
        keep: Callable[[Message], None],
        show: Callable[[dict[str, Any]], None],
    ) -> None:
        self._channels = channels
        self._hearing = hearing
        self._load = load
        self._keep = keep
        self._show = show

    def prepare(self, message: Message) -> Message:
        """The message with its files fetched, and with the transcripts of its recordings."""
        message = self._channels.prepare(message)
        if not any(_to_hear(entry) for entry in message.attachments):
            return message
        entries = [self._heard(entry) if _to_hear(entry) else entry for entry in message.attachments]
        message = replace(message, attachments=entries)
        if any("transcript" in entry for entry in entries):
            self._keep(message)
            self._show(message_frame(question_row(message)))
        return message

    def begin(self, message: Message, run: Any) -> Channel:
        return self._channels.begin(message, run)

    def _heard(self, entry: Entry) -> Entry:
        content = self._load(entry)
        if not content:
            return entry  # intake.py says so
        heard = self._hearing.hear(entry["fileName"], entry["mimeType"], content)
        return entry | ({"transcript": heard.text} if heard.text else {"unheard": heard.problem})


def _to_hear(entry: Entry) -> bool:
    new = not any(name in entry for name in ("transcript", "unheard", "missing"))
    return new and str(entry["mimeType"]).startswith("audio/")
