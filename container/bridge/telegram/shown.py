"""Which part of an answer each message of the chat shows, and the next change that is needed.

An edit may be repeated. A send with an unknown outcome must not be repeated: the answer continues in a new
message after it.
"""

from collections.abc import Callable

from bridge.telegram.chat import Chat
from bridge.telegram.format import Piece, Rendered, pieces, render
from chalicelib.platform import log
from chalicelib.telegram.api import Rejected, TelegramError, Unknown
from chalicelib.telegram.progress import Progress, digest


class Shown:
    """The messages of one answer. `started` is called after the first message was sent."""

    def __init__(self, chat: Chat, progress: Progress, started: Callable[[], None]) -> None:
        self._chat = chat
        self._progress = progress
        self._started = started
        self._pieces: list[Piece | None] = []  # what each message shows; None: unknown, from an earlier try
        self._loaded = self._begun = False

    def load(self) -> None:
        """Load the progress of an earlier try, once."""
        if not self._loaded:
            self._progress.load()
            self._pieces = [None] * len(self._progress.ids)
            self._loaded = True

    def step(self, text: str, final: bool) -> bool:
        """Make at most one change; False when the chat shows this text."""
        if not text.strip():
            return False
        rendered, progress = render(text), self._progress
        if progress.base and digest(rendered.upto(progress.base)) != progress.before:
            progress.restart()
            self._pieces = []
        wanted = pieces(rendered, progress.base, files=final)
        for number, piece in enumerate(wanted):
            if number == len(self._pieces):
                self._send(rendered, piece)
                return True
            if self._pieces[number] != piece:
                self._replace(number, piece)
                return True
        if final and len(self._pieces) > len(wanted):
            self._remove_last()
            return True
        return False

    def _send(self, rendered: Rendered, piece: Piece) -> None:
        progress, upto = self._progress, rendered.upto(piece.end)
        first = not self._pieces and not progress.base
        progress.sending(piece.end, upto)
        try:
            message_id = self._chat.send(piece, reply=first)
        except Unknown:
            log.event("telegram_send_unknown")
            self._pass_over(piece, upto)
            return
        except TelegramError as error:
            progress.not_sent()
            if not isinstance(error, Rejected) or error.status != 400 or "chat not found" in error.description:
                raise
            log.event("telegram_piece_rejected", file=piece.file is not None)  # even without formatting
            self._pass_over(piece, upto)
            return
        self._pieces.append(piece)
        progress.sent(message_id)
        self._begin()

    def _begin(self) -> None:
        """The chat shows something of this answer: a new message, or one from before the agent was awake."""
        if not self._begun:
            self._begun = True
            self._started()

    def _pass_over(self, piece: Piece, upto: str) -> None:
        """Continue after a message that cannot be sent, or that may have been sent."""
        self._pieces = []
        self._progress.lost(piece.end, upto)

    def _replace(self, number: int, piece: Piece) -> None:
        """Change an existing message to the wanted text."""
        known = self._pieces[number]
        if piece.file is not None or (known is not None and known.file is not None):
            self._remove_last()  # a text message cannot become a document, so both are sent again
            return
        self._chat.edit(self._progress.ids[number], piece)
        self._pieces[number] = piece
        self._begin()

    def _remove_last(self) -> None:
        """Delete the last message. The next steps delete those before it where needed."""
        message_id = self._progress.ids[-1]
        self._chat.delete(message_id)
        self._pieces.pop()
        self._progress.removed(message_id)
