"""One answer for a message through silence, refusals and crashes of the gateway."""

import queue
import threading
import time
from typing import Any

import pytest

from bridge import answer
from bridge.answer import Answerer, Outcome
from bridge.delivery import Delivery, Run, Stream
from bridge.gateway import CLOSED, GatewayError
from bridge.openclaw import NotReady
from chalicelib.inbox import Message
from tests.support.fakes import FakeConnections, FakePost

Json = dict[str, Any]


def final(run: str, text: str) -> Json:
    message = {"role": "assistant", "content": [{"type": "text", "text": text}]}
    return {"event": "chat", "payload": {"runId": run, "state": "final", "message": message}}


def failed(run: str, why: str) -> Json:
    return {"event": "chat", "payload": {"runId": run, "state": "error", "errorMessage": why}}


class FakeGateway:
    """Answers chat.send by script: what the run does, in order of the sends."""

    def __init__(self, *script: Any, history: list[Json] | None = None, looks: list[Json] | None = None) -> None:
        self.script = list(script)
        self.history = history or []
        self.looks = looks or []  # what the next looks into the transcript find instead
        self.sent: list[str] = []
        self.patched: list[str] = []
        self.aborted: list[str] = []
        self.hears = True
        self.runs: dict[str, queue.Queue[Json]] = {}

    def watch(self, run_id: str) -> "queue.Queue[Json]":
        return self.runs.setdefault(run_id, queue.Queue())

    def unwatch(self, run_id: str) -> None:
        self.runs.pop(run_id, None)

    def request(self, method: str, params: Json, timeout: float = 1) -> Json:
        if method == "chat.history":
            return self.looks.pop(0) if self.looks else {"messages": self.history}
        if method == "sessions.patch":
            self.patched.append(str(params["model"]))
        if method == "chat.abort":
            self.aborted.append(str(params["runId"]))
            if self.hears:
                end = {"runId": params["runId"], "state": "aborted", "stopReason": "rpc"}
                self.runs[self.aborted[-1]].put({"event": "chat", "payload": end})
        if method == "chat.send":
            key = str(params["idempotencyKey"])
            self.sent.append(key)
            step = self.script.pop(0)
            if isinstance(step, Exception):
                raise step
            if isinstance(step, tuple):
                self.runs[key].put(failed(key, step[0]))
            elif step is not None:
                self.runs[key].put(CLOSED if step is CLOSED else final(key, step))
        return {}


class FakeOpenClaw:
    """A gateway for each life of the process."""

    def __init__(self, *gateways: FakeGateway, comes_back: bool = True) -> None:
        self.default_model = "custom/demo"
        self.gateway: Any = gateways[0]
        self._next = list(gateways[1:])
        self._comes_back = comes_back
        self.kills = 0

    def kill(self) -> None:
        self.kills += 1

    def reconnect(self) -> None:
        if not self._comes_back:
            raise NotReady("ended with status 1")
        self.gateway = self._next.pop(0)


def run(openclaw: FakeOpenClaw, claims: int = 1) -> tuple[Outcome, str]:
    message = Message("ann", "message-1", "hello", "main", 0, claims=claims, attempts=claims)
    delivery = Delivery("ann", FakeConnections(), FakePost())  # type: ignore[arg-type]
    stream = Stream(Run("run-1", message.id, "main"), delivery)
    outcome = Answerer(openclaw, "bucket").answer(message, stream, delivery)  # type: ignore[arg-type]
    return outcome, stream.run.text


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer, "SILENCE_SECONDS", 0.05)
    monkeypatch.setattr(answer, "RESUME_SECONDS", 0.05)
    monkeypatch.setattr(answer, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(answer, "END_SECONDS", 0.05)


def asked() -> Json:
    return {"role": "user", "content": "hello", "idempotencyKey": "message-1:user"}


def said(text: str, reason: str = "stop") -> Json:
    return {"role": "assistant", "content": [{"type": "text", "text": text}], "stopReason": reason}


def test_a_new_message_is_sent_under_its_own_id() -> None:
    gateway = FakeGateway("hi")
    assert run(FakeOpenClaw(gateway))[0].text == "hi"
    assert gateway.sent == ["message-1"]


@pytest.mark.parametrize("step", [None, GatewayError("TIMEOUT", "chat.send was not answered")])
def test_a_run_that_says_nothing_is_a_failed_try_and_is_ended(step: Any) -> None:
    """Else OpenClaw would fold the conversation's next message into it and answer that with nothing."""
    gateway = FakeGateway(step)
    openclaw = FakeOpenClaw(gateway)
    assert run(openclaw)[0].reason == "error"
    assert (gateway.aborted, openclaw.kills) == (["message-1"], 0)


def test_an_openclaw_that_does_not_hear_that_either_is_killed() -> None:
    gateway = FakeGateway(None)
    gateway.hears = False
    openclaw = FakeOpenClaw(gateway)
    assert run(openclaw)[0].code == "PROVIDER_ERROR"
    assert openclaw.kills == 1


def test_a_refused_message_is_a_failed_try() -> None:
    outcome, _ = run(FakeOpenClaw(FakeGateway(GatewayError("INVALID", "no"))))
    assert (outcome.reason, outcome.code) == ("error", "INTERNAL")


def test_a_gateway_that_does_not_come_back_is_a_failed_try() -> None:
    outcome, _ = run(FakeOpenClaw(FakeGateway(CLOSED), comes_back=False))
    assert (outcome.reason, outcome.code) == ("error", "INTERNAL")


def test_a_gateway_that_crashes_every_time_is_given_up() -> None:
    lives = [FakeGateway(CLOSED) for _ in range(4)]
    outcome, _ = run(FakeOpenClaw(*lives))
    assert (outcome.reason, outcome.code) == ("error", "INTERNAL")
    assert sum(len(life.sent) for life in lives) == answer.GATEWAY_LIVES


def test_an_answer_in_the_transcript_is_delivered_and_nothing_sent() -> None:
    gateway = FakeGateway(history=[asked(), said("known")])
    outcome, shown = run(FakeOpenClaw(gateway), claims=2)
    assert (outcome.reason, outcome.text, shown) == ("final", "known", "known")
    assert gateway.sent == []


def prompted(tool: str) -> Json:
    """A prompt that the gateway wrote itself, with a key of its own as the real one gives it."""
    provenance = {"kind": "internal_system", "sourceTool": tool}
    return {"role": "user", "content": "[System] …", "idempotencyKey": "e5089385:user", "provenance": provenance}


def test_the_answer_of_a_resumed_run_in_the_transcript_is_the_answer() -> None:
    gateway = FakeGateway("never", history=[asked(), prompted("main_session_restart_recovery"), said("resumed")])
    assert run(FakeOpenClaw(gateway), claims=2)[0].text == "resumed"
    assert gateway.sent == []


def test_what_the_agent_said_to_another_prompt_is_not_the_answer() -> None:
    gateway = FakeGateway("again", history=[asked(), prompted("heartbeat"), said("all is well")])
    assert run(FakeOpenClaw(gateway), claims=2)[0].text == "again"


def test_half_an_answer_that_was_aborted_is_sent_again_under_a_new_key() -> None:
    gateway = FakeGateway("whole", history=[asked(), said("hal"), said("", "aborted")])
    assert run(FakeOpenClaw(gateway), claims=2)[0].text == "whole"
    assert gateway.sent != ["message-1"]
    assert len(gateway.sent) == 1


def test_a_question_without_an_answer_waits_for_the_resumed_run_then_is_sent_under_a_new_key() -> None:
    gateway = FakeGateway("again", history=[asked()])
    assert run(FakeOpenClaw(gateway), claims=2)[0].text == "again"
    assert gateway.sent != ["message-1"]


def look(status: str, *messages: Json) -> Json:
    return {"messages": [asked(), *messages], "sessionInfo": {"status": status}}


@pytest.mark.parametrize("looks", [[look("done")], [look("failed")], [look("running"), look("done")]])
def test_a_session_in_which_nothing_runs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, looks: list[Json]) -> None:
    """Its memory was saved between two turns: the gateway has nothing to resume, and the user waits for nothing."""
    monkeypatch.setattr(answer, "RESUME_SECONDS", 30.0)
    gateway = FakeGateway("again", looks=looks)
    begun = time.monotonic()
    assert run(FakeOpenClaw(gateway), claims=2)[0].text == "again"
    assert time.monotonic() - begun < 5
    assert (len(gateway.sent), gateway.sent != ["message-1"]) == (1, True)


def test_a_resumed_run_that_ends_before_it_is_followed_is_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer, "RESUME_SECONDS", 30.0)
    gateway = FakeGateway("never", looks=[look("running"), look("done", said("resumed"))])
    assert run(FakeOpenClaw(gateway), claims=2)[0].text == "resumed"
    assert gateway.sent == []


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
    answerer = Answerer(FakeOpenClaw(gateway), "bucket", lambda: chosen[0] if chosen else None)  # type: ignore[arg-type]
    for number in range(3):
        message = Message("ann", f"message-{number}", "hi", "main", 0, claims=1)
        delivery = Delivery("ann", FakeConnections(), FakePost())  # type: ignore[arg-type]
        answerer.answer(message, Stream(Run("r", message.id, "main"), delivery), delivery)
        if number == 1:
            chosen.clear()
    assert gateway.patched == ["openai/x", "custom/demo"]


def asked_before(key: str) -> list[Json]:
    """A transcript with the question and no answer to it."""
    return [{"role": "user", "idempotencyKey": f"{key}:user", "content": [{"type": "text", "text": "hi"}]}]


def test_a_try_after_a_failed_one_does_not_wait_for_a_run_that_cannot_come(monkeypatch: pytest.MonkeyPatch) -> None:
    """The run ended before our eyes: the gateway does not resume it."""
    monkeypatch.setattr(answer, "RESUME_SECONDS", 30.0)
    gateway = FakeGateway(("the provider is broken",), "hi")
    answerer = Answerer(FakeOpenClaw(gateway), "bucket")  # type: ignore[arg-type]
    delivery = Delivery("ann", FakeConnections(), FakePost())  # type: ignore[arg-type]
    begun = time.monotonic()
    for claims, reason in ((1, "error"), (2, "final")):
        message = Message("ann", "message-1", "hi", "main", 0, claims=claims)
        outcome = answerer.answer(message, Stream(Run("r", message.id, "main"), delivery), delivery)
        assert outcome.reason == reason
        gateway.history = asked_before("message-1")
    assert time.monotonic() - begun < 5


def test_a_stop_while_it_waits_for_a_resumed_run_sends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer, "RESUME_SECONDS", 30.0)
    gateway = FakeGateway("never", history=asked_before("message-1"))
    answerer = Answerer(FakeOpenClaw(gateway), "bucket")  # type: ignore[arg-type]
    delivery = Delivery("ann", FakeConnections(), FakePost())  # type: ignore[arg-type]
    message = Message("ann", "message-1", "hi", "main", 0, claims=2)
    threading.Timer(0.3, answerer.interrupt).start()
    outcome = answerer.answer(message, Stream(Run("r", message.id, "main"), delivery), delivery)
    assert (outcome.reason, gateway.sent) == ("interrupted", [])
