"""Writes the models that a user can choose from to the place where GET /settings reads them."""

from botocore.exceptions import BotoCoreError
from pynamodb.exceptions import PynamoDBException

from chalicelib.people.preferences import Model, offer
from chalicelib.people.spending import NANO
from chalicelib.platform import log
from chalicelib.providers.prices import Tokens, models, nano_usd
from chalicelib.providers.routes import Route

# OpenRouter has about a thousand models: its users type the names.
MOST = 60


# A heartbeat is one call with little more than the fixed prompt, which no cache holds any more (docs/tools.md), and
# a short answer. A long conversation makes it dearer.
HEARTBEAT = Tokens(fresh=10_632, output=60)


def publish(routes: tuple[Route, ...], primary: str) -> None:
    """For every configured provider: its default model first, then the models of the price table.

    `primary`: the model of those who choose none.
    """
    found = [model for route in routes for model in _of(route)]
    owner = next((route for route in routes if primary.startswith(f"{route.id}/")), None)
    if owner is not None and primary not in [model["id"] for model in found]:
        found.insert(0, _model(owner, primary.removeprefix(f"{owner.id}/")))
    for model in found:
        if model["id"] == primary:
            model["default"] = True
    try:
        offer(found)
    except (PynamoDBException, BotoCoreError) as error:
        log.failure("models_unpublished", error)  # a model's name can be typed, too


def _of(route: Route) -> list[Model]:
    priced = models(route.prices) if route.id not in ("custom", "openrouter") else []
    claude = route.id == "bedrock-claude"
    names = [name for name in priced if not route.service or ("anthropic." in name) == claude]
    if route.service:  # the table names a region; a call names the model without it
        names = [name.partition(".")[2] for name in names if name.startswith("regional.")]
    chosen = list(dict.fromkeys([route.model, *names]))[:MOST]
    return [_model(route, name) for name in chosen]


def _model(route: Route, name: str) -> Model:
    model, price = Model(id=f"{route.id}/{name}", name=name), nano_usd(route.prices, name, HEARTBEAT)
    if price is not None:
        model["heartbeatUsd"] = price / NANO
    return model
