"""A cold start, run in a fresh interpreter: `python -S first_call.py SPEC` prints its times as JSON.

SPEC is JSON: path (the folders before the standard library), function and event (none: import only).
This file imports only modules that Lambda's own bootstrap imports too.
"""

import json
import os
import sys
import time


class Context:
    function_name = "bench"
    aws_request_id = "bench"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 29_000


def main(spec: str) -> None:
    asked = json.loads(spec)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # the functions log to stdout
    sys.path[:0] = asked["path"]
    begun, cpu = time.perf_counter(), time.process_time()
    import app

    imported, imported_cpu = time.perf_counter(), time.process_time()
    times = {"import": imported - begun, "import_cpu": imported_cpu - cpu}
    if asked["event"] is not None:
        function = app.app if asked["function"] == "api_handler" else getattr(app, asked["function"])
        answer = function(asked["event"], Context())
        times["first"] = time.perf_counter() - imported
        times["first_cpu"] = time.process_time() - imported_cpu
        if isinstance(answer, dict) and int(answer.get("statusCode", 200)) >= 300:
            raise RuntimeError(f"{asked['function']} answered {answer['statusCode']}")
    answers.write(json.dumps(times))
    answers.flush()


if __name__ == "__main__":
    main(sys.argv[1])
