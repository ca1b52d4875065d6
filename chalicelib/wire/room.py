"""How much of a conversation fits one frame or one answer, measured as it is written there."""

import json
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chalicelib.wire.protocol import Frame, encode


@dataclass(frozen=True)
class Room:
    """Bytes for messages, and how many of them a message takes."""

    size: int
    written: Callable[[Frame], int]

    def first_of(self, messages: Sequence[Frame]) -> Sequence[Frame]:
        """The first messages that fit together; at least one."""
        taken = 0
        for number, message in enumerate(messages):
            taken += self.written(message) + 1  # a comma
            if taken > self.size and number:
                return messages[:number]
        return messages

    def cut(self, message: Frame) -> Frame:
        """Shortens a message that does not fit alone, and marks it. REST returns the whole message."""
        if self.written(message) <= self.size:
            return message
        content = message["content"]

        def beginning(length: int) -> Frame:
            return message | {"content": content[:length], "truncated": True}

        lengths = range(1, len(content) + 1)
        return beginning(bisect_right(lengths, self.size, key=lambda length: self.written(beginning(length))))


# One WebSocket message: API Gateway takes 128 KB. What stands around the messages is under 1 KB.
SOCKET = Room(126_000, lambda message: len(encode(message)))
# One REST answer: Lambda takes 6 MB (6,291,556 bytes) of JSON, in which Chalice's body, ASCII JSON, is a string.
REST = Room(6_200_000, lambda message: len(json.dumps(json.dumps(message))))
