"""The stand-in for Lambda MicroVMs, on its own: real processes, its API by boto3, botocore's model on both sides."""

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError

from cdk import microvm_image
from local.cloud import microvm_api
from local.resources import REGION
from tests.support.client import eventually
from tests.support.cloud import Cloud
from tests.support.processes import alive

PAYLOAD = '{"userId": "ann"}'
ROLE = "arn:aws:iam::123456789012:role/task"
# In the place of the Bridge: it writes down its hooks, keeps a connection to the outside, one to itself, and a child.
PROGRAM = """
import http.server, json, os, socket, subprocess, sys, threading, time
out = socket.create_connection(("127.0.0.1", int(os.environ["OUTSIDE"])))
inner = socket.create_server(("127.0.0.1", 0))
mine = socket.create_connection(inner.getsockname())
other = inner.accept()[0]
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
notes = open(os.environ["NOTES"], "a")
def note(text):
    print(text, file=notes, flush=True)
def listen():
    try:
        got = out.recv(1)
    except OSError:
        got = b""
    mine.send(b"x")
    note(f"cut inside={other.recv(1)}")
threading.Thread(target=listen, daemon=True).start()
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        name = self.path.rsplit("/", 1)[1]
        note(f"{name} {child.pid} {body.decode()}")
        fails = os.path.exists(os.environ["NOTES"] + "." + name)
        self.send_response(503 if fails else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()
        if name == "terminate":
            threading.Timer(0.05, os._exit, [0]).start()
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["HOOKS_PORT"])), Handler).serve_forever()
"""


@pytest.fixture(scope="module")
def service(own: Cloud) -> Any:
    session = botocore.session.get_session()
    session.set_credentials("local", "local")
    return session.create_client("lambda-microvms", region_name=REGION, endpoint_url=own.url)


class Place:
    """An image of that program, and what its machines wrote down."""

    def __init__(self, folder: Path, service: Any) -> None:
        self.service, self.file = service, folder / "notes"
        self.outside = socket.create_server(("127.0.0.1", 0))
        (folder / "bridge.py").write_text(PROGRAM)
        told = {"PYTHONPATH": str(folder), "NOTES": str(self.file), "OUTSIDE": str(self.outside.getsockname()[1])}
        asked = microvm_image.request(f"image-{time.time_ns()}", "arn:base", ROLE, "s3://bucket/a.zip", told)
        asked["hooks"]["microvmHooks"] |= {"suspendTimeoutInSeconds": 1}
        self.image = service.create_microvm_image(**asked)["imageArn"]
        self.within(lambda: service.get_microvm_image(imageIdentifier=self.image)["state"] == "CREATED")

    @staticmethod
    def within(check: Any) -> Any:
        return eventually(check, 20, 0.02)

    def run(self, start: str = "first", **more: Any) -> str:
        asked = {"imageIdentifier": self.image, "clientToken": self.image[-24:] + start, "runHookPayload": PAYLOAD}
        return str(self.service.run_microvm(**asked, **more)["microvmId"])

    def state(self, name: str) -> str:
        return str(self.service.get_microvm(microvmIdentifier=name)["state"])

    def becomes(self, name: str, state: str) -> None:
        self.within(lambda: self.state(name) == state)

    def notes(self) -> list[list[str]]:
        return [line.split(" ", 2) for line in self.file.read_text().splitlines()]

    def hooks(self) -> list[str]:
        return [words[0] for words in self.notes()]


@pytest.fixture
def place(tmp_path: Path, service: Any) -> Iterator[Place]:
    found = Place(tmp_path, service)
    yield found
    for item in service.list_microvms(imageIdentifier=found.image)["items"]:
        service.terminate_microvm(microvmIdentifier=item["microvmId"])
        found.becomes(item["microvmId"], "TERMINATED")
    found.outside.close()


def refusal(call: Any) -> tuple[str, int]:
    with pytest.raises(ClientError) as error:
        call()
    return error.value.response["Error"]["Code"], error.value.response["ResponseMetadata"]["HTTPStatusCode"]


def stands_still(pid: str) -> bool:
    return (Path("/proc") / pid / "stat").read_text().rpartition(")")[2].split()[0] == "T"


def test_a_whole_life(place: Place) -> None:
    """Ready and validated before it has an owner; one machine for one token; frozen whole, and cut; it goes on."""
    name = place.run()
    assert place.run() == name
    place.becomes(name, "RUNNING")
    peer, _ = place.outside.accept()
    body = json.loads(place.notes()[-1][2])
    assert body == {"microvmId": name, "runHookPayload": PAYLOAD}
    place.service.suspend_microvm(microvmIdentifier=name)
    place.becomes(name, "SUSPENDED")
    child = place.notes()[-1][1]
    assert stands_still(child)
    assert peer.recv(1) == b""  # the other side sees the end of the connection
    place.service.suspend_microvm(microvmIdentifier=name)  # idempotent
    place.service.resume_microvm(microvmIdentifier=name)
    place.becomes(name, "RUNNING")
    place.within(lambda: place.hooks()[-1] == "resume" and "cut" in place.hooks())
    assert ["cut", "inside=b'x'"] in place.notes()
    assert not stands_still(child)
    place.service.terminate_microvm(microvmIdentifier=name)
    place.becomes(name, "TERMINATED")
    said = [hook for hook in place.hooks() if hook != "cut"]
    assert list(dict.fromkeys(said)) == ["ready", "validate", "run", "suspend", "resume", "terminate"]
    place.within(lambda: not alive(int(child)))
    peer.close()


def test_a_change_in_another_state_is_a_conflict(place: Place) -> None:
    name, service = place.run(), place.service
    place.becomes(name, "RUNNING")
    assert refusal(lambda: service.resume_microvm(microvmIdentifier=name)) == ("ConflictException", 409)
    assert refusal(lambda: service.get_microvm(microvmIdentifier="none")) == ("ResourceNotFoundException", 404)
    service.terminate_microvm(microvmIdentifier=name)
    place.becomes(name, "TERMINATED")
    assert refusal(lambda: service.suspend_microvm(microvmIdentifier=name)) == ("ConflictException", 409)


def test_a_hook_that_is_not_done_in_its_time_ends_the_machine(place: Place) -> None:
    name = place.run()
    place.becomes(name, "RUNNING")
    place.file.with_name("notes.suspend").touch()
    place.service.suspend_microvm(microvmIdentifier=name)
    place.becomes(name, "TERMINATED")
    assert "suspend" in place.service.get_microvm(microvmIdentifier=name)["stateReason"]


def test_it_lives_no_longer_than_it_was_asked_for(place: Place) -> None:
    """Also suspended."""
    name = place.run(maximumDurationInSeconds=2)
    place.becomes(name, "RUNNING")
    place.service.suspend_microvm(microvmIdentifier=name)
    place.becomes(name, "TERMINATED")


def test_the_list_has_pages_and_one_image(place: Place) -> None:
    names = [place.run(f"start-{number}") for number in range(2)]
    pages = place.service.get_paginator("list_microvms").paginate(
        imageIdentifier=place.image, PaginationConfig={"PageSize": 1}
    )
    assert [[item["microvmId"] for item in page["items"]] for page in pages] == [[name] for name in names]


def test_a_request_that_aws_would_refuse_is_refused() -> None:
    """botocore itself does not look at the longest, the pattern or the list of values."""
    model = botocore.session.get_session().get_service_model("lambda-microvms")
    shape = model.operation_model("RunMicrovm").input_shape
    good = {"imageIdentifier": "image", "maximumDurationInSeconds": 28_800}
    assert list(microvm_api.differences(shape, good, "request")) == []
    for bad in (
        {},
        good | {"maximumDurationInSeconds": 28_801},
        good | {"runHookPayload": "x" * 4097},
        good | {"executionRoleArn": "arn:aws:iam::1:user/x" + "x" * 20},
        good | {"surprise": 1},
        good | {"clientToken": 7},
    ):
        assert list(microvm_api.differences(shape, bad, "request")), bad
