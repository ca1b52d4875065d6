"""Several conversations at once, and a message sent into a running turn, on the real gateway."""

import signal
import statistics
import time
from collections.abc import Iterator

import pytest

from local.stack import Stack
from tests.support.client import Client, eventually, text_of
from tests.support.faults import first_chunk, new_user
from tests.support.processes import kill, only_task, openclaw_of
from tests.support.tables import task_row

RESUMED = "Your previous turn was interrupted"
pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def client(stack: Stack) -> Iterator[Client]:
    for client in new_user(stack):
        client.ask("What is 1+1?")
        yield client


def uses_a_tool(client: Client, message_id: str) -> None:
    client.until(lambda f: f["type"] == "activity" and f["replyTo"] == message_id and f.get("state") == "start", 30)


def seconds_of(client: Client, text: str, conversation: str) -> float:
    begun = time.monotonic()
    client.answer(client.send(text, conversationId=conversation))
    return time.monotonic() - begun


def test_a_long_turn_does_not_hold_up_another_conversation(client: Client) -> None:
    """Before there were lanes the question waited for the whole long turn: 17 s."""
    seconds_of(client, "What is 1+2?", "b")
    alone = statistics.median(seconds_of(client, "What is 1+2?", "b") for _ in range(3))
    long = client.send("count to 700", conversationId="a")  # 14 s
    first_chunk(client, long)
    beside = statistics.median(seconds_of(client, "What is 1+2?", "b") for _ in range(3))
    print(f"\nalone {alone:.2f} s, beside a turn of 14 s {beside:.2f} s, {beside / alone:.2f} x")
    assert beside < max(1.5 * alone, alone + 0.5)
    assert not any(f["type"] == "stream_end" and f["replyTo"] == long for f in client.frames)
    assert [run["replyTo"] for run in client.rest("GET", "/status").json()["activeRuns"]] == [long]
    client.say({"action": "stop", "conversationId": "a"})
    end = client.until(lambda f: f["type"] == "stream_end" and f["replyTo"] == long)
    assert end["reason"] == "aborted"


def test_send_now_hands_a_waiting_message_to_the_running_turn(client: Client) -> None:
    working = client.send("run: sleep 4; echo done", conversationId="s")
    uses_a_tool(client, working)
    waiting = client.send("What is 7+7?", conversationId="s")
    client.until(lambda f: f["type"] == "ack" and f["id"] == waiting)
    client.say({"action": "steer", "id": waiting, "conversationId": "s"})
    end = client.until(lambda f: f["type"] == "stream_end" and f["replyTo"] == working)
    assert "= 14" in text_of(client.frames, end["runId"])
    closed = client.until(lambda f: f["type"] == "stream_end" and f["replyTo"] == waiting)
    assert closed["reason"] == "steered"
    rows = {row["messageId"]: row for row in client.history("s")}
    assert "= 14" in rows[f"{working}.answer"]["content"]
    assert (rows[f"{waiting}.answer"]["content"], rows[f"{waiting}.answer"]["reason"]) == ("", "steered")


def test_a_message_waits_by_default(client: Client) -> None:
    first = client.send("run: sleep 1; echo done", conversationId="w")
    uses_a_tool(client, first)
    second = client.send("What is 8+8?", conversationId="w")
    assert "= 16" in client.answer(second)
    ends = [f["replyTo"] for f in client.frames if f["type"] == "stream_end" and f["conversationId"] == "w"]
    assert ends == [first, second]


def test_stop_wins_over_a_message_that_was_sent_now(stack: Stack, client: Client) -> None:
    working = client.send("run: sleep 20; echo done", conversationId="x")
    uses_a_tool(client, working)
    waiting = client.send("What is 7+8?", conversationId="x")
    client.until(lambda f: f["type"] == "ack" and f["id"] == waiting)
    client.say({"action": "steer", "id": waiting, "conversationId": "x"})
    eventually(lambda: len(client.rest("GET", "/status").json().get("activeRuns", [])) == 2)
    client.say({"action": "stop", "conversationId": "x"})
    end = client.until(lambda f: f["type"] == "stream_end" and f["replyTo"] == working, 15)
    assert end["reason"] == "aborted"
    # What the stopped run had not taken in has a turn of its own, and shows no error.
    assert "= 15" in client.answer(waiting)
    assert not any(f["type"] == "stream_end" and f["reason"] == "error" for f in client.frames)


@pytest.mark.parametrize("victim", ["openclaw", "bridge"])
def test_turns_of_several_conversations_survive_a_crash(stack: Stack, client: Client, victim: str) -> None:
    """Each is answered once, whichever process dies under them."""
    sent = {name: client.send("count to 500", conversationId=f"{victim}-{name}") for name in ("a", "b", "c")}
    left = set(sent.values())
    writing: set[str] = set()
    while writing != left:
        writing.add(client.until(lambda f: f["type"] == "stream_chunk" and f["replyTo"] in left)["replyTo"])
    bridge = only_task(stack)
    kill(openclaw_of(bridge) if victim == "openclaw" else bridge, signal.SIGKILL)
    while left:
        end = client.until(lambda f: f["type"] == "stream_end" and f["replyTo"] in left, 90)
        assert end["reason"] == "final", end
        left.discard(end["replyTo"])
    for name, message_id in sent.items():
        rows = [row for row in client.history(f"{victim}-{name}") if row["role"] == "assistant"]
        assert [row["replyTo"] for row in rows] == [message_id]
        # OpenClaw resumes by itself, and tells the (demo) model so; a new container sends the message again.
        assert "499 500" in rows[0]["content"] or RESUMED in rows[0]["content"]
    assert not task_row(stack, client.user_id).get("activeRuns")
