"""Voice messages and recordings: what is said in them is known, shown and kept before their turn begins."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from bridge.provider.hearing import Hearing
from bridge.shared.aws_errors import AWS_ERRORS
from bridge.telegram.channel import Channel, Channels, never
from chalicelib.messages.conversations import message_frame, question_row
from chalicelib.messages.inbox import Message
from chalicelib.platform import log

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

    def prepare(self, message: Message, told: Callable[[], bool] = never) -> Message:
        """The message with its files fetched, and with the transcripts of its recordings."""
        message = self._channels.prepare(message, told)
        if not any(_to_hear(entry) for entry in message.attachments):
            return message
        entries = [self._heard(entry) if _to_hear(entry) and not told() else entry for entry in message.attachments]
        message = replace(message, attachments=entries)
        if any("transcript" in entry for entry in entries):
            self._tried("transcript_unkept", message, lambda: self._keep(message))
            self._tried("transcript_unshown", message, lambda: self._show(message_frame(question_row(message))))
        return message

    @staticmethod
    def _tried(failed: str, message: Message, work: Callable[[], None]) -> None:
        """The turn has the words and goes on. Without the row, another try of it has to pay again."""
        try:
            work()
        except AWS_ERRORS as error:
            log.failure(failed, error, message_id=message.id)

    def begin(self, message: Message, run: Any) -> Channel:
        return self._channels.begin(message, run)

    def _heard(self, entry: Entry) -> Entry:
        try:
            content = self._load(entry)
        except AWS_ERRORS as error:  # what was heard of the others is kept; intake.py loads it again
            log.failure("recording_unread", error)
            return entry
        if not content:
            return entry  # intake.py says so
        heard = self._hearing.hear(entry["fileName"], entry["mimeType"], content)
        if not heard.text:
            return entry | {"unheard": heard.problem}
        return entry | {"transcript": heard.text} | ({"cut": True} if heard.cut else {})


def _to_hear(entry: Entry) -> bool:
    new = not any(name in entry for name in ("transcript", "unheard", "missing"))
    return new and str(entry["mimeType"]).startswith("audio/")
