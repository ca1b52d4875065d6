"""AWS refuses a request that was signed too long ago, or too far ahead: a machine with a wrong clock gets nowhere."""

import json
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

Environ = dict[str, Any]
ALLOWED_SECONDS = 300.0
FORM = "%Y%m%dT%H%M%SZ"
S3_BODY = b"<Error><Code>RequestTimeTooSkewed</Code><Message>The clocks differ too much</Message></Error>"
BODY = {"__type": "InvalidSignatureException", "message": "Signature expired"}


def off(environ: Environ) -> float:
    """By how many seconds the signer's clock is wrong; 0 for what is not signed by a header."""
    try:
        signed = datetime.strptime(environ.get("HTTP_X_AMZ_DATE", ""), FORM)
    except ValueError:
        return 0.0
    return abs(signed.replace(tzinfo=UTC).timestamp() - time.time())


def refused(environ: Environ, start: Callable[..., Any]) -> Iterable[bytes] | None:
    """The answer to such a request; None if it may be looked at."""
    if off(environ) <= ALLOWED_SECONDS:
        return None
    if "/s3/aws4_request" in environ.get("HTTP_AUTHORIZATION", ""):
        start("403 Forbidden", [("Content-Type", "application/xml")])
        return [S3_BODY]
    headers = [("Content-Type", "application/x-amz-json-1.1"), ("x-amzn-errortype", BODY["__type"])]
    start("403 Forbidden", headers)
    return [json.dumps(BODY).encode()]
