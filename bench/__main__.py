"""`make bench`: measures everything, prints a table, writes build/bench.json.

`--docs` also writes docs/benchmarks.json and docs/benchmarks.md. `--only NAME` (may be repeated)
measures some sections and keeps the last results of the others. `--quick` makes few runs.
The status is 1 when a section failed, a bar was missed, or (in a full run) a bar was not measured.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench import machine, report
from bench.bars import BARS, ROOT
from bench.registry import SECTIONS
from local.tools import ToolError, install

OUT = ROOT / "build" / "bench.json"
PAGE, DATA = ROOT / "docs" / "benchmarks.md", ROOT / "docs" / "benchmarks.json"
Json = dict[str, Any]


def main(arguments: list[str] | None = None) -> int:
    options = _options(arguments)
    if not options.quick:
        try:
            install(lambda text: print(f"  … {text}", flush=True))
        except ToolError as error:
            print(f"The tools could not be installed: {error}", file=sys.stderr)
            return 2
    document = measure(options.only or list(SECTIONS), options.quick)
    before = DATA if options.docs else options.out
    if options.only and before.exists():
        document = merged(json.loads(before.read_text()), document, options.only)
    document["unmeasured"] = unmeasured(document)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    print(report.table(document))
    if options.docs:
        DATA.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
        PAGE.write_text(report.page(document))
    return 0 if passed(document) else 1


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--docs", action="store_true")
    parser.add_argument("--only", action="append", choices=sorted(SECTIONS))
    parser.add_argument("--out", type=Path, default=OUT)
    return parser.parse_args(arguments)


def measure(sections: list[str], quick: bool) -> Json:
    """Run sections one after the other; what failed is in the document too."""
    document: Json = {
        "machine": machine.describe(),
        "quick": quick,
        "rows": [],
        "failed": [],
        "seconds": {},
        "loads": {},
        "dates": {},
    }
    for name in sections:
        begun, document["loads"][name] = time.monotonic(), machine.load()
        document["dates"][name] = machine.now()
        print(f"  … {name}: {SECTIONS[name][1]}", flush=True)
        rows, reason = run_section(name, quick)
        document["rows"] += rows
        if reason:
            print(f"    FAILED: {reason}", flush=True)
            document["failed"].append({"section": name, "reason": reason})
        document["seconds"][name] = round(time.monotonic() - begun, 1)
    document["machine"]["load at the end"] = machine.load()
    return document


def run_section(name: str, quick: bool) -> tuple[list[Json], str]:
    """A section's rows, and why it failed."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        out = Path(folder) / "rows.json"
        command = [sys.executable, "-m", "bench.section", name, str(out), *(["--quick"] if quick else [])]
        log = Path(folder) / "stderr"
        with open(log, "wb") as errors:
            try:
                status = subprocess.run(
                    command, cwd=ROOT, env=environment(), stderr=errors, check=False, timeout=SECTIONS[name][2]
                ).returncode
            except subprocess.TimeoutExpired:
                return [], f"not finished in {SECTIONS[name][2]} s"
        if status != 0 or not out.exists():
            said = log.read_text(errors="replace").strip()
            print(said[-3000:], file=sys.stderr)
            return [], (said.splitlines() or [f"status {status}"])[-1][:300]
        rows: list[Json] = json.loads(out.read_text())
        return rows, ""


def environment() -> dict[str, str]:
    """What a section sees: nothing of the caller's AWS, and the stage of the local stand-in."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    path = os.pathsep.join([str(ROOT), str(ROOT / "container")])
    own = {"STAGE": "local", "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"}
    own |= {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_EC2_METADATA_DISABLED": "true"}
    return kept | own | {"PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}


def merged(before: Json, now: Json, sections: list[str]) -> Json:
    """The last run with some sections measured again."""
    kept = [entry for entry in before["rows"] if entry["section"] not in sections]
    failed = [entry for entry in before["failed"] if entry["section"] not in sections]
    rows = sorted(kept + now["rows"], key=lambda entry: list(SECTIONS).index(entry["section"]))
    more = {"rows": rows, "failed": failed + now["failed"], "seconds": before["seconds"] | now["seconds"]}
    for name in ("loads", "dates"):
        more[name] = before.get(name, {}) | now.get(name, {})
    return before | more | {"quick": before["quick"] or now["quick"]}


def unmeasured(document: Json) -> list[str]:
    """Bars that no row is held against, once every section has run."""
    if not set(SECTIONS) <= set(document["seconds"]):
        return []
    held = {entry["bar"] for entry in document["rows"]}
    return [name for name in BARS if name not in held]


def passed(document: Json) -> bool:
    missed = [entry for entry in document["rows"] if entry.get("met") is False]
    return not missed and not document["failed"] and not document["unmeasured"]


if __name__ == "__main__":
    sys.exit(main())
