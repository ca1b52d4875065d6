"""The name of a folder: what is taken, and what is refused with a code."""

import pytest

from chalicelib.messages.folders import MAX_FOLDER, folder_name
from chalicelib.wire.protocol import ProtocolError


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (" Work ", "Work"),
        (None, ""),
        ("가" * MAX_FOLDER, "가" * MAX_FOLDER),
        ("\u1112\u1161\u11ab", "\ud55c"),  # typed on a Mac: the same folder as from elsewhere
        ("👩\u200d🍳 recipes", "👩\u200d🍳 recipes"),
        ("a\ud83d", "a?"),
    ],
)
def test_a_name_is_kept_trimmed_and_composed(given: object, kept: str) -> None:
    assert folder_name(given) == kept


BAD = ["", "  ", "x" * (MAX_FOLDER + 1), "a\nb", "a\0", "a\u2028b", "ab\u202ecd", 1, ["a"], True]


@pytest.mark.parametrize("given", BAD)
def test_a_bad_name_has_a_code(given: object) -> None:
    with pytest.raises(ProtocolError) as refused:
        folder_name(given)
    assert refused.value.code == "BAD_FIELD"
