"""The first process of a MicroVM (container/microvm), as root in a network of its own with a metadata service in it."""

import json
import os
import shutil
import subprocess
import sys
from typing import Any

import pytest

from local.stack import ROOT

PROGRAM = ROOT / "container" / "microvm" / "closed.py"
pytestmark = [
    pytest.mark.timeout(60),
    pytest.mark.skipif(os.geteuid() != 0, reason="a network namespace needs root, which CI has"),
    pytest.mark.skipif(shutil.which("ip") is None, reason="iproute2 makes the network"),
]
# A neighbour has the service's address: one of our own would be found before any rule is asked.
NETWORK = """
import json, os, socket, subprocess, sys, time
sys.path.insert(0, os.path.dirname(sys.argv[1]))
import closed
def ip(*words): subprocess.run(["ip", *words], check=True)
there = subprocess.Popen(["unshare", "-n", "sleep", "60"])
while os.readlink(f"/proc/{there.pid}/ns/net") == os.readlink("/proc/self/ns/net"): time.sleep(0.01)
ip("link", "add", "name", "near", "type", "veth", "peer", "name", "far", "netns", str(there.pid))
ip("addr", "add", "10.9.0.1/24", "dev", "near")
ip("link", "set", "near", "up")
def beyond(*words): return ["nsenter", "-t", str(there.pid), "-n", *words]
for words in ("addr add 10.9.0.2/24 dev far", "addr add 169.254.169.254/32 dev far", "link set far up"):
    subprocess.run(beyond("ip", *words.split()), check=True)
ip("route", "add", "169.254.0.0/16", "via", "10.9.0.2")
SERVER = '''
import socket
listener = socket.create_server(("169.254.169.254", 80))
print("ready", flush=True)
while True:
    listener.accept()[0].sendall(b"secret")
'''
server = subprocess.Popen(beyond(sys.executable, "-c", SERVER), stdout=subprocess.PIPE)
server.stdout.readline()
def asked(user):
    inner, outer = os.pipe()
    if os.fork() == 0:
        closed.become(user)
        try:
            with socket.socket() as connection:
                connection.settimeout(5)
                connection.connect(("169.254.169.254", 80))
                said = connection.recv(16).decode()
        except OSError as error:
            said = type(error).__name__
        os.write(outer, said.encode())
        os._exit(0)
    os.wait()
    return os.read(inner, 99).decode()
def everybody(): return [asked(user) for user in (0, 10001, 10002)]
try:
    found = {"before": everybody()}
    try:
        closed.check(10002)
    except closed.Open as error:
        found["open"] = str(error)
    shell = "id -u; grep CapBnd /proc/self/status; echo $METADATA_CLOSED"
    start = [sys.executable, sys.argv[1], "10002", "10001"]
    found["unable"] = subprocess.run([*start, "/bin/echo", "x"], env={"PATH": "/"}, capture_output=True).returncode
    done = subprocess.run([*start, "/bin/sh", "-c", shell], capture_output=True, text=True)
    found |= {"status": done.returncode, "said": done.stdout.split(), "errors": done.stderr, "after": everybody()}
finally:
    server.kill()
    there.kill()
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def found() -> Any:
    command = ["unshare", "-n", sys.executable, "-c", NETWORK, str(PROGRAM)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=50)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_only_the_agents_user_is_kept_from_the_metadata_service(found: Any) -> None:
    assert found["before"] == ["secret"] * 3
    assert found["after"] == ["secret", "secret", "PermissionError"], found["errors"]


def test_the_bridge_has_no_rights_but_to_become_the_agent(found: Any) -> None:
    user, _, bounding, program = found["said"]
    assert (found["status"], user, program) == (0, "10001", str(PROGRAM))
    assert int(bounding, 16) == 1 << 6 | 1 << 7  # SETGID and SETUID


def test_an_open_service_ends_it(found: Any) -> None:
    """It sees that the agent's user gets through, and without the means to change that nothing else starts."""
    assert "user 10002 can reach one of 169.254.169.254" in found["open"]
    assert found["unable"] != 0
