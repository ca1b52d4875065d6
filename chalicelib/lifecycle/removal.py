"""The end of a person: their agent, their data, their account. One call does what it can in its time.

    close the account -> fence the row, stop the task -> (stopped) -> links, rows, objects, schedule -> the account

The fence comes first: what runs may write nothing any more, so it saves nothing behind our back. The account goes
last: as long as it is in the list, somebody can ask again, and each step is safe to repeat.
"""

from dataclasses import dataclass
from enum import StrEnum

from chalicelib.agents import removed
from chalicelib.agents.removed import is_removed as is_removed
from chalicelib.agents.schedules import Schedules
from chalicelib.agents.task import Task
from chalicelib.lifecycle import erasing
from chalicelib.lifecycle.dispatch import Dispatch
from chalicelib.people.owners import Removing
from chalicelib.people.pool import Person, Pool
from chalicelib.people.servers import McpServers
from chalicelib.platform import log
from chalicelib.platform.clock import SECOND, Clock, now_ms

# A function has 29 s.
TIME = 12 * SECOND


class State(StrEnum):
    """How far it is."""

    STOPPING = "stopping"  # the container has not ended yet
    DELETING = "deleting"
    DONE = "done"


@dataclass(frozen=True)
class Removal:
    """What it needs."""

    dispatch: Dispatch
    pool: Pool
    schedules: Schedules
    bucket: str
    servers: McpServers
    clock: Clock = now_ms

    def go_on(self, person: Person) -> State:
        """Do as much as the time allows. Call again until it is DONE."""
        until = self.clock() + TIME
        self.pool.close(person)
        task = removed.fence(person.user_id, self.clock)
        if not self._stopped(task):
            return State.STOPPING
        try:
            self._erase(person.user_id, until)
        except erasing.NotFinished:
            return State.DELETING
        removed.bury(person.user_id)
        self.pool.delete(person)
        Removing().release(person.user_id)  # of an owner: the next one may be removed
        log.event("person_removed", user=person.user_id)
        return State.DONE

    def _stopped(self, task: Task) -> bool:
        """Ask ECS to end the task. It counts as ended when ECS says so."""
        if task.task_arn is None:
            return True
        self.dispatch.containers.stop(task.task_arn, "its user was removed")
        return self.dispatch.dead(task, self.dispatch.containers.states([task.task_arn]))

    def _erase(self, user_id: str, until: int) -> None:
        def in_time() -> bool:
            return self.clock() < until

        self.schedules.clear(user_id)
        erasing.erase_links(user_id, self.servers)
        erasing.erase_rows(user_id, in_time)
        erasing.erase_objects(self.bucket, user_id, in_time)
        if erasing.left(self.bucket, user_id, self.servers):  # written by a call that was under way
            raise erasing.NotFinished
