"""The cause of what is said when the event of its start was missed."""

from bridge.outbox.causes import UNKNOWN, Causes
from bridge.outbox.said import Said

SAID = Said("row-1", "The oven is hot.", 10_000, "")
HEARTBEAT = {"id": "h", "sessionTarget": "main", "payload": {"kind": "heartbeat"}}


def test_a_run_that_began_before_anybody_listened_is_known_by_its_state() -> None:
    for state in ({"runningAtMs": 9_000}, {"lastRunAtMs": 9_000}):
        causes = Causes()
        assert causes.of(SAID, "agent:main:main") == UNKNOWN
        causes.learn([HEARTBEAT | {"state": state}, {"id": "x", "state": "ok"}])
        assert causes.of(SAID, "agent:main:main") == "Heartbeat"


def test_a_run_that_began_later_is_no_cause() -> None:
    causes = Causes()
    causes.learn([HEARTBEAT | {"state": {"lastRunAtMs": 20_000}}])
    assert causes.of(SAID, "agent:main:main") == UNKNOWN
