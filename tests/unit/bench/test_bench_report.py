"""What `make bench` prints and writes: nothing vanishes, and docs/benchmarks.md is its output."""

import json
from typing import Any

import pytest

import bench.__main__ as command
from bench import report
from bench.bars import BARS
from bench.notes import NOTES
from bench.registry import SECTIONS
from bench.rows import Row, from_json, p95, row

Json = dict[str, Any]


def stored() -> Json:
    document: Json = json.loads(command.DATA.read_text())
    return document


def document(*rows: Row, failed: list[Json] | None = None) -> Json:
    entries = [entry.to_json() for entry in rows]
    seconds = dict.fromkeys(SECTIONS, 1.0)
    made = {"machine": {"cores": "2"}, "rows": entries, "failed": failed or [], "seconds": seconds}
    return made | {"unmeasured": command.unmeasured(made)}


def test_the_page_is_what_the_printer_makes_of_the_stored_run() -> None:
    assert command.PAGE.read_text() == report.page(stored())


def test_the_stored_run_holds_every_section_and_every_bar() -> None:
    run = stored()
    assert run["quick"] is False
    assert {entry["section"] for entry in run["rows"]} == set(SECTIONS)
    assert {entry["bar"] for entry in run["rows"]} - {""} == set(BARS)
    assert run["failed"] == []


def test_a_bar_that_is_missed_has_its_reason_beside_it() -> None:
    run = stored()
    missed = {entry["section"] for entry in run["rows"] if entry.get("met") is False}
    assert missed <= set(NOTES)


def test_a_row_knows_its_figures_and_its_bar() -> None:
    made = row("package", "cold import", "ms", [100.0, 300.0, 200.0], "cold-import")
    assert (made.runs, made.median, made.p95, made.worst) == (3, 200, 300, 300)
    assert made.met is True
    assert from_json(made.to_json()) == made
    assert row("package", "x", "ms", [251.0], "cold-import").met is False
    assert row("package", "x", "ms", [1.0]).met is None


def test_the_95th_of_a_hundred() -> None:
    assert p95(sorted(range(1, 101))) == 95
    assert p95([7]) == 7


def test_nothing_measured_is_an_error() -> None:
    with pytest.raises(ValueError, match="nothing was measured"):
        row("package", "x", "ms", [])


def test_a_failed_section_is_in_the_table_and_in_the_status() -> None:
    made = document(failed=[{"section": "watchdog", "reason": "RuntimeError: it broke"}])
    assert "FAILED: RuntimeError: it broke" in report.table(made)
    assert "This section failed: RuntimeError: it broke" in report.page(made)
    assert not command.passed(made)


def test_a_bar_that_no_row_is_held_to_is_named() -> None:
    made = document(row("package", "deployment.zip", "MB", [7.0], "package"))
    assert f"NOT MEASURED: {BARS['memory'].text}" in report.table(made)
    assert "| **not measured** |" in report.page(made)
    assert not command.passed(made)


def test_a_missed_bar_fails_the_command() -> None:
    rows = [Row("package", name, bar.unit, 1, 1.0, 1.0, 1.0, name) for name, bar in BARS.items()]
    assert command.passed(document(*rows))
    rows[0] = row("handlers", "round trips", "calls", [3.0], "round-trips")
    assert not command.passed(document(*rows))
    assert "NOT MET" in report.table(document(*rows))


def test_one_section_measured_again_leaves_the_others() -> None:
    before = document(row("package", "zip", "MB", [7.0]), row("watchdog", "tick", "s", [1.0])) | {"quick": False}
    now = document(row("watchdog", "tick", "s", [2.0])) | {"quick": False}
    both = command.merged(before, now, ["watchdog"])
    assert [(entry["section"], entry["median"]) for entry in both["rows"]] == [("package", 7.0), ("watchdog", 2.0)]


def test_a_section_that_breaks_gives_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SECTIONS, "broken", ("no_such_module", "Broken", 30))
    rows, reason = command.run_section("broken", True)
    assert rows == []
    assert reason == "KeyError: 'broken'", "the section's process does not know it"
