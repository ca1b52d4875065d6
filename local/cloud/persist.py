"""Saves the data that must survive a restart: tables and users in a snapshot, S3 objects as files.

SSM (it contains keys) and ECS (its tasks end with this process) are not saved. The snapshot is a pickle of
moto's own objects. It names moto's version, and only that version loads it.
"""

import io
import os
import pickle
import time
import urllib.parse
from pathlib import Path
from typing import Any

import moto
from joserfc.jwk import RSAKey
from moto.cognitoidp.models import cognitoidp_backends
from moto.dynamodb.models import dynamodb_backends
from moto.s3.models import s3_backends

ACCOUNT = "123456789012"


class _Pickler(pickle.Pickler):
    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, RSAKey):
            return RSAKey.import_key, (value.as_dict(private=True),)
        return NotImplemented


class Store:
    """One data folder of one region."""

    def __init__(self, folder: Path, region: str) -> None:
        self._folder = folder
        self._file = folder / f"cloud-{moto.__version__}.pickle"
        self._objects = folder / "objects"
        self._region = region

    def load(self) -> None:
        """Load the last snapshot and the stored objects, if there are any."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self._file.exists():
            state = pickle.loads(self._file.read_bytes())  # noqa: S301  our own file, mode 0600
            dynamodb_backends[ACCOUNT][self._region].tables.update(state["tables"])
            cognitoidp_backends[ACCOUNT][self._region].user_pools.update(state["pools"])
        for bucket in sorted(self._objects.glob("*")):
            self._load_bucket(bucket)

    def snapshot(self) -> bytes:
        """The current tables and users. The caller must hold the locks, so that nobody writes during the copy."""
        state = {
            "tables": dynamodb_backends[ACCOUNT][self._region].tables,
            "pools": cognitoidp_backends[ACCOUNT][self._region].user_pools,
        }
        buffer = io.BytesIO()
        _Pickler(buffer, protocol=pickle.HIGHEST_PROTOCOL).dump(state)
        return buffer.getvalue()

    def write(self, snapshot: bytes) -> None:
        """Write it to disk; the file is replaced atomically. This may take seconds on a busy disk."""
        temporary = self._file.with_suffix(".new")
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(snapshot)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._file)

    def _load_bucket(self, folder: Path) -> None:
        backend = s3_backends[ACCOUNT]["aws"]
        backend.create_bucket(folder.name, self._region)
        for path in folder.iterdir():
            if not path.name.endswith(".new"):
                backend.put_object(folder.name, urllib.parse.unquote(path.name), path.read_bytes())

    def mirror(self, bucket: str, key: str) -> None:
        """Make the file of one object equal to what moto holds."""
        path = self._objects / bucket / urllib.parse.quote(key, safe="")
        found = s3_backends[ACCOUNT]["aws"].buckets.get(bucket)
        stored = found.keys.get(key) if found is not None else None
        if stored is None:
            path.unlink(missing_ok=True)
            return
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = path.with_name(path.name + ".new")
        temporary.write_bytes(stored.value)
        temporary.replace(path)

    def prune(self, bucket: str) -> None:
        """Delete the files of objects that are gone: after a call that deletes many."""
        for path in (self._objects / bucket).glob("*"):
            self.mirror(bucket, urllib.parse.unquote(path.name))

    def sweep(self) -> int:
        """Delete expired rows at once (DynamoDB's TTL: within days). Returns how many were deleted."""
        swept = 0
        now = time.time()
        for table in dynamodb_backends[ACCOUNT][self._region].tables.values():
            name = (table.ttl or {}).get("AttributeName")
            if not name:
                continue
            for item in list(table.all_items()):
                due = item.attrs.get(name)
                if due is not None and float(due.value) < now:
                    table.delete_item(item.hash_key, item.range_key)
                    swept += 1
        return swept
