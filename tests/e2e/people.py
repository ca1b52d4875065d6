"""Accounts for the tests, made as an administrator makes them."""

import secrets
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from local.stack import Stack
from tests.support.client import Client, cognito, eventually, sign_in


@dataclass(frozen=True)
class User:
    email: str
    password: str


def address() -> str:
    return f"{uuid.uuid4().hex[:10]}@example.com"


def password() -> str:
    return f"Test-{secrets.token_hex(8)}-1"


def new_user(stack: Stack, email: str | None = None) -> User:
    """A confirmed account."""
    assert stack.resources is not None
    user, client, pool = User(email or address(), password()), cognito(stack), stack.resources.pool_id
    client.admin_create_user(
        UserPoolId=pool,
        Username=user.email,
        MessageAction="SUPPRESS",
        UserAttributes=[{"Name": "email", "Value": user.email}, {"Name": "email_verified", "Value": "true"}],
    )
    client.admin_set_user_password(UserPoolId=pool, Username=user.email, Password=user.password, Permanent=True)
    return user


def mailed_code(stack: Stack, email: str, after: str = "") -> str:
    """The newest code that was e-mailed there, once there is one other than `after`."""

    def newest() -> str | None:
        codes = [letter["code"] for letter in stack.mail() if letter["to"] == email]
        return codes[-1] if codes and codes[-1] != after else None

    return str(eventually(newest, 10))


def not_the_code(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def client_of(stack: Stack, user: User) -> Client:
    """The same person with a second device that no browser draws."""
    return Client(stack, sign_in(stack, user.email, user.password))


@contextmanager
def agent_of(stack: Stack, user: User) -> Iterator[None]:
    """The user's agent, awake; asleep again afterwards."""
    client = client_of(stack, user)
    client.ask("1+1")
    try:
        yield
    finally:
        client.rest("POST", "/stop-agent")
        client.close()
