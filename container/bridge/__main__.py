"""`python -m bridge`: OpenClaw loads while the modules of the Bridge do."""

import sys

from bridge.openclaw.loading import begin
from bridge.shared.installed import installed


def main() -> int:
    loading = begin(installed())  # in this thread: it lives to the end
    try:
        from bridge.task import run

        return run(loading)
    finally:
        if loading is not None:
            loading.discard()


if __name__ == "__main__":
    sys.exit(main())
