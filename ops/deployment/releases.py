"""The deployed releases of the application: code and template in the data bucket, named by content.

No lifecycle rule removes them, because a rollback needs the previous release, however old it is.
"""

import hashlib
from typing import Any

from ops.cloud import Cloud, pages

FOLDER = "releases/"
KEPT = 10  # of each kind
BATCH = 1000  # objects in one DeleteObjects


def upload(cloud: Cloud, bucket: str, content: bytes, kind: str) -> str:
    """Upload and return the key. An existing object is sent again, so that the deployed one is among the newest."""
    key = f"{FOLDER}{hashlib.sha256(content).hexdigest()}.{kind}"
    cloud.client("s3").put_object(Bucket=bucket, Key=key, Body=content)
    return key


def url(cloud: Cloud, bucket: str, key: str) -> str:
    """The address by which CloudFormation reads a template."""
    return f"https://{bucket}.s3.{cloud.region}.amazonaws.com/{key}"


def forget(cloud: Cloud, bucket: str) -> int:
    """Remove all but the newest; how many. Only after a deployment that went well: the newest is then the live one."""
    s3 = cloud.client("s3")
    found: dict[str, list[Any]] = {}
    for entry in pages(s3, "list_objects_v2", "Contents", Bucket=bucket, Prefix=FOLDER):
        found.setdefault(entry["Key"].split(".", 1)[-1], []).append(entry)
    old = [
        {"Key": entry["Key"]}
        for entries in found.values()
        for entry in sorted(entries, key=lambda entry: entry["LastModified"], reverse=True)[KEPT:]
    ]
    for start in range(0, len(old), BATCH):
        s3.delete_objects(Bucket=bucket, Delete={"Objects": old[start : start + BATCH], "Quiet": True})
    return len(old)
