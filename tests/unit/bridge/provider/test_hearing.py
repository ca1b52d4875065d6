"""What a provider's reply to a recording means: words, silence, an answer that was cut, or nothing that we can read."""

import json
from typing import Any

import pytest
import requests

from bridge.provider.hearing import MOST, SILENT, UNREADABLE, Heard, Hearing
from chalicelib.providers.routes import RESPONSES, Route

ROUTE = Route("openai", RESPONSES, "http://127.0.0.1:1", "m", "openai-api-key", hears="gpt-4o-mini-transcribe")


def reply(body: Any) -> requests.Response:
    answer = requests.Response()
    answer.status_code, answer._content = 200, body if isinstance(body, bytes) else json.dumps(body).encode()
    return answer


def heard(body: Any, monkeypatch: pytest.MonkeyPatch) -> Heard:
    monkeypatch.setattr(requests, "post", lambda *_, **__: reply(body))
    return Hearing((ROUTE,), "http://127.0.0.1:1", "t").hear("a.ogg", "audio/ogg", b"OggS")


def gemini(text: str | None, end: str | None = "STOP") -> Any:
    content = {"role": "model"} if text is None else {"parts": [{"text": text}], "role": "model"}
    return {"candidates": [{"content": content} | ({"finishReason": end} if end else {})]}


def completion(text: str | None, end: str | None = "stop") -> Any:
    return {"choices": [{"message": {"content": text}, "finish_reason": end}]}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"text": " Buy tea. "}, Heard("Buy tea.")),
        (gemini("Buy tea."), Heard("Buy tea.")),
        (completion("Buy tea.", None), Heard("Buy tea.")),
        ({"text": None}, Heard(problem=SILENT)),
        (gemini(None), Heard(problem=SILENT)),
        (completion(None), Heard(problem=SILENT)),
        ({"text": "a" * (MOST + 1)}, Heard("a" * MOST, cut=True)),
        (gemini("Buy", "MAX_TOKENS"), Heard("Buy", cut=True)),
        (completion("Buy", "length"), Heard("Buy", cut=True)),
        (gemini(None, "SAFETY"), Heard(problem=UNREADABLE)),
        (completion("", "content_filter"), Heard(problem=UNREADABLE)),
        ({"promptFeedback": {"blockReason": "SAFETY"}}, Heard(problem=UNREADABLE)),
        ({"candidates": []}, Heard(problem=UNREADABLE)),
        (b"<html>", Heard(problem=UNREADABLE)),
        (b"\xff\xfe", Heard(problem=UNREADABLE)),
        ([], Heard(problem=UNREADABLE)),
        (7, Heard(problem=UNREADABLE)),
    ],
)
def test_what_a_reply_means(body: Any, expected: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    assert heard(body, monkeypatch) == expected


def test_what_cannot_be_read_and_what_is_cut_are_logged_without_their_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    heard({"words": "Buy tea"}, monkeypatch)
    heard({"text": "tea" * MOST}, monkeypatch)
    unreadable, cut = map(json.loads, capsys.readouterr().out.splitlines())
    assert (unreadable["event"], unreadable["reason"]) == ("transcription_failed", "unreadable")
    assert (cut["event"], cut["length"]) == ("transcription_cut", MOST)
    assert "tea" not in f"{unreadable}{cut}"
