"""`make logs`, inviting users, setting secrets."""

import io
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.session
import pytest
from moto import mock_aws

from chalicelib.people.identity import OWNER
from ops import logs, secrets, users
from ops.cloud import Cloud


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield Cloud(botocore.session.get_session(), "us-east-1", "123456789012", "dev")


def test_logs_are_those_of_the_stage_in_order_of_time(cloud: Cloud) -> None:
    client, now = cloud.client("logs"), int(time.time() * 1000)
    for number, group in enumerate(
        (
            "/serverless-openclaw/dev/agent",
            "/aws/lambda/serverless-openclaw-dev-watchdog",
            "/aws/lambda/serverless-openclaw-prod-watchdog",
        )
    ):
        client.create_log_group(logGroupName=group)
        client.create_log_stream(logGroupName=group, logStreamName="s")
        event = {"timestamp": now - number, "message": group}
        client.put_log_events(logGroupName=group, logStreamName="s", logEvents=[event])
    found = list(logs.lines(cloud, now - 1000))
    assert [(name, text) for _, name, text in found] == [
        ("watchdog", "/aws/lambda/serverless-openclaw-dev-watchdog"),
        ("agent", "/serverless-openclaw/dev/agent"),
    ]


def test_a_user_is_invited_once(cloud: Cloud) -> None:
    pool = cloud.client("cognito-idp").create_user_pool(PoolName="p", UsernameAttributes=["email"])["UserPool"]["Id"]
    cloud.client("ssm").put_parameter(Name="/serverless-openclaw/dev/auth/user-pool-id", Value=pool, Type="String")
    assert users.invite(cloud, "a@example.com") is users.Invitation.SENT
    assert users.invite(cloud, "a@example.com") is users.Invitation.WAITING
    cloud.client("cognito-idp").admin_set_user_password(
        UserPoolId=pool, Username="a@example.com", Password="Long-enough-1", Permanent=True
    )
    assert users.invite(cloud, "a@example.com", renew=True) is users.Invitation.KNOWN
    cognito = cloud.client("cognito-idp")
    cognito.create_group(UserPoolId=pool, GroupName=OWNER)
    for _ in range(2):
        users.make_owner(cloud, "a@example.com")
    (owner,) = cognito.list_users_in_group(UserPoolId=pool, GroupName=OWNER)["Users"]
    assert {"Name": "email", "Value": "a@example.com"} in owner["Attributes"]


class FakeCognito:
    """One account that has not signed in; remembers the kinds of invitations."""

    class exceptions:
        class UsernameExistsException(Exception):
            pass

    def __init__(self, invited: datetime) -> None:
        self._invited = invited
        self.sent: list[str] = []

    def admin_create_user(self, MessageAction: str = "", **_: Any) -> None:
        if not MessageAction:
            raise self.exceptions.UsernameExistsException
        self.sent.append(MessageAction)

    def admin_get_user(self, **_: Any) -> Any:
        return {"UserStatus": "FORCE_CHANGE_PASSWORD", "UserLastModifiedDate": self._invited}


class FakeCloud:
    def __init__(self, cognito: FakeCognito) -> None:
        self._cognito = cognito

    def client(self, service: str) -> Any:
        return self._cognito

    def parameters(self, path: str) -> dict[str, str]:
        return {"user-pool-id": "p"}


@pytest.mark.parametrize(
    ("hours", "renew", "sent"), [(1, False, []), (1, True, ["RESEND"]), (71, False, []), (73, False, ["RESEND"])]
)
def test_an_invitation_that_ran_out_is_sent_again(hours: int, renew: bool, sent: list[str]) -> None:
    """The mailed password lasts three days; `python -m ops.users` sends a new one at any time."""
    cognito = FakeCognito(datetime.now(UTC) - timedelta(hours=hours))
    cloud: Any = FakeCloud(cognito)
    said = users.invite(cloud, "a@example.com", renew)
    assert cognito.sent == sent
    assert said is (users.Invitation.AGAIN if sent else users.Invitation.WAITING)


def test_a_secret_comes_from_a_pipe_and_is_not_shown(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["secrets", "--stage", "dev", "openai-api-key"])
    monkeypatch.setattr(sys, "stdin", io.StringIO("sk-piped\n"))
    assert secrets.main() == 0
    assert "sk-piped" not in capsys.readouterr().out
    found = cloud.client("ssm").get_parameter(Name="/serverless-openclaw/dev/openai-api-key")["Parameter"]
    assert found["Type"] == "SecureString"
    assert "sk-piped" not in repr(cloud.parameters())
