"""`RUNTIME=microvm make deploy`, with its outside replaced as in test_deploy.py."""

import json
from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest
from botocore.stub import Stubber

from ops import status
from ops.cloud import Cloud
from ops.deployment import application, engine
from ops.names import ORDER, parameter, prefix, stack_name
from tests.infra.fake_stacks import STAGE, ssm
from tests.infra.test_deploy import World, cloud, world

__all__ = ["cloud", "world"]  # fixtures
STACK = stack_name(STAGE, "microvm")


def test_the_second_engine_has_an_image_of_its_own(world: World) -> None:
    """A layer on the agent's image, made anew only when that has changed; a later run that is told nothing keeps it."""
    assert world.run({"ANTHROPIC_API_KEY": "sk-secret", "RUNTIME": "microvm"}) == 0
    assert world.stacks.made == [stack_name(STAGE, noun) for noun in ORDER]  # type: ignore[attr-defined]
    asked = world.parameters("microvm")
    code = world.cloud.client("s3").get_object(Bucket="data", Key=asked["CodeKey"])["Body"].read()
    assert code == engine.archive(f"{world.cloud.parameters()['storage/repository-uri']}:tag")
    assert world.told["RUNTIME"] == "microvm"
    assert world.run({}) == 0
    assert world.parameters("microvm") == asked


class Machines:
    """What Lambda lists, each time; held against botocore's model."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        session = botocore.session.get_session()
        session.set_credentials("test", "test")
        self.client = session.create_client("lambda-microvms", region_name="us-east-1")
        self.stub = Stubber(self.client)
        self.stub.activate()
        real = Cloud.client
        known = {"lambda-microvms": self.client}
        monkeypatch.setattr(Cloud, "client", lambda cloud, name: known.get(name) or real(cloud, name))

    def are(self, *states: str) -> None:
        item: dict[str, Any] = {
            "imageArn": "arn:aws:lambda:us-east-1:123456789012:microvm-image:x",
            "imageVersion": "1",
        }
        item |= {"startedAt": datetime(2026, 11, 30, tzinfo=UTC)}
        items = [item | {"microvmId": f"microvm-{number}", "state": state} for number, state in enumerate(states)]
        self.stub.add_response("list_microvms", {"items": items})


@pytest.fixture
def left(world: World, monkeypatch: pytest.MonkeyPatch) -> Machines:
    """A stage that was on the second engine, and templates with the agents' right to speak in the tabs."""
    package = application.package

    def packaged(*given: Any) -> Any:
        made = package(*given)
        made["Resources"]["AgentConnections"] = {
            "Type": "AWS::IAM::Policy",
            "Properties": {"Roles": [f"{prefix(STAGE)}-task"]},
        }
        return made

    monkeypatch.setattr(application, "package", packaged)
    assert world.run({"ANTHROPIC_API_KEY": "sk-secret", "RUNTIME": "microvm"}) == 0
    return Machines(monkeypatch)


def speakers(world: World) -> list[str]:
    text = world.stacks.templates[stack_name(STAGE, "app")]  # type: ignore[attr-defined]
    found: list[str] = json.loads(text)["Resources"]["AgentConnections"]["Properties"]["Roles"]
    return found


def test_back_on_fargate_the_stack_stays_while_machines_live(
    world: World, left: Machines, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says what that costs, and the machines go on showing their answers; the next run ends it."""
    left.are("RUNNING", "SUSPENDED", "TERMINATED")
    assert world.run({"RUNTIME": "fargate"}) == 0
    said = capsys.readouterr().out
    assert "KEPT, 2 of its machines live, for 8 hours at most. One that runs costs $0.13 an hour" in said
    assert "The next `make deploy` removes it, if none is left then" in said
    assert world.stacks.status(STACK) is not None
    assert speakers(world) == [f"{prefix(STAGE)}-task", f"{prefix(STAGE)}-microvm"]
    left.are("TERMINATED")
    assert world.run({}) == 0
    assert "the second engine's stack: removed" in capsys.readouterr().out
    assert world.stacks.status(STACK) is None
    assert speakers(world) == [f"{prefix(STAGE)}-task"]  # before the role goes: CloudFormation would refuse it
    assert world.run({}) == 0
    assert "second engine" not in capsys.readouterr().out
    left.stub.assert_no_pending_responses()


def test_the_status_tells_of_machines(world: World, left: Machines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "Stacks", lambda _: world.stacks)
    left.are("RUNNING", "SUSPENDED", "RUNNING", "TERMINATED")
    assert "  MicroVMs     2 running, 1 suspended" in status.report(world.cloud)
    left.stub.add_client_error("list_microvms", "AccessDeniedException")
    assert "  MicroVMs     cannot be listed (AccessDeniedException)" in status.report(world.cloud)


def test_machines_that_cannot_be_listed_keep_it(
    world: World, left: Machines, capsys: pytest.CaptureFixture[str]
) -> None:
    left.stub.add_client_error("list_microvms", "AccessDeniedException")
    assert world.run({"RUNTIME": "fargate"}) == 0
    assert "KEPT, its machines cannot be listed (AccessDeniedException)" in capsys.readouterr().out
    assert world.stacks.status(STACK) is not None


def test_a_removal_that_broke_off_is_finished(world: World, left: Machines) -> None:
    """Without the image's name there is no image, or soon none: only the stack is left."""
    ssm(world.cloud).delete_parameter(Name=parameter(STAGE, "microvm/image"))
    assert world.run({"RUNTIME": "fargate"}) == 0
    assert world.stacks.status(STACK) is None
