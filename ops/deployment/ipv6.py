"""With `IPV6_ONLY=true`: which of the hosts that an agent calls have no IPv6 address, before anything is changed.

DNS says it, also on a machine that has no IPv6 itself. Where DNS does not answer, ops/ipv6.json says what is known. MCP
servers are each person's and are not looked at here: a call to one says it.
"""

import json
import socket
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from chalicelib.providers.routes import Route, routes
from ops.cloud import Cloud, Problem
from ops.names import parameter
from ops.secrets import PROVIDERS, from_environment

LIST = Path(__file__).parents[1] / "ipv6.json"
TELEGRAM, GITHUB = "api.telegram.org", "github.com"
YES, NO, UNKNOWN = "yes", "no", "unknown"
Lookup = Callable[[str], str]
# What a resolver with DNS64 makes up for a host that has only IPv4.
MADE_UP = "64:ff9b:"
URL = "openai-base-url"


@cache
def known() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(LIST.read_text())
    return found


def look_up(host: str) -> str:
    """Whether DNS has an IPv6 address for it. Resolvers word "no such address" and "no answer" in many ways."""
    if _addresses(host, socket.AF_INET6):
        return YES
    return NO if _addresses(host, socket.AF_INET) else UNKNOWN


def _addresses(host: str, family: socket.AddressFamily) -> list[str]:
    try:
        found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, 443, family, socket.SOCK_STREAM)]
    except OSError:
        return []
    return [address for address in found if not address.startswith(MADE_UP)]


def has(host: str, region: str, ask: Lookup = look_up) -> str:
    """What DNS says; where it says nothing, what is known."""
    said = ask(host)
    listed = known()["hosts"].get(host.replace(region, "<region>"), {"ipv6": UNKNOWN})["ipv6"]
    return str(listed) if said == UNKNOWN else said


def providers(cloud: Cloud, env: Mapping[str, str], bedrock: bool) -> tuple[Route, ...]:
    """The providers that the agents would have."""
    given = from_environment(env)
    names = cloud.secret_names() | set(given)
    url = given.get(URL) or (_stored_url(cloud) if URL in names else "")
    keys = {name: "set" for name in PROVIDERS if name in names}
    return routes(keys | {URL: url}, cloud.region, bedrock, ipv6=True)


def _stored_url(cloud: Cloud) -> str:
    answer = cloud.client("ssm").get_parameters(Names=[parameter(cloud.stage, URL)], WithDecryption=True)
    return str(answer["Parameters"][0]["Value"]) if answer["Parameters"] else ""


def check(cloud: Cloud, routes: Iterable[Route], telegram: bool, ask: Lookup = look_up) -> list[str]:
    """What will not be reached, in sentences. Raises Problem if no model could be asked."""
    hosts = dict.fromkeys(str(urlsplit(route.base).hostname) for route in routes)
    found = {host: has(host, cloud.region, ask) for host in hosts}
    if all(said == NO for said in found.values()):
        raise Problem(
            f"IPV6_ONLY=true leaves no model: {', '.join(found)} has no IPv6 address; "
            "choose another provider or IPV6_ONLY=false."
        )
    others = [host for host, wanted in ((TELEGRAM, telegram), (GITHUB, True)) if wanted]
    found |= {host: has(host, cloud.region, ask) for host in others}
    notes = [
        f"{host} has no IPv6 address: with IPV6_ONLY=true agents cannot reach it."
        for host, said in found.items()
        if said == NO
    ]
    notes += [f"Whether {host} has an IPv6 address was not checked." for host, said in found.items() if said == UNKNOWN]
    if cloud.region not in known()["regions"]["names"]:
        notes.append(
            f"AWS's list of regions with tasks without IPv4 does not name {cloud.region}: agents may not start."
        )
    return notes
