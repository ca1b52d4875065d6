"""`make destroy`: nothing that costs is left, and nothing outside stops it."""

from collections.abc import Iterator

import botocore.session
import pytest
from moto import mock_aws

from cdk.synthesized import Deployment as Templates
from ops import destroy, secrets
from ops.cloud import Cloud
from ops.deployment import settings
from ops.deployment.stacks import Stacks
from tests.infra.bots import FakeBot

STAGE = "dev"


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield Cloud(botocore.session.get_session(), "us-east-1", "123456789012", STAGE)


def test_destroy_leaves_nothing_that_costs(cloud: Cloud) -> None:
    """Also what stacks keep: tables, every version in the buckets, users, parameters, logs. Twice."""
    bot = FakeBot()
    settings.store(cloud, settings.settle({"EMAIL": "a@example.com"}, {}))
    templates = Templates(STAGE, cloud.region, cloud.account)
    dynamodb, s3 = cloud.client("dynamodb"), cloud.client("s3")
    for table in templates.tables():
        dynamodb.create_table(**table)
    for stack in ("storage", "web"):
        name = templates.one(stack, "AWS::S3::Bucket")["BucketName"]
        s3.create_bucket(Bucket=name)
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        for _ in range(2):
            s3.put_object(Bucket=name, Key="a", Body=b"x")
        s3.delete_object(Bucket=name, Key="a")
    cloud.client("cognito-idp").create_user_pool(PoolName="serverless-openclaw-dev")
    cloud.client("logs").create_log_group(logGroupName="/aws/lambda/serverless-openclaw-dev-watchdog")
    secrets.write(cloud, {"openai-api-key": "k", "telegram-bot-token": "t"})
    for name in ("other-table", "serverless-openclaw-prod-Settings"):
        attribute = {"AttributeName": "a"}
        dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[attribute | {"KeyType": "HASH"}],
            AttributeDefinitions=[attribute | {"AttributeType": "S"}],
        )
    for _ in range(2):
        stacks = Stacks(cloud.client("cloudformation"), 0.01, 5)
        for _, work in destroy.Removal(cloud, stacks, bot.make).steps():
            work()
    assert [method for method, _ in bot.calls] == ["deleteWebhook"]
    web_bucket = templates.one("web", "AWS::S3::Bucket")["BucketName"]
    assert [b["Name"] for b in s3.list_buckets()["Buckets"]] == [web_bucket], "the empty site goes with its stack"
    assert "Versions" not in s3.list_object_versions(Bucket=web_bucket)
    assert set(dynamodb.list_tables()["TableNames"]) == {"other-table", "serverless-openclaw-prod-Settings"}
    assert cloud.client("cognito-idp").list_user_pools(MaxResults=5)["UserPools"] == []
    assert cloud.client("logs").describe_log_groups()["logGroups"] == []
    assert cloud.secret_names() == set()
    assert cloud.parameters() == {}


def test_a_dead_bot_token_keeps_no_stage(cloud: Cloud) -> None:
    """The first step says so, and the others follow."""
    secrets.write(cloud, {"telegram-bot-token": "42:token"})
    (name, work), *_ = destroy.Removal(cloud, Stacks(None), FakeBot(dead=True).make).steps()
    assert name == "Telegram webhook"
    assert work().startswith("NOT removed, Telegram did not do it (401: Unauthorized)")
