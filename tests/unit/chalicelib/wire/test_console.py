"""A tab's frames for the Control UI's tunnels."""

from typing import Any

import pytest

from chalicelib.wire.console import MAX_PIECE, parse
from chalicelib.wire.protocol import ProtocolError

PIECE = {"tunnel": "0123-abcd", "kind": "data", "seq": 1, "more": True, "data": "x"}


def test_what_the_agent_gets() -> None:
    """Only what is known; the tab's place is added by the handler."""
    frame = parse(PIECE | {"connectionId": "another's", "endpoint": "https://elsewhere"})
    assert frame == {"type": "console", **PIECE}
    assert parse({"tunnel": "0123-abcd", "kind": "open", "data": "x"}) == {
        "type": "console",
        "tunnel": "0123-abcd",
        "kind": "open",
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {"tunnel": "short"},
        {"tunnel": "a" * 65},
        {"tunnel": None},
        {"kind": "else"},
        {"data": 5},
        {"data": "x" * (MAX_PIECE + 1)},
        {"seq": 0},
        {"seq": "1"},
    ],
)
def test_what_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError) as error:
        parse(PIECE | wrong)
    assert error.value.code == "BAD_FIELD"
