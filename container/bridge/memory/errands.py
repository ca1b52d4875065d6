"""What the user asked for on the page: go back, export, import. One at a time, and each to its end."""

import subprocess
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

from botocore.exceptions import BotoCoreError, ClientError

from bridge.memory.archive import DAMAGED, Damaged
from bridge.memory.archiver import ArchiveFailed, failure
from bridge.memory.memory import Memory, Stopped
from bridge.memory.points import BEFORE_IMPORT, BEFORE_RESTORE, IMPORTED, Snapshot
from bridge.memory.returning import Returning
from bridge.memory.snapshots import RestoreFailed
from bridge.memory.transcripts import add_readable
from bridge.shared.rest import NotAtRest
from chalicelib.agents.memory import (
    DONE,
    EXPORT,
    FAILED,
    IMPORT,
    PENDING,
    RESTORE,
    Errand,
    Errands,
    export_key,
    import_key,
)
from chalicelib.agents.tasks import LeaseLost
from chalicelib.platform import aws, log
from chalicelib.wire.protocol import Frame

# How long it waits for the end of a turn; a helper's own limit.
REST_SECONDS, HELPER_SECONDS = 600.0, 600.0
Stream = int | IO[bytes]
EXPECTED = (RestoreFailed, Damaged, OSError, ClientError, BotoCoreError)


class Chores:
    """`stopped` runs something while OpenClaw is stopped; `tell` shows a frame to the user."""

    def __init__(self, user_id: str, memory: Memory, stopped: Stopped, tell: Callable[[Frame], None]) -> None:
        self._user_id = user_id
        self._memory = memory
        self._user = memory.snapshots.archiver.user
        self._bucket = memory.snapshots.objects.bucket
        self._stopped = stopped
        self._tell = tell
        self._errands = Errands()
        self._lock = threading.Lock()
        self._works = {RESTORE: self._restore, EXPORT: self._export, IMPORT: self._import}

    def wake(self) -> None:
        """Look for something to do. Does not block."""
        threading.Thread(target=self.run, name="errands", daemon=True).start()

    def before_restore(self) -> None:
        """At the start: if the user wants an older memory, that one is restored in the first place."""
        errand = self._pending()
        if errand is not None and errand.kind == RESTORE:
            self._finish(errand, lambda: self._choose(errand))

    def run(self) -> None:
        with self._lock:
            errand = self._pending()
            if errand is not None:
                self._finish(errand, lambda: self._at_rest(errand))

    def _pending(self) -> Errand | None:
        try:
            errand = self._errands.get(self._user_id)
        except Exception as error:  # noqa: BLE001  throttled or offline: it is found at the next wake or start
            log.failure("errand_unread", error)
            return None
        return errand if errand is not None and errand.status == PENDING else None

    def _finish(self, errand: Errand, work: Callable[[], str]) -> None:
        try:
            status, message = DONE, work()
        except LeaseLost:
            return  # the next task does it
        except EXPECTED as error:
            log.failure("errand_failed", error, kind=errand.kind)
            status, message = FAILED, str(error) if isinstance(error, RestoreFailed | Damaged) else type(error).__name__
        except Exception as error:  # noqa: BLE001  the user must hear of it
            log.failure("errand_failed", error, kind=errand.kind)
            status, message = FAILED, "INTERNAL"
        log.event("errand_ended", kind=errand.kind, status=status)
        self._tell(self._errands.end(self._user_id, errand, status, message).frame())

    def _at_rest(self, errand: Errand) -> str:
        until = time.monotonic() + REST_SECONDS
        while True:
            try:
                return self._works[errand.kind](errand)
            except NotAtRest as error:
                if time.monotonic() > until:
                    raise RestoreFailed("your agent is still answering") from None
                time.sleep(error.seconds)

    def _point(self, errand: Errand) -> Snapshot:
        for point in self._memory.snapshots.pointer().snapshots:
            if str(point.created_at) == errand.subject:
                return point
        raise RestoreFailed("there is no such restore point any more")

    def _choose(self, errand: Errand) -> str:
        snapshots = self._memory.snapshots
        point, before = self._point(errand), snapshots.pointer()
        snapshots.relabel(before, BEFORE_RESTORE)
        snapshots.return_to(point)
        return ""

    def _restore(self, errand: Errand) -> str:
        Returning(self._memory, self._stopped).go_back(self._point(errand))
        return ""

    def _export(self, errand: Errand) -> str:
        with tempfile.TemporaryFile() as file:
            self._help("bridge.memory.exporting", self._memory.root, stdout=file)
            with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
                add_readable(archive, self._user_id)
            file.seek(0)
            key = export_key(self._user_id, errand.id)
            aws.client("s3").put_object(Bucket=self._bucket, Key=key, Body=file, ContentType="application/zip")
        return ""

    def _import(self, errand: Errand) -> str:
        key = import_key(self._user_id, errand.subject)
        with tempfile.TemporaryFile() as file:
            try:
                body = aws.client("s3").get_object(Bucket=self._bucket, Key=key)["Body"]
            except ClientError as error:
                if error.response["Error"]["Code"] == "NoSuchKey":
                    raise RestoreFailed("the file was not uploaded") from None
                raise
            for chunk in body.iter_chunks(1 << 20):
                file.write(chunk)
            file.flush()

            file.seek(0)
            self._take_in(file)
        aws.client("s3").delete_object(Bucket=self._bucket, Key=key)
        return ""

    def _take_in(self, file: IO[bytes]) -> None:
        """Unpack next to the state directory first: a damaged file changes nothing and stops nothing."""
        root = self._memory.root
        staging = root.with_name(f"{root.name}-import")

        def put() -> None:
            done = self._user.run(["/bin/mv", "--", str(staging), str(root)])
            if done.returncode != 0:
                raise OSError("the files could not be moved")
            self._memory.snapshots.taken_in(root, IMPORTED)

        self._user.remove(staging)
        try:
            self._help("bridge.memory.importing", staging, stdin=file)
            self._memory.replace(BEFORE_IMPORT, put, self._stopped)
        finally:
            self._user.remove(staging)

    def _help(
        self, module: str, folder: Path, stdin: Stream = subprocess.DEVNULL, stdout: Stream = subprocess.PIPE
    ) -> None:
        """A helper of ours as the agent. Raises Damaged or ArchiveFailed."""
        process = self._user.start(self._user.python(module, str(folder)), stdin, stdout)
        try:
            done = self._user.finish(process, seconds=HELPER_SECONDS)
        except TimeoutError as error:
            raise ArchiveFailed(str(error)) from None
        if done.returncode == DAMAGED:
            raise Damaged(done.stderr.decode(errors="replace").strip())
        if done.returncode != 0:
            raise failure(module.rsplit(".", 1)[-1], done)
