"""Writes the models that a user can choose from to the place where GET /settings reads them."""

from botocore.exceptions import BotoCoreError
from pynamodb.exceptions import PynamoDBException

from bridge.provider.prices import models
from bridge.provider.routes import Route
from chalicelib.people.preferences import Model, offer
from chalicelib.platform import log

# OpenRouter has about a thousand models: its users type the names.
MOST = 60


def publish(routes: tuple[Route, ...]) -> None:
    """For every configured provider: its default model first, then the models of the price table."""
    try:
        offer([model for route in routes for model in _of(route)])
    except (PynamoDBException, BotoCoreError) as error:
        log.failure("models_unpublished", error)  # a model's name can be typed, too


def _of(route: Route) -> list[Model]:
    priced = models(route.prices) if route.id not in ("custom", "openrouter") else []
    claude = route.id == "bedrock-claude"
    names = [name for name in priced if not route.service or ("anthropic." in name) == claude]
    if route.service:  # the table names a region; a call names the model without it
        names = [name.partition(".")[2] for name in names if name.startswith("regional.")]
    chosen = list(dict.fromkeys([route.model, *names]))[:MOST]
    return [{"id": f"{route.id}/{name}", "name": name} for name in chosen]
