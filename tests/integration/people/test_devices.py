"""Devices that asked for Web Push on a real table: what is accepted, how many, and what becomes of them."""

import base64
import threading
import uuid
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.messages.proactive import proactive_row, save
from chalicelib.people.devices import MOST_DEVICES, Device, Devices, device_id
from chalicelib.platform.models import ConversationItem, SettingItem
from chalicelib.wire.connections import VISIBLE_FOR, Connection, Connections, Gone
from chalicelib.wire.protocol import ProtocolError
from tests.support.fake_tables import FakeClock

pytestmark = pytest.mark.usefixtures("table_server")
KEYS = {
    "p256dh": base64.urlsafe_b64encode(b"\4" + b"x" * 64).decode(),
    "auth": base64.urlsafe_b64encode(b"y" * 16).decode(),
}


@pytest.fixture
def user() -> str:
    return uuid.uuid4().hex


def body(number: object = 1, **more: Any) -> dict[str, Any]:
    return {"endpoint": f"https://push.example/{number}", "keys": KEYS, "name": "Chrome on Android", **more}


def refused(user: str, wanted: dict[str, Any]) -> str:
    with pytest.raises(ProtocolError) as error:
        Devices().add(user, wanted)
    assert Devices().of(user) == []
    return error.value.code


def test_a_device_is_kept_listed_and_removed(user: str) -> None:
    devices = Devices(clock=FakeClock(5))
    made = devices.add(user, body(language="ko"))
    assert (
        devices.of(user)
        == [made]
        == [Device(device_id(made.endpoint), made.endpoint, made.p256dh, made.auth, "Chrome on Android", "ko", 5)]
    )
    assert made.public() == {"id": made.id, "name": "Chrome on Android", "createdAt": 5}, "no address and no key"
    devices.reached(user, made, 403)
    assert devices.of(user)[0].public()["problem"] == 403
    devices.reached(user, made)
    assert devices.of(user)[0].public() == made.public() | {"lastUsedAt": 5}
    devices.remove(user, made.id)
    assert devices.of(user) == []
    devices.reached(user, made)
    assert devices.of(user) == [], "a removed device does not come back"
    with pytest.raises(ProtocolError, match="no such device"):
        devices.remove(user, made.id)


def test_nobody_can_remove_the_device_of_somebody_else(user: str) -> None:
    made = Devices().add(user, body())
    with pytest.raises(ProtocolError):
        Devices().remove("somebody-else", made.id)
    assert Devices().of(user) == [made]


def test_a_browser_that_asks_again_changes_its_row(user: str) -> None:
    first = Devices(clock=FakeClock(1)).add(user, body())
    other = base64.urlsafe_b64encode(b"z" * 16).decode().rstrip("=")
    Devices(clock=FakeClock(9)).add(user, body(name="Firefox", keys=KEYS | {"auth": other}))
    (kept,) = Devices().of(user)
    assert (kept.id, kept.name, kept.auth, kept.created_at) == (first.id, "Firefox", other, 1)


def test_what_was_renewed_meanwhile_is_not_forgotten(user: str) -> None:
    made = Devices().add(user, body())
    Devices().forget(user, replace(made, p256dh="an older key"))
    assert Devices().of(user) == [made]


def test_at_most_ten_devices_also_when_they_come_together(user: str) -> None:
    for number in range(MOST_DEVICES - 1):
        Devices().add(user, body(number))
    codes: list[str] = []

    def add(number: int) -> None:
        try:
            Devices().add(user, body(f"more-{number}"))
        except ProtocolError as error:
            codes.append(error.code)

    threads = [threading.Thread(target=add, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(codes) == {"TOO_MANY_DEVICES"}
    assert len(Devices().of(user)) <= MOST_DEVICES
    Devices().add(user, body(0, name="a known one may ask again"))


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://push.example/1",
        "https://127.0.0.1/1",
        "https://2130706433/1",
        "https://0x7f.0.0.1/1",
        "https://0x7f000001/",
        "https://127.1/",
        "https://[::1]/1",
        "https://localhost/1",
        "https://agent.localhost/1",
        "https://metadata.google.internal/1",
        "https://printer.local/1",
        "https://push.example:8080/1",
        "https://user:secret@push.example/1",
        "https://push.example/1#x",
        "https://push.example\\@127.0.0.1/",
        "https://push.example/1 2",
        "https://push.example/" + "x" * 1024,
        "https://push.example:99999999/",
        "https://пуш.example/1",
        "file:///etc/passwd",
        "",
        None,
        7,
    ],
)
def test_an_address_inside_or_of_another_form_is_refused(user: str, endpoint: object) -> None:
    assert refused(user, body() | {"endpoint": endpoint}) == "BAD_ENDPOINT"


def test_only_the_local_stacks_own_service_may_be_on_loopback(user: str) -> None:
    local = Devices("http://127.0.0.1:8123")
    assert local.add(user, body() | {"endpoint": "http://127.0.0.1:8123/push/1"})
    for endpoint in (
        "http://127.0.0.1:81234/push/1",
        "http://127.0.0.1:9/push/1",
        "http://127.0.0.1:8123.evil.example/",
    ):
        with pytest.raises(ProtocolError):
            local.add(user, body() | {"endpoint": endpoint})


@pytest.mark.parametrize(
    "wrong",
    [
        {"keys": None},
        {"keys": {}},
        {"keys": KEYS | {"auth": "short"}},
        {"keys": KEYS | {"p256dh": base64.urlsafe_b64encode(b"x" * 65).decode()}},
        {"keys": KEYS | {"p256dh": "?" * 87}},
        {"keys": KEYS | {"auth": "é"}},
        {"name": ""},
        {"name": "x" * 81},
        {"name": "a\nb"},
        {"name": None},
        {"language": "de"},
        {"language": ["en"]},
    ],
)
def test_a_field_of_another_form_is_named(user: str, wrong: dict[str, Any]) -> None:
    assert refused(user, body() | wrong) == "BAD_FIELD"


def test_a_tab_is_visible_for_a_while_and_says_so_again() -> None:
    user, clock = uuid.uuid4().hex, FakeClock()
    connections = Connections(clock)
    connections.add(Connection(f"tab-{user}", user, "https://api"))
    assert connections.of_user(user)[0].visible_until == 0, "a tab that has said nothing does not count"
    connections.show(f"tab-{user}", True)
    assert connections.of_user(user)[0].visible_until == clock() + VISIBLE_FOR
    connections.show(f"tab-{user}", False)
    assert connections.of_user(user)[0].visible_until == 0
    connections.remove(f"tab-{user}")
    with pytest.raises(Gone):
        connections.show(f"tab-{user}", True)
    assert connections.of_user(user) == [], "a tab that has left does not come back"


def test_a_message_and_the_push_that_it_owes_are_saved_together_or_not_at_all(user: str) -> None:
    def owed(name: str) -> SettingItem:
        row = SettingItem(user, f"push-owed#{name}")
        row.value = {"itemKey": name}
        return row

    def rows() -> list[str]:
        return [row.key for row in SettingItem.query(user, SettingItem.key.startswith("push-owed#"))]

    row = proactive_row(user, "main", "said", 5, "text", "cause")
    assert save(row, owed("first"))
    assert not save(row, owed("second"))
    assert not save(row)
    assert rows() == ["push-owed#first"]
    assert ConversationItem.get(user, row.item_key).content == "text"
