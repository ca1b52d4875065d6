"""Which rows of a transcript are said by the agent itself; their forms are those of 2026.9.1."""

from typing import Any

import pytest

from bridge.openclaw.history import RESUMED_BY
from bridge.outbox.causes import Causes, in_words
from bridge.outbox.said import AUTOMATION, HELPER, MESSAGE, OWN, Said, Transcript

Json = dict[str, Any]


def asked(key: str = "m-1", **more: Any) -> Json:
    return {"role": "user", "content": "hi", "idempotencyKey": f"{key}:user", **more}


def row(run: str = "", text: str = "done", key: str = "", stop: str | None = "stop", **more: Any) -> Json:
    about: Json = {"id": f"id-{run}-{text}", "recordTimestampMs": 5} | ({"runId": run} if run else {})
    about |= {"idempotencyKey": key} if key else {}
    content = [{"type": "text", "text": text}]
    return {"role": "assistant", "content": content, "stopReason": stop, "__openclaw": about, **more}


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (row(key="cron-current-completion:cron:j:1", openclawAutomation={"jobId": "j"}), AUTOMATION),
        (row("m-1", key="m-1:message-tool:x:call"), MESSAGE),
        (row("announce:v1:agent:main"), HELPER),
        (row("0b5c"), OWN),
    ],
)
def test_what_answers_no_message_is_proactive(said: Json, kind: str) -> None:
    (found,) = Transcript().read([asked(), row("m-1", "the answer"), said])
    assert (found.kind, found.text, found.at) == (kind, "done", 5)


@pytest.mark.parametrize(
    "silent",
    [
        row("m-1", "the answer"),
        row("", "OpenClaw answers a command"),
        row("0b5c", "NO_REPLY"),
        row("0b5c", "HEARTBEAT_OK"),
        row("0b5c", "**HEARTBEAT_OK** nothing new"),
        row("0b5c", "All is well. HEARTBEAT_OK."),
        row("0b5c", "  "),
        row("0b5c", "Let me see", openclawStreamFallback={}),
        row("0b5c", "Let me see", stop="toolUse"),
        row("0b5c", "broken", stop="error"),
        {"role": "assistant", "content": "no id"},
        {"role": "toolResult", "content": "x"},
        "no row",
    ],
)
def test_all_else_is_not_shown(silent: Json) -> None:
    assert Transcript().read([asked(), silent]) == []


def test_the_mark_of_a_heartbeat_is_never_shown() -> None:
    long = "The oven has been hot for an hour. " * 10
    (found,) = Transcript().read([row("0b5c", f"{long}\n\nHEARTBEAT_OK")])
    assert found.text == long.strip()
    (found,) = Transcript().read([row("0b5c", "What is HEARTBEAT_OK for?")])
    assert found.text == "What is HEARTBEAT_OK for?"


def test_the_run_that_goes_on_with_a_turn_after_a_crash_is_an_answer() -> None:
    resumed = asked("r-1", provenance={"sourceTool": RESUMED_BY})
    found = Transcript().read([asked(), resumed, row("resumed-run", "the answer"), row("0b5c", "by itself")])
    assert [said.text for said in found] == ["by itself"]


def test_a_turn_longer_than_what_is_read_again_stays_an_answer() -> None:
    transcript = Transcript()
    transcript.read([asked()])
    assert transcript.read([row("m-1", "after a hundred tool calls")]) == []


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        ({"kind": "at", "at": "2027"}, ""),
        ({"kind": "every", "everyMs": 300_000}, "every 5 minutes"),
        ({"kind": "every", "everyMs": 86_400_000}, "every day"),
        ({"kind": "cron", "expr": "0 8 * * *", "tz": "Asia/Seoul"}, "every day at 8:00 (Asia/Seoul)"),
        ({"kind": "cron", "expr": "0 8 * * 1"}, "at 0 8 * * 1"),
    ],
)
def test_a_schedule_in_words(schedule: Json, words: str) -> None:
    assert in_words(schedule) == words


def test_the_cause_of_what_is_said() -> None:
    causes, main = Causes(), "agent:main:main"
    job = {"id": "j", "name": "water the plants", "schedule": {"kind": "every", "everyMs": 86_400_000}}
    assert causes.of(Said("1", "x", 1, AUTOMATION, "j"), main) == "Reminder"
    causes.learn([job])
    assert causes.of(Said("1", "x", 1, AUTOMATION, "j"), main) == "Reminder: water the plants, every day"
    assert causes.of(Said("1", "x", 100, OWN), main) == "Said by itself"
    beat = {"id": "beat", "payload": {"kind": "heartbeat"}, "sessionTarget": "main"}
    causes.hear("cron", {"action": "started", "runAtMs": 80, "job": beat})
    assert causes.of(Said("1", "x", 85, OWN), main) == "Heartbeat"
    assert causes.beating(90)
    causes.hear("cron", {"action": "finished", "job": beat})
    assert not causes.beating(90)
    causes.hear("task", {"task": {"kind": "exec", "endedAt": 90, "sessionKey": main}})
    assert causes.of(Said("1", "x", 100, OWN), main) == "Background command finished"
    causes.hear("cron", {"action": "started", "runAtMs": 95, "job": job | {"sessionTarget": "main"}})
    assert causes.of(Said("1", "x", 100, OWN), main) == "Reminder: water the plants, every day"
