"""The answerer with all that keeps turns true across restarts."""

from collections.abc import Callable

from bridge.config import Config
from bridge.memory.memory import Memory
from bridge.openclaw.process import OpenClaw
from bridge.turns.answer import Answerer
from bridge.turns.closed import Closed
from bridge.turns.reactions import Reactions
from bridge.turns.reconcile import Reconcile
from bridge.turns.shared import SharedAnswers
from chalicelib.messages.conversations import Conversations
from chalicelib.messages.inbox import Inbox

# The user's model, and the conversation's own.
Models = tuple[Callable[[], str | None], Callable[[str], str | None]]


def remembering(
    config: Config, openclaw: OpenClaw, inbox: Inbox, models: Models, memory: Memory
) -> tuple[Answerer, Reactions]:
    """It resumes no closed turn, and tells the agent what a lost state would have told it."""
    unrestful = lambda: memory.restored_unrestful  # noqa: E731
    untold = Reconcile(config.user_id, Conversations(), memory.forgotten, unrestful)
    closed = Closed(config.agent, config.state_dir, inbox, config.user_id, untold.starts_at)
    reactions = Reactions(config.user_id, untold)
    answerer = Answerer(openclaw, models[0], reactions)
    answerer.models.own = models[1]
    answerer.shown = SharedAnswers(config.user_id, Conversations()).shown
    openclaw.before_start, openclaw.on_stray = closed.settle, answerer.stray
    return answerer, reactions
