"""Files that the agent gives, on the real gateway: the same bytes on the page and in the chat, once; named if not."""

import hashlib
import json

import pytest
import requests

from local.stack import Stack
from tests.integration.outbox.test_said import call, proactive
from tests.integration.telegram.test_telegram_stack import paired
from tests.support.client import Client, Frame, eventually
from tests.support.telegram import Person

pytestmark = pytest.mark.timeout(180)
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SIZES = {"small.bin": 1_000, "medium.pdf": 1_000_000, "large.zip": 20_000_000}


@pytest.fixture(scope="module")
def pair(stack: Stack) -> tuple[Client, Person]:
    client, person = paired(stack)
    client.ask("What is 1+1?")
    return client, person


def made(command: str, *names: str) -> str:
    """A message that has the agent run a command and give files."""
    lines = "; ".join(f"echo 'MEDIA:{name}'" for name in names)
    return call("exec", command=f"{command}; echo Here:; {lines}")


def answered(client: Client, asked: str) -> Frame:
    return client.until(lambda f: f["type"] == "stream_end" and f.get("replyTo") == asked, 90)


def fetched(client: Client, file: Frame) -> requests.Response:
    link = client.rest("GET", f"/files/{file['id']}").json()
    assert link["expiresInSeconds"] <= 900
    answer = requests.get(link["url"], timeout=30)
    assert answer.status_code == 200
    return answer


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def documents(person: Person) -> dict[str, Frame]:
    return {m["document"]["file_name"]: m["document"] for m in person.messages() if "document" in m}


def test_the_same_bytes_everywhere(pair: tuple[Client, Person]) -> None:
    client, person = pair
    command = "; ".join(f"head -c {size} /dev/urandom > {name}" for name, size in SIZES.items())
    person.say(made(f"{command}; sha256sum {' '.join(SIZES)} > sums.txt", *SIZES, "sums.txt"))
    question = client.until(lambda f: f["type"] == "message" and f["role"] == "user" and "sums.txt" in f["content"], 10)
    end = answered(client, question["messageId"])
    assert {file["name"] for file in end["files"]} == {*SIZES, "sums.txt"}
    files = {file["name"]: file for file in end["files"]}
    lines = [line.split() for line in fetched(client, files["sums.txt"]).text.splitlines()]
    sums = {name: expected for expected, name in lines}
    for name, size in SIZES.items():
        answer = fetched(client, files[name])
        assert (len(answer.content), digest(answer.content)) == (size, sums[name])
        assert answer.headers["Content-Disposition"].startswith("attachment; ")
        assert files[name]["sizeBytes"] == size

    row = next(row for row in client.history() if row["messageId"] == end["messageId"])
    assert row["files"] == end["files"]
    eventually(lambda: len(documents(person)) == 4, 30)
    for name, about in documents(person).items():
        assert name == "sums.txt" or digest(person.download(about["file_id"])) == sums[name]
    assert len([m for m in person.messages() if "document" in m]) == 4


def test_hostile_and_missing_files(pair: tuple[Client, Person]) -> None:
    client, _ = pair
    command = (
        "echo '<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>' > e.svg; "
        "echo '<script>1</script>' > e.html; : > zero.txt; "
        f"echo {PNG} | base64 -d > dot.png; head -c 101000000 /dev/zero > huge.bin"
    )
    asked = client.send(made(command, "./e.svg", "./e.html", "./zero.txt", "./dot.png", "./nothing.pdf", "./huge.bin"))
    end = answered(client, asked)
    files = {file["name"]: file for file in end["files"]}
    assert set(files) == {"e.svg", "e.html", "zero.txt", "dot.png"}
    for name, kind in {
        "e.svg": "octet-stream",
        "e.html": "octet-stream",
        "zero.txt": "plain",
        "dot.png": "png",
    }.items():
        assert fetched(client, files[name]).headers["Content-Type"].endswith(kind)
    row = next(row for row in client.history() if row["messageId"] == end["messageId"])
    assert "“nothing.pdf” could not be sent: it is not there." in row["content"]
    assert "“huge.bin” could not be sent: it is larger than 100 MB." in row["content"]
    assert end["length"] == len(row["content"])


def test_nobody_else_gets_a_file(stack: Stack, pair: tuple[Client, Person]) -> None:
    client, _ = pair
    file = next(row for row in client.history() if row.get("files"))["files"][0]
    assert Client(stack).rest("GET", f"/files/{file['id']}").status_code == 404
    for wrong in ("0" * 32, "..", "x" * 32, "%2e%2e%2f"):
        assert client.rest("GET", f"/files/{wrong}").status_code in (403, 404)


def test_a_file_of_the_message_tool(pair: tuple[Client, Person]) -> None:
    client, person = pair
    client.ask(call("exec", command="echo tea > tea.txt"))
    asked = client.send(call("message", action="send", message="By the way: a list.", media="./tea.txt"))
    said = proactive(client, "a list")
    client.answer(asked)
    [file] = said["files"]
    assert (file["name"], fetched(client, file).content) == ("tea.txt", b"tea\n")
    eventually(lambda: "tea.txt" in documents(person), 10)


def test_the_workspace_by_rest(stack: Stack, pair: tuple[Client, Person]) -> None:
    """As the last snapshot has it: the container is stopped before."""
    client, _ = pair
    client.ask(call("exec", command="mkdir -p notes; echo green > notes/tea.txt; ln -sf /etc/hostname notes/link"))

    def folder() -> Frame | None:
        root = client.rest("GET", "/workspace").json()
        return next((one for one in root["entries"] if one["name"] == "notes"), None)

    notes = eventually(folder, 30)
    client.rest("POST", "/stop-agent")
    eventually(lambda: client.rest("GET", "/status").json()["status"] == "Idle", 40)
    inside = client.rest("GET", f"/workspace/{notes['id']}").json()
    assert [(one["name"], one["kind"]) for one in inside["entries"]] == [("link", "link"), ("tea.txt", "file")]
    ready = client.rest("POST", f"/workspace/{inside['entries'][1]['id']}").json()
    assert requests.get(ready["url"], timeout=10).content == b"green\n"
    assert client.rest("POST", f"/workspace/{inside['entries'][0]['id']}").status_code == 404
    large = next(one for one in client.rest("GET", "/workspace").json()["entries"] if one["name"] == "large.zip")
    content = requests.get(client.rest("POST", f"/workspace/{large['id']}").json()["url"], timeout=30).content
    assert len(content) == SIZES["large.zip"]
    assert json.dumps(inside).isascii()
