"""One line in a chat that tells what the agent does: edited while it works, deleted when the answer is whole."""

from bridge.telegram.chat import Chat
from chalicelib.platform import log
from chalicelib.telegram.api import Rejected, Unknown
from chalicelib.telegram.progress import Progress


class Line:
    """Its message id stands in the answer's row: a container that dies leaves the line to the next one."""

    def __init__(self, chat: Chat, progress: Progress) -> None:
        self._chat = chat
        self._progress = progress
        self._shown = ""
        self._lost = False  # it may have been sent, so it is not sent again

    def step(self, text: str) -> bool:
        """Make the change that is needed; False if there is none. Raises TelegramError as the API does."""
        if not text or text == self._shown or self._lost:
            return False
        if self._progress.line is not None:
            self._chat.edit_line(self._progress.line, text)
        else:
            try:
                self._progress.lined(self._chat.line(text))
            except (Unknown, Rejected) as error:
                if isinstance(error, Rejected) and error.status in (401, 403):
                    raise
                log.event("telegram_line_unsent", reason=type(error).__name__)
                self._lost = True
        self._shown = text
        return True

    def end(self) -> bool:
        """Delete it; False if there is none."""
        if self._progress.line is None:
            return False
        self._chat.delete(self._progress.line)
        self._progress.lined(None)
        return True
