"""The agent never holds a key: everything its own shell can reach is searched for it.

Needs root to switch users; the container and CI have it.
"""

import base64
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import botocore.session
import pytest
import zstandard

from local.resources import BUCKET, REGION
from local.stack import Stack
from tests.support.client import Client, eventually
from tests.support.models import demo_model
from tests.support.processes import only_task
from tests.support.stacks import running

AGENT = 10002
KEY = f"sk-live-{uuid.uuid4().hex}"
# A pattern that does not match itself: the search must not find its own command line.
SEARCH = r"""n='s[k]-live-'
echo environment $(printenv | grep -c "$n")
echo files $(grep -rla "$n" ~ 2>/dev/null | wc -l)
echo temporary $(find /tmp /var/tmp /dev/shm -type f -user $(id -u) -exec grep -la "$n" {} + 2>/dev/null | wc -l)
echo environs $(cat /proc/[0-9]*/environ 2>/dev/null | grep -ca "$n")
echo cmdlines $(cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\000' ' ' | grep -ca "$n")
echo searched $(ls -A ~ | wc -l) $(ls -d /proc/[0-9]* | wc -l) as $(id -u)"""
pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.skipif(os.geteuid() != 0, reason="switching users needs root, which the container has"),
]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    disks = Path(tempfile.mkdtemp(prefix="agents-"))
    disks.chmod(0o711)
    with demo_model(DEMO_KEY=KEY) as url:
        provider = {"OPENAI_BASE_URL": url, "OPENAI_API_KEY": KEY, "MODEL": "demo"}
        yield from running(tmp_path_factory.mktemp("stack"), AGENT_UID=str(AGENT), LOCAL_TASKS=str(disks), **provider)
    shutil.rmtree(disks, ignore_errors=True)


@pytest.fixture(scope="module")
def client(stack: Stack) -> Iterator[Client]:
    client = Client(stack)
    yield client
    client.close()


def search() -> str:
    """The script in one line, as the demo's tool takes it."""
    return f"echo {base64.b64encode(SEARCH.encode()).decode()} | base64 -d | sh"


def test_the_model_answers_and_no_byte_of_its_key_is_in_reach(stack: Stack, client: Client) -> None:
    assert "42" in client.ask("What is 6*7?"), "the provider refuses calls without the key"
    shown = client.ask(f"run: {search()}")
    found = {line.split()[0]: line.split()[1:] for line in shown.splitlines() if len(line.split()) > 1}
    assert found["searched"][-1] == str(AGENT), shown
    assert int(found["searched"][0]) > 0, shown
    for place in ("environment", "files", "temporary", "environs", "cmdlines"):
        assert found[place] == ["0"], shown


def test_the_search_would_find_it(client: Client) -> None:
    """The same search, with a key planted where the agent can read it."""
    client.ask("run: printf 'sk-%s-planted' live > planted.txt")
    shown = client.ask(f"run: {search()}; rm planted.txt")
    assert "files 1" in shown


def test_the_bridge_holds_it_in_memory_only(stack: Stack, client: Client) -> None:
    client.ask("What is 1+1?")
    bridge = only_task(stack)
    for name in ("environ", "cmdline"):
        assert KEY.encode() not in Path(f"/proc/{bridge}/{name}").read_bytes()
    denied = client.ask(f"run: head -c1 /proc/{bridge}/mem 2>&1; echo status $?")
    assert "Permission denied" in denied


def test_no_log_and_no_snapshot_holds_it(
    stack: Stack, client: Client, tmp_path_factory: pytest.TempPathFactory
) -> None:
    client.ask("What is 2+2?")
    client.rest("POST", "/stop-agent")
    eventually(lambda: not stack.pids(), 40)
    session = botocore.session.get_session()
    session.set_credentials("local", "local")
    s3 = session.create_client("s3", region_name=REGION, endpoint_url=stack.cloud_url)
    objects = [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
    whole = b""
    for key in objects:
        stored = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        whole += stored
        if key.endswith((".pack", ".manifest")):
            with zstandard.ZstdDecompressor().stream_reader(stored, read_across_frames=True) as reader:
                whole += reader.read()
    assert b"MODEL_PROXY_TOKEN" in whole, "the packs hold openclaw.json, and were read"
    assert b"workspace/" in whole, "the manifests name files, and were read"
    half = len(KEY) // 2  # a border between two chunks may cut it
    assert [part for part in (KEY[:half], KEY[half:]) if part.encode() in whole] == []
    logs = list(tmp_path_factory.getbasetemp().rglob("*.log"))
    assert logs
    assert [log.name for log in logs if KEY.encode() in log.read_bytes()] == []
