"""Charges that the table did not accept: retried until it does, and counted as spent until then."""

import threading
from collections.abc import Callable

from bridge.shared.aws_errors import AWS_ERRORS
from chalicelib.people.spending import NANO, Charge, Month
from chalicelib.platform import log

NONE = Charge(requests=0)


class Owed:
    """One month's row: `write` adds a charge to it and returns the month so far.

    If the answer to a write was lost, the write is repeated although it may have taken effect. So the row may
    count too much, but never too little.
    """

    def __init__(self, write: Callable[[Charge], Month]) -> None:
        self._write = write
        self._waiting = NONE
        self._missing = 0
        self._lock = threading.Lock()

    @property
    def usd(self) -> float:
        """Dollars of earlier charges that the row does not contain yet."""
        return self._missing / NANO

    def add(self, charge: Charge = NONE) -> Month | None:
        """Write a charge and all that is owed; None when the table does not accept it now (or nothing is owed)."""
        with self._lock:
            before, self._waiting = self._waiting, NONE
        due = before.plus(charge)
        if due == NONE:
            return None
        paid = False
        try:
            month = self._write(due)
            paid = True
        except AWS_ERRORS as error:
            log.failure("charge_owed", error, calls=due.requests)
            return None
        finally:
            with self._lock:
                if paid:
                    self._missing -= before.nano_usd
                else:
                    self._waiting = self._waiting.plus(due)
                    self._missing += charge.nano_usd
        return month
