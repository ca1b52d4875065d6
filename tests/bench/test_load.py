"""A small load with kills passes its own checks; docs/load.md is what the printer makes of a stored run."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.bars import ROOT
from bench.load import checks, report
from bench.load.__main__ import DATA, MICROVM_DATA, PAGE
from bench.load.chaos import Sample
from bench.load.checks import Check
from bench.load.ledger import Ledger, Sent


def test_the_page_is_what_the_printer_makes_of_the_stored_run() -> None:
    stored: Any = json.loads(DATA.read_text())
    second: Any = json.loads(MICROVM_DATA.read_text())
    assert PAGE.read_text() == report.page(stored, second)
    assert [check["name"] for check in second["checks"] if not check["ok"]] == []
    assert second["counts"]["resumed"] > 0
    assert [check["name"] for check in stored["checks"] if not check["ok"]] == []
    assert (stored["asked"]["users"], stored["asked"]["minutes"]) == (200, 10)


def test_the_ledger_knows_what_each_tab_saw() -> None:
    ledger = Ledger()
    sent = ledger.add(Sent("message-1", "token", "web", "main", cold=False))
    end = {"type": "stream_end", "replyTo": "message-1", "reason": "final"}
    ledger.heard(1, {"type": "ack", "id": "message-1"})
    assert sent.accepted
    assert ledger.open() == [sent]
    for tab in (1, 2, 2):
        ledger.heard(tab, end)
    assert ledger.open() == []
    assert ledger.finals == {(1, "message-1"): 1, (2, "message-1"): 2}


def test_a_failed_promise_is_named_once_with_what_failed() -> None:
    found = [Check("none is lost", True, "0 of 3 lost"), Check("none is lost", False, "1 of 4 lost")]
    assert checks.merged(found) == [Check("none is lost", False, "1 of 4 lost")]


def test_a_process_that_grows_is_seen() -> None:
    samples = [Sample(float(n), 100, 200 + 10 * n, 300, 1) for n in range(20)]
    verdicts = {check.name: check.ok for check in checks.of_memory(samples, 100)}
    assert verdicts["the API does not grow"]
    assert not verdicts["the function instances do not grow"]


@pytest.mark.timeout(300)
def test_a_small_load_with_kills(tmp_path: Path) -> None:
    out = tmp_path / "load.json"
    command = [sys.executable, "-m", "bench.load", "--users", "4", "--minutes", "0.4", "--live", "3", "--real", "0"]
    command += ["--kill-every", "8", "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(out.read_text())
    assert result["counts"]["people"] == 4
    assert result["counts"]["messages accepted"] > 4
