"""One answer to one chat: streamed by editing, and completed whatever the API returns.

A thread compares the text so far with the chat about once a second and makes the one call that is needed next.
What the messages show is in shown.py, the calls are in chat.py.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import IO, Any

from bridge.shared.aws_errors import AWS_ERRORS
from bridge.telegram.chat import Chat
from bridge.telegram.line import Line
from bridge.telegram.media import Media
from bridge.telegram.shown import Shown
from chalicelib.messages.files import StoredFile, stored
from chalicelib.platform import log
from chalicelib.telegram.api import BotApi, Flood, Rejected, TelegramError
from chalicelib.telegram.progress import Progress

# Telegram allows about one call a second to a person's chat and 20 a minute to a group.
GAP, GROUP_GAP = 1.0, 3.0
LOOK_EVERY = 0.2
CHECK_EVERY = 3.0
BACK_OFF = (1.0, 2.0, 5.0, 10.0, 20.0)
MAX_FAILURES = 12
# After a longer penalty than this the answer stops here. The next start sends the rest (Progress).
MAX_PENALTY = 900.0
NOTHING = "(The agent gave no text.)"
Json = dict[str, Any]


class Answer:
    """`text` returns the text so far, `line` what the agent does; `before` is the chat's last answer, which goes first.

    `started` is called after the first message; `allowed` says whether the chat may still be written to,
    `refused` is called when the chat takes nothing from the bot.
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
        files_from: Callable[[StoredFile], IO[bytes] | None] | None = None,
        refused: Callable[[], None] = lambda: None,
        line: Callable[[], str] = lambda: "",
    ) -> None:
        self._chat = Chat(api, place)
        self._shown = Shown(self._chat, progress, started)
        self._progress = progress
        self._text = text
        self._now, self._line = line, Line(self._chat, progress)
        self._before = before
        self._allowed = allowed
        self._refused = refused
        self._gap = gap if gap is not None else (GAP if place["private"] else GROUP_GAP)
        self._media = Media(api, self._chat.target(), progress, files_from or (lambda file: None))
        self._files: tuple[StoredFile, ...] = ()
        self._final: str | None = None
        self._seen = ""
        self._changed = threading.Condition()
        self._failures = 0
        self._next = self._checked = self.paced = 0.0  # `paced`: Telegram's pace allows no call to this chat before
        self._given_up = False
        self.ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="telegram", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def finish(self, text: str, seconds: float, files: Sequence[Json] = ()) -> bool:
        """The whole answer is known. True if it was in the chat within that time; otherwise sending continues.

        An incomplete answer has a row from now on: if this container ends first, the next one sends the rest.
        """
        with self._changed:
            self._files = tuple(stored(entry) for entry in files)
            self._final = text.strip() or ("" if files else NOTHING)
            self._changed.notify()
        if self.ended.wait(seconds) and self._progress.done:
            return True
        self._progress.expect()
        return False

    def abandon(self) -> None:
        """This try ends without an answer; the next one reuses the same messages. No effect after finish."""
        with self._changed:
            self._given_up = self._given_up or self._final is None
            self._changed.notify()

    def _run(self) -> None:
        try:
            if self._before is not None:
                self._before.ended.wait()
                self._next = self._before.paced  # it does not wait behind its last files: this answer does
                self._before = None
            while not self._given_up and not self._progress.done:
                self._wait()
                try:
                    self._shown.load()
                    self._check()
                    self._round()
                except AWS_ERRORS as error:
                    self._back_off(error)
        except Exception as error:  # noqa: BLE001  the answer itself is saved; Progress knows what was sent
            log.failure("telegram_answer_failed", error)
        finally:
            self.ended.set()

    def _wait(self) -> None:
        with self._changed:
            pause = self._next - time.monotonic()
            if self._final is None:
                pause = max(pause, LOOK_EVERY)
            if pause > 0:
                self._changed.wait(pause)

    def _check(self) -> None:
        """Every few seconds: is this chat still the user's? Unlinking ends an answer that is being sent."""
        if time.monotonic() - self._checked < CHECK_EVERY:
            return
        self._checked = time.monotonic()
        if not self._allowed():
            log.event("telegram_unlinked_meanwhile")
            self._progress.finish()

    def _round(self) -> None:
        final = self._final
        if time.monotonic() < self._next or self._given_up or self._progress.done:
            return
        try:
            if final is None:
                self._chat.typing()
                if not self._show(self._text()) and self._line.step(self._now()):
                    self._pause(1)
            elif not self._step(final, True) and not self._step_files():
                self._line.end()
                self._progress.finish()
            self._failures = 0
        except Flood as flood:
            log.event("telegram_flood", retry_after=flood.retry_after)
            self._next = time.monotonic() + flood.retry_after
            self._given_up = flood.retry_after > MAX_PENALTY
        except Rejected as error:  # blocked by the user or removed from the group: nothing can be sent
            log.event("telegram_rejected", status=error.status)
            self._progress.finish()
            if error.status == 403:
                self._refused()
        except TelegramError as error:
            self._back_off(error)

    def _show(self, text: str) -> bool:
        """Show the text so far, unless the chat shows it already: False."""
        if text == self._seen:
            return False
        if self._step(text, False):
            return True
        self._seen = text
        return False

    def _step(self, text: str, final: bool) -> bool:
        """One change in the chat and the pause after it; False when no change was needed."""
        changed = self._shown.step(text, final)
        if changed:
            self._pause(1)
        return changed

    def _step_files(self) -> bool:
        """Send the next files; whether more are left."""
        sent = self._media.step(self._files)
        if sent:
            self._pause(sent)  # an album counts as many messages
        return bool(self._media.left(self._files))

    def _pause(self, messages: int) -> None:
        self._next = self.paced = time.monotonic() + self._gap * messages

    def _back_off(self, error: Exception) -> None:
        """This round failed: retry later, and give up after too many failures."""
        self._failures += 1
        log.event("telegram_call_failed", reason=type(error).__name__, failures=self._failures)
        self._next = time.monotonic() + BACK_OFF[min(self._failures, len(BACK_OFF)) - 1]
        self._given_up = self._failures >= MAX_FAILURES
