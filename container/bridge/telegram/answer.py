"""One answer on its way into one chat: streamed by editing, completed whatever the API says.

A thread looks at the text so far about once a second and makes the one call that brings the chat
nearest to it: edit a message that differs, or send the next one. Edits may be repeated freely; a
send whose outcome is unknown is not, the answer goes on in a new message behind it.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

from bridge.shared.aws_errors import AWS_ERRORS
from bridge.telegram.format import Piece, Rendered, pieces, render
from bridge.telegram.progress import Progress, digest
from chalicelib.platform import log
from chalicelib.telegram.api import BotApi, Flood, NotSent, Rejected, TelegramError, Unknown

# Telegram allows about one call a second to a person's chat and 20 a minute to a group.
GAP, GROUP_GAP = 1.0, 3.0
LOOK_EVERY = 0.2
CHECK_EVERY = 3.0
TYPING_EVERY = 4.5  # the sign fades after 5 s
BACK_OFF = (1.0, 2.0, 5.0, 10.0, 20.0)
MAX_FAILURES = 12
# A longer penalty than this is not waited out: the rest comes with the next start (Progress).
MAX_PENALTY = 900.0
NOTHING = "(The agent gave no text.)"
Json = dict[str, Any]


class Answer:
    """`text` tells the text so far; `before` is the chat's previous answer, which goes first.

    `started` hears of the first message; `allowed` says whether the chat may still be written to.
    """

    def __init__(
        self,
        api: BotApi,
        place: Json,
        progress: Progress,
        text: Callable[[], str],
        before: "Answer | None" = None,
        started: Callable[[], None] = lambda: None,
        allowed: Callable[[], bool] = lambda: True,
        gap: float | None = None,
    ) -> None:
        self._api = api
        self._place = place
        self._progress = progress
        self._text = text
        self._before = before
        self._started = started
        self._allowed = allowed
        self._gap = gap if gap is not None else (GAP if place["private"] else GROUP_GAP)
        self._pieces: list[Piece | None] = []  # what each message holds; None: whatever it was
        self._final: str | None = None
        self._seen = ""
        self._changed = threading.Condition()
        self._failures = 0
        self._next = self._typed = self._checked = 0.0
        self._given_up = self._loaded = False
        self.ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="telegram", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def finish(self, text: str, seconds: float) -> bool:
        """The whole answer is known. True when it was in the chat within that time; else it goes on.

        What is not there yet has a row from now on: when this container ends first, the next one sends it.
        """
        with self._changed:
            self._final = text.strip() or NOTHING
            self._changed.notify()
        if self.ended.wait(seconds) and self._progress.done:
            return True
        self._progress.expect()
        return False

    def abandon(self) -> None:
        """This try ends without an answer; the next one goes on with the same messages. After finish: nothing."""
        with self._changed:
            self._given_up = self._given_up or self._final is None
            self._changed.notify()

    def _run(self) -> None:
        try:
            if self._before is not None:
                self._before.ended.wait()
                self._before = None
            while not self._given_up and not self._progress.done:
                self._wait()
                try:
                    self._load()
                    self._check()
                    self._round()
                except AWS_ERRORS as error:
                    self._again(error)
        except Exception as error:  # noqa: BLE001  the answer itself is saved; Progress knows how far this got
            log.failure("telegram_answer_failed", error)
        finally:
            self.ended.set()

    def _load(self) -> None:
        if not self._loaded:
            self._progress.load()
            self._pieces = [None] * len(self._progress.ids)
            self._loaded = True

    def _again(self, error: Exception) -> None:
        """This round failed; the next one comes later, until there were too many."""
        self._failures += 1
        log.event("telegram_call_failed", reason=type(error).__name__, failures=self._failures)
        self._next = time.monotonic() + BACK_OFF[min(self._failures, len(BACK_OFF)) - 1]
        self._given_up = self._failures >= MAX_FAILURES

    def _check(self) -> None:
        """Every few seconds: is this chat still the user's? Unlinking ends an answer in its middle."""
        if time.monotonic() - self._checked < CHECK_EVERY:
            return
        self._checked = time.monotonic()
        if not self._allowed():
            log.event("telegram_unlinked_meanwhile")
            self._progress.finish()

    def _wait(self) -> None:
        with self._changed:
            pause = self._next - time.monotonic()
            if self._final is None:
                pause = max(pause, LOOK_EVERY)
            if pause > 0:
                self._changed.wait(pause)

    def _round(self) -> None:
        final, now = self._final, time.monotonic()
        if now < self._next or self._given_up or self._progress.done:
            return
        try:
            if final is None:
                self._typing(now)
                self._show(self._text())
            elif not self._step(final, True):
                self._progress.finish()
            self._failures = 0
        except Flood as flood:
            log.event("telegram_flood", retry_after=flood.retry_after)
            self._next = time.monotonic() + flood.retry_after
            self._given_up = flood.retry_after > MAX_PENALTY
        except Rejected as error:  # blocked by the user, removed from the group: nothing will arrive
            log.event("telegram_rejected", status=error.status)
            self._progress.finish()
        except TelegramError as error:
            self._again(error)

    def _show(self, text: str) -> None:
        """The text so far, unless it is there already."""
        if text != self._seen and not self._step(text, False):
            self._seen = text

    def _typing(self, now: float) -> None:
        if now - self._typed < TYPING_EVERY:
            return
        self._typed = now
        try:
            self._api.call("sendChatAction", **self._target(), action="typing")
        except (NotSent, Unknown, Rejected):
            return  # only a courtesy

    def _step(self, text: str, final: bool) -> bool:
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
            self._remove(len(wanted))
            return True
        return False

    def _send(self, rendered: Rendered, piece: Piece) -> None:
        progress, upto = self._progress, rendered.upto(piece.end)
        first = not self._pieces and not progress.base
        progress.sending(piece.end, upto)
        try:
            message = self._deliver(piece, self._reply() if first else {})
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
        progress.sent(int(message["message_id"]))
        self._paced()
        if first:
            self._started()

    def _pass_over(self, piece: Piece, upto: str) -> None:
        """Go on behind a message that cannot be sent, or may have been."""
        self._pieces = []
        self._progress.lost(piece.end, upto)
        self._paced()

    def _deliver(self, piece: Piece, extra: Json) -> Any:
        target = self._target() | extra
        if piece.file is not None:
            return self._api.call("sendDocument", files={"document": piece.file}, **target)
        return self._formatted("sendMessage", piece, target)

    def _replace(self, number: int, piece: Piece) -> None:
        """Bring an existing message to the wanted text."""
        known, message_id = self._pieces[number], self._progress.ids[number]
        if piece.file is not None or (known is not None and known.file is not None):
            self._remove(number)  # a text does not become a document: send anew
            return
        try:
            self._formatted("editMessageText", piece, {"chat_id": self._place["chatId"], "message_id": message_id})
        except Rejected as error:
            if error.status in (401, 403):
                raise
            if not error.unchanged:  # deleted by the user, or too old to edit: it stays as it is
                log.event("telegram_edit_rejected", status=error.status)
        self._pieces[number] = piece
        self._paced()

    def _formatted(self, method: str, piece: Piece, target: Json) -> Any:
        """With formatting; without, when Telegram does not like the formatting."""
        fields = target | {"text": piece.text, "link_preview_options": {"is_disabled": True}}
        try:
            return self._api.call(method, **fields, entities=piece.markup())
        except Rejected as error:
            if error.status != 400 or not piece.entities or error.unchanged:
                raise
            log.event("telegram_plain_fallback", method=method)
            return self._api.call(method, **fields)

    def _remove(self, number: int) -> None:
        """Delete this message and those after it, the last one first."""
        message_id = self._progress.ids[-1]
        try:
            self._api.call("deleteMessage", chat_id=self._place["chatId"], message_id=message_id)
        except Rejected as error:
            log.event("telegram_delete_rejected", status=error.status)
        self._pieces.pop()
        self._progress.removed(message_id)
        self._paced()

    def _paced(self) -> None:
        self._next = time.monotonic() + self._gap

    def _target(self) -> Json:
        return {"chat_id": self._place["chatId"], "message_thread_id": self._place.get("threadId")}

    def _reply(self) -> Json:
        """In a group the answer hangs on its question."""
        if self._place["private"]:
            return {}
        return {"reply_parameters": {"message_id": self._place["messageId"], "allow_sending_without_reply": True}}
