"""Pairs a Telegram account with a web account by a code that the web page shows.

Rows of the Settings table:
    link-code#<hash of a code or token> / code     the account it belongs to; `tally` once it was used
    <web user> / link-code                         the hashes of the user's current code and token
    telegram#<Telegram id> / link                  the web user it speaks for
    <web user> / telegram                          the Telegram account it is paired with
    telegram#<Telegram id>, telegram / tries       the count of recent wrong codes

One transaction writes both link rows and deletes the code, so a link always has both sides.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pynamodb.exceptions import TransactWriteError, UpdateError

from chalicelib.platform.clock import MINUTE, SECOND, Clock, now_ms, ttl
from chalicelib.platform.models import SettingItem
from chalicelib.platform.writes import transaction

CODE_LIFE = 5 * MINUTE
TRIES_PER_ACCOUNT, TRIES_SPAN = 5, 15 * MINUTE
TRIES_OVERALL, TRIES_OVERALL_SPAN = 100, 60 * MINUTE
OVERALL = "telegram"
# Places of the conditions in the pairing's transaction.
TELEGRAM_ROW, USER_ROW, CODE_ROW = 2, 3, 4


class Why(StrEnum):
    """Why a pairing was refused."""

    UNKNOWN = "unknown"
    EXPIRED = "expired"
    USED = "used"
    LOCKED = "locked"
    ALREADY = "already"  # these two are paired with each other
    TELEGRAM_TAKEN = "telegram_taken"  # this Telegram account is paired with another web account
    ACCOUNT_TAKEN = "account_taken"  # the code's web account is paired with another Telegram account


class Refused(Exception):
    """The pairing was refused; `until` (ms) says when a retry makes sense, if it does."""

    def __init__(self, why: Why, until: int = 0) -> None:
        super().__init__(str(why))
        self.why = why
        self.until = until


@dataclass(frozen=True)
class Code:
    """Two secrets for one account: a code to type, and a token for a deep link."""

    code: str
    token: str
    expires_at: int


@dataclass(frozen=True)
class Link:
    user_id: str
    telegram_id: int
    name: str


class Linking:
    """`pepper` is the key of the stored HMACs: a plain hash of six digits would be easy to reverse."""

    def __init__(self, pepper: str, clock: Clock = now_ms) -> None:
        self._pepper = pepper.encode()
        self._clock = clock

    def issue(self, user_id: str) -> Code:
        """A new code and token; they invalidate the user's earlier ones."""
        for _ in range(10):
            code = Code(f"{secrets.randbelow(1_000_000):06d}", secrets.token_urlsafe(16), self._clock() + CODE_LIFE)
            if self._put_code(user_id, code):
                return code
        raise RuntimeError("no free code was found in ten tries")

    def _put_code(self, user_id: str, code: Code) -> bool:
        now, old = self._now_s(), _value(user_id, "link-code")
        hashes = {"code": self._hash(code.code), "token": self._hash(code.token)}
        if old and old["code"] == hashes["code"]:
            return False
        free = SettingItem.key.does_not_exist() | (SettingItem.expires_at <= now)
        unchanged = (SettingItem.value == old) if old else SettingItem.key.does_not_exist()
        until = ttl(code.expires_at)
        try:
            with transaction() as write:
                write.save(_code_row(hashes["code"], user_id, hashes["token"], until), condition=free)
                write.save(_code_row(hashes["token"], user_id, hashes["code"], until))
                write.save(SettingItem(user_id, "link-code", value=hashes), condition=unchanged)
                for stale in (old or {}).values():
                    write.delete(SettingItem(_code_key(stale), "code"))
        except TransactWriteError as error:
            if _failed(error) or _conflict(error):
                return False
            raise
        return True

    def redeem_code(self, telegram_id: int, name: str, code: str) -> Link:
        """Pair by a typed code. Each try is counted before the code is checked. Raises Refused."""
        mine = Tries(f"telegram#{telegram_id}", TRIES_PER_ACCOUNT, TRIES_SPAN, self._clock)
        everybody = Tries(OVERALL, TRIES_OVERALL, TRIES_OVERALL_SPAN, self._clock)
        mine.take()
        everybody.take()
        link = self._redeem(telegram_id, name, code)
        mine.give_back()  # this try only: a correct code must not reset the count of wrong ones
        everybody.give_back()
        return link

    def redeem_token(self, telegram_id: int, name: str, token: str) -> Link:
        """Pair by a deep link's token, which needs no limit on tries because it has 128 bits. Raises Refused."""
        return self._redeem(telegram_id, name, token)

    def _redeem(self, telegram_id: int, name: str, secret: str) -> Link:
        key = _code_key(self._hash(secret))
        row = _row(key, "code")
        self._check(row, telegram_id)
        assert row is not None
        user_id, sibling = row.value["userId"], row.value["sibling"]
        # Expiry is part of the condition: DynamoDB's TTL may be days late.
        valid = SettingItem.tally.does_not_exist() & (SettingItem.expires_at > self._now_s())
        used: list[Any] = [SettingItem.tally.set(1), SettingItem.value.set({**row.value, "usedBy": telegram_id})]
        free, now = SettingItem.key.does_not_exist(), self._clock()
        to_user = {"userId": user_id, "name": name, "at": now}
        to_telegram = {"telegramId": telegram_id, "name": name, "at": now}
        try:
            with transaction() as write:  # PynamoDB sends deletes, then puts, then updates: the order of the reasons
                write.delete(SettingItem(_code_key(sibling), "code"))
                write.delete(SettingItem(user_id, "link-code"))
                write.save(SettingItem(f"telegram#{telegram_id}", "link", value=to_user), condition=free)
                write.save(SettingItem(user_id, "telegram", value=to_telegram), condition=free)
                write.update(SettingItem(key, "code"), actions=used, condition=valid)
        except TransactWriteError as error:
            raise self._refusal(_failed(error), key, telegram_id, user_id) or error from None
        return Link(user_id, telegram_id, name)

    def _check(self, row: SettingItem | None, telegram_id: int) -> None:
        if row is None:
            raise Refused(Why.UNKNOWN)
        if row.tally:
            mine = row.value.get("usedBy") == telegram_id and self.of_telegram(telegram_id) is not None
            raise Refused(Why.ALREADY if mine else Why.USED)
        if int(row.expires_at) <= self._now_s():
            raise Refused(Why.EXPIRED)

    def _refusal(self, failed: list[int], key: str, telegram_id: int, user_id: str) -> Exception | None:
        """Which condition of the transaction failed; the Telegram account's own link is checked first."""
        if TELEGRAM_ROW in failed:
            link = self.of_telegram(telegram_id)
            same = link is not None and link.user_id == user_id
            return Refused(Why.ALREADY if same else Why.TELEGRAM_TAKEN)
        if USER_ROW in failed:
            return Refused(Why.ACCOUNT_TAKEN)
        if CODE_ROW in failed:
            try:
                self._check(_row(key, "code"), telegram_id)
            except Refused as refused:
                return refused
            return Refused(Why.EXPIRED)
        return None

    def of_user(self, user_id: str) -> Link | None:
        """The Telegram account that a web user is paired with; strongly consistent."""
        value = _value(user_id, "telegram")
        return Link(user_id, int(value["telegramId"]), value["name"]) if value else None

    def of_telegram(self, telegram_id: int) -> Link | None:
        """The web user that a Telegram account speaks for; strongly consistent."""
        value = _value(f"telegram#{telegram_id}", "link")
        return Link(value["userId"], telegram_id, value["name"]) if value else None

    def unlink(self, user_id: str) -> Link | None:
        """Remove the user's pairing; returns the removed link, or None."""
        link = self.of_user(user_id)
        if link is None:
            return None
        exists = SettingItem.key.exists()
        try:
            with transaction() as write:
                write.delete(SettingItem(user_id, "telegram"), condition=exists)
                write.delete(SettingItem(f"telegram#{link.telegram_id}", "link"), condition=exists)
        except TransactWriteError as error:
            if _failed(error):
                return None  # another tab was faster
            raise
        note_blocked(user_id, False)  # it was about that chat
        return link

    def forget(self, user_id: str) -> None:
        """The user is removed: their codes, their pairing and what is known of that Telegram account. Repeatable."""
        for hashed in (_value(user_id, "link-code") or {}).values():
            SettingItem(_code_key(hashed), "code").delete()
        link = self.of_user(user_id)
        if link is not None:
            for row in SettingItem.query(f"telegram#{link.telegram_id}", consistent_read=True):
                row.delete()

    def _hash(self, secret: str) -> str:
        return hmac.new(self._pepper or b"-", secret.encode(), hashlib.sha256).hexdigest()

    def _now_s(self) -> int:
        return self._clock() // SECOND


class Tries:
    """At most `limit` tries in any `span`; the count resets after a whole span without a try.

    A refused try does not count, so a lock ends `span` after the last admitted try.
    """

    def __init__(self, owner: str, limit: int, span: int, clock: Clock) -> None:
        self._row = SettingItem(owner, "tries")
        self._limit = limit
        self._span = span
        self._clock = clock

    def take(self) -> None:
        """Count one try. Raises Refused LOCKED when there were too many."""
        now = self._clock()
        ends = SettingItem.expires_at.set(ttl(now + self._span))
        running = SettingItem.expires_at > ttl(now)
        if self._update([SettingItem.tally.add(1), ends], running & (SettingItem.tally < self._limit)):
            return
        over = SettingItem.key.does_not_exist() | (SettingItem.expires_at <= ttl(now))
        if self._update([SettingItem.tally.set(1), ends], over):
            return
        if self._update([SettingItem.tally.add(1), ends], running & (SettingItem.tally < self._limit)):
            return  # the first of two at once opened the count between our two updates
        until = _row(self._row.user_id, "tries")
        raise Refused(Why.LOCKED, int(until.expires_at if until else 0) * SECOND)

    def give_back(self) -> None:
        """Uncount a try that was correct."""
        self._update([SettingItem.tally.add(-1)], SettingItem.tally > 0)

    def _update(self, actions: list[Any], condition: Any) -> bool:
        try:
            self._row.update(actions, condition=condition)
        except UpdateError as error:
            if error.cause_response_code == "ConditionalCheckFailedException":
                return False
            raise
        return True


def _code_key(hashed: str) -> str:
    return f"link-code#{hashed}"


def _code_row(hashed: str, user_id: str, sibling: str, until: int) -> SettingItem:
    return SettingItem(_code_key(hashed), "code", value={"userId": user_id, "sibling": sibling}, expires_at=until)


def _row(user_id: str, key: str) -> SettingItem | None:
    try:
        return SettingItem.get(user_id, key, consistent_read=True)
    except SettingItem.DoesNotExist:
        return None


def _value(user_id: str, key: str) -> dict[str, Any] | None:
    row = _row(user_id, key)
    return row.value if row is not None else None


def _codes(error: TransactWriteError) -> list[str | None]:
    return [reason.code if reason else None for reason in error.cancellation_reasons]


def _failed(error: TransactWriteError) -> list[int]:
    """Which conditions of the transaction failed."""
    return [number for number, code in enumerate(_codes(error)) if code == "ConditionalCheckFailed"]


def _conflict(error: TransactWriteError) -> bool:
    return "TransactionConflict" in _codes(error)


def note_blocked(user_id: str, blocked: bool) -> None:
    """Whether the user's Telegram chat refuses the bot. The pairing stays."""
    row = SettingItem(user_id, "telegram-blocked")
    if blocked:
        row.update([SettingItem.tally.set(1)])
    else:
        row.delete()


def is_blocked(user_id: str) -> bool:
    try:
        return bool(SettingItem.get(user_id, "telegram-blocked").tally)
    except SettingItem.DoesNotExist:
        return False
