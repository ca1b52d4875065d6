"""Before OpenClaw starts: what its state says of turns, compared with the inbox and what the console has sent."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bridge.shared.aws_errors import AWS_ERRORS
from bridge.shared.user import AgentUser
from chalicelib.messages.console_notes import is_over
from chalicelib.messages.inbox import Inbox
from chalicelib.platform import log

CLOSED = ("done", "dead")
MODULE = "bridge.memory.resumption"


class Closed:
    """Has OpenClaw resume only turns that a message still waits for; `at` hears when the state last changed.

    `in_console`: whether a message that the inbox does not have was sent in the console, and is over.
    """

    def __init__(
        self,
        user: AgentUser,
        root: Path,
        inbox: Inbox,
        user_id: str,
        at: Callable[[int], None],
        in_console: Callable[[str, str], bool] = is_over,
    ) -> None:
        self._user = user
        self._root = root
        self._inbox = inbox
        self._user_id = user_id
        self._at = at
        self._in_console = in_console

    def settle(self) -> None:
        """In a state that nobody uses. What fails is logged: then a turn may run twice, but none is lost."""
        try:
            if not self._root.is_dir():
                self._at(0)
                return
            found = self._run("list")
            self._at(int(found["at"]))
            turns = [[str(message) for message in turn] for turn in found["running"]]
            over = [message for turn in turns if all(map(self._over, turn)) for message in turn]
            if over:
                log.event("turns_not_resumed", cleared=self._run("clear", *over)["cleared"])
        except (OSError, TimeoutError, ValueError, KeyError, *AWS_ERRORS) as error:
            log.failure("resumption_unsettled", error)

    def _over(self, message_id: str) -> bool:
        message = self._inbox.get(self._user_id, message_id)
        return message.status in CLOSED if message is not None else self._in_console(self._user_id, message_id)

    def _run(self, what: str, *messages: str) -> dict[str, Any]:
        done = self._user.run(self._user.python(MODULE, what, str(self._root), *messages))
        if done.returncode != 0:
            last = (done.stderr.decode(errors="replace").strip().splitlines() or [""])[-1]
            raise OSError(f"{what} ended with {done.returncode}, {last.split(':')[0][:60]}")
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer
