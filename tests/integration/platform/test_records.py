"""Rows that hold one record each: an odd one is logged, and hides no other."""

import uuid
from dataclasses import dataclass

import pytest

from chalicelib.platform.models import SettingItem
from chalicelib.platform.records import known, readable

pytestmark = pytest.mark.usefixtures("cloud")


@dataclass(frozen=True)
class Note:
    text: str


def test_an_odd_row_hides_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    user = uuid.uuid4().hex
    rows = {"note#1": {"text": "a", "later": 1}, "note#2": {"other": "b"}, "note#3": None, "other#1": {"text": "c"}}
    for key, value in rows.items():
        SettingItem(user, key, value=value).save()
    assert readable(user, "note#", lambda row: Note(**known(Note, row))) == [Note("a")]
    assert capsys.readouterr().err.count('"event": "row_unreadable"') == 2
