"""User pools on several Cognitos, and the page's own sign-in code in front of them."""

import json
import re
import secrets
import subprocess
import uuid
from typing import Any

import botocore.session
import pyotp
import requests

from cdk.synthesized import Deployment
from chalicelib.people.identity import Identity, fetch_jwks
from local.resources import REGION
from tests.support.client import eventually
from tests.support.judges import MAILED, MINISTACK, MOTO

Json = dict[str, Any]


class Refused(Exception):
    """Cognito's library raised an error; the message is its name."""


class Pool:
    """The pool of a deployment with its client, and somebody who reads the users' mail."""

    def __init__(self, server: str, url: str) -> None:
        self.server, self.url = server, url
        session = botocore.session.get_session()
        session.set_credentials("test", "test")
        self.admin = session.create_client("cognito-idp", region_name=REGION, endpoint_url=url)
        deployed = Deployment("test", REGION, parameters={"SelfSignUp": "true"})
        self.id = str(self.admin.create_user_pool(**deployed.user_pool())["UserPool"]["Id"])
        wanted = {"ReadAttributes": ["email", "email_verified"]} | deployed.user_pool_client()
        made = self.admin.create_user_pool_client(UserPoolId=self.id, **wanted)["UserPoolClient"]
        self.client_id = str(made["ClientId"])

    @property
    def config(self) -> Json:
        pool = {"userPoolId": self.id, "userPoolClientId": self.client_id, "cognitoEndpoint": self.url}
        return pool | {"signed": self.server == MOTO}

    @property
    def identity(self) -> Identity:
        """As the gateway checks tokens. cognito-local names itself as the issuer."""
        aws = f"https://cognito-idp.{REGION}.amazonaws.com"
        issuer = aws if self.server in (MOTO, MINISTACK) else self.url
        keys = fetch_jwks(f"{self.url}/{self.id}/.well-known/jwks.json")
        return Identity(f"{issuer}/{self.id}", self.client_id, keys)

    def code(self, email: str, count: int = 1) -> str:
        """The code in the count-th e-mail to somebody."""
        if self.server not in (MOTO, MINISTACK):
            return MAILED
        codes = eventually(lambda: found if len(found := self._codes(email)) >= count else None, 10)
        return str(codes[-1])

    def _codes(self, email: str) -> list[str]:
        if self.server == MOTO:
            letters = requests.post(f"{self.url}/_local/mail", json=None, timeout=10).json()
            return [letter["code"] for letter in letters if letter["to"] == email]
        sent = requests.get(f"{self.url}/_ministack/ses/messages", timeout=10).json()["messages"]
        texts = [mail["BodyText"] for account in sent.values() for mail in account if email in mail["To"]]
        return [found[0] for text in texts if (found := re.findall(r"\d{6}", text))]


class Page:
    """Calls functions of frontend/src/auth/cognito.ts."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def __call__(self, call: str, *args: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"call": call, "args": args}) + "\n")
        self._process.stdin.flush()
        answer: Json = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise Refused(answer["error"])
        return answer["answer"]

    def close(self) -> None:
        self._process.kill()


def somebody() -> tuple[str, str]:
    """An address and a password."""
    return f"{uuid.uuid4().hex[:10]}@example.com", f"Test-{secrets.token_hex(8)}-1"


def totp(secret: str) -> str:
    return pyotp.TOTP(secret).now()
