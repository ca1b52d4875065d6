"""Snapshots at rest, with the real gateway: what it answers while it is fenced, and what it calls busy."""

import json
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from bridge.openclaw.gateway import Gateway
from bridge.openclaw.process import OpenClaw
from bridge.openclaw.suspension import suspended
from bridge.shared.rest import NotAtRest
from local.stack import ROOT
from tests.support.bridge_parts import custom, make_config, proxied
from tests.support.client import eventually

pytestmark = pytest.mark.timeout(90)


@pytest.fixture(scope="module")
def openclaw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenClaw]:
    command, env = [sys.executable, "-m", "local.demo_model"], os.environ | {"DEMO_TOOLS": "1"}
    model = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
    assert model.stdout is not None
    route = custom(f"http://127.0.0.1:{json.loads(model.stdout.readline())['port']}/v1")
    config = make_config(tmp_path_factory.mktemp("openclaw") / "home", route)
    with proxied(config.routes, token=config.proxy_token) as proxy:
        openclaw = OpenClaw(config, proxy.url)
        openclaw.start()
        yield openclaw
        openclaw.stop()
    model.kill()
    model.wait()
    model.stdout.close()


def gateway_of(openclaw: OpenClaw) -> Gateway:
    assert openclaw.gateway is not None
    return openclaw.gateway


def at_rest(openclaw: OpenClaw) -> bool:
    try:
        with suspended(openclaw):
            return True
    except NotAtRest:
        return False


def rested(openclaw: OpenClaw) -> None:
    eventually(lambda: at_rest(openclaw), 20, every=1)  # it may be asked 30 times a minute


@contextmanager
def still(openclaw: OpenClaw) -> Iterator[float]:
    """A suspension that began, and when its last try did: OpenClaw's own work after a start may come in between."""
    begun = 0.0

    def entered() -> bool:
        nonlocal begun
        begun = time.monotonic()
        try:
            stack.enter_context(suspended(openclaw))
        except NotAtRest:
            return False
        return True

    with ExitStack() as stack:
        eventually(entered, 20, every=1)
        yield begun


def test_a_request_that_meets_a_suspension_waits_for_its_end(openclaw: OpenClaw) -> None:
    """Whatever asks: a turn, a title, a setting."""
    answers: list[bool] = []
    gateway = gateway_of(openclaw)
    asking = threading.Thread(target=lambda: answers.append("hash" in gateway.request("config.get", {})))
    with still(openclaw):
        asking.start()
        time.sleep(0.5)
        assert not answers
    asking.join(5)
    assert answers == [True]


def test_a_turn_is_no_rest(openclaw: OpenClaw) -> None:
    gateway = gateway_of(openclaw)
    gateway.request("chat.send", {"sessionKey": "rest", "message": "run: sleep 2", "idempotencyKey": uuid.uuid4().hex})
    for _ in range(3):
        assert not at_rest(openclaw)
        time.sleep(0.5)
    rested(openclaw)


def test_the_copy_at_rest_takes_a_moment_and_the_gateway_goes_on(openclaw: OpenClaw) -> None:
    with still(openclaw) as begun:
        assert time.monotonic() - begun < 1
    gateway_of(openclaw).request("chat.history", {"sessionKey": "rest"})
    assert time.monotonic() - begun < 1


def test_a_gateway_that_ended_is_not_at_rest(openclaw: OpenClaw) -> None:
    """Its last turn may have been cut off."""
    openclaw.stop()
    with pytest.raises(NotAtRest, match="connection"), suspended(openclaw):
        pass
    openclaw.start()
