"""One user's objects in S3: read and written several at once."""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.platform import aws, log

# At 8 MiB each; botocore keeps ten connections.
DOWNLOADS, UPLOADS = 6, 4


class RestoreFailed(Exception):
    """A snapshot exists but could not be restored: this container must not make a backup."""


@dataclass(frozen=True)
class Objects:
    """`prefix` is the user's own, with a slash at its end."""

    bucket: str
    prefix: str

    @property
    def s3(self) -> Any:
        return aws.client("s3")

    def pack(self, name: str) -> str:
        return f"{self.prefix}packs/{name}.pack"

    def get(self, key: str) -> bytes:
        """A whole object; once more if the connection broke off. Raises RestoreFailed."""
        try:
            return self._get(key)
        except BotoCoreError as error:
            log.failure("restore_interrupted", error)
        try:
            return self._get(key)
        except BotoCoreError as error:
            raise RestoreFailed(type(error).__name__) from None

    def _get(self, key: str) -> bytes:
        try:
            body: bytes = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
            return body
        except ClientError as error:
            raise RestoreFailed(error.response["Error"]["Code"]) from None

    def verified(self, key: str, sha256: str) -> bytes:
        """Raises RestoreFailed."""
        body = self.get(key)
        if hashlib.sha256(body).hexdigest() != sha256:
            raise RestoreFailed("damaged: checksum")
        return body

    def packs(self, names: Iterable[str], use: Callable[[str, bytes], None]) -> None:
        """Download packs, several at once, and call `use` from several threads. Raises RestoreFailed."""
        with _workers(DOWNLOADS) as pool:
            for future in [pool.submit(self._use, name, use) for name in names]:
                future.result()

    def _use(self, name: str, use: Callable[[str, bytes], None]) -> None:
        use(name, self.get(self.pack(name)))

    def put_packs(self, file: IO[bytes], names: Iterable[str], lengths: Iterable[int]) -> None:
        """Upload packs that lie one after the other in a file. Raises ClientError or BotoCoreError."""
        with _workers(UPLOADS) as pool:
            at, work = 0, []
            for name, length in zip(names, lengths, strict=True):
                work.append(pool.submit(self._put_part, file.fileno(), at, length, self.pack(name)))
                at += length
            for future in work:
                future.result()

    def _put_part(self, file: int, at: int, length: int, key: str) -> None:
        self.put(key, os.pread(file, length, at))

    def put(self, key: str, body: bytes) -> None:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)

    def listed(self) -> list[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def delete(self, key: str) -> None:
        self.s3.delete_object(Bucket=self.bucket, Key=key)


@contextmanager
def _workers(count: int) -> Iterator[ThreadPoolExecutor]:
    """After a failure nothing more begins."""
    pool = ThreadPoolExecutor(count, "objects")
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
