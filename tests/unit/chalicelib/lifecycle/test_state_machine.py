"""Random interleavings of everything that can happen, and what must hold whatever does.

Each container is a small machine driven step by step, so that a crash, a lost wake, a late stop
event or a clock step may fall between any two of its writes.
"""

from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from chalicelib.agents.activity import QUIET_TIMEOUT
from chalicelib.agents.runtime import StartFailed
from chalicelib.lifecycle.dispatch import Dispatch
from chalicelib.platform.clock import MINUTE, SECOND
from tests.support.container_steps import Container
from tests.support.world import World

USERS = ("ann", "bob")
CONVERSATIONS = ("main", "c-tea", "c-trip")
TICK = 5 * MINUTE


class Gateway(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.world = World()
        self.containers: dict[str, Container] = {}
        self.sent: list[str] = []
        self.stop_events: list[tuple[str, int]] = []

    def _sync(self) -> None:
        """ECS started what was asked for, and asks those to stop that it was told to stop."""
        for arn, info in self.world.containers.tasks.items():
            if arn not in self.containers:
                self.containers[arn] = Container(self.world, arn, str(info.user_id), info.generation)
        for arn, _ in self.world.containers.stops:
            container = self.containers.get(arn)
            if container is not None and container.state != "gone" and not container.terminating:
                container.sigterm()
        self.world.containers.stops.clear()
        for container in self.containers.values():
            if container.state == "gone" and (container.user, container.generation) not in self.stop_events:
                self.stop_events.append((container.user, container.generation))

    def living(self) -> list[Container]:
        return [container for container in self.containers.values() if container.state != "gone"]

    @rule(user=st.sampled_from(USERS), again=st.booleans(), conversation=st.sampled_from(CONVERSATIONS))
    def send(self, user: str, again: bool, conversation: str) -> None:
        mine = [name for name in self.sent if name.startswith(user)]
        name = mine[-1] if again and mine else f"{user}-message-{len(self.sent)}"
        if name not in self.sent:
            self.sent.append(name)
        self.world.send(name, user, conversation)
        self._sync()

    @precondition(lambda self: self.living())
    @rule(data=st.data(), action=st.sampled_from(["step", "step", "step", "steer", "crash", "sigterm", "fail", "beat"]))
    def container(self, data: st.DataObject, action: str) -> None:
        container = data.draw(st.sampled_from(self.living()))
        if action == "step":
            container.step(data.draw(st.integers(0, len(CONVERSATIONS))))
        elif action == "steer":
            container.steer()
        elif action == "crash":
            container.end()
        elif action == "sigterm":
            container.sigterm()
        elif action == "fail":
            container.fail_turn()
        else:
            container.heartbeat()
        self._sync()

    @precondition(lambda self: self.stop_events)
    @rule(lost=st.booleans())
    def ecs_event(self, lost: bool) -> None:
        user, generation = self.stop_events[-1]
        if not lost:
            self._stopped(user, generation)
        self._sync()

    def _stopped(self, user: str, generation: int) -> None:
        dispatch: Dispatch = self.world.dispatch
        from chalicelib.agents.tasks import Task

        dispatch.lost(Task(user, generation=generation))
        try:
            dispatch.restart_if_waiting(user)
        except StartFailed:
            return

    @rule()
    def no_capacity(self) -> None:
        self.world.containers.fail.append(StartFailed("CAPACITY", "RESOURCE:MEMORY"))

    @rule()
    def stop_request_lost(self) -> None:
        self.world.containers.failing_stops += 1

    @rule(data=st.data())
    def ecs_is_behind(self, data: st.DataObject) -> None:
        """DescribeTasks does not know a task yet that RunTask has named, or knows it now."""
        unknown = self.world.containers.unknown
        fresh = [arn for arn, info in self.world.containers.tasks.items() if info.created_at == self.world.clock()]
        if fresh:
            unknown.symmetric_difference_update({data.draw(st.sampled_from(fresh))})

    @rule()
    def watchdog(self) -> None:
        self.world.watchdog.tick()
        self._sync()

    @rule(ms=st.integers(1, 10 * MINUTE))
    def time_passes(self, ms: int) -> None:
        self.world.clock.step(ms)
        self.world.containers.unknown.clear()

    @invariant()
    def at_most_one_live_generation(self) -> None:
        for user in USERS:
            current = self.world.tasks.get(user).generation
            able = [c for c in self.living() if c.user == user and c.generation == current]
            assert len(able) <= 1

    @invariant()
    def the_row_names_the_runs_that_go_on(self) -> None:
        """And is busy while there is one: an idle stop must not cut it off."""
        for container in self.living():
            row = self.world.tasks.get(container.user)
            if container.state == "running" and row.generation == container.generation:
                held = sorted(message.id for message in container.claims.held())
                assert sorted(run["replyTo"] for run in row.active_runs) == held
                assert bool(row.busy_until) == bool(held)

    @invariant()
    def one_turn_in_a_conversation(self) -> None:
        for container in self.living():
            conversations = [host.message.conversation_id for host in container.hosts]
            assert len(conversations) == len(set(conversations))

    @invariant()
    def nothing_is_answered_twice(self) -> None:
        answered = Counter(message_id for message_id, _ in self.world.inbox.answers)
        assert all(count == 1 for count in answered.values()), answered

    def teardown(self) -> None:
        """With faults over, everything accepted is answered or dead, and then nothing runs on."""
        self.world.containers.fail.clear()
        self.world.containers.failing_stops = 0
        self.world.containers.unknown.clear()
        for _ in range(60):
            self._calm_round(30 * SECOND)
        states = {message.id: message.status for message in self.world.inbox.rows.values()}
        assert sorted(states) == sorted(self.sent)
        assert set(states.values()) <= {"done", "dead"}, states
        answered = {message_id for message_id, _ in self.world.inbox.answers}
        assert answered == {name for name, status in states.items() if status == "done"}
        for _ in range(int((QUIET_TIMEOUT + 2 * TICK) / (30 * SECOND))):
            self._calm_round(30 * SECOND)
        assert self.world.containers.tasks == {}, "a task outlived idle timeout and a tick without work"

    def _calm_round(self, ms: int) -> None:
        self.world.clock.step(ms)
        for container in self.living():
            container.heartbeat()
        for _ in range(3):
            for container in self.living():
                container.step()
        self._sync()
        if (self.world.clock.now // (30 * SECOND)) % 10 == 0:
            self.watchdog()


TestGateway = Gateway.TestCase
TestGateway.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
