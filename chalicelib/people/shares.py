"""What a user's month was spent for: rows `share#<month>#<cause>#<model>` in the Settings table.

The month's own row (people/spending.py) is what limits are held against. These rows explain it, and may hold a little
less: a share that the table did not take is not written later.
"""

from typing import Any

from pynamodb.exceptions import PynamoDBException
from pynamodb.expressions.update import Action

from chalicelib.people.spending import KEEP, NANO
from chalicelib.platform import log
from chalicelib.platform.clock import Clock, now_ms, ttl
from chalicelib.platform.models import SpendingItem

# A message of the person's; automations, heartbeat, hooks, titles; the answer while the agent wakes up.
ANSWERS, BY_ITSELF, FIRST_WORDS = "answers", "itself", "first"


class Shares:
    def __init__(self, clock: Clock = now_ms) -> None:
        self._clock = clock

    def add(self, user_id: str, month: str, cause: str, model: str, nano: int) -> None:
        """Count one call; `model` as provider/name. What the table does not take is left out, and logged."""
        actions: list[Action] = [
            SpendingItem.nano_usd.add(nano),
            SpendingItem.requests.add(1),
            SpendingItem.expires_at.set(ttl(self._clock() + KEEP)),
        ]
        try:
            SpendingItem(user_id, f"{_prefix(month)}{cause}#{model}").update(actions)
        except PynamoDBException as error:
            log.failure("share_not_counted", error, user=user_id)

    def of(self, user_id: str, month: str) -> list[dict[str, Any]]:
        """The dearest first."""
        rows = SpendingItem.query(user_id, SpendingItem.key.startswith(_prefix(month)))
        parts = []
        for row in rows:
            cause, _, model = row.key.removeprefix(_prefix(month)).partition("#")
            usd = round((row.nano_usd or 0) / NANO, 4)
            parts.append({"cause": cause, "model": model, "usd": usd, "calls": int(row.requests or 0)})
        return sorted(parts, key=lambda part: -part["usd"])


def _prefix(month: str) -> str:
    return f"share#{month}#"
