"""`make deploy`: checks first, every step in order, again after any failure; `make destroy` after it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from moto import mock_aws

from cdk.synthesized import Deployment as Templates
from ops import application, deploy, destroy, image, secrets, status, users, web, webhook
from ops.cloud import Cloud
from ops.names import ORDER, parameter, stack_name
from ops.stacks import StackFailed, Stacks

STAGE = "dev"


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield Cloud(botocore.session.get_session(), "us-east-1", "123456789012", STAGE)


class FakeStacks(Stacks):
    """Publishes what each stack would: moto knows neither CloudFront nor user pool clients."""

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(client=None)
        object.__setattr__(self, "cloud", cloud)
        object.__setattr__(self, "made", [])
        object.__setattr__(self, "parameters", {})
        object.__setattr__(self, "templates", {})
        object.__setattr__(self, "fail_at", "")

    def _text(self, template: Any) -> str:
        if "TemplateBody" in template:
            return str(template["TemplateBody"])
        bucket, key = template["TemplateURL"].removeprefix("https://").split(".s3.us-east-1.amazonaws.com/")
        read = self.cloud.client("s3").get_object(Bucket=bucket, Key=key)  # type: ignore[attr-defined]
        return str(read["Body"].read().decode())

    def deploy(self, name: str, template: Any, parameters: Any) -> bool:
        if self.fail_at in name and self.fail_at:  # type: ignore[attr-defined]
            raise StackFailed(f"{name}: no luck")
        again = name in self.made  # type: ignore[attr-defined]
        self.made.append(name)  # type: ignore[attr-defined]
        self.parameters[name] = dict(parameters)  # type: ignore[attr-defined]
        self.templates[name] = self._text(template)  # type: ignore[attr-defined]
        noun = name.removeprefix(f"serverless-openclaw-{STAGE}-")
        for path, value in published(noun).items():
            ssm(self.cloud).put_parameter(Name=path, Value=value, Type="String", Overwrite=True)  # type: ignore[attr-defined]
        if noun == "storage":
            bucket = published("storage")[parameter(STAGE, "storage/data-bucket")]
            self.cloud.client("s3").create_bucket(Bucket=bucket)  # type: ignore[attr-defined]
        if noun == "web":
            self.cloud.client("s3").create_bucket(Bucket="site")  # type: ignore[attr-defined]
        return not again


def ssm(cloud: Cloud) -> Any:
    return cloud.client("ssm")


def published(noun: str) -> dict[str, str]:
    if noun == "app":
        values = {"websocket-url": "wss://w/api/", "api/rest-url": "https://r/api/", "api/websocket-id": "w"}
        return {parameter(STAGE, path): value for path, value in values.items()}
    found = {p["Name"]: str(p["Value"]) for _, p in Templates(STAGE).resources(noun, "AWS::SSM::Parameter")}
    known = {"storage/data-bucket": "data", "web/bucket": "site", "web/distribution-id": "E1"}
    return found | {parameter(STAGE, path): value for path, value in known.items() if parameter(STAGE, path) in found}


class World:
    """A deployment whose outside (docker, npm, packaging, Telegram) is replaced."""

    def __init__(self, cloud: Cloud, monkeypatch: pytest.MonkeyPatch, site: Path) -> None:
        self.cloud = cloud
        self.stacks = FakeStacks(cloud)
        self.images: list[str] = []
        self.invalidated = 0
        (site / "assets").mkdir(parents=True)
        (site / "index.html").write_text("<html>")
        (site / "assets" / "a.js").write_text("1")

        def package(stage: str, region: str, out: Path) -> Any:
            (out / "deployment.zip").write_bytes(b"code")
            reference = "{{resolve:ssm:/serverless-openclaw/dev/web/url}}"
            return {"Resources": {"A": {"Type": "AWS::Serverless::Function", "Properties": {"Origin": reference}}}}

        monkeypatch.setattr(application, "package", package)
        monkeypatch.setattr(image, "exists", lambda cloud, tag: tag in self.images)
        monkeypatch.setattr(image, "push", lambda cloud, tag: self.images.append(tag))
        monkeypatch.setattr(web, "build", lambda: site)
        monkeypatch.setattr(users, "invite", lambda cloud, email: True)

    def run(self, env: dict[str, str] | None = None) -> int:
        wanted = deploy.Wanted(STAGE, env or {"ANTHROPIC_API_KEY": "sk-secret", "EMAIL": "a@example.com"})
        work = deploy.Deployment(wanted, _Invalidating(self), "tag", self.stacks)  # type: ignore[arg-type]
        return deploy.run(work.steps(), STAGE)


class _Invalidating:
    """A Cloud whose CloudFront only counts."""

    def __init__(self, world: World) -> None:
        self._world = world

    def __getattr__(self, name: str) -> Any:
        return getattr(self._world.cloud, name)

    def client(self, service: str) -> Any:
        world = self._world
        if service != "cloudfront":
            return world.cloud.client(service)

        class CloudFront:
            def create_invalidation(self, **_: Any) -> None:
                world.invalidated += 1

        return CloudFront()


@pytest.fixture
def world(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    return World(cloud, monkeypatch, tmp_path / "site")


def test_everything_in_order(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Each stack after those it reads from, the page last, and no secret on the screen."""
    assert world.run() == 0
    assert world.stacks.made == [stack_name(STAGE, noun) for noun in ORDER]  # type: ignore[attr-defined]
    assert world.images == ["tag"]
    said = capsys.readouterr()
    assert "[12/12] first user … a@example.com is invited" in said.out
    assert "sk-secret" not in said.out + said.err
    assert world.invalidated == 1


def test_the_page_is_told_which_system_it_belongs_to(world: World) -> None:
    world.run()
    s3 = world.cloud.client("s3")
    config = json.loads(s3.get_object(Bucket="site", Key="config.json")["Body"].read())
    assert config["apiUrl"] == "https://r/api"
    assert config["websocketUrl"] == "wss://w/api"
    assert config["selfSignUp"] is False
    assert set(config) >= {"region", "userPoolId", "userPoolClientId", "telegramBot", "notice"}
    assert "immutable" in s3.head_object(Bucket="site", Key="assets/a.js")["CacheControl"]
    assert s3.head_object(Bucket="site", Key="index.html")["CacheControl"] == "no-cache"


@pytest.mark.parametrize("at", ["storage", "compute", "app", "monitoring"])
def test_it_can_be_run_again_after_a_failure(world: World, at: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A failure ends the run with its reason; the next run repeats nothing that costs."""
    object.__setattr__(world.stacks, "fail_at", at)
    assert world.run() == 1
    said = capsys.readouterr()
    assert "no luck" in said.err
    assert f"make deploy STAGE={STAGE}" in said.err
    object.__setattr__(world.stacks, "fail_at", "")
    assert world.run() == 0
    assert world.run() == 0
    assert world.images == ["tag"], "built once"


def test_a_key_goes_to_ssm_and_into_no_stack(world: World) -> None:
    world.run()
    found = ssm(world.cloud).get_parameter(Name="/serverless-openclaw/dev/anthropic-api-key", WithDecryption=True)
    assert (found["Parameter"]["Type"], found["Parameter"]["Value"]) == ("SecureString", "sk-secret")
    assert "sk-secret" not in json.dumps(world.stacks.parameters)  # type: ignore[attr-defined]
    assert world.cloud.secret_names() == {"anthropic-api-key"}


def test_a_changed_value_is_a_change(world: World) -> None:
    """References are filled in: CloudFormation alone would not look at a parameter again."""
    world.run()
    templates = world.stacks.templates  # type: ignore[attr-defined]
    assert not [name for name, text in templates.items() if "{{resolve" in text]
    application_template = templates[stack_name(STAGE, "app")]
    assert "https://<Distribution" in application_template
    assert "releases/" in application_template


def test_a_missing_value_is_named(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = deploy.Wanted(STAGE, {})
    work = deploy.Deployment(wanted, world.cloud, "tag", world.stacks)
    assert deploy.run([step for step in work.steps() if step[0] == "cluster"], STAGE) == 1
    assert "/serverless-openclaw/dev/storage/data-bucket is not there" in capsys.readouterr().err


def test_status_names_every_stack(cloud: Cloud) -> None:
    lines = "\n".join(status.report(cloud))
    assert lines.count("not deployed") == len(ORDER)


def test_destroy_leaves_nothing_that_costs(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also what stacks keep: tables, every version in the buckets, users, parameters, logs. Twice."""
    monkeypatch.setattr(webhook, "call", lambda *a, **k: None)
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
        for _, work in destroy.Removal(cloud, stacks).steps():
            work()
    web_bucket = templates.one("web", "AWS::S3::Bucket")["BucketName"]
    assert [b["Name"] for b in s3.list_buckets()["Buckets"]] == [web_bucket], "the empty site goes with its stack"
    assert "Versions" not in s3.list_object_versions(Bucket=web_bucket)
    assert set(dynamodb.list_tables()["TableNames"]) == {"other-table", "serverless-openclaw-prod-Settings"}
    assert cloud.client("cognito-idp").list_user_pools(MaxResults=5)["UserPools"] == []
    assert cloud.client("logs").describe_log_groups()["logGroups"] == []
    assert cloud.secret_names() == set()
