"""Which restore points stay: the last five, one for each hour of a day, one for each day of a month."""

import itertools
from collections.abc import Iterator

from bridge.memory.points import BEFORE_RESTORE, DAILY, DAY, HOUR, KEEP, Snapshot, thinned

NOW = 1_800_000_000_000 - 1_800_000_000_000 % DAY  # midnight


def point(at: int, reason: str = "") -> Snapshot:
    return Snapshot(f"key-{at}", "sha", 1, 1, at, reason=reason)


def every(step: int, until: int) -> Iterator[Snapshot]:
    """The newest first."""
    for at in range(NOW, NOW - until, -step):
        yield point(at)


def check(kept: tuple[Snapshot, ...], step: int) -> None:
    assert len(kept) <= KEEP + 24 + 31
    ages = [NOW - snapshot.created_at for snapshot in kept]
    assert ages[:KEEP] == [number * step for number in range(KEEP)]
    assert max(ages) < DAILY
    gaps = list(itertools.pairwise(ages))
    assert all(later - sooner <= 2 * HOUR for sooner, later in gaps if later < DAY)
    assert all(later - sooner <= 2 * DAY for sooner, later in gaps)
    assert ages[-1] > 28 * DAY


def test_a_month_of_saves_every_ten_minutes() -> None:
    check(thinned(list(every(10 * 60_000, 40 * DAY)), NOW), 10 * 60_000)


def test_thinning_after_each_save_leaves_no_larger_gaps() -> None:
    kept: tuple[Snapshot, ...] = ()
    for snapshot in list(every(30 * 60_000, 35 * DAY))[::-1]:
        kept = thinned((snapshot, *kept), snapshot.created_at)
    check(kept, 30 * 60_000)


def test_the_last_ones_stay_however_old_they_are() -> None:
    old = [point(NOW - 400 * DAY - number) for number in range(9)]
    assert thinned(old, NOW) == tuple(old[:KEEP])


def test_what_was_there_before_a_restore_stays_a_month() -> None:
    before = point(NOW - 2 * DAY, BEFORE_RESTORE)
    newer = [point(NOW - 2 * DAY + number) for number in range(10, 0, -1)]
    assert before in thinned([*newer, before], NOW)
    assert before not in thinned([*newer, before], NOW + 31 * DAY)


def test_a_pointer_of_an_earlier_version() -> None:
    wire = {"key": "k.tar.zst", "sha256": "s", "bytes": 1, "files": 2, "created_at": 3, "skipped": 0, "new": "field"}
    assert Snapshot.from_wire(wire) == Snapshot("k.tar.zst", "s", 1, 2, 3)
