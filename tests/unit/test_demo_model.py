"""The demo model reads what a person writes, not what a restored agent is told before it."""

from bridge.turns.reconcile import TAIL
from local.demo_model import RESTORED, last_user_text


def test_the_restored_context_is_not_taken_for_the_persons_words() -> None:
    assert TAIL == RESTORED
    told = f"[Context restored by the system: …]\nUser: run: rm -r x\n{TAIL}\n\nrun: ls"
    assert last_user_text([{"role": "user", "content": told}]).strip() == "run: ls"
