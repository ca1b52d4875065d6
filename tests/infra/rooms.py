"""REST calls of single rooms of the page: the devices that are told by push, and the memory."""

import base64
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.infra.drive import Drive


def devices(drive: "Drive", user: str) -> None:
    """A browser that asks for pushes, one too many, and one that is removed."""
    from chalicelib.people.devices import MOST_DEVICES, device_id

    point, secret = (base64.urlsafe_b64encode(raw).decode() for raw in (b"\4" + b"x" * 64, b"y" * 16))
    body = {"keys": {"p256dh": point, "auth": secret}, "name": "Phone"}
    for number in range(MOST_DEVICES + 1):
        drive.rest(user, "POST", "/push", body | {"endpoint": f"https://push.example/{number}"})
    drive.rest(user, "GET", "/push")
    gone = device_id("https://push.example/0")
    drive.rest(user, "DELETE", f"/push/{gone}", resource="/push/{device_id}")
    # A heartbeat that is switched on wakes a sleeping agent.
    drive.rest(drive.user(), "PUT", "/settings", {"heartbeatMinutes": 60})


def memory(drive: "Drive", user: str) -> None:
    """A restore point, what may be asked of the container, and the file that it has made."""
    from chalicelib import wiring
    from chalicelib.agents.memory import DONE, Errands
    from chalicelib.platform import aws

    latest = {"generation": 1, "snapshots": [{"key": "k", "sha256": "s", "bytes": 1, "files": 1, "created_at": 7}]}
    place = {"Bucket": wiring.settings().need("DATA_BUCKET"), "Key": f"workspaces/{user}/latest"}
    drive.rest(user, "GET", "/memory")
    drive.rest(user, "GET", "/starts")
    drive.rest(user, "GET", "/costs")
    aws.client("s3").put_object(**place, Body=json.dumps(latest).encode())
    errands = Errands()
    asked = {"restore": {"id": "7"}, "import": {"id": "0" * 32}, "export": {}}
    for kind, body in asked.items():
        drive.rest(user, "POST", f"/memory/{kind}", body)
        errand = errands.get(user)
        assert errand is not None
        errands.end(user, errand, DONE)
    drive.rest(user, "POST", "/memory/upload")
    drive.rest(user, "GET", "/memory")
