"""An edit that is stored is accepted, whatever happens to the word to the agent."""

from typing import Any

import pytest

from chalicelib import note_routes, wiring
from chalicelib.agents.notes import Edit


class Keeping:
    def edit(self, user_id: str, asked: dict[str, Any]) -> Edit:
        return Edit("1", "SOUL.md", str(asked["text"]), 1)


def test_an_edit_that_the_agent_could_not_be_told_of_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def throttled() -> None:
        raise RuntimeError("throttled")

    monkeypatch.setattr(note_routes, "_notebook", Keeping)
    monkeypatch.setattr(note_routes, "body", lambda: {"text": "mine"})
    monkeypatch.setattr(note_routes, "answer", lambda status, told: (status, told))
    monkeypatch.setattr(wiring, "dispatch", throttled)
    status, told = note_routes._edit("ann")
    assert (status, told["id"], told["status"]) == (202, "1", "pending")
