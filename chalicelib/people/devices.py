"""The browsers that asked for Web Push: an address at a push service and two keys for each.

Rows `push#<id>` in the Settings table. The id is made from the endpoint, so a browser that asks again changes its
own row. The agent sends to these addresses from inside AWS. So an address must be a public https host: checked here
in form, and again by the sender, which looks up the host's addresses (bridge/outbox/push_service.py).
"""

import base64
import binascii
import hashlib
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pynamodb.exceptions import DeleteError, UpdateError
from pynamodb.expressions.update import Action

from chalicelib.platform.clock import Clock, now_ms
from chalicelib.platform.models import DeviceItem
from chalicelib.wire.protocol import ProtocolError, storable

PREFIX = "push#"
MOST_DEVICES = 10  # of a user
MOST_ENDPOINT, MOST_NAME = 1024, 80  # characters
POINT, SECRET = 65, 16  # bytes of a P-256 point, and of the secret that goes with it
LANGUAGES = ("en", "ko")
FAILED = "ConditionalCheckFailedException"


@dataclass(frozen=True)
class Device:
    """`p256dh` and `auth` are in base64url, as the browser gave them. Times in ms."""

    id: str
    endpoint: str
    p256dh: str
    auth: str
    name: str
    language: str
    created_at: int
    used_at: int | None = None
    problem: int | None = None  # the HTTP status with which the last push was refused

    def public(self) -> dict[str, Any]:
        entry = {"id": self.id, "name": self.name, "createdAt": self.created_at}
        optional = {"lastUsedAt": self.used_at, "problem": self.problem}
        return entry | {name: value for name, value in optional.items() if value is not None}


def device_id(endpoint: str) -> str:
    return hashlib.sha256(endpoint.encode()).hexdigest()[:32]


class Devices:
    """`local_url`: the local stack's own push service, the only address on loopback that is accepted."""

    def __init__(self, local_url: str = "", clock: Clock = now_ms) -> None:
        self._local_url = local_url
        self._clock = clock

    def of(self, user_id: str) -> list[Device]:
        """A user's devices, the oldest first; strongly consistent."""
        rows = DeviceItem.query(user_id, DeviceItem.key.startswith(PREFIX), consistent_read=True)
        return sorted((_device(row) for row in rows), key=lambda device: (device.created_at, device.id))

    def add(self, user_id: str, body: Mapping[str, Any]) -> Device:
        """Keep a browser's subscription. Raises ProtocolError BAD_ENDPOINT, BAD_FIELD, TOO_MANY_DEVICES."""
        device = self._checked(body)
        known = [one for one in self.of(user_id) if one.id == device.id]
        row = DeviceItem(user_id, PREFIX + device.id)
        fields = {"endpoint": device.endpoint, "p256dh": device.p256dh, "auth": device.auth}
        fields |= {"name": device.name, "language": device.language}
        actions = [getattr(DeviceItem, name).set(value) for name, value in fields.items()]
        created = known[0].created_at if known else device.created_at
        row.update([*actions, DeviceItem.created_at.set(created), DeviceItem.problem.remove()])
        # Counted after the write: two that come at the same time cannot both slip in.
        if not known and len(self.of(user_id)) > MOST_DEVICES:
            self.forget(user_id, device)
            raise ProtocolError("TOO_MANY_DEVICES", f"at most {MOST_DEVICES} devices: remove one that you do not use")
        return device

    def remove(self, user_id: str, wanted: str) -> None:
        """At the user's wish. Raises ProtocolError NOT_FOUND."""
        found = [device for device in self.of(user_id) if device.id == wanted]
        if not found:
            raise ProtocolError("NOT_FOUND", "there is no such device any more")
        self.forget(user_id, found[0])

    @staticmethod
    def forget(user_id: str, device: Device) -> None:
        """Its address is gone. A subscription that the browser has renewed meanwhile stays."""
        same = DeviceItem.p256dh == device.p256dh
        try:
            DeviceItem(user_id, PREFIX + device.id).delete(condition=same)
        except DeleteError as error:
            if error.cause_response_code != FAILED:
                raise

    def reached(self, user_id: str, device: Device, problem: int | None = None) -> None:
        """Note that a push was accepted, or with which status it was refused. A removed device stays removed."""
        actions: list[Action] = [DeviceItem.used_at.set(self._clock()), DeviceItem.problem.remove()]
        if problem is not None:
            actions = [DeviceItem.problem.set(problem)]
        try:
            DeviceItem(user_id, PREFIX + device.id).update(actions, condition=DeviceItem.endpoint.exists())
        except UpdateError as error:
            if error.cause_response_code != FAILED:
                raise

    def _checked(self, body: Mapping[str, Any]) -> Device:
        endpoint, keys = body.get("endpoint"), body.get("keys")
        if not isinstance(endpoint, str) or not is_public(endpoint, self._local_url):
            raise ProtocolError("BAD_ENDPOINT", "endpoint must be the https address of a push service")
        if not isinstance(keys, dict):
            raise ProtocolError("BAD_FIELD", "keys must have p256dh and auth")
        name, language = body.get("name"), body.get("language", "en")
        if not isinstance(name, str) or not 1 <= len(name.strip()) <= MOST_NAME or not name.isprintable():
            raise ProtocolError("BAD_FIELD", f"name must have 1 to {MOST_NAME} printable characters")
        if language not in LANGUAGES:
            raise ProtocolError("BAD_FIELD", "language must be one of " + ", ".join(LANGUAGES))
        point, secret = _key(keys, "p256dh", POINT), _key(keys, "auth", SECRET)
        plain = storable(name.strip())
        return Device(device_id(endpoint), endpoint, point, secret, plain, str(language), self._clock())


def _device(row: DeviceItem) -> Device:
    return Device(
        row.key.removeprefix(PREFIX),
        str(row.endpoint),
        str(row.p256dh),
        str(row.auth),
        str(row.name),
        str(row.language),
        int(row.created_at or 0),
        used_at=int(row.used_at) if row.used_at is not None else None,
        problem=int(row.problem) if row.problem is not None else None,
    )


def _key(keys: Mapping[str, Any], name: str, size: int) -> str:
    value = keys.get(name)
    try:
        raw = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)) if isinstance(value, str) else b""
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != size or (size == POINT and raw[0] != 4):
        raise ProtocolError("BAD_FIELD", f"keys.{name} must be {size} bytes in base64url")
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def is_public(endpoint: str, local_url: str = "") -> bool:
    """Whether an address has the form of one outside: https, a host name with a dot, the usual port."""
    if local_url and endpoint.startswith(f"{local_url}/"):
        return len(endpoint) <= MOST_ENDPOINT
    if len(endpoint) > MOST_ENDPOINT or not endpoint.isascii() or not endpoint.isprintable() or " " in endpoint:
        return False
    try:
        parts = urlsplit(endpoint)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return False
    bare = parts.username is None and parts.password is None and not parts.fragment and "\\" not in endpoint
    return parts.scheme == "https" and port in (None, 443) and bare and _is_name(host)


def _is_name(host: str) -> bool:
    """A name that can be one of the internet's: no address in any notation, no name of a local network."""
    labels = host.split(".")
    local = labels[-1] in ("localhost", "local", "internal", "arpa", "localdomain", "onion")
    if len(labels) < 2 or not all(labels) or local or labels[-1].isdigit() or labels[-1].startswith("0x"):
        return False
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return all(label.replace("-", "").isalnum() for label in labels)
    return False
