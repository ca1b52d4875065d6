"""The Bot API client against the stand-in over HTTP, and the command that joins a bot to a deployment."""

import contextlib
import json
import threading
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from chalicelib.messages.inbox import Message
from chalicelib.platform import aws
from chalicelib.platform.secrets import KEEP, KEEP_MISSING, Secrets, read
from chalicelib.platform.settings import Settings
from chalicelib.telegram.api import BotApi, Flood, NotSent, Rejected, TelegramError, Unknown
from chalicelib.telegram.links import Links
from chalicelib.telegram.rows import Statuses
from ops import telegram
from tests.support.bot_apis import BOT
from tests.support.fake_tables import FakeClock
from tests.support.world import World


@pytest.fixture
def api(server: str) -> BotApi:
    requests.post(f"{server}/_local/say", json={"chatId": 7, "text": "hello"}, timeout=5)
    return BotApi(BOT, server)


def fault(server: str, **fields: object) -> None:
    requests.post(f"{server}/_local/fault", json=fields, timeout=5).raise_for_status()


def test_a_call_and_its_refusals(api: BotApi, server: str) -> None:
    sent = api.call("sendMessage", chat_id=7, text="hi", message_thread_id=None)
    assert sent["text"] == "hi"
    with pytest.raises(Rejected, match="message text is empty"):
        api.call("sendMessage", chat_id=7, text=" ")
    with pytest.raises(Rejected, match="too long"):
        api.call("sendMessage", chat_id=7, text="😀" * 2049)
    with pytest.raises(Rejected) as info:
        api.call("editMessageText", chat_id=7, message_id=sent["message_id"], text="hi")
    assert info.value.unchanged
    bad = [{"type": "bold", "offset": 1, "length": 1}]
    with pytest.raises(Rejected, match="can't parse entities"):
        api.call("sendMessage", chat_id=7, text="😀", entities=bad)
    fault(server, method="sendMessage", retry_after=3)
    with pytest.raises(Flood) as flood:
        api.call("sendMessage", chat_id=7, text="hi")
    assert flood.value.retry_after == 3


def test_what_happened_and_what_may_have(api: BotApi, server: str) -> None:
    """A refused connection is known to be nothing; a lost answer and a 502 are not."""
    with pytest.raises(NotSent):
        BotApi(BOT, "http://127.0.0.1:9").call("getMe")
    fault(server, method="sendMessage", lose_answer=True)
    with pytest.raises(Unknown):
        api.call("sendMessage", chat_id=7, text="lost answer")
    fault(server, method="sendMessage", status=502, description="Bad Gateway")
    with pytest.raises(Unknown):
        api.call("sendMessage", chat_id=7, text="hi")


@contextlib.contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    """A server that gives every call this answer."""

    class Somebody(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Somebody) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("body", [b"<html>", b"[1]", b"[" * 20_000], ids=["html", "list", "deep"])
@pytest.mark.parametrize("status", [200, 502])
def test_an_answer_that_is_not_the_bot_apis_says_nothing(body: bytes, status: int) -> None:
    with answering(status, body) as url, pytest.raises(Unknown):
        BotApi(BOT, url).call("getMe")


REFUSED = {"ok": False, "error_code": 400, "description": "Bad Request: message to delete not found"}
FLOOD = {"ok": False, "error_code": 429, "description": "Too Many Requests", "parameters": {"retry_after": 4}}


@pytest.mark.parametrize(
    ("body", "error"),
    [(REFUSED, Rejected), (FLOOD, Flood), ({"ok": False, "error_code": 502}, Unknown), ({"ok": False}, Unknown)],
)
def test_a_refusal_is_known_by_its_body(body: object, error: type[TelegramError]) -> None:
    """The Bot API documents `ok` and `error_code`, not the status: telegram-test-api refuses with 200."""
    with answering(200, json.dumps(body).encode()) as url, pytest.raises(error) as info:
        BotApi(BOT, url).call("deleteMessage")
    assert getattr(info.value, "retry_after", 4) == 4
    assert getattr(info.value, "status", 400) == 400


def test_files_both_ways(api: BotApi, server: str) -> None:
    message = api.call("sendDocument", files={"document": ("a.txt", b"content")}, chat_id=7)
    file_id = message["document"]["file_id"]
    assert api.download(file_id) == b"content"
    with pytest.raises(Rejected):
        api.download(file_id, limit=3)
    with pytest.raises(Rejected):
        api.download("unknown")


def test_no_error_holds_the_token(api: BotApi, server: str) -> None:
    """A Bot API URL holds the token, and `requests` writes URLs into its exceptions."""
    faults: list[tuple[BotApi, str]] = [(BotApi(BOT, "http://127.0.0.1:9"), "getMe"), (api, "noSuchMethod")]
    fault(server, method="getMe", lose_answer=True)
    for client, method in [*faults, (api, "getMe")]:
        with pytest.raises(TelegramError) as info:
            client.call(method)
        chain, error = "", info.value
        while error is not None:
            chain += f"{error!r} {error}"
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)  # type: ignore[assignment]
        assert "very-secret" not in chain
    assert "very-secret" not in repr(api)


def test_the_page_is_only_for_this_machine(server: str) -> None:
    answer = requests.get(f"{server}/", timeout=5)
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert requests.get(f"{server}/", headers={"Host": "evil.example"}, timeout=5).status_code == 421
    form = {"Content-Type": "text/plain"}
    assert requests.post(f"{server}/_local/say", data="{}", headers=form, timeout=5).status_code == 415
    assert requests.get(f"{server}/bot1:x/getMe", timeout=5).status_code == 401


def test_ops_set_and_check(
    cloud: str, server: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`set` makes what is missing; `check` sees what is wrong, here that nobody serves the webhook."""
    path = "/serverless-openclaw/opstest/"
    monkeypatch.setenv("TELEGRAM_API_URL", server)
    url = "http://127.0.0.1:9/telegram"
    assert telegram.main(["set", "--stage", "opstest", "--url", url]) == 1
    assert "BotFather" in capsys.readouterr().out
    aws.client("ssm").put_parameter(Name=f"{path}telegram-bot-token", Value=BOT, Type="SecureString")
    assert telegram.main(["check", "--stage", "opstest", "--url", url]) == 1
    assert "the webhook is not set" in capsys.readouterr().out
    assert telegram.main(["set", "--stage", "opstest", "--url", url]) == 0
    info = BotApi(BOT, server).call("getWebhookInfo")
    assert (info["url"], info["allowed_updates"], info["max_connections"]) == (url, telegram.ALLOWED_UPDATES, 10)
    assert {"callback_query", "message_reaction"} <= set(telegram.ALLOWED_UPDATES)
    values = read(path)
    assert values["telegram-bot-username"] == "demo_bot"
    assert len(values["telegram-webhook-secret"]) >= 32
    assert telegram.main(["check", "--stage", "opstest", "--url", url]) == 1
    out = capsys.readouterr().out
    assert out.splitlines()[-2] == "- the webhook does not answer (ConnectionError)"
    assert "very-secret" not in out
    assert values["telegram-webhook-secret"] not in out
    assert telegram.main(["delete", "--stage", "opstest"]) == 0


def test_a_start_that_is_given_up_leaves_no_status_message(cloud: str, server: str) -> None:
    """The chat hears that it will not be answered; "your agent is starting" is not said any more."""
    path, user = f"/serverless-openclaw/giveup-{uuid.uuid4().hex}/", f"user-{uuid.uuid4().hex}"
    aws.client("ssm").put_parameter(Name=f"{path}telegram-bot-token", Value=BOT, Type="SecureString")
    links = Links(World().dispatch, Settings({"PARAMETER_PATH": path, "TELEGRAM_API_URL": server}))
    place = {"chatId": 8, "chat": "p8", "messageId": 1, "userId": 8}
    first, second = (Message(user, name, "hi", "main", 0, "telegram", [], {"telegram": place}) for name in "ab")
    assert Statuses().claim(user, "p8", place)
    requests.post(f"{server}/_local/say", json={"chatId": 8, "text": "hi"}, timeout=5)
    status = BotApi(BOT, server).call("sendMessage", chat_id=8, text="⏳ Your agent is starting.")["message_id"]
    assert Statuses().sent(user, "p8", place, status)
    for message in (first, second):
        links.give_up(message, "It did not start.")
    shown = requests.get(f"{server}/_local/chat?id=8", timeout=5).json()
    assert [m["deleted"] for m in shown if m["message_id"] == status] == [True]
    assert [m["text"] for m in shown if m["mine"] and not m["deleted"]] == ["It did not start."] * 2
    links.give_up(Message(user, "c", "hi", "main", 0), "nothing to say to a chat that it did not come from")


def test_secrets_are_read_in_one_call_and_kept() -> None:
    clock, calls, values = FakeClock(), [], {"a": "1"}

    def fetch(path: str) -> dict[str, str]:
        calls.append(path)
        return dict(values)

    secrets = Secrets("/x/", fetch, clock)
    assert [secrets.get("a"), secrets.get("a"), secrets.get("b")] == ["1", "1", ""]
    assert calls == ["/x/"]
    values |= {"a": "2", "b": "3"}
    clock.step(KEEP_MISSING + 1)
    assert (secrets.get("a"), len(calls)) == ("1", 1)
    assert (secrets.get("b"), len(calls)) == ("3", 2)
    assert secrets.get("a") == "2"
    clock.step(KEEP + 1)
    secrets.get("a")
    assert len(calls) == 3
    assert "2" not in repr(secrets)


def test_files_of_every_kind_and_an_album(api: BotApi, server: str) -> None:
    """The stand-in keeps to the Bot API's rules for what the Bridge sends."""
    png = b"\x89PNG" + b"x" * 96
    for kind in ("photo", "video", "audio", "voice", "animation", "document"):
        sent = api.call(f"send{kind.capitalize()}", {kind: ("보고서.png", png)}, chat_id=7, caption="a caption")
        about = sent[kind][0] if kind == "photo" else sent[kind]
        assert (about["file_name"], sent["caption"]) == ("보고서.png", "a caption")
        found = requests.get(f"{server}/_local/file?id={about['file_id']}", timeout=5)
        assert found.content == png
    media = [{"type": "photo", "media": "attach://file0"}, {"type": "video", "media": "attach://file1"}]
    parts = {"file0": ("a.png", png), "file1": ("b.mp4", b"film")}
    album = api.call("sendMediaGroup", parts, chat_id=7, media=media)
    assert len({one["media_group_id"] for one in album}) == 1
    refused = {
        "wrong number": (media[:1], parts),
        "can't be mixed": ([media[0], {"type": "document", "media": "attach://file1"}], parts),
        "is missing": (media, {"file0": parts["file0"]}),
        "non-empty": (media, parts | {"file1": ("b.mp4", b"")}),
    }
    for reason, (items, files) in refused.items():
        with pytest.raises(Rejected, match=reason):
            api.call("sendMediaGroup", files, chat_id=7, media=items)
    with pytest.raises(Rejected, match="413"):
        api.call("sendPhoto", {"photo": ("a.png", png + bytes(10_000_000))}, chat_id=7)
