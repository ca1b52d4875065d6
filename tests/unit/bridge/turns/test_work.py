"""The work that one can watch: tool calls with arguments, result and time, within limits."""

import json
from typing import Any

from bridge.turns.delivery import Run
from bridge.turns.replay import replay
from bridge.turns.work import ARGUMENTS, RESULT, ROW_BYTES, STEPS, Work


def start(call: str, **arguments: Any) -> dict[str, Any]:
    return {"phase": "start", "name": "exec", "toolCallId": call, "args": arguments}


def result(call: str, text: str = "ok", error: bool = False, **details: Any) -> dict[str, Any]:
    content = {"content": [{"type": "text", "text": text}], "details": details}
    return {"phase": "result", "name": "exec", "toolCallId": call, "isError": error, "result": content}


def test_a_step_begins_and_ends() -> None:
    work = Work()
    begun = work.tool(start("1", command="ls"))
    assert begun == {"id": "1", "name": "exec", "state": "running", "arguments": "ls"}
    assert work.tool({"phase": "update", "name": "exec", "toolCallId": "1"}) is None
    ended = work.tool(result("1", "a\nb\n"))
    assert ended is not None
    assert (ended["state"], ended["result"], ended["seconds"] >= 0) == ("done", "a\nb", True)
    assert work.tool(result("1")) is None, "an event that comes again changes nothing"


def test_an_error_and_a_failed_command_are_failed() -> None:
    work = Work()
    for call, event in {
        "1": result("1", error=True),
        "2": result("2", exitCode=2),
        "3": result("3", exitCode=0),
    }.items():
        work.tool(start(call, command="x"))
        work.tool(event)
    assert [step["state"] for step in work.steps()] == ["failed", "failed", "done"]


def test_several_arguments_are_json_and_long_ones_are_cut() -> None:
    work = Work()
    work.tool(start("1", path="a.txt", content="가" * 5000))
    work.tool(result("1", "x" * 9000))
    [step] = work.steps()
    assert step["arguments"].startswith('{"path": "a.txt", "content": "가')
    assert len(step["arguments"]) == ARGUMENTS + 2
    assert len(step["result"]) == RESULT + 2


def test_many_steps_are_counted_and_fit_a_row() -> None:
    work = Work()
    for number in range(STEPS + 5):
        work.tool(start(str(number), command="😀" * 500))
        work.tool(result(str(number), "😀" * 1200))
    assert len(json.dumps(work.ended(), ensure_ascii=False).encode()) <= ROW_BYTES
    assert len(work.ended()) == STEPS + 1
    assert work.ended()[-1]["name"] == "+5"


def test_a_step_that_was_cut_off_does_not_run_for_ever() -> None:
    work = Work()
    work.tool(start("1", command="sleep 60"))
    assert work.steps()[0]["state"] == "running"
    assert work.ended()[0]["state"] == "failed"


def test_odd_events_do_no_harm() -> None:
    work = Work()
    for event in (
        {},
        {"phase": "result"},
        {"phase": "start"},
        {"phase": "start", "name": "x", "args": ["\ud800", None]},
    ):
        work.tool(event)
    work.tool({"phase": "result", "name": "x", "result": {"content": [None, {"text": 5}]}})
    json.dumps(work.ended()).encode()


def test_a_tab_that_comes_late_gets_the_steps_so_far() -> None:
    run = Run("r", "m", "main")
    run.work.tool(start("1", command="ls"))
    [frame] = replay(run, 0)
    assert (frame["type"], frame["runId"], frame["step"]["arguments"]) == ("work", "r", "ls")
