"""The webhook on real tables with the rest of the gateway in our hands: who is let in, and what a crash costs."""

import itertools
import json
import uuid
from typing import Any

import pytest

from chalicelib.messages.inbox import Inbox
from chalicelib.people.linking import Linking
from chalicelib.people.preferences import Preferences
from chalicelib.platform.models import SettingItem
from chalicelib.telegram import texts
from chalicelib.telegram.webhook import SECRET, TOKEN, USERNAME, Webhook
from tests.support.world import World

pytestmark = pytest.mark.usefixtures("table_server")

_ids = itertools.count(90_001)
SECRETS = {SECRET: "s3cret", TOKEN: "99:token", USERNAME: "my_bot"}
Json = dict[str, Any]


class Gateway:
    """A webhook with an agent that always runs, and one paired person."""

    def __init__(self, **more: Any) -> None:
        self.world = World()
        self.world.inbox = Inbox()  # type: ignore[assignment]
        object.__setattr__(self.world.dispatch, "inbox", self.world.inbox)
        self.linking = Linking("s3cret")
        self.user, self.telegram = f"user-{uuid.uuid4().hex}", next(_ids)
        self.linking.redeem_token(self.telegram, "@ann", self.linking.issue(self.user).token)
        values = more.pop("values", SECRETS)
        self.webhook = Webhook(
            self.world.dispatch, lambda name: values.get(name, ""), self.linking, "http://127.0.0.1:1", **more
        )

    def update(self, text: str = "hello", sender: int | None = None, **fields: Any) -> Json:
        person = sender or self.telegram
        message = {
            "message_id": next(_ids),
            "chat": {"id": person, "type": "private"},
            "from": {"id": person, "first_name": "Ann"},
        }
        return {"update_id": next(_ids) * 1000, "message": message | ({"text": text} if text else {}) | fields}

    def send(self, update: object, secret: str | None = "s3cret") -> tuple[int, Json]:  # noqa: S107
        raw = update if isinstance(update, bytes) else json.dumps(update).encode()
        return self.webhook.receive(secret, raw)

    def waiting(self) -> list[str]:
        return [message.text for message in Inbox().waiting(self.user)]


@pytest.fixture
def gateway(cloud: str) -> Gateway:
    return Gateway()


def test_a_message_is_queued_for_the_web_user(gateway: Gateway) -> None:
    update = gateway.update("hello")
    assert gateway.send(update) == (200, {})
    [message] = Inbox().waiting(gateway.user)
    assert (message.id, message.channel, message.conversation_id) == (
        f"tg-{update['update_id']:012d}",
        "telegram",
        "main",
    )
    assert message.route is not None
    assert message.route["telegram"]["chatId"] == gateway.telegram
    assert gateway.world.containers.runs == [(gateway.user, 1)]


@pytest.mark.parametrize("secret", [None, "", "wrong", "s3cret ", "é"])
def test_without_the_secret_nothing_is_heard(gateway: Gateway, secret: str | None) -> None:
    assert gateway.send(gateway.update(), secret)[0] == 401
    assert gateway.waiting() == []


def test_an_unset_secret_lets_nobody_in(cloud: str) -> None:
    gateway = Gateway(values={TOKEN: "99:token"})
    for secret in ("", None, "s3cret"):
        assert gateway.send(gateway.update(), secret)[0] == 401


@pytest.mark.parametrize(
    "body", [{}, [], None, 7, "x", {"update_id": "x"}, {"update_id": 1, "poll": {}}, {"message": {"chat": {"id": {}}}}]
)
def test_json_that_is_no_update_of_ours_is_accepted(gateway: Gateway, body: object) -> None:
    assert gateway.send(body) == (200, {})


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 100_000])
def test_what_is_not_json_is_refused_without_a_crash(gateway: Gateway, body: bytes) -> None:
    assert gateway.send(body)[0] == 400


def test_a_failed_enqueue_is_handled_when_it_comes_again(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is recorded before the message is safe: the redelivery is a new message, and the last one none."""
    update, put = gateway.update("hello"), gateway.world.inbox.put

    def throttled(message: Any) -> bool:
        raise OSError("throttled")

    monkeypatch.setattr(gateway.world.inbox, "put", throttled)
    with pytest.raises(OSError, match="throttled"):  # a 500 for Telegram
        gateway.send(update)
    assert gateway.waiting() == []
    monkeypatch.setattr(gateway.world.inbox, "put", put)
    for _ in range(3):
        assert gateway.send(update) == (200, {})
    assert gateway.waiting() == ["hello"]


def test_a_stranger_is_told_how_and_starts_nothing(gateway: Gateway) -> None:
    update = gateway.update("hello", sender=next(_ids))
    status, body = gateway.send(update)
    assert (status, body["method"], body["text"]) == (200, "sendMessage", texts.PAIR)
    assert gateway.send(update) == (200, {}), "once"
    assert gateway.world.containers.runs == []


def test_a_stranger_who_goes_on_is_not_answered(cloud: str) -> None:
    gateway = Gateway(rate=lambda _: True)
    assert gateway.send(gateway.update("hello", sender=next(_ids))) == (200, {})
    assert gateway.send(gateway.update("hello")) == (200, {})
    assert gateway.waiting() == ["hello"]


def test_the_allow_list(cloud: str) -> None:
    """Those who are not on it cannot even pair; those paired before it was set are out."""
    gateway = Gateway(allowed=("1", "2"))
    code = gateway.linking.issue(f"user-{uuid.uuid4().hex}")
    stranger = next(_ids)
    answers = [gateway.send(gateway.update(text, sender=stranger))[1] for text in ("hi", f"/link {code.code}")]
    assert [answer["text"] for answer in answers] == [texts.PRIVATE_BOT.format(id=stranger)] * 2
    assert gateway.linking.of_telegram(stranger) is None
    gateway.send(gateway.update("hello"))
    assert gateway.waiting() == []


def test_pairing_through_the_webhook(gateway: Gateway) -> None:
    """Each way a code can be wrong has its own answer."""
    bob, telegram = f"user-{uuid.uuid4().hex}", next(_ids)
    code = gateway.linking.issue(bob).code

    def answer(text: str, sender: int) -> str:
        return str(gateway.send(gateway.update(text, sender=sender))[1]["text"])

    assert answer("/link", telegram) == texts.LINK_HOW
    assert answer("/link 12ab56", telegram) == texts.LINK_HOW
    assert answer(f"/link {(int(code) + 1) % 1_000_000:06d}", telegram) == texts.REFUSED["unknown"]  # type: ignore[index]
    assert answer(f"/link {code[:3]} {code[3:]}", telegram) == f"{texts.LINKED}\n\n{texts.ASK_TIME_ZONE}"
    assert answer(f"/link {code}", telegram) == texts.REFUSED["already"]  # type: ignore[index]
    assert answer(f"/link {code}", next(_ids)) == texts.REFUSED["used"]  # type: ignore[index]
    assert answer("/unlink", telegram) == texts.UNLINK


def test_a_code_is_not_taken_in_a_group(gateway: Gateway) -> None:
    code = gateway.linking.issue(f"user-{uuid.uuid4().hex}").code
    text = f"/link@my_bot {code}"
    entities = [{"type": "bot_command", "offset": 0, "length": 12}]
    group = {"id": -5, "type": "group"}
    body = gateway.send(gateway.update(text, sender=next(_ids), chat=group, entities=entities))[1]
    assert body["text"] == texts.LINK_IN_PRIVATE


def test_new_is_one_conversation_however_often_it_comes(gateway: Gateway) -> None:
    update = gateway.update("/new")
    assert gateway.send(update)[1]["text"] == texts.NEW
    assert gateway.send(update) == (200, {})
    gateway.send(gateway.update("hello"))
    [message] = Inbox().waiting(gateway.user)
    assert message.conversation_id == f"tg-p{gateway.telegram}-{update['update_id']}"


def test_a_command_of_a_paired_person_is_a_sign_that_they_are_here(cloud: str) -> None:
    seen: list[str] = []
    gateway = Gateway(intent=seen.append)
    for command in ("/status", "/start"):
        assert gateway.send(gateway.update(command))[0] == 200
    gateway.send(gateway.update("/start", sender=next(_ids)))
    gateway.send(gateway.update("hello"))
    assert seen == [gateway.user] * 2


def test_openclaws_own_commands_go_to_openclaw(gateway: Gateway) -> None:
    gateway.send(gateway.update("/model demo"))
    assert gateway.waiting() == ["/model demo"]


def test_a_place_and_a_sticker_reach_the_agent_in_words(gateway: Gateway) -> None:
    gateway.send(gateway.update("", sticker={"emoji": "👍"}))
    gateway.send(gateway.update("", location={"latitude": 1, "longitude": 2}))
    assert gateway.waiting() == ["[Sticker: 👍]", "[Location: 1.00000, 2.00000]"]


def test_what_has_no_words_is_answered_and_a_large_file_too(gateway: Gateway) -> None:
    assert gateway.send(gateway.update("", paid_media={}))[1]["text"] == texts.NOT_READABLE
    large = {"file_id": "f", "file_size": 30_000_000}
    assert gateway.send(gateway.update("", document=large))[1]["text"] == texts.TOO_LARGE
    assert gateway.waiting() == []


def test_too_many_messages(cloud: str) -> None:
    gateway = Gateway()
    gateway.world.dispatch.rate.limit = 1  # type: ignore[attr-defined]
    gateway.send(gateway.update("one"))
    assert gateway.send(gateway.update("two"))[1]["text"] == texts.TOO_MANY
    assert gateway.waiting() == ["one"]


def test_no_row_holds_the_bot_token(gateway: Gateway) -> None:
    gateway.send(gateway.update("hello"))
    for row in SettingItem.scan():
        assert "99:token" not in f"{row.user_id}{row.key}{row.value}"


def test_a_time_zone_is_set_asked_for_and_told(gateway: Gateway) -> None:
    """However a person writes it; a running agent hears of it."""

    def answer(text: str) -> str:
        return str(gateway.send(gateway.update(text))[1]["text"])

    assert answer("/timezone") == texts.ASK_TIME_ZONE
    assert answer("/timezone Atlantis") == texts.TIME_ZONE_UNKNOWN
    assert answer("/timezone europe/berlin") == texts.TIME_ZONE.format(zone="Europe/Berlin")
    assert answer("/timezone") == texts.TIME_ZONE.format(zone="Europe/Berlin")
    Preferences().change(gateway.user, {"browserTimeZone": "Asia/Seoul"})
    assert Preferences().get(gateway.user).known_zone == "Europe/Berlin"


def test_who_has_a_time_zone_is_not_asked_for_it_when_pairing(gateway: Gateway) -> None:
    user, telegram = f"user-{uuid.uuid4().hex}", next(_ids)
    Preferences().change(user, {"browserTimeZone": "Asia/Seoul"})
    code = gateway.linking.issue(user).code
    assert gateway.send(gateway.update(f"/link {code}", sender=telegram))[1]["text"] == texts.LINKED


def test_a_cost_that_is_not_known_is_called_so() -> None:
    cost = {"month": "2026-11", "usd": 0.0, "complete": False, "limitUsd": 5.0}
    assert texts.spent(cost) == texts.UNPRICED
    assert texts.spent(cost | {"usd": 1.5}) == "This month's model calls: at least $1.50 of $5.00."
    assert texts.spent(cost | {"complete": True}) == "This month's model calls: $0.00 of $5.00."
