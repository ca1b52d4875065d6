"""What `make deploy` looks at first; the image's name and the webhook."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from moto import mock_aws

from ops import deploy, image, secrets, web, webhook
from ops.cloud import Cloud, Problem, connect

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
            deploy.check(deploy.Wanted(stage, env), "tag")
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
        assert "is no stage's name" in self.check({}, "My Stage")
        assert "is not in .chalice/config.json" in self.check({}, "qa")

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

    def test_docker(self, bare: pytest.MonkeyPatch) -> None:
        self.ready(bare)
        bare.setattr(shutil, "which", lambda name: None)
        with mock_aws():
            assert "Docker is needed" in self.check({"OPENAI_API_KEY": "k"})

    def test_docker_is_not_needed_when_the_image_is_there(self, bare: pytest.MonkeyPatch) -> None:
        self.ready(bare)
        bare.setattr(shutil, "which", lambda name: None)
        with mock_aws():
            cloud = connect(STAGE)
            ecr = cloud.client("ecr")
            ecr.create_repository(repositoryName="serverless-openclaw-dev/agent")
            ecr.put_image(repositoryName="serverless-openclaw-dev/agent", imageManifest=MANIFEST, imageTag="tag")
            assert deploy.check(deploy.Wanted(STAGE, {"BEDROCK": "true"}), "tag").account == "123456789012"

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
            deploy.check(deploy.Wanted(STAGE, {"OPENAI_API_KEY": "k"}), "tag")
        assert made
        assert all(name.startswith(("Get", "Describe", "List")) for name in made), made


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
    def test_the_bot_is_pointed_at_this_stage(self, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
        calls: list[tuple[str, dict[str, Any]]] = []

        def call(token: str, method: str, base: str = "", **fields: Any) -> Any:
            calls.append((method, fields))
            return {"username": "our_bot"}

        monkeypatch.setattr(webhook, "call", call)
        secrets.write(cloud, {"telegram-bot-token": "42:token"})
        assert webhook.register(cloud, "https://r/api/") == "our_bot"
        (method, fields) = calls[-1]
        assert method == "setWebhook"
        assert fields["url"] == "https://r/api/telegram"
        assert fields["secret_token"] == webhook.secret(cloud, "telegram-webhook-secret")
        again = fields["secret_token"]
        webhook.register(cloud, "https://r/api/")
        assert calls[-1][1]["secret_token"] == again, "a new one would refuse updates on their way"

    def test_without_a_bot_nothing_is_called(self, cloud: Cloud) -> None:
        assert webhook.register(cloud, "https://r/api/") is None

    def test_the_token_is_in_no_message(self) -> None:
        with pytest.raises(RuntimeError) as error:
            webhook.call("42:token", "getMe", "http://127.0.0.1:9")
        assert "42:token" not in str(error.value)
