"""One section as a process: `python -m bench.section NAME OUT [--quick]` writes its rows to OUT."""

import json
import os
import sys
import tempfile
from pathlib import Path

from bench.registry import Options, find
from local.processes import die_with_parent


def main(arguments: list[str]) -> int:
    name, out = arguments[0], Path(arguments[1])
    die_with_parent()
    terminal = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the measured code logs there
    with tempfile.TemporaryDirectory(prefix=f"bench-{name}-") as folder:
        options = Options(
            "--quick" in arguments, Path(folder), lambda text: print(f"    {text}", file=terminal, flush=True)
        )
        rows = find(name)(options)
    out.write_text(json.dumps([entry.to_json() for entry in rows]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
