"""Conditional writes: a transaction or one update, with retries where DynamoDB was only busy."""

import random
import time
from typing import Any

from pynamodb.connection import Connection
from pynamodb.exceptions import TransactWriteError, UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from chalicelib.platform import aws


def transaction() -> TransactWrite:
    """A write transaction on the shared client: `with transaction() as t: t.update(...)`."""
    connection = Connection(region=aws.region())
    connection._client = aws.client("dynamodb")
    return TransactWrite(connection=connection)


TRIES = 6
# What DynamoDB says when another write is under way on the same row, or too many: botocore leaves these to us.
PASSING = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}


def commit(write: Any, refused: tuple[type[Exception], ...]) -> None:
    """Run a transaction; the n-th update's failed condition raises refused[n], conflicts are retried."""
    for attempt in range(TRIES):
        try:
            write()
            return
        except TransactWriteError as error:
            reasons = [reason.code if reason else None for reason in error.cancellation_reasons]
            # PynamoDB sends puts before updates, whatever the order of the calls.
            for code, exception in zip(reasons[-len(refused) :], refused, strict=bool(reasons)):
                if code == "ConditionalCheckFailed":
                    raise exception from None
            if not PASSING & set(reasons) or attempt == TRIES - 1:
                raise
        _pause(attempt)


def update(row: Any, actions: list[Any], condition: Condition, refused: type[Exception]) -> None:
    """One conditional update. A failed condition raises refused(); a conflict with a transaction is retried."""
    for attempt in range(TRIES):
        try:
            row.update(actions, condition=condition)
            return
        except UpdateError as error:
            if error.cause_response_code == "ConditionalCheckFailedException":
                raise refused() from None
            if error.cause_response_code != "TransactionConflictException" or attempt == TRIES - 1:
                raise
        _pause(attempt)


def _pause(attempt: int) -> None:
    time.sleep(random.uniform(0.01, 0.05) * 2**attempt)  # noqa: S311  jitter, not a secret
