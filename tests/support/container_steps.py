"""A container as a small machine that a test drives step by step."""

from dataclasses import dataclass

from bridge.turns.claims import Claims, Held, Identity
from chalicelib.agents.tasks import LeaseLost, Status
from chalicelib.messages.inbox import CRASHES, Message, NotClaimable
from chalicelib.platform.clock import SECOND
from tests.support.world import World


@dataclass
class Container:
    """A Bridge: it boots, claims, answers and hands over. It ends itself when it loses its lease.

    Its claims are the real ones: several conversations at once, one turn in each.
    """

    world: World
    arn: str
    user: str
    generation: int
    state: str = "booting"
    terminating: bool = False

    def __post_init__(self) -> None:
        self.claims = Claims(Identity(self.user, self.generation), self.world.inbox)  # type: ignore[arg-type]
        self.hosts: list[Held] = []  # the turns that run; messages they took in are no turns

    def step(self, which: int = 0) -> None:
        """What the running container does next: end its turn number `which`, else begin another one."""
        try:
            if self.state == "booting":
                self._booting()
            elif self.state == "running":
                self._running(which)
        except LeaseLost:
            self._refused()

    def _refused(self) -> None:
        """End without a message when a newer generation runs. A row in state Stopping must still be handed over."""
        row = self.world.tasks.get(self.user)
        if row.generation == self.generation and row.status is Status.STOPPING:
            self.sigterm()
            self._leave()
        else:
            self.end()

    def _booting(self) -> None:
        tasks = self.world.tasks
        tasks.phase(self.user, self.generation, "booting", self.arn)
        tasks.agent_connected(self.user, self.generation, self.arn, "https://api")
        tasks.running(self.user, self.generation, self.arn)
        self.state = "running"

    def _running(self, which: int) -> None:
        if which < len(self.hosts):
            self._finish(self.hosts.pop(which))
        elif self.terminating:
            if not self.hosts:
                self._leave()
        elif not self._begin() and self.hosts:
            self._finish(self.hosts.pop(0))

    def _finish(self, host: Held) -> None:
        self.claims.finish(host.message, [self.arn], self.claims.close(host.message.id))

    def _begin(self) -> bool:
        busy = {host.message.conversation_id for host in self.hosts}
        for message in self.world.inbox.waiting(self.user):
            if message.conversation_id in busy or self.claims.holds(message.id):
                continue
            try:
                self.hosts.append(self.claims.take(message, self._run(message)))
            except NotClaimable:
                continue
            if self.hosts[-1].message.attempts > CRASHES:
                self.fail_turn()
            return True
        return False

    def _run(self, message: Message) -> dict[str, str]:
        return {"runId": self.arn, "conversationId": message.conversation_id, "replyTo": message.id}

    def steer(self) -> None:
        """Give a waiting message to the running turn of its conversation."""
        try:
            for message in self.world.inbox.waiting(self.user):
                host = self.claims.of(message.conversation_id)
                if host is not None and not self.claims.holds(message.id) and not self.terminating:
                    held = self.claims.take(message, self._run(message))
                    assert self.claims.adopt(host, held.message)
                    return
        except NotClaimable:
            return
        except LeaseLost:
            self._refused()

    def fail_turn(self) -> None:
        if self.hosts:
            host = self.hosts.pop()
            try:
                for message in self.claims.close(host.message.id):
                    self.claims.hand_back(message, [])
                self.claims.fail(host.message, "PROVIDER_ERROR", [], [])
            except LeaseLost:
                self.end()

    def sigterm(self) -> None:
        self.terminating = True
        try:
            self.world.tasks.stopping(self.user, self.generation)
            self.hosts.clear()
            for message in self.claims.held():
                self.claims.hand_back(message, [])
        except LeaseLost:
            self.end()

    def _leave(self) -> None:
        self.world.tasks.released(self.user, self.generation)
        self.end()

    def heartbeat(self) -> None:
        if self.state != "running":
            return
        try:
            busy = 100 * SECOND if self.claims.held() else 0
            row = self.world.tasks.heartbeat(self.user, self.generation, busy)
            if row.status is Status.STOPPING and not self.terminating:
                self.sigterm()
            for message in self.claims.held():
                self.world.inbox.renew(self.user, message.id, self.generation)
        except LeaseLost:
            self.end()

    def end(self) -> None:
        self.state = "gone"
        self.world.containers.ended(self.arn)
        self.world.post.gone.add(self.arn)
