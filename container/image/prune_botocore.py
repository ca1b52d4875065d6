"""Removes botocore's descriptions of services that the Bridge does not call (most of its size)."""

import shutil
import sys
from pathlib import Path

USED = {"apigatewaymanagementapi", "bedrock-runtime", "dynamodb", "s3", "ssm", "sso-oidc", "sts"}


def main(folder: str) -> int:
    removed = 0
    for path in sorted(Path(folder).iterdir()):
        if path.is_dir() and path.name not in USED:
            shutil.rmtree(path)
            removed += 1
    print(f"removed {removed} services, kept {sorted(p.name for p in Path(folder).iterdir() if p.is_dir())}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
