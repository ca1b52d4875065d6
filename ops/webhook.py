"""Tells Telegram where our webhook is: `python -m ops.webhook --stage dev [--remove]`."""

import argparse
import sys
from typing import Any

import requests

from ops.cloud import Cloud, Problem, connect
from ops.names import parameter
from ops.secrets import webhook_secret

API = "https://api.telegram.org"


def secret(cloud: Cloud, name: str) -> str | None:
    """A secret's value, None when it is not set."""
    ssm = cloud.client("ssm")
    try:
        return str(ssm.get_parameter(Name=parameter(cloud.stage, name), WithDecryption=True)["Parameter"]["Value"])
    except ssm.exceptions.ParameterNotFound:
        return None


def call(token: str, method: str, base: str = API, **fields: Any) -> Any:
    """One Bot API call. Raises RuntimeError; the token, which is in the address, is in no message."""
    try:
        answer = requests.post(f"{base}/bot{token}/{method}", json=fields, timeout=20).json()
    except (requests.RequestException, ValueError) as error:
        raise RuntimeError(f"Telegram could not be reached for {method}: {type(error).__name__}") from None
    if not answer.get("ok"):
        raise RuntimeError(f"Telegram refused {method}: {answer.get('description', 'no reason given')}")
    return answer["result"]


def register(cloud: Cloud, rest_url: str, base: str = API) -> str | None:
    """Point the bot at this stage; its name, None when no bot is configured. Raises RuntimeError."""
    token = secret(cloud, "telegram-bot-token")
    if token is None:
        return None
    known = secret(cloud, "telegram-webhook-secret") or webhook_secret(cloud)
    name = str(call(token, "getMe", base)["username"])
    cloud.client("ssm").put_parameter(
        Name=parameter(cloud.stage, "telegram-bot-username"), Value=name, Type="String", Overwrite=True
    )
    call(token, "setWebhook", base, url=f"{rest_url.rstrip('/')}/telegram", secret_token=known, max_connections=10)
    return name


def remove(cloud: Cloud, base: str = API) -> None:
    """Telegram stops calling us; no error when there is no bot. Raises RuntimeError."""
    token = secret(cloud, "telegram-bot-token")
    if token is not None:
        call(token, "deleteWebhook", base)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stage", required=True)
    parser.add_argument("--remove", action="store_true")
    options = parser.parse_args()
    try:
        cloud = connect(options.stage)
        if options.remove:
            remove(cloud)
            return 0
        name = register(cloud, cloud.parameters()["api/rest-url"])
    except (Problem, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"@{name} is connected" if name else "no bot is configured: set telegram-bot-token with ops.secrets")
    return 0


if __name__ == "__main__":
    sys.exit(main())
