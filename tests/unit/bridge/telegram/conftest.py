"""A scripted Bot API, and no waiting."""

import pytest

from bridge.telegram import answer as telegram_answer
from tests.support.fake_telegram import FakeApi


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telegram_answer, "BACK_OFF", (0.01,))
    monkeypatch.setattr(telegram_answer, "LOOK_EVERY", 0.01)


@pytest.fixture
def api() -> FakeApi:
    return FakeApi()
