"""The Control UI's way to the gateway: who signs in, what is cut, what may not reach the browser, and how it ends."""

import json
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web

from bridge.console import pieces
from bridge.console import tunnel as tunnels
from bridge.console.consoles import MOST, USED_FOR, Consoles
from bridge.console.noted import Unnoted
from chalicelib.wire.connections import Gone
from chalicelib.wire.console import TOO_MANY
from tests.support.client import eventually
from tests.support.fake_tasks import FakeClock
from tests.support.websockets import served

Json = dict[str, Any]
TUNNEL = "tunnel-1"
CONNECT = {"type": "req", "id": "1", "method": "connect", "params": {"auth": {"token": "mine"}, "device": {"id": "d"}}}


class Gateway:
    """Answers `secret` with both tokens, `busy` at the second try, `long` at length, and all else with "fine"."""

    def __init__(self) -> None:
        self.heard: list[Json] = []
        self.open = 0

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.open += 1
        await socket.send_str(json.dumps({"type": "event", "event": "connect.challenge"}))
        async for message in socket:
            asked = json.loads(message.data)
            self.heard.append(asked)
            await socket.send_str(self._answer(asked))
        self.open -= 1
        return socket

    def _answer(self, asked: Json) -> str:
        head = {"type": "res", "id": asked["id"]}
        tries = sum(one["id"] == asked["id"] for one in self.heard)
        if asked["method"] == "busy" and tries == 1:
            error = {"code": "UNAVAILABLE", "message": "busy unavailable during gateway suspension"}
            return json.dumps(head | {"ok": False, "error": error})
        said = {"secret": "the-token and the-proxy-token", "long": 'é"' * 90_000}.get(asked["method"], "fine")
        return json.dumps(head | {"ok": True, "payload": said}, ensure_ascii=False)


class Tab:
    """What a tab was sent; `gone`: it is closed."""

    def __init__(self) -> None:
        self.frames: list[Json] = []
        self.gone = False

    def to(self, connection_id: str, endpoint: str, frame: Json) -> None:
        if connection_id == "lost":
            return
        assert (connection_id, endpoint) == ("tab", "https://here")
        if self.gone:
            raise Gone(connection_id)
        assert len(json.dumps(frame, ensure_ascii=False).encode()) <= 128 * 1024
        self.frames.append(frame)

    def messages(self) -> list[Json]:
        """Whole ones, in order."""
        found, text = [], ""
        data = [frame for frame in self.frames if frame["kind"] == "data"]
        assert [frame["seq"] for frame in data] == list(range(1, len(data) + 1))
        for frame in data:
            text += frame["data"]
            if not frame["more"]:
                found.append(json.loads(text))
                text = ""
        return found

    def closed(self) -> list[int]:
        return [frame["code"] for frame in self.frames if frame["kind"] == "close"]


class Place:
    def __init__(self, url: str, gateway: Gateway) -> None:
        self.gateway, self.tab, self.clock = gateway, Tab(), FakeClock()
        port = int(url.rsplit(":", 1)[1].strip("/"))
        config: Any = SimpleNamespace(gateway_port=port, gateway_token="the-token", proxy_token="the-proxy-token")
        self.consoles = Consoles(config, self.tab, self.clock)
        self.seq = 0

    def frame(self, kind: str, tunnel: str = TUNNEL, **more: Any) -> None:
        where = {"connectionId": "tab", "endpoint": "https://here", "tunnel": tunnel}
        self.consoles.handle({"type": "console", "kind": kind, **where, **more})

    def say(self, message: Json) -> None:
        self.seq += 1
        self.frame("data", seq=self.seq, more=False, data=json.dumps(message))

    def ask(self, method: str) -> Json:
        """Its answer."""
        name = f"r{self.seq}"
        self.say({"type": "req", "id": name, "method": method, "params": {}})
        found: list[Json] = eventually(lambda: [one for one in self.tab.messages() if one.get("id") == name])
        return found[0]


@pytest.fixture
def place() -> Iterator[Place]:
    gateway = Gateway()
    with served(gateway.serve) as url:
        place = Place(url, gateway)
        yield place
        place.consoles.close()
        eventually(lambda: not place.consoles._tunnels and gateway.open == 0)


def opened(place: Place) -> Place:
    place.frame("open")
    place.say(CONNECT)
    eventually(lambda: place.gateway.heard)
    return place


def test_the_bridge_signs_in_for_the_page(place: Place) -> None:
    """The page's own token and device go nowhere."""
    params = opened(place).gateway.heard[0]["params"]
    assert params["auth"] == {"token": "the-token"}
    assert "device" not in params
    assert params["client"]["id"] == "gateway-client"


def test_no_token_reaches_the_browser(place: Place) -> None:
    assert opened(place).ask("secret")["payload"] == "[hidden] and [hidden]"


def test_a_long_message_is_cut_into_frames_that_fit(place: Place) -> None:
    assert opened(place).ask("long")["payload"] == 'é"' * 90_000
    assert len([frame for frame in place.tab.frames if frame.get("more")]) >= 2


def test_what_met_a_snapshot_is_asked_again(place: Place) -> None:
    answer = opened(place).ask("busy")
    assert answer["ok"] is True
    assert len([one for one in place.gateway.heard if one["method"] == "busy"]) == 2
    assert len([one for one in place.tab.messages() if one.get("id") == answer["id"]]) == 1


def test_what_cannot_be_noted_is_not_sent_and_the_page_is_told(place: Place) -> None:
    """Else the agent would remember what the history lacks. The tunnel goes on."""

    def note(request: str) -> None:
        if json.loads(request)["method"] == "chat.send":
            raise Unnoted

    place.consoles.note = note
    refused = opened(place).ask("chat.send")
    assert (refused["ok"], refused["error"]["code"]) == (False, "UNAVAILABLE")
    assert place.ask("echo")["payload"] == "fine"
    assert [one["method"] for one in place.gateway.heard] == ["connect", "echo"]


def test_connect_comes_first(place: Place) -> None:
    place.frame("open")
    place.say({"type": "req", "id": "1", "method": "config.get", "params": {}})
    eventually(place.tab.closed)
    assert place.gateway.heard == []
    eventually(lambda: place.gateway.open == 0)


def test_a_piece_may_overtake_the_opening(place: Place) -> None:
    place.say(CONNECT)
    place.frame("open")
    eventually(lambda: len(place.gateway.heard) == 1)
    assert place.gateway.open == 1


def test_a_tunnel_of_an_earlier_container_is_closed(place: Place) -> None:
    place.seq = 7
    place.say({"type": "req", "id": "8", "method": "echo"})
    eventually(place.tab.closed)
    assert place.gateway.open == 0


def test_it_ends_with_the_tab_and_with_the_page(place: Place) -> None:
    opened(place)
    place.frame("close")
    eventually(lambda: place.gateway.open == 0)
    assert place.tab.closed() == [], "the page has closed it itself"
    place.seq = 0
    opened(place)
    place.tab.gone = True
    place.say({"type": "req", "id": "2", "method": "echo"})
    eventually(lambda: place.gateway.open == 0)


def test_it_has_a_limit(place: Place) -> None:
    """Also for a first piece without its opening, which must not be tried for ever: the agent's link calls this."""
    for number in range(MOST):
        place.frame("open", f"tunnel-{number}")
    place.frame("open", "tunnel-5")
    place.frame("data", "tunnel-6", seq=1, more=False, data=json.dumps(CONNECT))
    eventually(lambda: place.tab.closed() == 2 * [TOO_MANY])
    eventually(lambda: place.gateway.open == MOST)
    place.consoles.close()
    eventually(lambda: place.gateway.open == 0)
    eventually(lambda: len(place.tab.closed()) == MOST + 2)


def test_the_oldest_of_another_tab_makes_room(place: Place) -> None:
    """A tab that was lost cannot close its own."""
    for number in range(MOST):
        where = {"connectionId": "lost", "endpoint": "https://here", "tunnel": f"tunnel-{number}"}
        place.consoles.handle({"type": "console", "kind": "open", **where})
    eventually(lambda: place.gateway.open == MOST)
    opened(place)
    eventually(lambda: place.gateway.open == MOST)
    assert ("lost", "tunnel-0") not in place.consoles._tunnels


def test_a_piece_that_does_not_come_ends_it(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "LATE_SECONDS", 0.5)
    opened(place)
    place.frame("data", seq=place.seq + 2, more=False, data="x")
    eventually(place.tab.closed)
    eventually(lambda: place.gateway.open == 0)


def test_what_waits_is_bounded_by_its_size(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tunnels, "WAITING_SIZE", 100)
    monkeypatch.setattr(tunnels.Tunnel, "_write", lambda *_: None)
    place.frame("open")
    place.frame("data", seq=1, more=False, data="x" * 90)
    assert place.tab.closed() == []
    place.frame("data", seq=2, more=False, data="x" * 90)
    eventually(place.tab.closed)


def test_one_that_is_closed_while_it_opens_leaves_nothing(place: Place) -> None:
    for number in range(20):
        place.frame("open", f"tunnel-{number:02}")
        place.frame("close", f"tunnel-{number:02}")
    eventually(lambda: not place.consoles._tunnels)
    eventually(lambda: place.gateway.open == 0)


def test_only_a_person_who_works_in_it_keeps_the_agent_awake(place: Place) -> None:
    """And what they change is saved."""
    saves: list[int] = []
    place.consoles.on_used = lambda: saves.append(1)
    opened(place).ask("echo")
    assert not place.consoles.used()
    assert saves == []
    place.frame("used")
    assert place.consoles.used()
    assert saves == [1]
    place.frame("close")
    eventually(lambda: saves == [1, 1])
    place.clock.step(USED_FOR)
    assert not place.consoles.used()


def test_the_link_of_the_agent_never_waits(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway that takes nothing: the tunnel ends, and no frame of the link has waited for it."""
    monkeypatch.setattr(tunnels, "WAITING", 3)
    never = threading.Event()
    monkeypatch.setattr(tunnels.Tunnel, "_write", lambda *_: never.wait(20))
    place.frame("open")
    for number in range(6):
        place.frame("data", seq=number + 1, more=False, data="x")
    eventually(place.tab.closed)
    never.set()


def test_what_is_fetched_by_http_is_answered_in_the_tunnel(place: Place) -> None:
    """The gateway's socket hears nothing of it; before `connect` there is none."""
    place.frame("open")
    place.say(CONNECT)
    fetch = {"type": "fetch", "id": "f1", "path": "/tools/invoke"}
    place.say(fetch)
    answer = eventually(lambda: [one for one in place.tab.messages() if one.get("id") == "f1"])[0]
    assert (answer["status"], answer["data"], answer["more"]) == (404, "", False)
    assert place.ask("anything")["ok"]
    assert [asked["method"] for asked in place.gateway.heard] == ["connect", "anything"]
    place.frame("data", "tunnel-2", seq=1, more=False, data=json.dumps(fetch))
    eventually(lambda: place.tab.closed())
