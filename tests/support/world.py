"""The gateway on fakes, and a container as the services see one."""

from dataclasses import dataclass, field

from chalicelib.lifecycle.dispatch import Accepted, Dispatch
from chalicelib.lifecycle.watchdog import Watchdog
from chalicelib.messages.inbox import Message
from tests.support import fakes
from tests.support.fake_tables import FakeClock, FakeInbox, FakeTasks


@dataclass
class World:
    """All services together, with a clock that the test controls."""

    clock: FakeClock = field(default_factory=FakeClock)
    rate_limit: int = 1_000_000

    def __post_init__(self) -> None:
        self.tasks = FakeTasks(self.clock)
        self.inbox = FakeInbox(self.clock, self.tasks)
        self.containers = fakes.FakeContainers(self.clock)
        self.connections = fakes.FakeConnections()
        self.conversations = fakes.FakeConversations()
        self.told_in_chat: list[str] = []
        self.post = fakes.FakePost()
        self.choices = fakes.FakeChoices()
        self.habits = fakes.FakeHabits(self.clock)
        self.dispatch = Dispatch(
            self.inbox,
            self.tasks,
            self.containers,
            self.connections,
            self.conversations,
            self.post,
            fakes.FakeRate(self.rate_limit),
            self.clock,
            tell_chat=lambda message, _: self.told_in_chat.append(message.id),
        )
        self.watchdog = Watchdog(
            self.dispatch, self.tasks, self.inbox, self.containers, self.choices, self.habits, self.clock
        )

    def message(
        self,
        message_id: str = "message-1",
        user_id: str = "ann",
        text: str = "hello",
        conversation_id: str = "main",
    ) -> Message:
        return Message(user_id, message_id, text, conversation_id, self.clock())

    def send(self, message_id: str = "message-1", user_id: str = "ann", conversation_id: str = "main") -> Accepted:
        return self.dispatch.accept(self.message(message_id, user_id, conversation_id=conversation_id))

    def boot(self, user_id: str = "ann") -> int:
        """The started container registers and connects; its generation."""
        task = self.tasks.get(user_id)
        arn = str(task.task_arn)
        self.tasks.phase(user_id, task.generation, "booting", arn)
        self.tasks.agent_connected(user_id, task.generation, f"agent-{task.generation}", "https://api")
        self.tasks.running(user_id, task.generation, arn)
        return task.generation

    def answer_all(self, user_id: str = "ann") -> list[str]:
        """The container drains its inbox; the ids it answered, in order."""
        generation = self.tasks.get(user_id).generation
        answered = []
        for message in self.inbox.waiting(user_id):
            claimed = self.inbox.claim(message, generation, {"runId": "r"})
            self.inbox.finish(claimed, generation, ["answer"])
            answered.append(message.id)
        return answered

    def kill(self, user_id: str = "ann") -> None:
        """The task dies without a message, and its socket closes."""
        task = self.tasks.get(user_id)
        self.containers.ended(str(task.task_arn))
        self.post.gone.add(str(task.agent_connection_id))


def answered(user: str = "ann") -> World:
    """A world in which one message has been answered, by a container that lives on."""
    world = World()
    world.send(user_id=user)
    world.boot(user)
    world.answer_all(user)
    return world
