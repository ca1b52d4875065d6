"""`chalice deploy`, again, and `chalice delete`; and why `make deploy` does not use it."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from ops.deployment import build
from ops.steps import ROOT

STAGE = "dev"
HANDLERS = {
    "api_handler",
    "websocket_connect",
    "websocket_message",
    "websocket_disconnect",
    "task_stopped",
    "watchdog",
    "prewarm",
    "wake",
    "first_words",
}


class Anything(dict[str, str]):
    """What CloudFormation would fill in; the API's own id is not known before it is there."""

    def __missing__(self, name: str) -> str:
        known = {"AWS::Region": "us-east-1", "AWS::AccountId": "123456789012", "AWS::Partition": "aws"}
        return known.get(name, "*" if name == "WebsocketAPI" else f"value-of-{name.strip('/').replace('/', '-')}")


class Aws:
    def __init__(self, url: str) -> None:
        self._url = url
        self._session = botocore.session.get_session()

    def client(self, service: str) -> Any:
        return self._session.create_client(service, region_name="us-east-1", endpoint_url=self._url)

    def functions(self) -> dict[str, Any]:
        return {entry["FunctionName"]: entry for entry in self.client("lambda").list_functions()["Functions"]}

    def apis(self) -> tuple[int, int]:
        rest = self.client("apigateway").get_rest_apis()["items"]
        return len(rest), len(self.client("apigatewayv2").get_apis()["Items"])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    laid_out = build.lay_out(STAGE, tmp_path / "project", Anything())
    shutil.rmtree(laid_out / "vendor")  # 7 MB for each function: test_package.py looks at them
    return laid_out


def chalice(project: Path, url: str, command: str) -> str:
    return build.run_chalice(project, command, "--stage", STAGE, region="us-east-1", env={"AWS_ENDPOINT_URL": url})


def test_deploy_again_and_delete(project: Path, moto_url: str) -> None:
    """The whole application is made, made the same again, and removed."""
    aws = Aws(moto_url)
    chalice(project, moto_url, "deploy")
    made = aws.functions()
    # Chalice calls the REST function as the application itself.
    assert set(made) == {f"serverless-openclaw-dev-{name}" for name in HANDLERS - {"api_handler"}} | {
        "serverless-openclaw-dev"
    }
    config = json.loads((project / ".chalice" / "config.json").read_text())["stages"][STAGE]
    for name, entry in config["lambda_functions"].items():
        function = made[f"serverless-openclaw-dev-{name}".removesuffix("-api_handler")]
        assert function["MemorySize"] == entry["lambda_memory_size"], name
        assert function["Timeout"] == entry["lambda_timeout"], name
        assert function["Architectures"] == ["arm64"], name
        assert function["Environment"]["Variables"]["STAGE"] == STAGE, name
    assert len({function["Role"] for function in made.values()}) == len(made), "one role for each function"
    assert aws.apis() == (1, 1)
    rules = aws.client("events").list_rules()["Rules"]
    assert any(rule.get("ScheduleExpression") == "rate(5 minutes)" for rule in rules)
    assert any("ECS Task State Change" in rule.get("EventPattern", "") for rule in rules)

    state = (project / ".chalice" / "deployed" / f"{STAGE}.json").read_text()
    chalice(project, moto_url, "deploy")
    assert aws.apis() == (1, 1)
    again = (project / ".chalice" / "deployed" / f"{STAGE}.json").read_text()
    assert set(re.findall(r'"(?:rest|websocket)_api_id": "(\w+)"', again)) == set(
        re.findall(r'"(?:rest|websocket)_api_id": "(\w+)"', state)
    )

    chalice(project, moto_url, "delete")
    assert aws.functions() == {}
    assert aws.apis() == (0, 0)
    assert aws.client("events").list_rules()["Rules"] == []
    assert [role for role in aws.client("iam").list_roles()["Roles"] if "openclaw" in role["RoleName"]] == []


def test_a_lost_state_file_makes_a_second_api(project: Path, moto_url: str) -> None:
    """Why the application is a CloudFormation stack: Chalice finds its APIs by a local file only."""
    aws = Aws(moto_url)
    chalice(project, moto_url, "deploy")
    (project / ".chalice" / "deployed" / f"{STAGE}.json").unlink()
    chalice(project, moto_url, "deploy")
    assert aws.apis() == (2, 2)


def test_no_state_file_is_committed() -> None:
    """A stage's state is CloudFormation's, the same for a laptop and for CI."""
    done = subprocess.run(
        ["git", "ls-files", ".chalice/deployed"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout == ""
