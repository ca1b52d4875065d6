"""`python -m bench --quick` measures for real: the cheap sections, in some seconds."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.bars import ROOT


@pytest.mark.parametrize("section", ["handlers", "snapshots", "answers"])
def test_a_section_gives_rows_of_the_right_shape(tmp_path: Path, section: str) -> None:
    out = tmp_path / "bench.json"
    command = [sys.executable, "-m", "bench", "--quick", "--only", section, "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=110)
    document = json.loads(out.read_text())
    assert document["failed"] == [], done.stdout + done.stderr
    assert {"cores", "python", "node", "openclaw", "load at the start", "load at the end"} <= set(document["machine"])
    assert document["rows"]
    for entry in document["rows"]:
        assert entry["section"] == section
        assert entry["unit"] in ("ms", "s", "calls", "MB", "×")
        assert 0 <= entry["median"] <= entry["p95"] <= entry["worst"]
        assert entry["name"] in done.stdout
