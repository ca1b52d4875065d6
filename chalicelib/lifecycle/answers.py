"""A person's answer to a question of the agent, from the page and from Telegram: kept, then handed to the Bridge."""

from chalicelib.lifecycle.dispatch import Dispatch
from chalicelib.messages.questions import CLOSED_TEXT, GONE, Question, Questions
from chalicelib.platform import log
from chalicelib.wire.protocol import ProtocolError


def answer(dispatch: Dispatch, user_id: str, name: str, answers: dict[str, list[str]] | None, by: str) -> Question:
    """Keep the choice, tell the tabs and the Bridge. Raises ProtocolError NOT_FOUND, QUESTION_CLOSED, BAD_FIELD.

    The Bridge looks for choices at each heartbeat too, so a lost frame costs seconds.
    """
    questions = Questions(dispatch.clock)
    known = questions.get(user_id, name)
    task = dispatch.tasks.get(user_id)
    if known is not None and not (task.live(dispatch.clock()) and task.generation == known.generation):
        # OpenClaw keeps its questions in its memory: this one ended with its container.
        raise ProtocolError("QUESTION_CLOSED", CLOSED_TEXT[GONE])
    chosen = questions.choose(user_id, name, answers, by)
    log.event("question_chosen", question=name, by=by, cancelled=answers is None)
    dispatch.tell(user_id, chosen.frame())
    dispatch.forward(task, {"type": "answer", "id": name})
    return chosen
