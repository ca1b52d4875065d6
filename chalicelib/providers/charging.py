"""What one call is counted as."""

from chalicelib.people.spending import NANO, Charge
from chalicelib.platform import metrics
from chalicelib.providers.prices import nano_usd
from chalicelib.providers.routes import Route
from chalicelib.providers.usage import Reader


def charge_of(route: Route, model: str, used: Reader) -> Charge:
    """The tokens and the price of a call; a price that is not known counts as 0, and the charge as inexact."""
    tokens = used.tokens
    price = round(used.usd * NANO) if used.usd is not None else nano_usd(route.prices, model, tokens)
    cached = tokens.cache_read + tokens.cache_write
    return Charge(tokens.fresh, tokens.output, cached, price or 0, used.exact and price is not None)


def measure(route: Route, model: str, charge: Charge) -> None:
    """The call in the dashboard's metrics."""
    counts = {"Input": charge.input_tokens, "Output": charge.output_tokens, "Cached": charge.cached_tokens}
    metrics.emit(
        {"Model": f"{route.id}/{model}", **counts}, ModelTokens=sum(counts.values()), ModelCost=charge.nano_usd / 1000
    )
