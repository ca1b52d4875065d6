"""Whether a turn was told to end. It is noted with the claim, so it holds while the message is still prepared."""

import threading
from dataclasses import dataclass, field

from chalicelib.messages.inbox import Message


@dataclass
class Stop:
    """`pressed`: by the person. `shutdown`: set for all turns when the container stops."""

    shutdown: threading.Event = field(default_factory=threading.Event)
    pressed: bool = False

    def told(self) -> bool:
        return self.pressed or self.shutdown.is_set()

    def reason(self, message: Message) -> str | None:
        """How a turn ends that has not reached OpenClaw; None: it goes on.

        A message that was claimed before may have been sent. The gateway may have resumed its run, which must be
        found and ended, so this turn goes on to OpenClaw, but sends nothing (answer.py).
        """
        if self.shutdown.is_set():
            return "interrupted"
        return "aborted" if self.pressed and message.claims <= 1 else None
