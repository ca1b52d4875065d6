"""Which files belong to which answer, from rows as OpenClaw 2026.9.1 has them."""

from typing import Any

from bridge.files.announced import Answered, of_answer, of_row, with_paths

Json = dict[str, Any]


def question(key: str, **more: Any) -> Json:
    return {"role": "user", "content": "hi", "idempotencyKey": f"{key}:user", **more}


def said(row: str, run: str | None, *blocks: Json, text: str = "here", **more: Any) -> Json:
    about = {"id": row} | ({"runId": run} if run else {})
    content = [{"type": "text", "text": text}, *blocks]
    return {"role": "assistant", "content": content, "stopReason": "stop", "__openclaw": about, **more}


def attached(name: str) -> Json:
    return {"type": "attachment", "attachment": {"artifactId": f"art-{name}", "label": name, "kind": "document"}}


def refused(name: str) -> Json:
    return {"type": "attachment_error", "attachment": {"code": "unsupported-format", "label": name}}


def names(found: Answered | None) -> list[str]:
    assert found is not None
    assert not found.pending
    return [one.label for one in found.files]


def test_files_of_every_kind() -> None:
    picture = {"type": "image", "artifactId": "a1", "alt": "d.png", "url": "/api/x"}
    voice = {"type": "audio", "artifactId": "a2", "fileName": "v.ogg", "isVoiceNote": True}
    found = of_row(said("r1", "k1", picture, voice, attached("t.txt"), refused("b.bin")))
    assert [(one.label, one.artifact, one.voice) for one in found] == [
        ("d.png", "a1", False),
        ("v.ogg", "a2", True),
        ("t.txt", "art-t.txt", False),
        ("b.bin", None, False),
    ]
    assert [(one.row, one.number) for one in found] == [("r1", 0), ("r1", 1), ("r1", 2), ("r1", 3)]


def test_rows_without_files_and_of_a_strange_form() -> None:
    assert of_row({"role": "assistant", "content": "text"}) == ()
    assert of_row(said("r", "k", {"type": "image", "data": "…"})) == ()
    assert of_answer([None, 3, {"role": "user"}], "k1") is None


def test_the_files_of_an_answer_are_its_own() -> None:
    rows = [
        question("before"),
        said("r0", "before", attached("old.txt")),
        question("mine"),
        said("r1", "mine", attached("one.txt"), text="first", openclawStreamFallback=True),
        {"role": "toolResult", "content": "x"},
        said("r2", "mine", attached("two.txt")),
        question("after"),
        said("r3", "after", attached("new.txt")),
    ]
    assert names(of_answer(rows, "mine")) == ["one.txt", "two.txt"]
    assert names(of_answer(rows, "after")) == ["new.txt"]
    assert of_answer(rows, "unknown") is None


def test_a_row_of_its_own_behind_the_next_question() -> None:
    late = said("r2", None, attached("late.txt"), idempotencyKey="mine:assistant-media:2")
    rows = [question("mine"), said("r1", "mine"), question("after"), late, said("r3", "after")]
    assert names(of_answer(rows, "mine")) == ["late.txt"]
    assert names(of_answer(rows, "after")) == []


def test_what_the_agent_says_by_itself_is_not_the_answers() -> None:
    tool = said("r1", "mine", attached("tool.txt"))
    tool["__openclaw"]["idempotencyKey"] = "mine:message-tool:x:call_1"
    helper = said("r2", "announce:v1:x", attached("helper.txt"))
    rows = [question("mine"), tool, helper, said("r3", "mine", attached("mine.txt"))]
    assert names(of_answer(rows, "mine")) == ["mine.txt"]


def test_a_resumed_turn_and_a_retry_under_a_new_key() -> None:
    resumed = question("other", provenance={"sourceTool": "main_session_restart_recovery"})
    rows = [question("mine.2.0"), resumed, said("r1", "some-run", attached("a.txt"))]
    assert names(of_answer(rows, "mine")) == ["a.txt"]


def test_a_message_that_the_run_took_in() -> None:
    rows = [question("mine"), question("second"), said("r1", "mine", attached("both.txt"))]
    assert names(of_answer(rows, "mine")) == ["both.txt"]


def test_paths_are_found_by_name_and_else_by_place() -> None:
    found = of_row(said("r1", "k1", refused("b.bin"), refused("changed_name.svg")))
    raw = [{"__openclaw": {"id": "r1"}, "openclawDelivery": {"mediaUrls": ["./x/b.bin", "./changed name.svg"]}}]
    assert [one.path for one in with_paths(found, raw)] == ["./x/b.bin", "./changed name.svg"]
    assert [one.path for one in with_paths(found, [{}, None])] == [None, None]


def test_files_that_openclaw_has_not_copied_yet() -> None:
    row = said("r1", "mine", openclawDelivery={"mediaUrls": ["./a.txt", "/x/b.png"]})
    found = of_answer([question("mine"), row], "mine")
    assert found is not None
    assert found.pending
    assert [(one.label, one.path, one.artifact) for one in found.files] == [
        ("a.txt", "./a.txt", None),
        ("b.png", "/x/b.png", None),
    ]
    copied = row | {"openclawDisplayContent": [attached("a.txt"), refused("b.png")]}
    again = of_answer([question("mine"), copied], "mine")
    assert again is not None
    assert not again.pending
    assert [(one.row, one.number) for one in again.files] == [(one.row, one.number) for one in found.files]
    assert [(one.path, one.artifact) for one in again.files] == [("./a.txt", "art-a.txt"), ("/x/b.png", None)]


def test_a_picture_of_another_server_stays_a_link() -> None:
    picture = {"type": "image", "url": "https://example.org/a.png", "alt": "a.png"}
    [one] = of_row(said("r1", "mine", picture))
    assert (one.path, one.artifact) == ("https://example.org/a.png", None)
