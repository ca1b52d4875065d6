"""Join the bot to a deployment: `python -m ops.telegram set|check|delete --stage dev`.

The bot token is in SSM (`telegram-bot-token`, put there by the person who made the bot). `set` creates
the webhook secret if there is none, reads the bot's name, and sets the webhook and the command menu.
`check` compares all of this, and checks that the webhook refuses a caller without the secret.
"""

import argparse
import os
import secrets
import sys
from collections.abc import Callable
from typing import Any, Protocol

import requests

from chalicelib.telegram.api import DEFAULT_URL, BotApi, TelegramError
from chalicelib.telegram.texts import COMMANDS
from chalicelib.telegram.webhook import SECRET, TOKEN, USERNAME
from ops.cloud import Cloud, Problem
from ops.cloud import connect as connect_account
from ops.names import parameter

ALLOWED_UPDATES = ["message", "edited_message", "callback_query", "message_reaction"]
# Each connection is one Lambda invocation at a time, which is enough for a family.
MAX_CONNECTIONS = 10


class Bot(Protocol):
    """What is asked of a bot here."""

    def call(self, method: str, files: Any = None, **fields: Any) -> Any: ...


def bot(token: str) -> Bot:
    return BotApi(token, os.environ.get("TELEGRAM_API_URL") or DEFAULT_URL)


def menu() -> list[dict[str, str]]:
    return [{"command": name, "description": text} for name, text in COMMANDS.items()]


def connect(api: Bot, url: str, secret: str) -> str:
    """Point the bot at our webhook; the bot's name. Raises TelegramError."""
    name = str(api.call("getMe")["username"])
    api.call(
        "setWebhook",
        url=url,
        secret_token=secret,
        allowed_updates=ALLOWED_UPDATES,
        max_connections=MAX_CONNECTIONS,
    )
    api.call("setMyCommands", commands=menu())
    return name


def problems(api: Bot, url: str, secret: str) -> list[str]:
    """What is wrong, as sentences for the person."""
    info: dict[str, Any] = api.call("getWebhookInfo")
    found = []
    if info.get("url") != url:
        found.append(f"the webhook is {info.get('url') or 'not set'}, not {url}")
    if sorted(info.get("allowed_updates") or []) != sorted(ALLOWED_UPDATES):
        found.append(f"allowed_updates is {info.get('allowed_updates')}")
    if info.get("max_connections") != MAX_CONNECTIONS:
        found.append(f"max_connections is {info.get('max_connections')}")
    if info.get("last_error_message"):
        found.append(f"Telegram's last delivery failed: {info['last_error_message']}")
    if api.call("getMyCommands") != menu():
        found.append("the command menu is not ours")
    return found + _gate_problems(url, secret)


def _gate_problems(url: str, secret: str) -> list[str]:
    """The webhook itself: closed without the secret, open with it."""
    header = "X-Telegram-Bot-Api-Secret-Token"
    found = []
    for given, wanted in (({}, 401), ({header: "wrong"}, 401), ({header: secret}, 200)):
        try:
            status = requests.post(url, json={}, headers=given, timeout=30).status_code
        except requests.RequestException as error:
            return [f"the webhook does not answer ({type(error).__name__})"]
        if status != wanted:
            kind = "the right secret" if wanted == 200 else "no or a wrong secret"
            found.append(f"with {kind} the webhook answers {status}, not {wanted}")
    return found


def read(cloud: Cloud, name: str) -> str:
    """A secret's value, empty when it is not set."""
    ssm = cloud.client("ssm")
    try:
        return str(ssm.get_parameter(Name=parameter(cloud.stage, name), WithDecryption=True)["Parameter"]["Value"])
    except ssm.exceptions.ParameterNotFound:
        return ""


def _put(cloud: Cloud, name: str, value: str, kind: str) -> None:
    cloud.client("ssm").put_parameter(Name=parameter(cloud.stage, name), Value=value, Type=kind, Overwrite=True)


def ensure_secret(cloud: Cloud) -> str:
    """The webhook secret, made now if there was none; a new one would refuse updates on their way."""
    known = read(cloud, SECRET)
    if not known:
        known = secrets.token_urlsafe(32)
        _put(cloud, SECRET, known, "SecureString")
    return known


def webhook(rest_url: str) -> str:
    """Where Telegram's updates go, by the address of the REST API."""
    return f"{rest_url.rstrip('/')}/telegram"


def register(cloud: Cloud, url: str, make: Callable[[str], Bot] = bot) -> str | None:
    """Point the stage's bot at a webhook; its name, None when no bot is configured. Raises TelegramError."""
    token = read(cloud, TOKEN)
    if not token:
        return None
    name = connect(make(token), url, ensure_secret(cloud))
    _put(cloud, USERNAME, name, "String")
    return name


def remove(cloud: Cloud, make: Callable[[str], Bot] = bot) -> None:
    """Telegram stops calling us; nothing when there is no bot. Raises TelegramError."""
    token = read(cloud, TOKEN)
    if token:
        make(token).call("deleteWebhook")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m ops.telegram", description=__doc__)
    parser.add_argument("action", choices=["set", "check", "delete"])
    parser.add_argument("--stage", default=os.environ.get("STAGE", "dev"))
    parser.add_argument("--url", help="the webhook; by default the deployed one")
    options = parser.parse_args(arguments)
    try:
        cloud = connect_account(options.stage)
    except Problem as problem:
        print(problem, file=sys.stderr)
        return 2
    published = cloud.parameters("api/").get("rest-url", "")
    url = options.url or (webhook(published) if published else "")
    if not read(cloud, TOKEN):
        print(
            f"There is no bot token: make a bot with @BotFather and put its token into {parameter(cloud.stage, TOKEN)}."
        )
        return 1
    if not url and options.action != "delete":
        print("Say where the webhook is: --url https://…/telegram")
        return 1
    try:
        return _act(options.action, cloud, url)
    except TelegramError as error:
        print(f"The call to the Bot API failed: {error}")
        return 1


def _act(action: str, cloud: Cloud, url: str) -> int:
    if action == "delete":
        remove(cloud)
        print("The webhook is removed. The bot no longer receives messages.")
        return 0
    if action == "set":
        print(f"@{register(cloud, url)} sends its messages to {url}")
        return 0
    found = problems(bot(read(cloud, TOKEN)), url, read(cloud, SECRET))
    for problem in found:
        print(f"- {problem}")
    print("Everything is in order." if not found else "Run `python -m ops.telegram set` to fix this.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
