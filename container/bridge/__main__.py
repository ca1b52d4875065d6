"""`python -m bridge`: OpenClaw loads while the modules of the Bridge do."""

import os
import sys

from bridge.openclaw.loading import begin
from bridge.shared.installed import installed


def main() -> int:
    microvm = os.environ.get("RUNTIME") == "microvm"
    loading = begin(installed(), copied=microvm)  # in this thread: it lives to the end
    try:
        if microvm:
            from bridge.microvm import live

            return live(loading)
        from bridge.task import main as task

        return task(loading)
    finally:
        if loading is not None:
            loading.discard()


if __name__ == "__main__":
    sys.exit(main())
