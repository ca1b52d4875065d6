"""The AWS stand-in refuses what was signed with a wrong clock, as AWS does."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.cloud import signatures


def asked(seconds: float, service: str = "dynamodb") -> dict[str, Any]:
    at = datetime.now(UTC) + timedelta(seconds=seconds)
    scope = f"AWS4-HMAC-SHA256 Credential=local/20261130/us-east-1/{service}/aws4_request"
    return {"HTTP_X_AMZ_DATE": at.strftime(signatures.FORM), "HTTP_AUTHORIZATION": scope}


@pytest.mark.parametrize("seconds", [-240, 0, 240])
def test_a_clock_that_is_nearly_right_will_do(seconds: float) -> None:
    assert signatures.refused(asked(seconds), lambda *_: pytest.fail("it was refused")) is None


@pytest.mark.parametrize("environ", [{}, {"HTTP_X_AMZ_DATE": "soon"}])
def test_a_request_without_a_time_is_not_signed(environ: dict[str, Any]) -> None:
    assert signatures.refused(environ, lambda *_: pytest.fail("it was refused")) is None


@pytest.mark.parametrize(
    ("service", "code"), [("dynamodb", b"InvalidSignature"), ("s3", b"<Code>RequestTimeTooSkewed")]
)
@pytest.mark.parametrize("seconds", [-7200, 7200])
def test_one_that_is_not_is_refused_in_the_services_own_form(service: str, code: bytes, seconds: float) -> None:
    said: list[str] = []
    body = signatures.refused(asked(seconds, service), lambda status, _: said.append(status))
    assert body is not None
    assert code in b"".join(body)
    assert said == ["403 Forbidden"]
