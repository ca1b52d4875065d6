"""A Telegram bot by hand: remembers what it was asked, or refuses all of it."""

from typing import Any

from chalicelib.telegram.api import Rejected


class FakeBot:
    """The Bot API as far as deploying needs it; a `dead` bot has a revoked token."""

    def __init__(self, dead: bool = False) -> None:
        self.dead = dead
        self.tokens: list[str] = []
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def make(self, token: str) -> "FakeBot":
        self.tokens.append(token)
        return self

    def call(self, method: str, files: Any = None, **fields: Any) -> Any:
        self.calls.append((method, fields))
        if self.dead:
            raise Rejected(401, "Unauthorized")
        return {"username": "our_bot"}

    def asked(self, method: str) -> dict[str, Any]:
        """The fields of the last such call."""
        return next(fields for name, fields in reversed(self.calls) if name == method)
