"""The person's skills (chalicelib/agents/skills.py): switched, put into the workspace, deleted, and shown."""

import base64
import contextlib
import json
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from botocore.exceptions import ClientError

from bridge.memory.applying import Applying
from bridge.memory.manifest import Entries
from bridge.memory.memory import Memory
from bridge.memory.skilling import BAD, CONFIGURATION, EXISTS, FAILED, SKILLS
from bridge.shared.aws_errors import AWS_ERRORS
from chalicelib.agents.skill_files import ON, PUT
from chalicelib.agents.skills import PENDING, SWITCH, Skills, Wish
from chalicelib.platform import log
from chalicelib.wire.protocol import Frame

# OpenClaw watches the folder, and sees a new one after a second or two.
LISTED_SECONDS, LOOK_SECONDS = 10.0, 0.5
SAVED: Frame = {"type": "saved"}


class SkillWishes(Applying[Wish]):
    """`listed` and `switch` ask the running OpenClaw, and raise OSError if it cannot be asked."""

    what = "skills"

    def __init__(
        self,
        identity: tuple[str, int],
        memory: Memory,
        listed: Callable[[], list[dict[str, Any]]],
        switch: Callable[[str, bool], None],
        tell: Callable[[Frame], None],
    ) -> None:
        super().__init__(identity[0], memory)
        self._generation = identity[1]
        self._listed = listed
        self._switch = switch
        self._tell = tell
        self._skills = Skills(memory.snapshots.objects.bucket)

    def start(self) -> None:
        """OpenClaw runs: show its list, and look for what waits. Does not block."""
        threading.Thread(target=self.publish, name="skills-shown", daemon=True).start()
        self.wake()

    def rows(self) -> list[Wish]:
        return [wish for wish in self._skills.waiting(self._user_id) if wish.status == PENDING]

    def before_rest(self, rows: Sequence[Wish]) -> None:
        """OpenClaw writes its own configuration while it runs; the file is then as if we had written it."""
        for wish in rows:
            if wish.kind == SWITCH:
                self._switch(wish.name, wish.action == ON)

    def apply(self, rows: Sequence[Wish]) -> None:
        found = [(wish, sent) for wish in rows if (sent := self._sent(wish)) is not None]
        command = self._user.python("bridge.memory.skilling", str(self._memory.root))
        done = self._user.run(command, json.dumps([sent for _, sent in found]).encode())
        if done.returncode != 0:
            raise OSError("the skills could not be written")
        verdicts: list[str] = json.loads(done.stdout)
        for (wish, _), verdict in zip(found, verdicts, strict=True):
            if verdict != FAILED:
                self.decide(wish, refused=verdict in (EXISTS, BAD))
        log.event("skills_applied", **{verdict: verdicts.count(verdict) for verdict in sorted(set(verdicts))})
        if FAILED in verdicts:
            raise OSError("a skill could not be written")

    def _sent(self, wish: Wish) -> dict[str, Any] | None:
        """For the helper; None for an upload that was replaced or dropped since its row was read."""
        sent: dict[str, Any] = {"name": wish.name, "action": wish.action, "replace": wish.replace}
        if wish.action != PUT:
            return sent
        try:
            return sent | {"zip": base64.b64encode(self._skills.files(self._user_id, wish)).decode()}
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
                return None
            raise

    def end(self, row: Wish, refused: bool) -> None:
        if refused:
            self._skills.refuse(self._user_id, row)
        else:
            self._skills.finish(self._user_id, row)

    def after_kept(self) -> None:
        self.publish()
        self._tell(SAVED)

    def saved(self, before: Entries, after: Entries) -> None:
        """Between two saves: show the list anew if a skill or the configuration has changed."""
        inside, also = f"{SKILLS.as_posix()}/", CONFIGURATION
        changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
        if any(name.startswith(inside) or name == also for name in changed):
            self.publish()

    def show(self, folder: str) -> None:
        """OpenClaw has installed a skill: wait until it lists that, then show the list to the tabs too."""
        until = time.monotonic() + LISTED_SECONDS
        with contextlib.suppress(OSError):  # to show the list meets it again, and logs it
            while not any(one.get("folder") == folder for one in self._listed()) and time.monotonic() < until:
                time.sleep(LOOK_SECONDS)
        self.after_kept()

    def publish(self) -> None:
        """It informs only: what fails is logged."""
        try:
            self._skills.publish(self._user_id, self._generation, self._listed())
        except (*AWS_ERRORS, OSError) as error:
            log.failure("skills_not_shown", error)
