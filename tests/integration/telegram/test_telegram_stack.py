"""Telegram end to end: the real webhook, inbox, Bridge and OpenClaw, with a stand-in for Telegram itself."""

import os
import re
import signal
import time
from itertools import pairwise

import pytest
import requests

from chalicelib.agents.containers import owner
from local.stack import Stack
from tests.support.client import Client, eventually
from tests.support.stacks import logs_of
from tests.support.telegram import Person


def code_of(client: Client) -> str:
    return str(client.rest("POST", "/link/generate-otp").json()["code"])


def paired(stack: Stack) -> tuple[Client, Person]:
    client, person = Client(stack), Person(stack)
    person.ask(f"/link {code_of(client)}", "Paired.", 20)
    return client, person


@pytest.fixture(scope="module")
def pair(stack: Stack) -> tuple[Client, Person]:
    """A web account and its Telegram account, for the tests that change nothing about the pairing."""
    return paired(stack)


def test_the_whole_way(stack: Stack) -> None:
    """Unpaired: told how. Paired: a cold answer under one status message, shared with the web. Unlinked: over."""
    person, client = Person(stack), Client(stack)
    before = len(stack.pids())
    person.ask("hello?", "/link 123456", 20)
    assert len(stack.pids()) == before
    assert client.rest("GET", "/link/status").json() == {"linked": False}

    person.ask(f"/link {code_of(client)}", "Paired.", 10)
    frame = client.until(lambda f: f["type"] == "link", 10)
    assert (frame["status"], frame["telegramName"]) == ("linked", "Ann")
    assert client.rest("GET", "/link/status").json() == {"linked": True, "telegramName": "Ann"}
    assert client.rest("GET", "/status").json()["telegramLinked"] is True

    person.say("What is 21*2?")
    person.ask("What is 22*2?", "22*2 = 44", 60)
    person.reply("21*2 = 42", 1)
    statuses = [m for m in person.everything() if m["versions"][0].startswith("⏳ Your agent is starting")]
    assert len(statuses) == 1, "one status message"
    assert len(statuses[0]["versions"]) >= 3, statuses[0]["versions"]  # starting, booting, ready
    eventually(lambda: not any(m.get("text", "").startswith(("⏳", "✅")) for m in person.messages()), 10)
    assert person.calls("sendChatAction"), "typing was shown"

    question = client.until(lambda f: f["type"] == "message" and f["content"] == "What is 21*2?", 10)
    assert "42" in client.answer(question["messageId"], 30)
    assert client.ask("What is 1234+4321?", 30).startswith("**1234+4321 = 5555")
    assert not any("5555" in text for text in person.texts()), "a message from the web shows only on the web"
    asked = [m["content"][:12] for m in client.history()][::2]
    assert asked == ["What is 21*2", "What is 22*2", "What is 1234"]

    assert client.rest("POST", "/link/unlink").json() == {"linked": False}
    client.until(lambda f: f["type"] == "link" and f["status"] == "unlinked", 10)
    person.reply("was unlinked on the web page", 10)
    person.ask("What is 3*3?", "answers only people who have paired", 10)
    assert client.rest("GET", "/status").json()["telegramLinked"] is False
    assert len(client.history()) == 6


def test_pairing_by_deep_link(stack: Stack) -> None:
    client, person = Client(stack), Person(stack)
    link = client.rest("POST", "/link/generate-otp").json()["deepLink"]
    token = re.fullmatch(rf"{stack.telegram_url}/demo_bot\?start=([A-Za-z0-9_-]{{22}})", link)
    assert token
    person.ask(f"/start {token[1]}", "Paired.", 10)
    Person(stack).ask(f"/start {token[1]}", "used already", 10)
    person.ask("/unlink", "unlink only on the web page", 10)


def test_a_long_answer_arrives_whole(pair: tuple[Client, Person]) -> None:
    """13,000 characters of headings, tables, lists, code and emoji: complete, formatted, no code cut."""
    client, person = pair
    begun = time.time()
    person.ask("show the long sample, fast please", "The end of the long sample", 90)
    answers = [m for m in person.messages() if m["date"] >= int(begun)]
    source = eventually(
        lambda: next((m["content"] for m in client.history(latest(client)) if "long sample." in m["content"]), None)
    )
    assert len(source) >= 12_000
    blocks = re.findall(r"```python\n(.*?)\n```", source, re.DOTALL)
    shown = [
        message["text"].encode("utf-16-le")[2 * e["offset"] : 2 * (e["offset"] + e["length"])].decode("utf-16-le")
        for message in answers
        for e in message["entities"]
        if e["type"] == "pre"
    ]
    code = [text.strip() for text in shown if text.strip().startswith("def ")]
    assert code == [block.strip() for block in blocks]
    assert sum(text.lstrip().startswith("hour") for text in shown) == source.count("| hour |")
    everything = "\n".join(message["text"] for message in answers)
    for word in re.findall(r"[\w’]+", re.sub(r"\(https?://\S+\)|```python|~~", " ", source)):
        assert word in everything, word
    kinds = {e["type"] for message in answers for e in message["entities"]}
    assert {"bold", "italic", "code", "pre", "text_link", "strikethrough", "blockquote"} <= kinds
    assert all(len(message["text"].encode("utf-16-le")) // 2 <= 4096 for message in answers)


def test_the_same_update_many_times(pair: tuple[Client, Person]) -> None:
    """Three times in a row and three times at once: one answer each."""
    client, person = pair
    first = person.say("What is 11*11?")
    person.reply("11*11 = 121")
    person.post("deliver", update=first)
    person.post("deliver", update=first)
    message = {"message_id": 1, "chat": {"id": person.chat_id, "type": "private"}, "text": "What is 12*12?"}
    message["from"] = {"id": person.user_id, "is_bot": False, "first_name": "Ann"}
    update = {"update_id": first["update_id"] + 500_000, "message": message}
    assert person.post("deliver", update=update, times=3) == [200, 200, 200]
    person.reply("12*12 = 144")
    time.sleep(2)
    for value in ("121", "144"):
        assert len([text for text in person.texts() if f"= {value}" in text]) == 1
        said = [m["content"] for m in client.history(latest(client)) if m["role"] == "assistant"]
        assert sum(f"= {value}" in content for content in said) == 1


def test_too_many_requests_in_mid_stream(pair: tuple[Client, Person]) -> None:
    """429 while an answer is being written: the wait is kept, and everything arrives."""
    _, person = pair
    begun = time.time()
    person.fault("editMessageText", count=2, retry_after=2)
    person.fault("sendMessage", count=1, retry_after=1)
    person.ask("count to 400", "399 400", 60)
    assert person.messages()[-1]["text"].startswith("1 2 3 ")
    edits = [at for at, _, _ in person.calls("editMessageText") if at > begun]
    assert len(edits) >= 4
    gaps = [b - a for a, b in pairwise(edits)]
    assert min(gaps) >= 0.95, "at most one edit a second"
    assert sorted(gaps)[-2] >= 1.95, "retry_after was kept"


def test_an_answer_lost_on_the_way_back_is_not_sent_twice(pair: tuple[Client, Person]) -> None:
    """The connection breaks after a send took effect: nobody knows, so it is not repeated; the rest follows."""
    _, person = pair
    number = len(person.messages())
    person.fault("sendMessage", lose_answer=True)
    person.say("count to 150")
    eventually(lambda: "149 150" in "".join(person.texts()[number:]), 40)
    text = " ".join(person.texts()[number:])
    numbers = [int(n) for n in re.findall(r"\b\d+\b", text.split("I am the built-in")[0])]
    assert numbers == list(range(1, 151))


def test_stop_new_status_and_help(pair: tuple[Client, Person]) -> None:
    client, person = pair
    person.ask("What is 1+3?", "1+3 = 4", 60)
    eventually(lambda: "activeRuns" not in client.rest("GET", "/status").json(), 20)
    person.ask("/help", "/new –", 10)
    person.ask("/status", "Your agent is awake", 10)
    person.ask("/stop", "Nothing is being written", 10)
    person.ask("count to 900", "1 2 3", 20)
    person.ask("/stop", "Stopped.", 10)
    eventually(lambda: any(m.get("reason") == "aborted" for m in client.history()), 15)

    person.ask("/new", "A new conversation starts", 10)
    person.ask("What is 7*8?", "7*8 = 56", 30)
    assert any("7*8" in m["content"] for m in client.history(latest(client, f"tg-p{person.chat_id}-")))
    assert not any("7*8" in m["content"] for m in client.history())


def test_groups_hear_only_what_is_meant_for_them(pair: tuple[Client, Person], stack: Stack) -> None:
    """In a group: only mentions, replies and strangers who mention; each topic is a conversation of its own."""
    client, person = pair
    group, other = Person(stack, -100777, person.user_id), Person(stack, -100777)
    mention = {"entities": [{"type": "mention", "offset": 0, "length": 9}]}
    group.say("nobody asked the bot")
    other.say("@demo_bot let me in", message=mention)
    group.reply("I do not know you yet", 10)
    topic = {"message_thread_id": 42, "is_topic_message": True}
    group.say("@demo_bot What is 4*4?", message=mention | topic)
    answer = group.reply("4*4 = 16", 30)
    assert (answer["message_thread_id"], "reply_to_message_id" in answer) == (42, True)
    assert len(group.messages()) == 2
    assert any("4*4" in m["content"] for m in client.history("tg-g100777-42"))


def test_edits_are_answered_only_when_asked(pair: tuple[Client, Person]) -> None:
    _, person = pair
    update = person.say("What is 2*3?")
    person.reply("2*3 = 6", 30)
    number = update["message"]["message_id"]
    person.say("What is 2*4?", edit=number)
    person.say("/again What is 2*5?", edit=number)
    person.reply("2*5 = 10", 30)
    assert not any("2*4" in text for text in person.texts())


def test_the_webhook_is_closed_without_its_secret(stack: Stack) -> None:
    url = f"{stack.url}/api/telegram"
    assert requests.post(url, json={"update_id": 1}, timeout=10).status_code == 401
    wrong = {"X-Telegram-Bot-Api-Secret-Token": "wrong"}
    assert requests.post(url, json={"update_id": 1}, headers=wrong, timeout=10).status_code == 401


def test_no_log_holds_the_token(stack: Stack, pair: tuple[Client, Person]) -> None:
    """The bot token, and what was said, are in no log; the agent's environment does not know of a bot."""
    _, person = pair
    token = token_of(stack)
    person.ask("run: printenv; echo all of it", "\nall of it", 40)
    assert "TELEGRAM" not in "".join(person.texts()).upper()
    for path in logs_of(stack):
        content = path.read_text(errors="replace")
        assert token not in content, path.name
        assert token.partition(":")[2] not in content, path.name


def token_of(stack: Stack) -> str:
    from local.resources import PARAMETER_PATH, Builder

    name = f"{PARAMETER_PATH}telegram-bot-token"
    client = Builder(stack.cloud_url, stack._data).client("ssm")
    return str(client.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"])


def test_a_kill_in_mid_answer(stack: Stack) -> None:
    """The container dies while the answer is being written: another one finishes it in the same messages."""
    client, person = paired(stack)
    person.ask("What is 1+1?", "1+1 = 2", 60)
    person.say("count to 300")
    person.reply("1 2 3", 30)
    kill_agent(stack, client)
    person.reply("299 300", 100)
    counted = [text for text in person.texts() if "1 2 3" in text]
    assert len(counted) == 1, "one answer, edited by the second container"
    saved = eventually(lambda: [m for m in client.history() if m["role"] == "assistant" and "299 300" in m["content"]])
    assert len(saved) == 1


def test_what_telegram_held_back_comes_after_a_restart(pair: tuple[Client, Person], stack: Stack) -> None:
    """Saved, but kept from the chat by a flood, and then the container dies: the next one sends it."""
    client, person = pair
    person.fault("sendMessage", retry_after=100, holding="19")
    person.say("What is 19*19?")
    eventually(lambda: any("= 361" in m["content"] for m in client.history(latest(client))), 30)
    kill_agent(stack, client)
    assert not any("= 361" in text for text in person.texts())
    client.ask("What is 1+1?", 90)
    person.reply("19*19 = 361", 10)
    assert len([text for text in person.texts() if "= 361" in text]) == 1


def latest(client: Client, prefix: str = "") -> str:
    listed = [str(c["conversationId"]) for c in client.rest("GET", "/conversations").json()["conversations"]]
    return next((name for name in listed if name.startswith(prefix)), "main")


def kill_agent(stack: Stack, client: Client) -> None:
    arn = next(arn for arn in stack.pids() if owner_of(stack, arn) == client.user_id)
    os.kill(stack.pids()[arn], signal.SIGKILL)


def owner_of(stack: Stack, arn: str) -> str:
    from local.resources import CLUSTER, Builder

    ecs = Builder(stack.cloud_url, stack._data).client("ecs")
    [task] = ecs.describe_tasks(cluster=CLUSTER, tasks=[arn])["tasks"]
    return str(owner(task)[0])
