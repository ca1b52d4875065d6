"""Names and types of attached files, as strangers may write them."""

import pytest

from chalicelib.wire.files import BINARY, MAX_NAME, file_name, mime_type
from chalicelib.wire.protocol import ProtocolError, parse_message

UPLOAD = {"mimeType": "Application/PDF; x=1", "fileName": "a.pdf", "uploadId": "0" * 32}


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("report\u202efdp.exe", "reportfdp.exe"),
        ("a\nb\u2028c\x00.txt", "a b c .txt"),
        ("語" * 300 + ".docx", "語" * (MAX_NAME - 5) + ".docx"),
        ("x" * 300, "x" * MAX_NAME),
        ("  ", "file"),
        (None, "file"),
        ("\ud800.txt", "?.txt"),
        ("👩‍👩‍👧.png", "👩‍👩‍👧.png"),
    ],
)
def test_a_name_shows_as_it_is(given: object, name: str) -> None:
    assert file_name(given) == name


@pytest.mark.parametrize("given", [None, 5, "", "pdf", "a/b/c", "a/" + "b" * 101, "text/html\r\nX: y"])
def test_what_is_no_type_is_unknown_bytes(given: object) -> None:
    assert mime_type(given) == BINARY


def test_an_upload_is_named_by_its_id_alone() -> None:
    [entry] = parse_message({"id": "message-1", "attachments": [UPLOAD | {"key": "attachments/bob/x"}]}).attachments
    assert entry == {"mimeType": "application/pdf", "fileName": "a.pdf", "uploadId": "0" * 32}


@pytest.mark.parametrize("upload", ["", "../" + "0" * 29, "0" * 31, 7, None, "A" * 32])
def test_an_odd_upload_id_is_refused(upload: object) -> None:
    with pytest.raises(ProtocolError) as refused:
        parse_message({"id": "message-1", "attachments": [UPLOAD | {"uploadId": upload}]})
    assert refused.value.code == "BAD_FIELD"
