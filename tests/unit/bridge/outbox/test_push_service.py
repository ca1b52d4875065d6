"""A push is encrypted, signed and sent as RFC 8030, 8291 and 8292 say, and to no address inside."""

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from bridge.outbox.push_service import PushService, Unreachable, encrypted, public_address
from chalicelib.people.devices import Device
from chalicelib.platform.vapid import PRIVATE, new_key, public_of
from local.push_crypto import Browser, Refused, check_signature, decode
from local.push_service import Subscription

KEY = new_key()
# The example of RFC 8291, appendix A.
EXAMPLE = {
    "body": "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6P"
    "Bru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN",
    "receiver": "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94",
    "auth": "BTBZMqHH6r4Tts7J_aSIgg",
}


def secret(name: str) -> str:
    return KEY if name == PRIVATE else "https://agent.example"


def device(browser: Browser, endpoint: str = "https://push.example/1") -> Device:
    keys = browser.keys()
    return Device("id", endpoint, keys["p256dh"], keys["auth"], "Phone", "en", 0)


def test_the_stand_in_decrypts_the_example_of_the_rfc() -> None:
    from cryptography.hazmat.primitives.asymmetric import ec

    private = ec.derive_private_key(int.from_bytes(decode(EXAMPLE["receiver"]), "big"), ec.SECP256R1())
    browser = Browser("", private, decode(EXAMPLE["auth"]))
    assert browser.decrypted(decode(EXAMPLE["body"])) == b"When I grow up, I want to be a watermelon"


def test_only_its_browser_can_read_a_push() -> None:
    browser = Browser(public_of(KEY))
    body = encrypted(device(browser), "물 주기".encode())
    assert browser.decrypted(body).decode() == "물 주기"
    assert "물".encode() not in body
    assert encrypted(device(browser), b"x") != encrypted(device(browser), b"x"), "a new key for each push"
    with pytest.raises(Refused):
        Browser(public_of(KEY)).decrypted(body)


def test_keys_that_are_none_are_told_as_such() -> None:
    with pytest.raises(ValueError, match=r".*"):
        encrypted(Device("id", "https://p.example/1", "BA" + "A" * 85, "A" * 22, "x", "en", 0), b"x")


class Service:
    """A push service that takes what the stand-in would take."""

    def __init__(self, status: int | None = None, **headers: str) -> None:
        outer, self.asked = self, list[str]()
        self.browser = Browser(public_of(KEY))
        self.subscription = Subscription(self.browser)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.asked.append(self.path)
                body, code = self.rfile.read(int(self.headers["Content-Length"])), status or 201
                if status is None:
                    try:
                        outer.subscription.take(self.headers, body, outer.url)
                    except Refused as error:
                        code = error.status
                self.send_response(code)
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                return

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def service() -> Iterator[Service]:
    running = Service()
    yield running
    running.close()


def test_a_push_is_taken(service: Service) -> None:
    sender = PushService(secret, service.url)
    answer = sender.send(device(service.browser, f"{service.url}/push/1?a=b"), b'{"tag": "t"}', "topic-1")
    assert (answer.status, service.asked) == (201, ["/push/1?a=b"])
    (message,) = service.subscription.messages
    assert (message["payload"], message["topic"], message["ttl"]) == ({"tag": "t"}, "topic-1", 86_400)


def test_a_signature_for_another_service_or_of_another_key_is_refused(service: Service) -> None:
    signed = PushService(secret, service.url)._signed(f"{service.url}/push/1")
    assert check_signature(signed, service.url, public_of(KEY))["sub"] == "https://agent.example"
    for origin, key, status in [("http://other", public_of(KEY), 401), (service.url, public_of(new_key()), 403)]:
        with pytest.raises(Refused) as refused:
            check_signature(signed, origin, key)
        assert refused.value.status == status


def test_a_redirect_is_not_followed() -> None:
    service = Service(307, Location="http://169.254.170.2/", Retry_After="7")
    try:
        answer = PushService(secret, service.url).send(device(service.browser, f"{service.url}/a"), b"x", "t")
    finally:
        service.close()
    assert (answer.status, answer.retry_after, service.asked) == (307, 7.0, ["/a"])


def test_nobody_there_and_no_key_are_told() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    browser = Browser(public_of(KEY))
    with pytest.raises(Unreachable):
        PushService(secret, url).send(device(browser, f"{url}/a"), b"x", "t")
    with pytest.raises(Unreachable, match="make deploy"):
        PushService(lambda _: "", url).send(device(browser, f"{url}/a"), b"x", "t")
    with pytest.raises(Unreachable, match="is none"):
        PushService(lambda _: "no key", url).send(device(browser, f"{url}/a"), b"x", "t")


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["169.254.170.2"],
        ["10.0.0.1"],
        ["203.0.113.9"],
        ["::1"],
        ["fd00::1"],
        ["::ffff:10.0.0.1"],
        ["2002:a00:1::1"],
        ["93.184.215.14", "192.168.0.1"],
        ["224.0.0.1"],
        [],
    ],
)
def test_a_name_with_an_address_inside_is_not_spoken_to(addresses: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the page said: the name is looked up here, and what was looked up is what is connected to."""
    found = [(0, 0, 0, "", (address, 443)) for address in addresses]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: found)
    with pytest.raises(Unreachable, match="address"):
        PushService(secret).send(device(Browser("")), b"x", "t")


def test_the_connection_goes_to_the_checked_address_with_the_names_certificate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: [(0, 0, 0, "", ("93.184.215.14", 443))])
    assert public_address("push.example") == "93.184.215.14"
    pool = PushService(secret)._pool("push.example", None, 1)
    assert (pool.host, pool.port, pool.assert_hostname) == ("93.184.215.14", 443, "push.example")
    assert pool.conn_kw["server_hostname"] == "push.example"
    assert pool.cert_reqs == "CERT_REQUIRED"


def test_the_payload_leaves_room_for_the_longest_text() -> None:
    body = encrypted(device(Browser("")), json.dumps({"title": "가" * 120, "body": "나" * 161}).encode())
    assert len(body) <= 4096
