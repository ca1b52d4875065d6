"""Which model says the first words, and the call to it: counted in the same months as the agent's own calls."""

import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass

import requests

from chalicelib.first_words.formats import WHOLE, Turns, end_of, event_of, most_tokens, reader, request
from chalicelib.people.preferences import Choice
from chalicelib.people.shares import FIRST_WORDS, Shares
from chalicelib.people.spending import EVERYBODY, Charge, Spending, month_name
from chalicelib.platform import log
from chalicelib.platform.clock import now_ms
from chalicelib.platform.http import unopened
from chalicelib.platform.parallel import each
from chalicelib.providers.charging import charge_of, measure
from chalicelib.providers.credentials import Credentials, NoCredential
from chalicelib.providers.prices import FREE
from chalicelib.providers.routes import ANTHROPIC, Route, primary, small_model
from chalicelib.providers.usage import Reader

CONNECT_SECONDS, READ_SECONDS = 3, 10
# From the beginning of the call; the agent is awake soon after.
MOST_SECONDS = 20.0


class Unanswered(Exception):
    """The model cannot be asked, or did not answer. The message names no key and no text."""


def choose(routes: tuple[Route, ...], deployed: str, wanted: str, choice: Choice) -> tuple[Route, str]:
    """The route and the model's name: `wanted` (of the deployment), else a small one of the user's provider."""
    agents = choice.model or primary(routes, deployed)
    small = small_model(routes, agents)
    free = small is not None and small.partition("/")[2] in FREE  # the local stack's: it knows only titles
    name = wanted or (small if small is not None and not free else agents)
    route = next((route for route in routes if name.startswith(f"{route.id}/")), None)
    if route is None:
        raise Unanswered(f"no provider has {name}")
    return route, name.removeprefix(f"{route.id}/")


@dataclass
class Asked:
    """One call. `charge` is what it cost so far; it is known even if the call broke off."""

    route: Route
    model: str
    credentials: Credentials
    used: Reader | None = None

    def stream(self, system: str, turns: Turns) -> Iterator[str]:
        """The pieces of the answer. Raises Unanswered."""
        url, body = request(self.route, self.model, system, turns)
        raw, text_of = json.dumps(body).encode(), reader(self.route)
        headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
        if self.route.api == ANTHROPIC:
            headers["anthropic-version"] = "2023-06-01"
        begun, ended = time.monotonic(), ""
        try:
            headers |= self.credentials.headers(self.route, url, raw, headers)
            used = self.used = Reader(len(raw), most_output=most_tokens(body))  # sent: it may cost, answered or not
            with self._posted(url, raw, headers) as answer:
                for line in answer.iter_lines(chunk_size=None):
                    used.feed(line + b"\n")
                    used.seconds = time.monotonic() - begun
                    event = event_of(line)
                    if event is not None and (text := text_of(event)):
                        yield text
                    ended = end_of(event) if event is not None and end_of(event) else ended
                    if used.seconds > MOST_SECONDS:
                        raise Unanswered("the model takes too long")
                used.finish()
            if ended not in WHOLE:
                raise Unanswered("the answer was cut")
        except NoCredential:
            raise Unanswered("the provider's key is not set") from None
        except (requests.RequestException, ValueError, LookupError, AttributeError) as error:
            if unopened(error):
                self.used = None
            raise Unanswered(type(error).__name__) from None

    @contextlib.contextmanager
    def _posted(self, url: str, raw: bytes, headers: dict[str, str]) -> Iterator[requests.Response]:
        timeout = (CONNECT_SECONDS, READ_SECONDS)
        answer = requests.post(url, data=raw, headers=headers, stream=True, timeout=timeout, allow_redirects=False)
        with answer:
            if answer.status_code != 200:
                self.used = None
                raise Unanswered(f"the provider answered {answer.status_code}")
            yield answer

    @property
    def charge(self) -> Charge | None:
        return charge_of(self.route, self.model, self.used) if self.used is not None else None


def count(user_id: str, time_zone: str, asked: Asked) -> None:
    """Add a call to the user's month and to everybody's."""
    charge = asked.charge
    if charge is None:
        return
    measure(asked.route, asked.model, charge)
    spending, month = Spending(), month_name(now_ms(), time_zone)
    name = f"{asked.route.id}/{asked.model}"
    errors = each(
        [
            lambda: spending.add(user_id, time_zone, charge),
            lambda: spending.add(EVERYBODY, "UTC", charge),
            lambda: Shares().add(user_id, month, FIRST_WORDS, name, charge.nano_usd),
        ]
    )
    for error in errors:
        if error is not None:
            log.failure("charge_failed", error, provider=asked.route.id)
