"""Charges that the table did not take: owed until it does, and counted as spent meanwhile."""

import threading
from collections.abc import Callable

from bridge.shared.aws_errors import AWS_ERRORS
from chalicelib.people.spending import NANO, Charge, Month
from chalicelib.platform import log

NONE = Charge(requests=0)


class Owed:
    """One month's row: `write` adds a charge to it and returns the month so far.

    A write whose answer was lost may have taken effect: it is written again, so the row never has too little.
    """

    def __init__(self, write: Callable[[Charge], Month]) -> None:
        self._write = write
        self._waiting = NONE
        self._missing = 0
        self._lock = threading.Lock()

    @property
    def usd(self) -> float:
        """What the row does not hold yet, of charges that it was given before."""
        return self._missing / NANO

    def add(self, charge: Charge = NONE) -> Month | None:
        """Write a charge with all that is owed; None when the table does not take it now (or nothing is owed)."""
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
