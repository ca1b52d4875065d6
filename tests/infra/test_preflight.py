"""What `make deploy` looks at first; the image's name and the webhook."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from moto import mock_aws

from chalicelib.telegram.api import TelegramError
from ops import image, secrets, telegram
from ops.cloud import Cloud, Problem, connect
from ops.deployment import account, engine, ipv6, preflight, settings, web
from tests.infra.bots import FakeBot

STAGE = "dev"
MANIFEST = json.dumps({"mediaType": "application/vnd.oci.image.manifest.v1+json", "schemaVersion": 2})


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield Cloud(botocore.session.get_session(), "us-east-1", "123456789012", STAGE)


class TestPreflight:
    """One clear sentence each, before anything is changed."""

    def check(self, env: dict[str, str], stage: str = STAGE) -> str:
        with pytest.raises(Problem) as problem:
            preflight.check(stage, env, "tag")
        sentence = str(problem.value)
        assert "\n" not in sentence
        assert sentence.endswith(".")
        return sentence

    @pytest.fixture
    def bare(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
        """A machine with Node.js and nothing of AWS."""
        for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
            monkeypatch.delenv(name, raising=False)
        for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
        monkeypatch.setattr(web, "need_node", lambda: None)
        return monkeypatch

    def test_stage(self, bare: Any) -> None:
        assert "is not a valid stage name" in self.check({}, "My Stage")
        assert "is not in .chalice/config.json" in self.check({}, "qa")

    def test_an_engine_that_nobody_knows(self, bare: pytest.MonkeyPatch) -> None:
        self.ready(bare)
        with mock_aws():
            assert self.check({"RUNTIME": "lambda"}) == "RUNTIME=lambda cannot be used: it must be fargate or microvm."

    def test_the_second_engine_is_said_to_be_untried(self, bare: pytest.MonkeyPatch) -> None:
        self.ready(bare)
        bare.setattr(image, "need_docker", lambda: None)
        bare.setattr(account, "look", lambda cloud, cpu: [])
        bare.setattr(engine, "base_version", lambda cloud: "8")
        bare.setattr(engine, "quotas", lambda cloud: ["many"])
        with mock_aws():
            told = {"RUNTIME": "microvm", "OPENAI_API_KEY": "k", "PREWARM_CRONS": "0 7 * * ? *;0 18 * * ? *"}
            _, wanted = preflight.check(STAGE, told, "tag")
        assert "nothing of this engine ever ran on AWS" in wanted.notes[-1]
        assert "an early start's too, costs $0.126, not $0.021. Each start of PREWARM_CRONS" in wanted.notes[-2]
        assert wanted.notes[-2].endswith("up to $0.13.")
        assert wanted.parameters("microvm", "tag")["BaseVersion"] == "8"

    @pytest.mark.parametrize("option", [{"IPV6_ONLY": "true"}, {"AGENT_CPU": "512"}])
    def test_the_second_engine_has_no_options_of_a_task(self, bare: pytest.MonkeyPatch, option: dict[str, str]) -> None:
        self.ready(bare)
        bare.setattr(image, "need_docker", lambda: None)
        for name, nothing in (("look", account), ("check", ipv6)):
            bare.setattr(nothing, name, lambda *_: [])
        with mock_aws():
            said = self.check({"RUNTIME": "microvm", "OPENAI_API_KEY": "k"} | option)
        assert said == "IPV6_ONLY and AGENT_CPU are for tasks of Fargate: leave them, or RUNTIME=microvm."

    def test_region(self, bare: Any) -> None:
        assert self.check({}).startswith("No AWS region is set")

    def test_credentials(self, bare: pytest.MonkeyPatch) -> None:
        bare.setenv("AWS_REGION", "us-east-1")
        bare.setattr(botocore.session.Session, "get_credentials", lambda self: None)
        assert self.check({}).startswith("No AWS credentials were found")

    def ready(self, bare: pytest.MonkeyPatch) -> None:
        bare.setenv("AWS_REGION", "us-east-1")
        bare.setenv("AWS_ACCESS_KEY_ID", "test")
        bare.setenv("AWS_SECRET_ACCESS_KEY", "test")

    def test_a_model_provider(self, bare: pytest.MonkeyPatch) -> None:
        self.ready(bare)
        with mock_aws():
            assert self.check({}).startswith("No model provider is configured")

    def test_a_setting_that_cannot_be_used(self, bare: pytest.MonkeyPatch) -> None:
        self.ready(bare)
        with mock_aws():
            assert self.check({"MONTHLY_BUDGET": "much"}).startswith("MONTHLY_BUDGET=much cannot be used")

    def test_bedrock_that_was_asked_for_once_is_a_provider(self, bare: pytest.MonkeyPatch) -> None:
        self.ready(bare)
        bare.setattr(image, "need_docker", lambda: None)
        bare.setattr(account, "look", lambda *_: [])
        with mock_aws():
            settings.store(connect(STAGE), settings.settle({"BEDROCK": "true"}, {}))
            _, wanted = preflight.check(STAGE, {}, "tag")
            assert wanted.parameters("compute", "tag")["Bedrock"] == "true"
            assert self.check({"BEDROCK": ""}).startswith("No model provider is configured")

    @pytest.mark.parametrize(
        ("stage", "region", "fits"), [("a" * 10, "ap-northeast-1", 1), ("a" * 11, "ap-northeast-1", 0)]
    )
    def test_room_for_the_names_of_buckets(self, stage: str, region: str, fits: bool) -> None:
        """Stage and region share what S3 leaves of 63 characters."""
        cloud = Cloud(None, region, "123456789012", stage)
        if fits:
            preflight.need_short_name(cloud)
            return
        with pytest.raises(Problem) as problem:
            preflight.need_short_name(cloud)
        assert str(problem.value) == (
            f"STAGE={stage} is too long for {region}: the names of buckets have room for 10 letters."
        )

    def test_docker(self, bare: pytest.MonkeyPatch) -> None:
        self.ready(bare)
        bare.setattr(shutil, "which", lambda name: None)
        with mock_aws():
            assert "Docker is needed" in self.check({"OPENAI_API_KEY": "k"})

    def test_docker_is_not_needed_when_the_image_is_there(self, bare: pytest.MonkeyPatch) -> None:
        self.ready(bare)
        bare.setattr(shutil, "which", lambda name: None)
        bare.setattr(account, "look", lambda *_: [])
        with mock_aws():
            cloud = connect(STAGE)
            ecr = cloud.client("ecr")
            ecr.create_repository(repositoryName="serverless-openclaw-dev/agent")
            ecr.put_image(repositoryName="serverless-openclaw-dev/agent", imageManifest=MANIFEST, imageTag="tag")
            assert preflight.check(STAGE, {"BEDROCK": "true"}, "tag")[0].account == "123456789012"

    def test_node(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setattr(web, "FRONTEND", tmp_path)
        monkeypatch.setattr(shutil, "which", lambda name: None)
        assert "Node.js" in self.check({})

    def test_nothing_was_changed(self, bare: pytest.MonkeyPatch) -> None:
        """Every call of the checks only reads."""
        self.ready(bare)
        bare.setattr(image, "need_docker", lambda: None)
        made: list[str] = []

        def hear(params: Any, model: Any, **_: Any) -> None:
            made.append(model.name)

        kept: Callable[..., Any] = botocore.session.get_session

        def listening() -> Any:
            session = kept()
            session.register("before-parameter-build", hear)
            return session

        bare.setattr(botocore.session, "get_session", listening)
        with mock_aws():
            preflight.check(STAGE, {"OPENAI_API_KEY": "k"}, "tag")
        assert made
        assert all(name.startswith(("Get", "Describe", "List", "Head")) for name in made), made


def test_the_image_is_named_by_what_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "container").mkdir()
    (tmp_path / "chalicelib").mkdir()
    (tmp_path / "container" / "Dockerfile").write_text("FROM scratch")
    before = image.tag(tmp_path)
    (tmp_path / "container" / "__pycache__").mkdir()
    (tmp_path / "container" / "__pycache__" / "x.pyc").write_text("x")
    assert image.tag(tmp_path) == before
    (tmp_path / "chalicelib" / "a.py").write_text("x = 1")
    assert image.tag(tmp_path) != before


def test_the_image_is_arm64_and_zstd_without_soci() -> None:
    arguments = " ".join(image.build_arguments("r:t"))
    assert "--platform=linux/arm64" in arguments
    assert "compression=zstd" in arguments
    assert "soci" not in arguments


class TestWebhook:
    def test_the_bot_is_pointed_at_this_stage(self, cloud: Cloud) -> None:
        bot = FakeBot()
        secrets.write(cloud, {"telegram-bot-token": "42:token"})
        assert telegram.register(cloud, telegram.webhook("https://r/api/"), bot.make) == "our_bot"
        fields = bot.asked("setWebhook")
        assert fields["url"] == "https://r/api/telegram"
        assert fields["secret_token"] == telegram.read(cloud, "telegram-webhook-secret")
        assert bot.tokens == ["42:token"]
        telegram.register(cloud, "https://r/api/telegram", bot.make)
        assert bot.asked("setWebhook") == fields, "a new secret would refuse updates on their way"

    def test_without_a_bot_nothing_is_called(self, cloud: Cloud) -> None:
        bot = FakeBot()
        assert telegram.register(cloud, "https://r/api/telegram", bot.make) is None
        telegram.remove(cloud, bot.make)
        assert bot.tokens == []

    def test_the_bots_name_is_no_secret(self, cloud: Cloud) -> None:
        """It is read from Telegram as a plain parameter. The type could not be changed afterwards."""
        assert "telegram-bot-username" not in secrets.NAMES
        assert secrets.from_environment({"TELEGRAM_BOT_USERNAME": "x"}) == {}
        secrets.write(cloud, {"telegram-bot-token": "42:token"})
        telegram.register(cloud, "https://r/api/telegram", FakeBot().make)
        assert cloud.parameters()["telegram-bot-username"] == "our_bot"

    def test_the_token_is_in_no_message(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TELEGRAM_API_URL", "http://127.0.0.1:9")
        with pytest.raises(TelegramError) as error:
            telegram.bot("42:token").call("getMe")
        assert "42:token" not in str(error.value)


class TestImages:
    """What is in the repository of a stage after a deployment."""

    NAME = "serverless-openclaw-dev/agent"

    def push(self, cloud: Cloud, tag: str) -> None:
        # Without layers moto's digest is one of a hundred.
        manifest = json.loads(MANIFEST) | {"config": {"size": 1}, "layers": [{"digest": tag}]}
        cloud.client("ecr").put_image(repositoryName=self.NAME, imageManifest=json.dumps(manifest), imageTag=tag)

    def tags(self, cloud: Cloud) -> set[str]:
        found = cloud.client("ecr").describe_images(repositoryName=self.NAME)["imageDetails"]
        return {tag for entry in found for tag in entry["imageTags"]}

    def test_the_deployed_one_stays_whatever_was_pushed_after_it(self, cloud: Cloud) -> None:
        cloud.client("ecr").create_repository(repositoryName=self.NAME)
        for tag in ("first", "live", "a", "b", "c", "d"):
            self.push(cloud, tag)
        assert image.forget(cloud, "live") == 5
        assert "live" in self.tags(cloud)
        assert len(self.tags(cloud)) == image.KEPT
        assert image.forget(cloud, "live") == 0

    def test_a_stage_without_a_repository_is_told_what_to_do_first(self, cloud: Cloud) -> None:
        with pytest.raises(Problem) as problem:
            image.push(cloud, "first")
        assert "dev has no image repository yet: deploy it first" in str(problem.value)
