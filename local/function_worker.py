"""One Lambda instance: loads the app once, then answers one event at a time (a JSON line each)."""

import json
import os
import sys
from typing import Any

from local.processes import die_with_parent


class Context:
    """What Chalice reads of a Lambda context."""

    function_name = "local"
    aws_request_id = "local"
    log_group_name = log_stream_name = ""
    memory_limit_in_mb = "512"
    function_version = "$LATEST"
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:local"

    def get_remaining_time_in_millis(self) -> int:
        return 29_000


def main() -> None:
    die_with_parent()
    # Handlers print their logs to stdout, so the answers need a separate channel.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    import app

    handlers = {"api_handler": app.app}
    print(json.dumps({"event": "function_ready", "pid": os.getpid()}), file=sys.stderr, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        handler: Any = handlers.get(request["function"]) or getattr(app, request["function"])
        try:
            answer = {"result": handler(request["event"], Context())}
        except Exception as error:  # noqa: BLE001  Lambda answers any exception with an error object
            print(json.dumps({"event": "function_error", "error": repr(error)}), file=sys.stderr, flush=True)
            answer = {"error": type(error).__name__}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
