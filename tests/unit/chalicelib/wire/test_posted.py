"""What strangers post to a hook: text, or a refusal with a code."""

import json

import pytest

from chalicelib.wire.posted import MAX_BYTES, post_id, posted_text
from chalicelib.wire.protocol import ProtocolError

JSON, FORM = "application/json", "application/x-www-form-urlencoded"


def text(body: bytes, kind: str = "text/plain", **headers: str) -> str:
    return posted_text({"content-type": kind, **headers}, body)


@pytest.mark.parametrize(
    ("body", "kind", "shown"),
    [
        (b"hello", "text/plain; charset=utf-8", "hello"),
        (b"\xef\xbb\xbfhello", "text/plain", "hello"),
        (b"a\r\nb\rc\n", "text/markdown", "a\nb\nc"),
        (b"a\0b\x1b[31m", "text/plain", "a\ufffdb\ufffd[31m"),
        (b'{"a": [1, "\\ud800"]}', JSON, '{"a": [1, "\\ud800"]}'),
        (b'{"a": 1}', "application/vnd.api+json", '{"a": 1}'),
        (b"<a/>", "application/xml", "<a/>"),
        (b"payload=%7B%22a%22%3A1%7D", FORM, '{"a":1}'),
        (b"a=1&b=two+words", FORM, "a: 1\nb: two words"),
        (b"just words", FORM, "just words"),
        (b"a=%0D%0Ax%00", FORM, "a: \nx\ufffd"),
        ("안녕".encode(), "", "안녕"),
    ],
)
def test_what_is_posted_is_read_as_text(body: bytes, kind: str, shown: str) -> None:
    assert text(body, kind) == shown


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (b"", "text/plain", "EMPTY_MESSAGE"),
        (b" \r\n\t", JSON, "BAD_JSON"),
        (b"{", JSON, "BAD_JSON"),
        pytest.param(b"[" * 60_000, JSON, "BAD_JSON", id="deep"),
        pytest.param(b"9" * 5_000, JSON, "BAD_JSON", id="5000 digits"),
        (b"\xff\xfe", "text/plain", "BAD_ENCODING"),
        (b"\xed\xa0\x80", JSON, "BAD_ENCODING"),
        pytest.param(b"x" * (MAX_BYTES + 1), "text/plain", "TOO_LARGE", id="huge"),
        pytest.param(b"a=1&" * 1_001, FORM, "BAD_FIELD", id="many fields"),
        (b"x", "image/png", "UNSUPPORTED_TYPE"),
        (b"x", "multipart/form-data; boundary=x", "UNSUPPORTED_TYPE"),
        (b"x", "*/*", "UNSUPPORTED_TYPE"),
        (b"x", "text/plain; charset=utf-16", "UNSUPPORTED_TYPE"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_code(body: bytes, kind: str, code: str) -> None:
    with pytest.raises(ProtocolError) as refused:
        text(body, kind)
    assert refused.value.code == code


def test_the_largest_post_is_accepted() -> None:
    assert len(text(json.dumps("x" * (MAX_BYTES - 2)).encode(), JSON)) == MAX_BYTES


def test_githubs_event_is_named_unless_it_is_no_header_of_githubs() -> None:
    assert text(b"{}", JSON, **{"x-github-event": "push"}) == "X-GitHub-Event: push\n\n{}"
    assert text(b"{}", JSON, **{"x-github-event": "a\nb"}) == "{}"


def test_a_key_names_the_message_and_only_for_its_hook() -> None:
    one = post_id("h", {"idempotency-key": "a"})
    assert one == post_id("h", {"idempotency-key": "a", "x-github-delivery": "b"})
    assert len({one, post_id("g", {"idempotency-key": "a"}), post_id("h", {"x-github-delivery": "b"})}) == 3
    assert post_id("h", {}) != post_id("h", {})
    for key in ("x" * 201, "a\r\nb", "ключ"):
        with pytest.raises(ProtocolError):
            post_id("h", {"idempotency-key": key})
