"""Pieces of a tunnel: API Gateway may swap two frames, or give one twice."""

import pytest

from bridge.console import pieces
from bridge.console.pieces import Broken, Gatherer


def test_messages_are_whole_and_in_order_whatever_the_order_of_their_pieces() -> None:
    gather = Gatherer()
    assert gather.put(2, "b", False) == []
    assert gather.put(4, "d", True) == []
    assert gather.put(1, "a", True) == ["ab"]
    assert gather.put(1, "a", True) == [], "given twice"
    assert gather.put(5, "e", False) == []
    assert gather.put(3, "c", False) == ["c", "de"]


def test_a_piece_that_never_comes_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "MAX_EARLY", 3)
    gather = Gatherer()
    for seq in (2, 3, 4):
        assert gather.put(seq, "x", False) == []
    with pytest.raises(Broken, match="missing"):
        gather.put(5, "x", False)


def test_a_message_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "MAX_MESSAGE", 10)
    gather = Gatherer()
    assert gather.put(1, "x" * 10, False) == ["x" * 10]
    gather.put(2, "x" * 6, True)
    with pytest.raises(Broken, match="too long"):
        gather.put(3, "x" * 6, True)
