"""The web page: built, uploaded, told which system it belongs to, refreshed at the edge."""

import json
import mimetypes
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ops.cloud import Cloud, Problem
from ops.console import fetched, put_together
from ops.steps import ROOT

FRONTEND = ROOT / "frontend"
# Vite puts a hash of the content into these file names.
FOR_EVER, NEVER = "public, max-age=31536000, immutable", "no-cache"


def need_node() -> None:
    """Raises Problem when the page can neither be built nor was built before."""
    if shutil.which("npm") is None and not (FRONTEND / "dist" / "index.html").exists():
        raise Problem("Node.js with npm is needed to build the web page: install Node.js 24 and try again.")


def build() -> Path:
    """Build the page, or use an existing build if there is no npm. Raises RuntimeError, NoConsole."""
    if shutil.which("npm") is not None:
        for arguments in (["ci", "--no-audit", "--no-fund"], ["run", "build"]):
            done = subprocess.run(["npm", *arguments], cwd=FRONTEND, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise RuntimeError(f"npm {arguments[0]} failed: {(done.stderr or done.stdout).strip()[-800:]}")
        with tempfile.TemporaryDirectory() as folder:
            put_together(fetched(Path(folder)), FRONTEND / "dist")
    return FRONTEND / "dist"


def config(cloud: Cloud, values: Mapping[str, str]) -> dict[str, Any]:
    """config.json: nothing in it is secret, everyone who opens the page reads it."""
    return {
        "apiUrl": values["api/rest-url"].rstrip("/"),
        "websocketUrl": values["websocket-url"].rstrip("/"),
        "region": cloud.region,
        "userPoolId": values["auth/user-pool-id"],
        "userPoolClientId": values["auth/client-id"],
        "selfSignUp": values["auth/self-sign-up"] == "true",
        "telegramBot": values.get("telegram-bot-username"),
        "pushKey": values.get("vapid-public-key"),
        "notice": None,
    }


def upload(cloud: Cloud, site: Path, values: Mapping[str, str]) -> None:
    """Assets before the page that names them; older assets stay for tabs that are open."""
    s3, bucket = cloud.client("s3"), values["web/bucket"]
    files = sorted((path for path in site.rglob("*") if path.is_file()), key=lambda path: path.name == "index.html")
    settings = json.dumps(config(cloud, values), indent=1).encode()
    s3.put_object(Bucket=bucket, Key="config.json", Body=settings, ContentType="application/json", CacheControl=NEVER)
    for path in files:
        key = path.relative_to(site).as_posix()
        kind = mimetypes.guess_type(key)[0] or "application/octet-stream"
        if key.endswith(".webmanifest"):
            kind = "application/manifest+json"
        cache = FOR_EVER if key.startswith(("assets/", "sandbox/assets/", "console/assets/")) else NEVER
        s3.put_object(Bucket=bucket, Key=key, Body=path.read_bytes(), ContentType=kind, CacheControl=cache)
    cloud.client("cloudfront").create_invalidation(
        DistributionId=values["web/distribution-id"],
        InvalidationBatch={"Paths": {"Quantity": 1, "Items": ["/*"]}, "CallerReference": str(time.time_ns())},
    )
