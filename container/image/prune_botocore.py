"""Removes from botocore's data what the Bridge does not use: most of its size, and much of its memory.

Descriptions of other services, and in those that stay the texts for people, which botocore would
read into memory; from the list of endpoints, the other services' too.
"""

import gzip
import json
import shutil
import sys
from pathlib import Path
from typing import Any

USED = {"apigatewaymanagementapi", "bedrock-runtime", "dynamodb", "s3", "scheduler", "ssm", "sso-oidc", "sts"}
# The names in endpoints.json of services with another prefix.
PREFIXES = USED | {"execute-api", "bedrock", "oidc"}


def without_texts(value: Any) -> Any:
    """The same description with empty documentation: in places botocore needs the name to be there."""
    if isinstance(value, dict):
        # A shape may have a member of that name: then it is no text but a reference.
        return {
            name: "" if name == "documentation" and isinstance(part, str) else without_texts(part)
            for name, part in value.items()
        }
    return [without_texts(part) for part in value] if isinstance(value, list) else value


def shorten(path: Path) -> None:
    document = json.loads(gzip.decompress(path.read_bytes()))
    path.write_bytes(gzip.compress(json.dumps(without_texts(document), separators=(",", ":")).encode(), mtime=0))


def limit_endpoints(path: Path) -> None:
    document = json.loads(path.read_text())
    for partition in document["partitions"]:
        services = partition["services"]
        partition["services"] = {name: services[name] for name in services if name in PREFIXES}
    path.write_text(json.dumps(document, separators=(",", ":")))


def main(folder: str) -> int:
    removed = 0
    for path in sorted(Path(folder).iterdir()):
        if path.is_dir() and path.name not in USED:
            shutil.rmtree(path)
            removed += 1
    for path in sorted(Path(folder).glob("*/*/service-2.json.gz")):
        shorten(path)
    for path in sorted(Path(folder).glob("*/*/examples-1.json*")):
        path.unlink()
    limit_endpoints(Path(folder) / "endpoints.json")
    print(f"removed {removed} services, kept {sorted(p.name for p in Path(folder).iterdir() if p.is_dir())}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
