"""A message with an interrupted turn is followed, found or sent again: never twice, and never lost."""

import threading
import time
from typing import Any
from unittest.mock import ANY

import pytest

from bridge.openclaw.gateway import CLOSED
from bridge.turns import following, recovery
from bridge.turns.answer import NOTHING_RUNS, Answerer
from bridge.turns.outcome import Outcome
from tests.support.fake_gateway import FakeGateway, FakeOpenClaw, Json, asked, final, look, prompted, run, said

RESUMED = prompted("main_session_restart_recovery")


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits are short. A test that waits for a run that never comes fails after 30 s."""
    monkeypatch.setattr(following, "SILENCE_SECONDS", 30.0)
    monkeypatch.setattr(recovery, "SILENCE_SECONDS", 30.0)
    monkeypatch.setattr(recovery, "RESUME_SECONDS", 30.0)
    monkeypatch.setattr(recovery, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(recovery, "END_SECONDS", 0.05)


def answering(gateway: FakeGateway, *more: FakeGateway) -> Answerer:
    return Answerer(FakeOpenClaw(gateway, *more))  # type: ignore[arg-type]


def event(run_id: str, state: str) -> Json:
    """An event of a run that nobody asked for, in the session of `run`."""
    return {"event": "chat", "payload": {"runId": run_id, "state": state, "sessionKey": "agent:main:main"}}


def test_the_answer_of_a_resumed_run_in_the_transcript_is_the_answer() -> None:
    gateway = FakeGateway("never", history=[asked(), RESUMED, said("resumed")])
    assert run(FakeOpenClaw(gateway), claims=2)[0].text == "resumed"
    assert gateway.sent == []


def test_what_the_agent_said_to_another_prompt_is_not_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "RESUME_SECONDS", 0.05)
    gateway = FakeGateway("again", history=[asked(), prompted("heartbeat"), said("all is well")])
    assert run(FakeOpenClaw(gateway), claims=2)[0].text == "again"


def test_the_answer_to_another_try_is_the_answer() -> None:
    """It was sent under its own key, and the container died before the answer was saved."""
    gateway = FakeGateway("never", history=[asked(), asked("message-1.2.0"), said("known")])
    assert run(FakeOpenClaw(gateway), claims=3)[0].text == "known"
    assert gateway.sent == []


def test_a_question_without_an_answer_waits_for_the_resumed_run_then_is_sent_under_a_new_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recovery, "RESUME_SECONDS", 0.05)
    gateway = FakeGateway("again", history=[asked()])
    assert run(FakeOpenClaw(gateway), claims=2)[0].text == "again"
    assert gateway.sent == ["message-1.2.0"]


@pytest.mark.parametrize("looks", [[look("done")], [look("failed")], [look("running"), look("done")]])
def test_a_session_in_which_nothing_runs_is_not_waited_for(looks: list[Json]) -> None:
    """The memory was saved between two turns: the gateway has nothing to resume, so we do not wait for it."""
    gateway = FakeGateway("again", looks=looks)
    begun = time.monotonic()
    assert run(FakeOpenClaw(gateway), claims=2)[0].text == "again"
    assert time.monotonic() - begun < 5
    assert gateway.sent == ["message-1.2.0"]


def test_a_resumed_run_is_followed_to_its_end() -> None:
    gateway = FakeGateway("never", looks=[look("running"), look("running", active=True)])
    answerer = answering(gateway)

    def resume() -> None:
        answerer.stray(event("resumed-1", "delta"))
        if "resumed-1" in gateway.runs:
            gateway.runs["resumed-1"].put(final("resumed-1", "resumed"))

    gateway.looked = resume
    assert run(FakeOpenClaw(gateway), 2, answerer)[0].text == "resumed"
    assert gateway.sent == []


@pytest.mark.parametrize(("state", "behind"), [("delta", 1), ("final", 2)])
def test_a_resumed_run_that_is_over_before_it_is_followed_is_the_answer(state: str, behind: int) -> None:
    """The event that we heard may be the last one, and the session's row may be outdated."""
    done = look("done", RESUMED, said("resumed"))
    gateway = FakeGateway("never", looks=[*([look("running")] * behind), done])
    answerer = answering(gateway)
    gateway.looked = lambda: answerer.stray(event("resumed-1", state))
    begun = time.monotonic()
    assert run(FakeOpenClaw(gateway), 2, answerer)[0].text == "resumed"
    assert (gateway.sent, time.monotonic() - begun < 5) == ([], True)


def test_a_try_after_a_failed_one_does_not_wait_for_a_run_that_cannot_come() -> None:
    """We saw the run end: the gateway does not resume it."""
    gateway = FakeGateway(("the provider is broken",), "hi")
    answerer, begun = answering(gateway), time.monotonic()
    for claims, reason in ((1, "error"), (2, "final")):
        assert run(FakeOpenClaw(gateway), claims, answerer)[0].reason == reason
        gateway.history = [asked()]
    assert time.monotonic() - begun < 5


def test_a_crash_in_the_try_after_a_failed_one_is_resumed_like_any() -> None:
    first = FakeGateway(("the provider is broken",), CLOSED)
    second = FakeGateway("never", looks=[look("running"), look("done", asked("message-1.2.0"), said("resumed"))])
    openclaw = FakeOpenClaw(first, second)
    answerer = Answerer(openclaw)  # type: ignore[arg-type]
    assert run(openclaw, 1, answerer)[0].reason == "error"
    first.history = [asked()]
    assert run(openclaw, 2, answerer)[0].text == "resumed"
    assert (len(first.sent), second.sent) == (2, [])


def test_a_run_that_goes_on_in_silence_is_ended_before_the_message_is_sent_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Otherwise the message would be folded into it, and its answer would be empty."""
    monkeypatch.setattr(recovery, "RESUME_SECONDS", 0.0)
    monkeypatch.setattr(recovery, "SILENCE_SECONDS", 0.2)
    gateway = FakeGateway("again", looks=[look("running", active=True)])
    gateway.stays = True
    begun = time.monotonic()
    assert run(FakeOpenClaw(gateway), claims=2)[0].text == "again"
    assert gateway.aborted == ["*"]
    assert time.monotonic() - begun > 0.2, "a run that works may be silent for longer than one that is to come"


def test_a_stop_while_it_waits_for_a_resumed_run_sends_nothing() -> None:
    gateway = FakeGateway("never", history=[asked()])
    answerer = answering(gateway)
    threading.Timer(0.3, answerer.interrupt).start()
    assert (run(FakeOpenClaw(gateway), 2, answerer)[0].reason, gateway.sent) == ("interrupted", [])


def test_a_run_that_ends_because_openclaw_starts_itself_anew_is_not_the_users_stop() -> None:
    """OpenClaw resumes it afterwards: that run gives the answer."""
    first, second = FakeGateway(None), FakeGateway("never", looks=[look("running"), look("done", said("resumed"))])

    def restart() -> None:
        payload = {"runId": "message-1", "state": "aborted", "stopReason": "restart"}
        first.runs["message-1"].put({"event": "chat", "payload": payload})

    threading.Timer(0.2, restart).start()
    outcome, _ = run(FakeOpenClaw(first, second))
    assert (outcome.reason, outcome.text, second.sent) == ("final", "resumed", [])


def test_an_answer_without_text_is_looked_for_in_the_transcript() -> None:
    """A message that meets a running turn is folded into it: the answer of that run is its answer."""
    gateway = FakeGateway("", looks=[look("running"), look("done", said("theirs"))])
    assert run(FakeOpenClaw(gateway))[0].text == "theirs"


def test_silence_is_an_answer_if_the_agent_chose_it() -> None:
    gateway = FakeGateway("", looks=[look("done")])
    gateway.silent = True
    outcome, _ = run(FakeOpenClaw(gateway))
    assert (outcome.reason, outcome.text, gateway.sent) == ("final", "", ["message-1"])


def test_a_message_that_was_accepted_and_lost_is_sent_again_once() -> None:
    gateway = FakeGateway("", "hi", looks=[look("done")])
    gateway.stays = True
    outcome, _ = run(FakeOpenClaw(gateway))
    assert (outcome.reason, outcome.text, len(gateway.sent)) == ("final", "hi", 2)


def test_a_run_that_says_nothing_twice_has_failed() -> None:
    gateway = FakeGateway("", "", looks=[look("done")])
    gateway.stays = True
    outcome, _ = run(FakeOpenClaw(gateway))
    assert (outcome.reason, outcome.code, len(gateway.sent)) == ("error", "PROVIDER_ERROR", 2)


def test_a_message_that_openclaw_keeps_until_another_run_is_over_is_waited_for() -> None:
    """Its own run ends at once without text. The answer comes under a new run id."""
    busy = {"messages": [], "sessionInfo": {"status": "running", "hasActiveRun": True}}
    gateway = FakeGateway("", looks=[busy, busy, busy, busy, busy, look("done", said("later"))])
    outcome, shown = run(FakeOpenClaw(gateway))
    assert (outcome.reason, outcome.text, shown, len(gateway.sent)) == ("final", "later", "later", 1)


@pytest.mark.parametrize(
    ("reply", "looks", "reason", "text"),
    [
        ({"ok": True, "aborted": False, "runIds": []}, [look("done")], "final", NOTHING_RUNS),
        ({"runId": "message-1", "status": "ok"}, [look("done", said("known"))], "final", "known"),
        ({"runId": "message-1", "status": "ok"}, [look("done")], "error", ""),
    ],
)
def test_a_message_that_starts_no_run_is_not_waited_for(reply: Json, looks: list[Any], reason: str, text: str) -> None:
    """\"stop\" is a command for OpenClaw, and it does not run a known key again: no event would ever come."""
    openclaw = FakeOpenClaw(FakeGateway(reply, looks=looks))
    begun = time.monotonic()
    outcome, _ = run(openclaw)
    assert (outcome.reason, outcome.text, openclaw.kills) == (reason, text, 0)
    assert time.monotonic() - begun < 5


def before_tool(text: str) -> list[Json]:
    """A text before a tool call has two entries in chat.history (2026.9.1). The text itself has no stop reason."""
    fallback = {"replacementText": text, "source": "segment", "itemId": "commentary-0-x"}
    call = {"type": "toolCall", "id": "call_1", "name": "exec", "arguments": {}}
    return [
        said(text) | {"stopReason": None, "openclawStreamFallback": fallback},
        {"role": "assistant", "content": [call], "stopReason": "toolUse"},
        {"role": "toolResult", "toolCallId": "call_1", "content": [{"type": "text", "text": "0"}]},
    ]


def test_an_answer_in_the_transcript_is_all_that_was_said_in_paragraphs() -> None:
    history = [asked(), *before_tool("I will write. "), *before_tool("Now a chart. "), said("Done.")]
    gateway = FakeGateway("never", history=history)
    assert run(FakeOpenClaw(gateway), claims=2)[0].text == "I will write.\n\nNow a chart.\n\nDone."


def test_what_was_said_before_a_tool_call_is_not_the_answer_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """The container died while the tool ran: the gateway resumes the turn, or the message is sent again."""
    monkeypatch.setattr(recovery, "RESUME_SECONDS", 0.05)
    for history in ([asked(), *before_tool("I will write.")], [asked(), before_tool("I will write.")[0]]):
        gateway = FakeGateway("again", history=history)
        assert run(FakeOpenClaw(gateway), claims=2)[0].text == "again"


def test_a_resumed_turns_answer_is_what_was_said_before_and_after_the_crash() -> None:
    gateway = FakeGateway(
        "never", history=[asked(), *before_tool("First."), RESUMED, *before_tool("Then."), said("End.")]
    )
    assert run(FakeOpenClaw(gateway), claims=2)[0].text == "First.\n\nThen.\n\nEnd."


def test_a_resumed_run_is_shown_behind_what_was_said_before_it() -> None:
    first = look("running", *before_tool("First."))
    gateway = FakeGateway("never", looks=[first, look("running", *before_tool("First."), active=True)])
    answerer = answering(gateway)

    def resume() -> None:
        answerer.stray(event("resumed-1", "delta"))
        if "resumed-1" in gateway.runs:
            gateway.runs["resumed-1"].put(final("resumed-1", "Then."))

    gateway.looked = resume
    assert run(FakeOpenClaw(gateway), 2, answerer) == (Outcome("final", "First.\n\nThen.", ANY), "First.\n\nThen.")


def test_what_another_run_reports_behind_the_answer_is_not_a_part_of_it() -> None:
    def of(run_id: str, entry: Json) -> Json:
        return entry | {"__openclaw": {"runId": run_id}}

    history = [asked(), of("message-1", said("Done.")), of("announce:v1:x", said("A task is over."))]
    assert run(FakeOpenClaw(FakeGateway("never", history=history)), claims=2)[0].text == "Done."
