"""`make deploy`: checks first, every step in order, again after any failure."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from moto import mock_aws

from chalicelib.platform.vapid import public_of
from ops import deploy, image, secrets, status, users
from ops.cloud import Cloud
from ops.deployment import application, releases, settings, web
from ops.deployment.preflight import Wanted
from ops.names import ORDER, stack_name
from ops.telegram import ALLOWED_UPDATES
from tests.infra.bots import FakeBot
from tests.infra.fake_stacks import STAGE, FakeStacks, ssm


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield Cloud(botocore.session.get_session(), "us-east-1", "123456789012", STAGE)


class World:
    """A deployment with its outside (docker, npm, packaging, Telegram) replaced."""

    def __init__(self, cloud: Cloud, monkeypatch: pytest.MonkeyPatch, site: Path) -> None:
        self.cloud = cloud
        self.stacks = FakeStacks(cloud)
        self.images: list[str] = []
        self.bot = FakeBot()
        self.told: dict[str, str] = {}
        self.invalidated = 0
        for name in ("assets/a.js", "sandbox/assets/b.js", "sandbox/pdf/index.html", "index.html", "push-worker.js"):
            (site / name).parent.mkdir(parents=True, exist_ok=True)
            (site / name).write_text(name)

        def package(stage: str, region: str, out: Path, told: dict[str, str]) -> Any:
            self.told = told
            (out / "deployment.zip").write_bytes(b"code")
            reference = "{{resolve:ssm:/serverless-openclaw/dev/web/url}}"
            return {"Resources": {"A": {"Type": "AWS::Serverless::Function", "Properties": {"Origin": reference}}}}

        monkeypatch.setattr(application, "package", package)
        monkeypatch.setattr(image, "exists", lambda cloud, tag: tag in self.images)
        monkeypatch.setattr(image, "push", lambda cloud, tag: self.images.append(tag))
        monkeypatch.setattr(image, "forget", lambda cloud, tag: 0)
        monkeypatch.setattr(web, "build", lambda: site)
        monkeypatch.setattr(users, "invite", lambda cloud, email: users.Invitation.SENT)
        monkeypatch.setattr(users, "make_owner", lambda cloud, email: None)

    def run(self, env: dict[str, str] | None = None) -> int:
        env = {"ANTHROPIC_API_KEY": "sk-secret", "EMAIL": "a@example.com"} if env is None else env
        wanted = Wanted(STAGE, settings.settle(env, settings.stored(self.cloud)), env)
        cloud: Any = _Invalidating(self)
        work = deploy.Deployment(wanted, cloud, "tag", self.stacks, self.bot.make)
        return deploy.run(work.steps(), STAGE)

    def parameters(self, noun: str) -> dict[str, str]:
        """Those of a stack's last deployment."""
        found: dict[str, str] = self.stacks.parameters[stack_name(STAGE, noun)]  # type: ignore[attr-defined]
        return found


class _Invalidating:
    """A Cloud with a CloudFront that only counts."""

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
    assert world.stacks.made == [stack_name(STAGE, n) for n in ORDER if n != "microvm"]  # type: ignore[attr-defined]
    assert world.images == ["tag"]
    said = capsys.readouterr()
    assert "[15/16] first user … a@example.com is invited" in said.out
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
    for name in ("assets/a.js", "sandbox/assets/b.js"):
        assert "immutable" in s3.head_object(Bucket="site", Key=name)["CacheControl"]
    for name in ("index.html", "push-worker.js", "sandbox/pdf/index.html"):
        assert s3.head_object(Bucket="site", Key=name)["CacheControl"] == "no-cache"


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
    assert world.cloud.secret_names() == {"anthropic-api-key", "vapid-private-key"}


def test_the_key_for_notifications_is_made_once_and_shown_to_nobody(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """A new one would end every subscription. An interrupted run leaves a private key without its public one."""
    found: list[str] = []
    for _ in range(2):
        assert world.run() == 0
        read = ssm(world.cloud).get_parameter(Name="/serverless-openclaw/dev/vapid-private-key", WithDecryption=True)
        assert read["Parameter"]["Type"] == "SecureString"
        config = world.cloud.client("s3").get_object(Bucket="site", Key="config.json")["Body"].read()
        assert json.loads(config)["pushKey"] == public_of(read["Parameter"]["Value"])
        found.append(read["Parameter"]["Value"])
        ssm(world.cloud).delete_parameter(Name="/serverless-openclaw/dev/vapid-public-key")
    assert found[0] == found[1]
    assert world.cloud.parameters()["vapid-subject"].startswith("https://")
    secret = found[0].splitlines()[1]
    said = capsys.readouterr()
    everywhere = said.out + said.err + json.dumps([world.stacks.templates, world.stacks.parameters, world.told])  # type: ignore[attr-defined]
    assert secret not in everywhere


def test_a_changed_value_is_a_change(world: World) -> None:
    """References are filled in: CloudFormation alone would not look at a parameter again."""
    world.run()
    templates = world.stacks.templates  # type: ignore[attr-defined]
    assert not [name for name, text in templates.items() if "{{resolve" in text]
    application_template = templates[stack_name(STAGE, "app")]
    assert "https://<Distribution" in application_template
    assert "releases/" in application_template


def test_a_plain_second_deployment_keeps_what_the_first_was_told(world: World) -> None:
    """Alarms, budget, sign-up, Bedrock and the functions' variables stay until they are told otherwise."""
    told = {
        "EMAIL": "a@example.com",
        "MONTHLY_BUDGET": "25",
        "SELF_SIGN_UP": "1",
        "BEDROCK": "true",
        "PREWARM_CRONS": "0 8 * * ? *",
        "TELEGRAM_ALLOWED_IDS": "42",
    }
    for env in (told, {}):
        assert world.run(env) == 0
        assert world.parameters("monitoring") == {"Stage": STAGE, "AlarmEmail": "a@example.com", "MonthlyBudget": "25"}
        assert world.parameters("auth")["SelfSignUp"] == "true"
        assert world.parameters("compute")["Bedrock"] == "true"
        assert (world.told["PREWARM_CRONS"], world.told["TELEGRAM_ALLOWED_IDS"]) == ("0 8 * * ? *", "42")
    world.run({"EMAIL": "", "BEDROCK": ""})
    assert world.parameters("monitoring") == {"Stage": STAGE, "AlarmEmail": "", "MonthlyBudget": "25"}
    assert world.parameters("compute")["Bedrock"] == "false"


def test_the_bot_is_connected_in_full(world: World) -> None:
    """Webhook, kinds of updates and the command menu, and the page is told the bot's name."""
    secrets.write(world.cloud, {"telegram-bot-token": "42:token"})
    assert world.run() == 0
    assert world.bot.asked("setWebhook")["url"] == "https://r/api/telegram"
    assert world.bot.asked("setWebhook")["allowed_updates"] == ALLOWED_UPDATES
    assert world.bot.asked("setMyCommands")["commands"]
    config = world.cloud.client("s3").get_object(Bucket="site", Key="config.json")["Body"].read()
    assert json.loads(config)["telegramBot"] == "our_bot"


def test_a_dead_bot_token_is_told_at_the_end_and_stops_nothing(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    secrets.write(world.cloud, {"telegram-bot-token": "42:token"})
    world.bot.dead = True
    assert world.run() == 1
    assert stack_name(STAGE, "monitoring") in world.stacks.made  # type: ignore[attr-defined]
    said = capsys.readouterr()
    assert "Telegram webhook … NOT DONE" in said.out
    assert "[16/16]" in said.out
    assert said.err.strip().startswith(
        "Everything else is deployed. Telegram webhook: Telegram did not take the webhook (401"
    )
    assert "42:token" not in said.out + said.err


def test_the_release_before_is_kept_however_old(world: World) -> None:
    """Ten of each kind, the deployed one among them."""
    for number in range(releases.KEPT + 3):
        world.run()
        releases.upload(world.cloud, "data", str(number).encode(), "zip")
    world.run()
    listed = world.cloud.client("s3").list_objects_v2(Bucket="data", Prefix="releases/")
    found = [entry["Key"] for entry in listed["Contents"]]
    codes = [key for key in found if key.endswith(".zip")]
    assert len(codes) == releases.KEPT
    assert any(key in world.stacks.templates[stack_name(STAGE, "app")] for key in codes)  # type: ignore[attr-defined]
    assert [key for key in found if key.endswith(".json")]


def test_a_missing_value_is_named(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = Wanted(STAGE, settings.settle({}, {}), {})
    work = deploy.Deployment(wanted, world.cloud, "tag", world.stacks)
    assert deploy.run([step for step in work.steps() if step[0] == "cluster"], STAGE) == 1
    assert "/serverless-openclaw/dev/storage/data-bucket is not there" in capsys.readouterr().err


def test_status_names_every_stack(cloud: Cloud) -> None:
    lines = "\n".join(status.report(cloud))
    assert lines.count("not deployed") == len(ORDER)
