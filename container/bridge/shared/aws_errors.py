"""What a call to AWS may raise when AWS refuses it, is throttled or cannot be reached."""

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    CredentialRetrievalError,
    HTTPClientError,
    MetadataRetrievalError,
    NoCredentialsError,
)
from pynamodb.exceptions import PynamoDBException, TransactWriteError

from chalicelib.platform.writes import PASSING

AWS_ERRORS = (PynamoDBException, ClientError, BotoCoreError)
# AWS could not be reached, or the container's credentials could not be read at that moment.
UNREACHABLE = (
    ConnectionError,
    HTTPClientError,
    CredentialRetrievalError,
    MetadataRetrievalError,
    NoCredentialsError,
)
BUSY = {
    "ExpiredTokenException",
    "InternalServerError",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingException",
    "TransactionConflictException",
    "TransactionInProgressException",
}


def aws_passing(error: BaseException) -> bool:
    """Whether another try may go well: AWS is busy or cannot be reached. What it refuses, it refuses again."""
    if isinstance(error, TransactWriteError):
        reasons = {reason.code for reason in error.cancellation_reasons if reason}
        if reasons & PASSING:
            return True
    cause = error.cause if isinstance(error, PynamoDBException) else error
    if isinstance(cause, UNREACHABLE):
        return True
    if not isinstance(cause, ClientError):
        return False
    status = cause.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return cause.response.get("Error", {}).get("Code") in BUSY or status == 429 or status >= 500
