"""Writes what calls cost to two rows: the user's month and everybody's month."""

from collections.abc import Callable

from bridge.provider.months import Months
from bridge.provider.owed import NONE, Owed
from chalicelib.people.spending import EVERYBODY, Charge, Month, SpendingService
from chalicelib.platform.parallel import both
from chalicelib.providers.charging import charge_of, measure
from chalicelib.providers.routes import Route
from chalicelib.providers.usage import Reader


class Counting:
    """`add_mine` writes a charge to the user's row. Calls block on DynamoDB."""

    def __init__(self, spending: SpendingService, months: Months, add_mine: Callable[[Charge], Month]) -> None:
        self._months = months
        self.mine = Owed(add_mine)
        self.everybody = Owed(lambda charge: spending.add(EVERYBODY, "UTC", charge))

    def settle(self) -> tuple[Month | None, Month | None]:
        """Write what is owed, if the table accepts it now."""
        return self._write(NONE)

    def count(self, route: Route, model: str, used: Reader) -> tuple[Month | None, Month | None]:
        """Count one call. Returns the user's and everybody's month; None for a row that did not accept it."""
        charge = charge_of(route, model, used)
        months = self._write(charge)
        measure(route, model, charge)
        return months

    def _write(self, charge: Charge) -> tuple[Month | None, Month | None]:
        """Write a charge and what is owed to both rows."""

        def of_mine() -> Month | None:
            month = self.mine.add(charge)
            self._months.written(mine=month)
            return month

        def of_everybody() -> Month | None:
            month = self.everybody.add(charge)
            self._months.written(everybody=month)
            return month

        return both(of_mine, of_everybody)
