"""A browser that asked for Web Push, at the local stack's push service."""

from typing import Any

import requests

from tests.support.client import Client, eventually

Json = dict[str, Any]


class PushDevice:
    """Subscribed like a page does it; `shown` are the notifications on its screen."""

    def __init__(self, client: Client, name: str = "Phone") -> None:
        self._url = client.stack.push_url
        made = requests.post(f"{self._url}/_local/subscribe", json={"key": client.stack.push_key}, timeout=5)
        self.subscription: Json = made.json()
        self.client = client
        answer = client.rest("POST", "/push", self.subscription | {"name": name, "language": "en"})
        assert answer.status_code == 200, answer.text
        self.id = answer.json()["id"]

    def state(self) -> Json:
        asked = {"endpoint": self.subscription["endpoint"]}
        found: Json = requests.get(f"{self._url}/_local/device", params=asked, timeout=5).json()
        return found

    def shown(self, count: int = 1, seconds: float = 20) -> list[Json]:
        """Its notifications, as soon as there are that many."""

        def enough() -> list[Json]:
            found: list[Json] = self.state()["shown"]
            return found if len(found) >= count else []

        notifications: list[Json] = eventually(enough, seconds)
        return notifications

    def fault(self, status: int, times: int = 1, **headers: str) -> None:
        body = {"endpoint": self.subscription["endpoint"], "status": status, "times": times, "headers": headers}
        requests.post(f"{self._url}/_local/fault", json=body, timeout=5).raise_for_status()
