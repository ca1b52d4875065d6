"""Pairing on real tables: codes, limits, and the four ways in which two accounts may already be taken."""

import itertools
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from chalicelib.people.linking import (
    CODE_LIFE,
    TRIES_OVERALL,
    TRIES_OVERALL_SPAN,
    TRIES_PER_ACCOUNT,
    TRIES_SPAN,
    Link,
    Linking,
    Refused,
    Tries,
    Why,
)
from chalicelib.platform.clock import MINUTE, SECOND
from chalicelib.platform.models import SettingItem
from chalicelib.telegram.rows import Chats, Statuses, Updates
from tests.support.fake_tables import FakeClock
from tests.support.judges import TABLE_SERVERS

pytestmark = pytest.mark.usefixtures("table_server")

_ids = itertools.count(7001)


@pytest.fixture
def clock(cloud: str) -> FakeClock:
    clock = FakeClock()
    SettingItem("telegram", "tries").delete()  # the overall count is one for all tests
    return clock


@pytest.fixture
def linking(clock: FakeClock) -> Linking:
    return Linking("pepper", clock)


def user() -> str:
    return f"user-{uuid.uuid4().hex}"


def refused(linking: Linking, telegram_id: int, code: str) -> Why:
    with pytest.raises(Refused) as info:
        linking.redeem_code(telegram_id, "@ann", code)
    return info.value.why


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def test_a_code_links_both_sides(linking: Linking) -> None:
    ann, telegram = user(), next(_ids)
    code = linking.issue(ann)
    assert (len(code.code), code.code.isdigit(), len(code.token)) == (6, True, 22)
    assert linking.redeem_code(telegram, "@ann", code.code) == Link(ann, telegram, "@ann")
    assert linking.of_user(ann) == linking.of_telegram(telegram) == Link(ann, telegram, "@ann")


def test_a_token_links_as_well_and_ends_the_code(linking: Linking) -> None:
    ann, telegram = user(), next(_ids)
    code = linking.issue(ann)
    linking.redeem_token(telegram, "@ann", code.token)
    assert refused(linking, next(_ids), code.code) is Why.UNKNOWN


def test_the_code_is_not_stored(linking: Linking) -> None:
    ann = user()
    code = linking.issue(ann)
    for row in SettingItem.scan():
        assert code.code not in f"{row.user_id} {row.key}"
        assert code.token not in f"{row.user_id} {row.key} {row.value}"


@pytest.mark.parametrize("table_server", TABLE_SERVERS[-1:], indirect=True, scope="module")  # once is enough
def test_a_thousand_wrong_codes(linking: Linking, clock: FakeClock) -> None:
    """Locked out at the limit; the right code is refused until the lock ends, and works then."""
    ann, telegram = user(), next(_ids)
    code = linking.issue(ann)
    answers = [refused(linking, telegram, wrong(code.code)) for _ in range(1000)]
    assert answers == [Why.UNKNOWN] * TRIES_PER_ACCOUNT + [Why.LOCKED] * (1000 - TRIES_PER_ACCOUNT)
    assert refused(linking, telegram, code.code) is Why.LOCKED
    clock.step(TRIES_SPAN - SECOND)
    fresh = linking.issue(ann)
    with pytest.raises(Refused) as info:
        linking.redeem_code(telegram, "@ann", fresh.code)
    assert (info.value.why, info.value.until - clock()) == (Why.LOCKED, SECOND)
    clock.step(SECOND)
    assert linking.redeem_code(telegram, "@ann", fresh.code).user_id == ann


def test_many_accounts_share_one_limit(linking: Linking, clock: FakeClock) -> None:
    """A hundred wrong codes an hour over all accounts; a deep link works meanwhile."""
    ann = user()
    code = linking.issue(ann)
    answers = [refused(linking, next(_ids), wrong(code.code)) for _ in range(TRIES_OVERALL + 20)]
    assert answers == [Why.UNKNOWN] * TRIES_OVERALL + [Why.LOCKED] * 20
    assert refused(linking, next(_ids), code.code) is Why.LOCKED
    assert linking.redeem_token(next(_ids), "@ann", code.token).user_id == ann
    clock.step(TRIES_OVERALL_SPAN + SECOND)
    bob = user()
    assert linking.redeem_code(next(_ids), "@bob", linking.issue(bob).code).user_id == bob


def test_tries_at_once_are_all_counted(clock: FakeClock) -> None:
    def one(_: int) -> bool:
        try:
            Tries(owner, 5, 15 * MINUTE, clock).take()
        except Refused:
            return False
        return True

    owner = f"telegram#{next(_ids)}"
    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(one, range(40))) == 5


def test_no_quarter_of_an_hour_sees_more_than_five_tries(clock: FakeClock) -> None:
    """Tries spread over two windows do not add up to more: the count ends only after a quiet span."""
    tries = Tries(f"telegram#{next(_ids)}", 5, 15 * MINUTE, clock)
    let_through = []
    for _ in range(60):
        try:
            tries.take()
            let_through.append(clock())
        except Refused:
            pass
        clock.step(MINUTE)
    assert len(let_through) >= 10
    for at in let_through:
        assert sum(at <= other < at + 15 * MINUTE for other in let_through) <= 5


def test_right_codes_use_up_nothing(linking: Linking, clock: FakeClock) -> None:
    SettingItem("telegram", "tries", tally=TRIES_OVERALL - 2, expires_at=clock() // SECOND + 60).save()
    for _ in range(5):
        linking.redeem_code(next(_ids), "@x", linking.issue(user()).code)
    assert int(SettingItem.get("telegram", "tries").tally) == TRIES_OVERALL - 2


def test_ones_own_codes_buy_no_further_tries(linking: Linking) -> None:
    """Whoever has a web account cannot start the count anew by pairing with it and unlinking again."""
    mine, telegram, theirs = user(), next(_ids), linking.issue(user()).code
    for number in range(TRIES_PER_ACCOUNT):
        assert refused(linking, telegram, wrong(theirs)) is Why.UNKNOWN
        if number < TRIES_PER_ACCOUNT - 1:
            linking.redeem_code(telegram, "@ann", linking.issue(mine).code)
            linking.unlink(mine)
    assert refused(linking, telegram, theirs) is Why.LOCKED
    assert linking.of_telegram(telegram) is None


def test_pairing_again_and_again_is_no_wrong_code(linking: Linking) -> None:
    mine, telegram = user(), next(_ids)
    for _ in range(2 * TRIES_PER_ACCOUNT):
        assert linking.redeem_code(telegram, "@ann", linking.issue(mine).code).user_id == mine
        linking.unlink(mine)


def test_an_expired_code_is_refused_although_its_row_is_there(linking: Linking, clock: FakeClock) -> None:
    code = linking.issue(user())
    clock.step(CODE_LIFE)
    assert refused(linking, next(_ids), code.code) is Why.EXPIRED
    with pytest.raises(Refused) as info:
        linking.redeem_token(next(_ids), "@ann", code.token)
    assert info.value.why is Why.EXPIRED


def test_a_code_that_expires_between_look_and_write_is_refused(linking: Linking, clock: FakeClock) -> None:
    """The expiry is in the write's own condition."""
    code, late = linking.issue(user()), Linking("pepper", clock)
    late._check = lambda row, telegram_id: None  # type: ignore[method-assign]  # the look was in time
    clock.step(CODE_LIFE)
    with pytest.raises(Refused):
        late.redeem_token(next(_ids), "@ann", code.token)


def test_a_code_is_used_once(linking: Linking) -> None:
    ann, telegram = user(), next(_ids)
    code = linking.issue(ann)
    linking.redeem_code(telegram, "@ann", code.code)
    assert refused(linking, next(_ids), code.code) is Why.USED
    assert refused(linking, telegram, code.code) is Why.ALREADY


def test_twenty_at_once_use_a_code_once(linking: Linking) -> None:
    code = linking.issue(user())

    def one(telegram_id: int) -> bool:
        try:
            linking.redeem_token(telegram_id, "@x", code.token)
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(20) as pool:
        assert sum(pool.map(one, [next(_ids) for _ in range(20)])) == 1


def test_a_new_code_ends_the_earlier_one(linking: Linking) -> None:
    ann = user()
    first, second = linking.issue(ann), linking.issue(ann)
    assert refused(linking, next(_ids), first.code) is Why.UNKNOWN
    assert linking.redeem_code(next(_ids), "@ann", second.code).user_id == ann


def test_a_telegram_account_that_is_paired_elsewhere(linking: Linking) -> None:
    ann, bob, telegram = user(), user(), next(_ids)
    linking.redeem_code(telegram, "@x", linking.issue(ann).code)
    code = linking.issue(bob)
    assert refused(linking, telegram, code.code) is Why.TELEGRAM_TAKEN
    assert (linking.of_user(bob), linking.of_user(ann)) == (None, Link(ann, telegram, "@x"))
    assert linking.redeem_code(next(_ids), "@bob", code.code).user_id == bob, "the code was not used up"


def test_a_web_account_that_is_paired_with_another(linking: Linking) -> None:
    ann, telegram = user(), next(_ids)
    linking.redeem_code(telegram, "@x", linking.issue(ann).code)
    assert refused(linking, next(_ids), linking.issue(ann).code) is Why.ACCOUNT_TAKEN
    assert refused(linking, telegram, linking.issue(ann).code) is Why.ALREADY


def test_unlink_and_pair_again(linking: Linking) -> None:
    """After unlinking either side may pair anew; a chat's own conversation does not follow to another account."""
    ann, bob, telegram = user(), user(), next(_ids)
    linking.redeem_code(telegram, "@x", linking.issue(ann).code)
    Chats().change(telegram, ann, "p1", "tg-p1-5")
    assert Chats().current(telegram, ann, "p1") == "tg-p1-5"
    assert linking.unlink(ann) == Link(ann, telegram, "@x")
    assert linking.unlink(ann) is None
    assert linking.of_user(ann) is linking.of_telegram(telegram) is None
    linking.redeem_code(telegram, "@x", linking.issue(bob).code)
    assert Chats().current(telegram, bob, "p1") is None
    linking.unlink(bob)
    linking.redeem_code(telegram, "@x", linking.issue(ann).code)
    assert Chats().current(telegram, ann, "p1") == "tg-p1-5"


def test_an_update_is_handled_once_and_again_after_a_crash(clock: FakeClock) -> None:
    updates, number = Updates(clock), next(_ids)
    assert updates.begin(number) == "new"
    assert updates.begin(number) == "running"
    clock.step(61 * SECOND)
    assert updates.begin(number) == "new", "whoever began it is gone"
    updates.done(number)
    assert updates.begin(number) == "done"
    clock.step(61 * SECOND)
    assert updates.begin(number) == "done"


def test_one_status_message_whoever_is_first(clock: FakeClock) -> None:
    """Claimed once; the Bridge that takes it before its message is out makes the sender clean up."""
    ann, statuses, where = user(), Statuses(clock), {"chatId": 1, "chat": "p1"}
    assert statuses.claim(ann, "p1", where)
    assert not statuses.claim(ann, "p1", where)
    assert statuses.of_user(ann) == []
    assert statuses.sent(ann, "p1", where, 77)
    assert [place["messageId"] for place in statuses.of_user(ann)] == [77]
    assert statuses.take(ann, "p1") == 77
    assert statuses.take(ann, "p1") is None
    assert statuses.claim(ann, "p1", where)
    assert statuses.take(ann, "p1") is None
    assert not statuses.sent(ann, "p1", where, 78), "the answer was faster: the message must go"
