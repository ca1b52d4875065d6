"""One answer for a message through silence, refusals and crashes of the gateway."""

import pytest

from bridge.openclaw.gateway import CLOSED, GatewayError
from bridge.turns import answer, following, recovery
from bridge.turns.answer import Answerer
from bridge.turns.delivery import Delivery, Run, Stream
from bridge.turns.outcome import CRASHED
from chalicelib.messages.inbox import Message
from tests.support.fake_gateway import FakeGateway, FakeOpenClaw, asked, look, run, said
from tests.support.fakes import FakeConnections, FakePost


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "SILENCE_SECONDS", 0.05)
    monkeypatch.setattr(following, "CHECK_SECONDS", 0.02)
    monkeypatch.setattr(recovery, "RESUME_SECONDS", 0.05)
    monkeypatch.setattr(recovery, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(following, "END_SECONDS", 0.05)


def test_a_new_message_is_sent_under_its_own_id() -> None:
    gateway = FakeGateway("hi")
    assert run(FakeOpenClaw(gateway))[0].text == "hi"
    assert gateway.sent == ["message-1"]


def test_a_run_that_says_nothing_is_a_failed_try_and_is_ended() -> None:
    """Else OpenClaw would fold the conversation's next message into it and answer that with nothing."""
    gateway = FakeGateway(None)
    openclaw = FakeOpenClaw(gateway)
    assert run(openclaw)[0].reason == "error"
    assert (gateway.aborted, openclaw.kills) == (["message-1"], 0)


def test_an_openclaw_that_does_not_hear_that_either_is_killed() -> None:
    gateway = FakeGateway(None)
    gateway.hears = False
    openclaw = FakeOpenClaw(gateway)
    assert run(openclaw)[0].code == "PROVIDER_ERROR"
    assert openclaw.kills == 1


@pytest.mark.parametrize("code", ["TIMEOUT", "UNAVAILABLE"])
def test_a_gateway_that_is_only_busy_is_asked_again_in_the_same_turn(code: str) -> None:
    """After a restart on a busy machine: the person sees no error."""
    gateway = FakeGateway(GatewayError(code, "not now", 10), "hi")
    outcome, shown = run(FakeOpenClaw(gateway))
    assert (outcome.reason, outcome.text, shown) == ("final", "hi", "hi")
    assert len(gateway.sent) == 2


def test_a_refused_message_is_a_failed_try() -> None:
    outcome, _ = run(FakeOpenClaw(FakeGateway(GatewayError("INVALID", "no"))))
    assert (outcome.reason, outcome.code) == ("error", "INTERNAL")


def test_a_gateway_that_does_not_come_back_is_a_failed_try() -> None:
    outcome, _ = run(FakeOpenClaw(FakeGateway(CLOSED), comes_back=False))
    assert (outcome.reason, outcome.code) == ("error", CRASHED)


def test_a_gateway_that_crashes_every_time_is_given_up() -> None:
    lives = [FakeGateway(CLOSED) for _ in range(4)]
    outcome, _ = run(FakeOpenClaw(*lives))
    assert (outcome.reason, outcome.code) == ("error", CRASHED)
    assert sum(len(life.sent) for life in lives) == answer.GATEWAY_LIVES


def test_an_answer_in_the_transcript_is_delivered_and_nothing_sent() -> None:
    gateway = FakeGateway(history=[asked(), said("known")])
    outcome, shown = run(FakeOpenClaw(gateway), claims=2)
    assert (outcome.reason, outcome.text, shown) == ("final", "known", "known")
    assert gateway.sent == []


def test_half_an_answer_that_was_aborted_is_sent_again_under_a_new_key() -> None:
    gateway = FakeGateway("whole", history=[asked(), said("hal"), said("", "aborted")])
    assert run(FakeOpenClaw(gateway), claims=2)[0].text == "whole"
    assert gateway.sent != ["message-1"]
    assert len(gateway.sent) == 1


def test_a_message_the_transcript_does_not_know_is_sent_under_its_own_id() -> None:
    """The state was restored from an older snapshot."""
    gateway = FakeGateway("hi")
    assert run(FakeOpenClaw(gateway), claims=2)[0].text == "hi"
    assert gateway.sent == ["message-1"]


def test_a_run_refused_while_models_are_prepared_is_sent_again_at_once() -> None:
    """Seen with the real gateway at first turns: an error of its own, not of the provider."""
    refused = ("prepared model runtime plugin generation was superseded for /x",)
    gateway = FakeGateway(refused, refused, "hi")
    assert run(FakeOpenClaw(gateway))[0].text == "hi"
    assert len(set(gateway.sent)) == 3, "under keys of its own: the gateway remembers the failed ones"


def test_another_error_is_not_tried_again_here() -> None:
    gateway = FakeGateway(("the provider is broken",), "never")
    assert run(FakeOpenClaw(gateway))[0].code == "PROVIDER_ERROR"
    assert len(gateway.sent) == 1


def test_a_model_that_is_no_longer_set_gives_way_to_the_deployments() -> None:
    gateway, chosen = FakeGateway("a", "b", "c"), ["openai/x"]
    answerer = Answerer(FakeOpenClaw(gateway), lambda: chosen[0] if chosen else None)  # type: ignore[arg-type]
    for number in range(3):
        message = Message("ann", f"message-{number}", "hi", "main", 0, claims=1)
        delivery = Delivery("ann", FakeConnections(), FakePost())  # type: ignore[arg-type]
        answerer.answer(message, Stream(Run("r", message.id, "main"), delivery), delivery)
        if number == 1:
            chosen.clear()
    assert gateway.patched == ["openai/x", "custom/demo"]


@pytest.mark.parametrize("reason", ["aborted", "interrupted"])
def test_a_turn_that_was_stopped_on_its_way_here_is_not_sent(reason: str) -> None:
    gateway = FakeGateway()
    answerer = Answerer(FakeOpenClaw(gateway))  # type: ignore[arg-type]
    message = Message("ann", "message-1", "hello", "main", 0, claims=1)
    delivery = Delivery("ann", FakeConnections(), FakePost())  # type: ignore[arg-type]
    stream = Stream(Run("run-1", message.id, "main"), delivery)
    if reason == "aborted":
        stream.stop.pressed = True
    else:
        answerer.interrupt()
    assert answerer.answer(message, stream, delivery).reason == reason
    assert gateway.sent == []


def test_a_stopped_message_that_was_sent_before_has_its_resumed_run_ended() -> None:
    """The gateway resumes by itself what a crash interrupted: that run would go on for nobody."""
    gateway = FakeGateway("never", looks=[look("running", active=True)])
    gateway.stays = True
    answerer = Answerer(FakeOpenClaw(gateway))  # type: ignore[arg-type]
    message = Message("ann", "message-1", "hello", "main", 0, claims=2)
    delivery = Delivery("ann", FakeConnections(), FakePost())  # type: ignore[arg-type]
    stream = Stream(Run("run-1", message.id, "main"), delivery)
    stream.stop.pressed = True
    assert stream.stop.reason(message) is None
    assert answerer.answer(message, stream, delivery).reason == "aborted"
    assert (gateway.sent, gateway.aborted) == ([], ["*"])
