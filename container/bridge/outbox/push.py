"""Web Push: to every device that asked for it, when nobody looks at a tab.

For what the agent says by itself or asks, for answers that no person asked for, and for those that took long.

    row and `push-owed#<id>` in one transaction -> somebody looks? -> each device -> the owed row goes

The owed row makes it durable. A container that ends in between leaves it, and the next one sends the push again,
under the same topic and tag: a device that has it already shows it once. What a push service refuses for good, or
does not take in several tries, is given up with a line in the log. A question owes nothing: it ends with its container.
"""

import hashlib
import json
import queue
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from bridge.outbox.push_service import Answer, Unreachable
from bridge.shared.aws_errors import AWS_ERRORS
from bridge.turns.delivery import Delivery
from chalicelib.messages.questions import REASON as QUESTION
from chalicelib.people.devices import Device, Devices
from chalicelib.people.pushes import KEEP, OWED
from chalicelib.platform import log
from chalicelib.platform.clock import DAY, now_ms, ttl
from chalicelib.platform.models import ConversationItem, SettingItem

# A push that is older says nothing new: the message is in the conversation.
TOO_OLD = DAY
WAITS = (1.0, 4.0, 15.0)  # seconds between the tries; a service may ask for more
LONGEST_WAIT = 30.0
SHOWN_TEXT = 160
GONE = (404, 410)
HIDDEN = {"en": "Your agent has a message", "ko": "에이전트가 메시지를 보냈습니다"}
ASKS = {"en": "Your agent asks", "ko": "에이전트가 묻습니다"}
ANSWERS = {"en": "Your agent has answered", "ko": "에이전트가 답했습니다"}


class Service(Protocol):
    def send(self, device: Device, payload: bytes, topic: str) -> Answer: ...


class Push:
    """One thread. `owed` is called before a message is saved, `announce` after it."""

    def __init__(
        self,
        user_id: str,
        delivery: Delivery,
        service: Service,
        show_text: Callable[[], bool],
        devices: Devices | None = None,
        waits: tuple[float, ...] = WAITS,
    ) -> None:
        self._user_id = user_id
        self._delivery = delivery
        self._service = service
        self._show_text = show_text
        self._devices = devices or Devices()
        self._waits = waits
        self._todo: queue.Queue[ConversationItem | None] = queue.Queue()
        self._open = 0  # announced and not yet done
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="push", daemon=True)
        self._lock = threading.Lock()

    def start(self) -> None:
        self._thread.start()

    def owed(self, row: ConversationItem) -> SettingItem | None:
        """What is to be written together with a message; None when no device asked for pushes."""
        if not self._devices.of(self._user_id):
            return None
        owed = SettingItem(self._user_id, OWED + str(row.message_id))
        owed.value, owed.expires_at = {"itemKey": row.item_key}, ttl(now_ms() + KEEP)
        return owed

    def announce(self, row: ConversationItem) -> None:
        """It is saved. Does not block."""
        if _owes(row):
            with self._lock:
                self._open += 1
        self._todo.put(row)

    def recover(self) -> None:
        """What an earlier container saved and did not push."""
        rows = list(SettingItem.query(self._user_id, SettingItem.key.startswith(OWED), consistent_read=True))
        for owed in rows:
            try:
                row = ConversationItem.get(self._user_id, str(owed.value["itemKey"]), consistent_read=True)
            except ConversationItem.DoesNotExist:  # deleted by the user
                owed.delete()
                continue
            if now_ms() - int(row.created_at or 0) > TOO_OLD:
                log.event("push_too_old", said=row.message_id)
                owed.delete()
            else:
                self.announce(row)
        if rows:
            self._delivery.refresh()

    def left(self) -> bool:
        """Whether something is announced that no push service has yet."""
        with self._lock:
            return self._open > 0

    def close(self, seconds: float) -> None:
        """No more waiting between tries; what is left is for the next container."""
        self._closing.set()
        self._todo.put(None)
        if self._thread.is_alive():
            self._thread.join(seconds)

    def _work(self) -> None:
        while (row := self._todo.get()) is not None:
            try:
                if self._tried(row) and _owes(row):
                    SettingItem(self._user_id, OWED + str(row.message_id)).delete()
                    with self._lock:
                        self._open -= 1
            except AWS_ERRORS as error:  # the owed row stays, whatever becomes of this container
                log.failure("push_failed", error)
                self._later(row)

    def _later(self, row: ConversationItem) -> None:
        if not self._closing.is_set():
            timer = threading.Timer(self._waits[-1] if self._waits else 0.0, self._todo.put, (row,))
            timer.daemon = True
            timer.start()

    def _tried(self, row: ConversationItem) -> bool:
        """False: the next container goes on. What cannot be made at all is given up: it would fail there, too."""
        try:
            return self._send(row)
        except AWS_ERRORS:
            raise
        except Exception as error:  # noqa: BLE001  one push that cannot be made must not end the others
            log.failure("push_broken", error)
            return True

    def _send(self, row: ConversationItem) -> bool:
        """False: the container ends, and the next one goes on."""
        if self._delivery.watched():
            log.event("push_not_needed", said=row.message_id)
            return True
        left = self._devices.of(self._user_id)
        for wait in (*self._waits, None):
            with ThreadPoolExecutor(max_workers=4, thread_name_prefix="push") as pool:
                waits = list(pool.map(lambda one: self._to(one, row), left))
            left = [device for device, seconds in zip(left, waits, strict=True) if seconds]
            if not left:
                return True
            if wait is None:
                break
            longest = max([wait, *(seconds for seconds in waits if seconds)])
            if self._closing.wait(min(longest, LONGEST_WAIT)):
                return False
        log.event("push_given_up", said=row.message_id, devices=len(left))
        return True

    def _to(self, device: Device, row: ConversationItem) -> float | None:
        """Seconds after which to try again; None when that is of no use."""
        about = {"said": row.message_id, "device": device.id}
        payload = json.dumps(self._payload(device, row), ensure_ascii=False).encode(errors="replace")
        try:
            answer = self._service.send(device, payload, topic(str(row.message_id)))
        except Unreachable as error:
            log.event("push_unreachable", reason=str(error), **about)
            return self._waits[0] if self._waits else None
        except ValueError:  # its key is none
            log.event("push_key_unusable", **about)
            self._devices.forget(self._user_id, device)
            return None
        log.event("push", status=answer.status, **about)
        if answer.status == 429 or answer.status >= 500:
            return answer.retry_after or 0.001
        if answer.status in GONE:
            self._devices.forget(self._user_id, device)
        else:
            self._devices.reached(self._user_id, device, answer.status if answer.status >= 300 else None)
        return None

    def _payload(self, device: Device, row: ConversationItem) -> dict[str, Any]:
        """What the page's service worker shows (frontend/public/push-worker.js)."""
        about = {"tag": topic(str(row.message_id)), "conversationId": row.conversation_id}
        if not self._show_text():
            return about | {"title": HIDDEN.get(device.language, HIDDEN["en"])}
        words = " ".join(str(row.content).split())
        body = words if len(words) <= SHOWN_TEXT else words[:SHOWN_TEXT] + "…"
        titles = ANSWERS if _owes(row) else ASKS
        return about | {"title": row.cause or titles.get(device.language, titles["en"]), "body": body}


def _owes(row: ConversationItem) -> bool:
    return row.reason != QUESTION


def topic(message_id: str) -> str:
    """Names a message to a push service: at most 32 characters, which tell it nothing."""
    return hashlib.sha256(message_id.encode()).hexdigest()[:32]
