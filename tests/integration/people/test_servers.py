"""A person's MCP servers on real tables and parameters: what is refused, and where the token is."""

import json
import uuid

import pytest

from chalicelib.people.servers import MOST, McpServers, token_folder
from chalicelib.platform import aws
from chalicelib.platform.models import SettingItem
from chalicelib.platform.secrets import Secrets
from chalicelib.wire.protocol import ProtocolError

pytestmark = pytest.mark.usefixtures("table_server")
PATH, TOKEN = "/serverless-openclaw/test/", "tok-3nQv7"
URL = "https://mcp.example.com/mcp?set=all"
SERVER = {"name": "docs", "url": URL, "token": TOKEN}


@pytest.fixture
def user() -> str:
    return uuid.uuid4().hex


def refusal(user: str, **fields: object) -> str:
    with pytest.raises(ProtocolError) as refused:
        McpServers(PATH).add(user, SERVER | fields)
    return refused.value.code


def test_the_token_is_in_its_own_parameter_and_nowhere_else(user: str) -> None:
    servers = McpServers(PATH)
    server = servers.add(user, SERVER)
    shown = server.public()
    assert (shown["name"], shown["url"], shown["token"]) == ("docs", "https://mcp.example.com/mcp?…", True)
    tokens = Secrets(PATH).below(token_folder(user))
    assert tokens.all() == {server.id: TOKEN}
    assert TOKEN not in json.dumps([row.value for row in SettingItem.query(user)])
    assert TOKEN not in repr(servers.of(user))
    place = f"{PATH}{token_folder(user)}{server.id}"
    assert aws.client("ssm").get_parameter(Name=place)["Parameter"]["Type"] == "SecureString"
    assert Secrets(PATH).all() == {}, "it is none of the deployment's secrets"
    assert refusal(user) == "SERVER_EXISTS"
    assert tokens.all() == {server.id: TOKEN}, "a refused one leaves nothing"
    servers.remove(user, "docs")
    assert (servers.of(user), tokens.all()) == ([], {})
    with pytest.raises(ProtocolError):
        servers.remove(user, "docs")
    again = servers.add(user, SERVER | {"token": ""})
    assert (again.token, again.id != server.id, tokens.all()) == (False, True, {})


INSIDE = [
    "https://127.0.0.1/",
    "https://localhost/",
    "https://169.254.169.254/latest",
    "https://[::1]/",
    "https://mcp/",
]
ODD = ["https://10.0.0.1/mcp", "https://0x7f000001/", "https://2130706433/", "https://db.internal/mcp", "", 5]
OTHER = ["http://mcp.example.com/", "https://mcp.example.com:8443/mcp", "https://me:pw@mcp.example.com/", "ftp://a.b/"]


def test_an_address_that_is_not_outside(user: str) -> None:
    taken = [url for url in (*INSIDE, *ODD, *OTHER) if refusal(user, url=url) != "BAD_ENDPOINT"]
    assert taken == []


def test_names_and_tokens_that_are_none(user: str) -> None:
    for name in ("", "Docs", "a b", "../x", "__proto__", "a" * 33, "a--b", None):
        assert refusal(user, name=name) == "BAD_FIELD"
    for token in ("a b", "a\r\nX: y", "ü", "x" * 3001, 5):
        assert refusal(user, token=token) == "BAD_FIELD"
    for number in range(MOST):
        McpServers(PATH).add(user, SERVER | {"name": f"docs-{number}", "token": None})
    assert refusal(user, name="one-more") == "TOO_MANY"
