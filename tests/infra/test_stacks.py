"""CloudFormation as `make deploy` uses it, on moto: made, made again, changed, removed."""

import json
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from moto import mock_aws

from cdk.synthesized import Deployment, template
from ops.deployment.stacks import StackFailed, Stacks, body


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield botocore.session.get_session()


def make(session: Any) -> Stacks:
    return Stacks(session.create_client("cloudformation", region_name="us-east-1"), pause=0.01, patience=5)


def text(noun: str) -> dict[str, str]:
    return body(json.dumps(template(noun), separators=(",", ":")))


@pytest.mark.filterwarnings("ignore:Tried to parse")
def test_the_storage_stack_makes_the_tables_the_code_uses(session: Any, dev: Deployment) -> None:
    """The committed template, deployed: five tables with their indexes, and the names for others."""
    make(session).deploy("storage", text("storage"), {"Stage": "dev"})
    dynamodb = session.create_client("dynamodb", region_name="us-east-1")
    assert set(dynamodb.list_tables()["TableNames"]) == {table["TableName"] for table in dev.tables()}
    found = dynamodb.describe_table(TableName="serverless-openclaw-dev-PendingMessages")["Table"]
    assert {index["IndexName"] for index in found["GlobalSecondaryIndexes"]} == {"waiting-index"}
    ssm = session.create_client("ssm", region_name="us-east-1")
    value = ssm.get_parameter(Name="/serverless-openclaw/dev/storage/data-bucket")["Parameter"]["Value"]
    assert value == "serverless-openclaw-dev-data-123456789012-us-east-1"


SMALL = {
    "Parameters": {"Text": {"Type": "String"}},
    "Resources": {"One": {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "/x", "Type": "String"}}},
}
SMALL["Resources"]["One"]["Properties"]["Value"] = {"Ref": "Text"}  # type: ignore[index]


def test_a_stack_is_made_changed_and_removed(session: Any) -> None:
    stacks, small = make(session), body(json.dumps(SMALL))
    assert stacks.status("small") is None
    assert stacks.deploy("small", small, {"Text": "a"}) is True
    assert stacks.deploy("small", small, {"Text": "b"}) is True
    ssm = session.create_client("ssm", region_name="us-east-1")
    assert ssm.get_parameter(Name="/x")["Parameter"]["Value"] == "b"
    stacks.delete("small")
    stacks.delete("small")
    assert stacks.status("small") in (None, "DELETE_COMPLETE")


class FakeCloudFormation:
    """Answers with the given statuses, then remembers what was asked."""

    def __init__(self, statuses: list[str | None], change: str = "CREATE_COMPLETE", reason: str = "") -> None:
        self._statuses = statuses
        self._change = change
        self._reason = reason
        self.asked: list[str] = []
        self.kind = ""

    def describe_stacks(self, StackName: str) -> Any:
        status = self._statuses[0] if len(self._statuses) == 1 else self._statuses.pop(0)
        if status is None:
            from botocore.exceptions import ClientError

            raise ClientError({"Error": {"Code": "ValidationError", "Message": "does not exist"}}, "DescribeStacks")
        return {"Stacks": [{"StackStatus": status}]}

    def create_change_set(self, **arguments: Any) -> None:
        self.asked.append("create_change_set")
        self.kind = arguments["ChangeSetType"]
        assert "CAPABILITY_NAMED_IAM" in arguments["Capabilities"]

    def describe_change_set(self, **_: Any) -> Any:
        return {"Status": self._change, "StatusReason": self._reason}

    def describe_stack_events(self, **_: Any) -> Any:
        return {"StackEvents": []}

    def __getattr__(self, name: str) -> Any:
        return lambda **_: self.asked.append(name)


def test_a_failed_creation_is_removed_and_made_again() -> None:
    fake = FakeCloudFormation(["ROLLBACK_COMPLETE", "ROLLBACK_COMPLETE", None, "CREATE_COMPLETE"])
    assert Stacks(fake, 0, 5).deploy("x", {"TemplateBody": "{}"}, {}) is True
    assert fake.asked == ["delete_stack", "create_change_set", "execute_change_set"]
    assert fake.kind == "CREATE"


def test_a_run_that_was_broken_off_is_waited_for() -> None:
    fake = FakeCloudFormation(["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"])
    assert Stacks(fake, 0, 5).deploy("x", {"TemplateBody": "{}"}, {}) is True
    assert fake.kind == "UPDATE"


def test_a_rollback_that_failed_is_ended_first() -> None:
    """In this state CloudFormation takes no change; what stopped the way back is usually gone by now."""
    statuses = ["UPDATE_ROLLBACK_FAILED", "UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_COMPLETE"]
    fake = FakeCloudFormation([*statuses])
    assert Stacks(fake, 0, 5).deploy("x", {"TemplateBody": "{}"}, {}) is True
    assert fake.asked == [
        "continue_update_rollback",
        "delete_change_set",
        "create_change_set",
        "execute_change_set",
    ]
    assert fake.kind == "UPDATE"


def test_a_rollback_that_fails_again_is_told() -> None:
    fake = FakeCloudFormation(["UPDATE_ROLLBACK_FAILED"])
    with pytest.raises(StackFailed, match="x is stuck in UPDATE_ROLLBACK_FAILED, and going back failed again"):
        Stacks(fake, 0, 5).deploy("x", {"TemplateBody": "{}"}, {})
    assert "create_change_set" not in fake.asked


def test_nothing_to_change_is_no_failure() -> None:
    reason = "The submitted information didn't contain changes. Submit different information."
    fake = FakeCloudFormation(["UPDATE_COMPLETE"], "FAILED", reason)
    assert Stacks(fake, 0, 5).deploy("x", {"TemplateBody": "{}"}, {}) is False
    assert "execute_change_set" not in fake.asked


def test_a_refused_change_is_told() -> None:
    fake = FakeCloudFormation(["UPDATE_COMPLETE"], "FAILED", "Template error: X")
    with pytest.raises(StackFailed, match="x: Template error: X"):
        Stacks(fake, 0, 5).deploy("x", {"TemplateBody": "{}"}, {})


def test_a_rolled_back_update_is_a_failure() -> None:
    fake = FakeCloudFormation(["UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"])
    with pytest.raises(StackFailed, match="UPDATE_ROLLBACK_COMPLETE"):
        Stacks(fake, 0, 5).deploy("x", {"TemplateBody": "{}"}, {})
