"""The Control UI's tunnels of all tabs of this user."""

import threading
from collections.abc import Callable
from typing import Any

from bridge.config import Config
from bridge.console.tunnel import Tunnel
from chalicelib.lifecycle.services import PostService
from chalicelib.platform.clock import MINUTE, Clock, now_ms
from chalicelib.wire.console import BROKEN, CLOSE, DATA, OPEN, TOO_MANY, USED, closed

Json = dict[str, Any]

MOST = 4
# A person who works in the Control UI keeps the agent awake; a page that is only open does not.
USED_FOR = 5 * MINUTE


class Consoles:
    """`handle` gets frames that the gateway of this system has made of a tab's: tab and user are known."""

    def __init__(self, config: Config, post: PostService, clock: Clock = now_ms) -> None:
        self._gateway = f"ws://127.0.0.1:{config.gateway_port}", config.gateway_token
        self._secrets = config.gateway_token, config.proxy_token
        self._post, self._clock = post, clock
        self._tunnels: dict[tuple[str, str], Tunnel] = {}
        self._lock = threading.Lock()
        self._used = 0
        self.on_used: Callable[[], None] = lambda: None  # what it changes is saved, as after a turn
        self.note: Callable[[str], None] = lambda _: None  # what a person sends (noted.py)

    def handle(self, frame: Json) -> None:
        """Does not block: a thread of its own tells a tab what it cannot have."""
        key = str(frame["connectionId"]), str(frame["tunnel"])
        kind = frame["kind"]
        if kind == USED:
            self._used = self._clock()
            self.on_used()
        elif kind == OPEN:
            self._open(key, str(frame["endpoint"]))
        else:
            self._pass(key, frame, kind)

    def _open(self, key: tuple[str, str], endpoint: str) -> Tunnel | None:
        """The tunnel; None if there is no room. The oldest of another tab makes room: that tab may be gone."""
        oldest: Tunnel | None = None
        with self._lock:
            if key in self._tunnels:
                return self._tunnels[key]
            if len(self._tunnels) >= MOST:
                others = [tunnel for tunnel in self._tunnels.values() if tunnel.tab[0] != key[0]]
                if not others:
                    self._refuse(key, endpoint, TOO_MANY, "too many are open")
                    return None
                oldest = others[0]
                del self._tunnels[oldest.tab[0], oldest.name]
            where = key[1], (key[0], endpoint), self._gateway
            tunnel = Tunnel(*where, self._post, self._secrets, self._forget, lambda request: self.note(request))
            self._tunnels[key] = tunnel
        if oldest is not None:
            oldest.close(TOO_MANY, "another one was opened")
        tunnel.start()
        return tunnel

    def _pass(self, key: tuple[str, str], frame: Json, kind: str) -> None:
        with self._lock:
            tunnel = self._tunnels.get(key)
        if tunnel is None:
            if kind == DATA and int(frame["seq"]) > 1:  # of a container before this one
                self._refuse(key, str(frame["endpoint"]), BROKEN, "the agent has started anew")
            elif kind == DATA:  # it has overtaken its `open`
                opened = self._open(key, str(frame["endpoint"]))
                if opened is not None:
                    opened.take(frame)
        elif kind == CLOSE:
            tunnel.close(tell=False)
        else:
            tunnel.take(frame)

    def _refuse(self, key: tuple[str, str], endpoint: str, code: int, reason: str) -> None:
        frame = closed(key[1], code, reason)
        threading.Thread(target=self._post.to, args=(key[0], endpoint, frame), daemon=True).start()

    def _forget(self, tunnel: Tunnel) -> None:
        key = tunnel.tab[0], tunnel.name
        with self._lock:
            if self._tunnels.get(key) is tunnel:
                del self._tunnels[key]
        if self.used():
            self.on_used()  # what was changed behind the last click that was told

    def used(self) -> bool:
        """Whether a person has worked in one lately."""
        return self._clock() - self._used < USED_FOR

    def close(self) -> None:
        with self._lock:
            tunnels = list(self._tunnels.values())
        for tunnel in tunnels:
            tunnel.close(1001, "the agent goes to sleep")
