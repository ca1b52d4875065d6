"""The work on a user's questions: one thread, one job after the other, and what fails for a while is tried again."""

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from bridge.openclaw.gateway import GatewayClosed, GatewayError
from bridge.shared.aws_errors import aws_passing
from chalicelib.platform import log

RETRY_SECONDS, RETRY_MOST = 2.0, 60.0  # doubled with each try, up to the second


def passing(error: Exception) -> bool:
    """Whether another try may go well."""
    return error.passing if isinstance(error, GatewayError) else aws_passing(error)


@dataclass(frozen=True)
class Job:
    """`name`: of two jobs with one name that wait for their retry, one is kept. `given_up`: after a final failure."""

    name: str
    run: Callable[[], None]
    given_up: Callable[[], None] | None = None
    tries: int = 0

    @property
    def pause(self) -> float:
        """Seconds before its next try."""
        return float(min(RETRY_SECONDS * 2 ** min(self.tries, 20), RETRY_MOST))


class Jobs:
    """Jobs may be put from any thread. A job that fails does not hold up the others."""

    def __init__(self) -> None:
        self._todo: queue.Queue[Job | None] = queue.Queue()
        self._due: set[str] = set()  # names of jobs that wait for their retry
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="questions", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def put(self, name: str, run: Callable[[], None], given_up: Callable[[], None] | None = None) -> None:
        self._todo.put(Job(name, run, given_up))

    def later(self, seconds: float, name: str, run: Callable[[], None]) -> None:
        self._after(seconds, lambda: self.put(name, run))

    def stop(self, seconds: float) -> None:
        """End with what was put so far; waits that long for it."""
        self._todo.put(None)
        if self._thread.is_alive():
            self._thread.join(seconds)

    def _work(self) -> None:
        while (job := self._todo.get()) is not None:
            try:
                job.run()
            except GatewayClosed:
                continue  # the next connection begins with the list
            except Exception as error:  # noqa: BLE001  one question that cannot be read must not end the others
                log.failure("question_failed", error, job=job.name, tries=job.tries)
                self._failed(job, error)

    def _failed(self, job: Job, error: Exception) -> None:
        if passing(error):
            self._again(job)
        elif job.given_up is not None:
            self.put(f"{job.name} given up", job.given_up)

    def _again(self, job: Job) -> None:
        with self._lock:
            if job.name in self._due:
                return
            self._due.add(job.name)

        def again() -> None:
            with self._lock:
                self._due.discard(job.name)
            self._todo.put(replace(job, tries=job.tries + 1))

        self._after(job.pause, again)

    @staticmethod
    def _after(seconds: float, run: Callable[[], None]) -> None:
        timer = threading.Timer(seconds, run)
        timer.daemon = True
        timer.start()
