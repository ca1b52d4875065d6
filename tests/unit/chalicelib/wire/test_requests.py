"""What a tab may ask of the running agent."""

from typing import Any

import pytest

from chalicelib.wire.protocol import ProtocolError
from chalicelib.wire.requests import parse

ID = "request-1"


def test_a_request_is_passed_on_without_anything_else() -> None:
    frame = parse(
        {"action": "request", "id": ID, "method": "skills.search", "subject": " tea ", "connectionId": "other"}
    )
    assert frame == {"type": "request", "id": ID, "method": "skills.search", "subject": "tea"}


@pytest.mark.parametrize("ref", ["@ada/tea-maker", "skills-sh:ada/tools/tea", "tea-maker"])
def test_references_as_the_search_gives_them(ref: str) -> None:
    assert parse({"id": ID, "method": "skills.install", "subject": ref})["subject"] == ref


@pytest.mark.parametrize(
    "wrong",
    [
        {"method": "config.get", "subject": "x"},
        {"method": ["skills.search"], "subject": "x"},
        {"method": "skills.search", "subject": ""},
        {"method": "skills.search", "subject": "x" * 101},
        {"method": "memory.search", "subject": 1},
        {"method": "skills.install", "subject": "../evil"},
        {"method": "skills.install", "subject": "@ada/../evil"},
        {"method": "skills.install", "subject": "https://elsewhere.invalid/x"},
        {"method": "skills.search", "subject": "x", "id": "!"},
    ],
)
def test_all_else_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError) as refused:
        parse({"id": ID} | wrong)
    assert (refused.value.code, refused.value.message_id) == ("BAD_FIELD", None if "id" in wrong else ID)
