"""A user pool with an owner and a friend, a versioned bucket, and the routes on both."""

import os
import uuid
from collections.abc import Iterator

import pytest

from cdk.synthesized import Deployment
from chalicelib import wiring
from chalicelib.agents.tasks import Tasks
from chalicelib.lifecycle.dispatch import Dispatch
from chalicelib.messages.conversations import Conversations
from chalicelib.messages.inbox import Inbox
from chalicelib.platform import aws
from chalicelib.wire.connections import Connections, Post
from tests.support.fake_tables import FakeClock
from tests.support.fakes import FakeContainers, FakeRate
from tests.support.people import BUCKET, PATH, Tokens, account


@pytest.fixture(scope="session")
def pool(cloud: str) -> str:
    """A versioned bucket, as the deployed one is, and a pool with its group."""
    cognito, s3, template = aws.client("cognito-idp"), aws.client("s3"), Deployment("local")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    made = str(cognito.create_user_pool(**template.user_pool())["UserPool"]["Id"])
    cognito.create_group(UserPoolId=made, **template.user_pool_group())
    return made


@pytest.fixture
def containers() -> FakeContainers:
    return FakeContainers(FakeClock())


@pytest.fixture
def routes(pool: str, containers: FakeContainers, monkeypatch: pytest.MonkeyPatch) -> Iterator[Dispatch]:
    """The routes with this pool, and with tokens that say who has them."""
    rows = Inbox(), Tasks(), containers, Connections(), Conversations(), Post()
    dispatch = Dispatch(*rows, FakeRate(1000))
    monkeypatch.setitem(os.environ, "COGNITO_ISSUER", f"https://issuer.example/{pool}")
    monkeypatch.setitem(os.environ, "DATA_BUCKET", BUCKET)
    monkeypatch.setitem(os.environ, "PARAMETER_PATH", PATH)
    monkeypatch.setattr(wiring, "identity", Tokens)
    monkeypatch.setattr(wiring, "dispatch", lambda: dispatch)
    wiring.settings.cache_clear()
    yield dispatch
    wiring.settings.cache_clear()


@pytest.fixture
def owner(pool: str) -> str:
    return account(pool, f"{uuid.uuid4().hex[:8]}@example.com", owner=True)


@pytest.fixture
def friend(pool: str) -> tuple[str, str]:
    """Id and address."""
    email = f"{uuid.uuid4().hex[:8]}@example.com"
    return account(pool, email), email
