"""One task from start to end: `python -m bridge`."""

import signal
import sys
import threading
from typing import Any

from bridge.agent import Agent
from bridge.config import BadConfiguration, load
from chalicelib import log


def main() -> int:
    stop = threading.Event()

    def ask(signum: int, _: Any) -> None:
        log.event("signal", number=signum)
        stop.set()

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    try:
        config = load()
    except BadConfiguration as error:
        log.event("bad_configuration", reason=str(error))
        return 2
    return Agent(config, stop).run()


if __name__ == "__main__":
    sys.exit(main())
