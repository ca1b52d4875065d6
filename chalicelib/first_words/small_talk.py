"""Small talk that needs no agent: the model says whether its answer can stand, and starts the agent if not.

Only for those who switched it on, and only while the agent sleeps. Whatever goes wrong ends with a start.
"""

import re
from collections.abc import Callable, Iterator

# How the model's reply begins. Anything else counts as a wish for the agent.
DONE, AGENT = "[[done]]", "[[agent]]"
_MARK = re.compile(r"\[\[(?:done|agent)\]\]\s*", re.IGNORECASE)
# Characters that are read before anything is shown: a mark may stand behind a word or two.
HEAD = 30
RULES = f"""

Your person wants you to sleep on if a message needs nothing of the whole agent. So begin your reply with one of two \
marks, and go on behind it:
{DONE}  if your words are the whole answer: small talk, thanks, general knowledge, what your memory or the \
conversation says.
{AGENT}  if anything is to be done, looked up, checked, remembered, changed or sent, if you are not sure, or if the \
person tells you something to keep."""


class Verdict:
    """Reads the mark. `start` is called as soon as it is known that the agent is needed."""

    def __init__(self, start: Callable[[], object]) -> None:
        self._start = start
        self.done = self.started = False

    def read(self, pieces: Iterator[str]) -> Iterator[str]:
        """The reply without its mark."""
        head = ""
        for piece in pieces:
            head += piece
            if len(head.lstrip()) >= HEAD:
                break
        self.done = head.lstrip().lower().startswith(DONE)
        if not self.done:
            self.started = True
            self._start()
        yield _MARK.sub("", head).lstrip()
        yield from pieces


class Certain:
    """The agent starts in any case: there is no mark."""

    done = started = False

    def read(self, pieces: Iterator[str]) -> Iterator[str]:
        return pieces
