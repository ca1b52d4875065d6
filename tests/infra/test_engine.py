"""The second engine on paper: its template and its calls against botocore's model, its rights against its calls."""

import fnmatch
import io
import json
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest
from botocore.stub import Stubber

from cdk import microvm_image
from cdk.synthesized import Deployment
from local.cloud.microvm_api import differences
from ops.cloud import Cloud, Problem
from ops.deployment import application, build, engine
from tests.infra import policies
from tests.infra.test_judges import filled
from tests.infra.test_permissions import FUNCTIONS

Json = dict[str, Any]
MICROVM = {"RUNTIME": "microvm"}
IMAGE = "AWS::Lambda::MicrovmImage"


def operation(name: str) -> Any:
    return botocore.session.get_session().get_service_model("lambda-microvms").operation_model(name)


def as_asked(value: Any) -> Any:
    """A resource's properties as the API names them."""
    if isinstance(value, list):
        return [as_asked(part) for part in value]
    if not isinstance(value, dict):
        return value
    lowered = {name[0].lower() + name[1:]: as_asked(part) for name, part in value.items()}
    return lowered


@pytest.fixture(scope="module")
def image() -> Json:
    asked: Json = as_asked(Deployment("dev").one("microvm", IMAGE))
    variables = {entry["key"]: entry["value"] for entry in asked.pop("environmentVariables")}
    role = "arn:aws:iam::123456789012:role/serverless-openclaw-dev-microvm-build"
    assert asked["logging"]["cloudWatch"]["logGroup"].startswith("<Logs")
    asked["logging"] = {"cloudWatch": {"logGroup": "/serverless-openclaw/dev/microvm"}}
    return asked | {"environmentVariables": variables, "buildRoleArn": role}


def test_the_template_asks_for_what_the_api_takes(image: Json) -> None:
    assert list(differences(operation("CreateMicrovmImage").input_shape, image, "request")) == []


def test_the_template_and_the_stand_in_make_the_same_image(image: Json) -> None:
    """All six hooks, their time limits, the architecture, and the memory."""
    told = {name: image["environmentVariables"][name] for name in ("STAGE", "DATA_BUCKET")}
    here = microvm_image.request(
        image["name"], image["baseImageArn"], image["buildRoleArn"], image["codeArtifact"]["uri"], told
    )
    same = set(here) - {"environmentVariables"}
    assert {name: here[name] for name in same} == {name: image[name] for name in same}
    assert here["environmentVariables"].items() <= image["environmentVariables"].items()


def test_the_snapshot_holds_names_only(image: Json, dev: Deployment) -> None:
    (container,) = dev.one("compute", "AWS::ECS::TaskDefinition")["ContainerDefinitions"]
    names = {entry["Name"] for entry in container["Environment"]}
    of_tasks = {"AGENT_CPU", "IPV6_ONLY", "AWS_USE_DUALSTACK_ENDPOINT"}  # refused with this engine
    assert set(image["environmentVariables"]) == names - of_tasks | {"RUNTIME", "HOOKS_PORT"}


def test_lambda_takes_both_roles_and_tags_its_sessions(dev: Deployment) -> None:
    for _, role in dev.resources("microvm", "AWS::IAM::Role"):
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}
        assert statement["Action"] == ["sts:AssumeRole", "sts:TagSession"]


def rights(stack: str, role: str) -> set[tuple[str, str]]:
    """What a role may: action and resource."""
    found = set()
    asked = Deployment("dev", parameters={"Bedrock": "true"})
    for _, policy in asked.resources(stack, "AWS::IAM::Policy"):
        if any(name.startswith(f"<{role}") for name in policy["Roles"]):
            for statement in policy["PolicyDocument"]["Statement"]:
                found |= {(a, r) for a in _list(statement["Action"]) for r in _list(statement["Resource"])}
    return found


def _list(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def test_an_agent_may_the_same_on_both_engines() -> None:
    """But that it writes its log itself: on ECS the service does."""
    more = rights("microvm", "AgentRole") - rights("compute", "TaskRole")
    assert rights("compute", "TaskRole") < rights("microvm", "AgentRole")
    assert {action for action, _ in more} == {"logs:CreateLogStream", "logs:PutLogEvents"}
    assert {resource.split(":", 6)[-1] for _, resource in more} == {"/serverless-openclaw/dev/agent:*"}


@pytest.fixture(scope="module")
def heard() -> Json:
    """The functions' calls with RUNTIME=microvm."""
    env = {"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{policies.ROOT}:{policies.ROOT / 'container'}"}
    command = [sys.executable, "-m", "tests.infra.engine_drive"]
    done = subprocess.run(command, cwd=policies.ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found: Json = json.loads(done.stdout)
    return found


def allowed(function: str) -> list[tuple[str, str]]:
    document = json.loads(filled(engine.policy(function, policies.path(function).read_text())))
    return [(a, r) for entry in document["Statement"] for a in entry["Action"] for r in entry["Resource"]]


# ECS's event never comes for a machine.
@pytest.mark.parametrize("function", sorted(set(FUNCTIONS) - {"task_stopped"}))
def test_a_function_may_what_it_calls(heard: Json, function: str) -> None:
    known = allowed(function)
    for action, resource in heard["calls"].get(function, []):
        if action == "execute-api:ManageConnections":
            resource = resource.replace("<api>", "abcdefghij")
        fits = (fnmatch.fnmatchcase(resource, pattern) for name, pattern in known if name == action)
        assert any(fits), f"{function} may not {action} on {resource}"


def test_no_right_of_the_engine_is_for_nothing(heard: Json) -> None:
    """Each is used by a function, on our own image, role and function; the list and connectors have no resource."""
    used = {(action, resource) for calls in heard["calls"].values() for action, resource in calls}
    for function, actions in engine.RIGHTS.items():
        for action, resource in set(allowed(function)):
            if "icrovm" in action or "Connector" in action or resource.endswith(("-microvm", "-wake")):
                assert (action, resource) in used or action == "iam:PassRole", (function, action)
                assert resource != "*" or action in ("lambda:ListMicrovms", "lambda:PassNetworkConnector")
        assert {f"lambda:{action}" for action in actions} <= {action for action, _ in allowed(function)}


def test_every_right_is_an_operation_of_the_service() -> None:
    names = set(botocore.session.get_session().get_service_model("lambda-microvms").operation_names)
    assert {action for actions in engine.RIGHTS.values() for action in actions} <= names


def test_fargate_stays_as_it_is() -> None:
    committed = json.loads((policies.ROOT / ".chalice" / "config.json").read_text())["stages"]["dev"]
    assert build.config("dev", {"RUNTIME": "fargate"})["stages"]["dev"] == committed
    assert build.config("dev")["stages"]["dev"] == committed


def test_the_functions_are_told_of_the_engine(dev: Deployment) -> None:
    settings = build.config("dev", MICROVM)["stages"]["dev"]
    told = settings["environment_variables"]
    published = {p["Name"] for _, p in dev.resources("microvm", "AWS::SSM::Parameter")}
    assert {f"{{{{resolve:ssm:{name}}}}}" for name in published} == {told[name] for name in engine.VARIABLES}
    assert told["RUNTIME"] == "microvm"
    assert settings["lambda_functions"]["websocket_disconnect"]["lambda_timeout"] == 29


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return build.lay_out("dev", tmp_path_factory.mktemp("engine") / "project", told=MICROVM)


def test_the_package_brings_the_services_description(project: Any) -> None:
    """Lambda's own botocore may be older than the service."""
    told = json.loads((project / ".chalice" / "config.json").read_text())["stages"]["dev"]["environment_variables"]
    place = project / "vendor" / told["AWS_DATA_PATH"].removeprefix("/var/task/")
    assert [path.name for path in place.iterdir()] == ["lambda-microvms"]
    loader = botocore.session.get_session().get_component("data_loader")
    assert loader.load_service_model("lambda-microvms", "service-2")["metadata"]["endpointPrefix"] == "lambda"
    policy = json.loads((project / ".chalice" / "policy-wake.json").read_text())
    assert "microvm-image:serverless-openclaw-dev" in json.dumps(policy)


def test_agents_of_both_engines_may_post_to_the_api() -> None:
    """The role of the other engine's agents is there only with its stack."""
    both = application._agent_policy(["a-task", "a-microvm"])["AgentConnections"]["Properties"]["Roles"]
    assert both == ["a-task", "a-microvm"]


def test_the_zip_is_a_layer_on_the_agents_own_image() -> None:
    """The same bytes for the same content, so that nothing is built twice."""
    made = engine.archive("123456789012.dkr.ecr.us-east-1.amazonaws.com/serverless-openclaw-dev/agent:tag")
    assert made == engine.archive("123456789012.dkr.ecr.us-east-1.amazonaws.com/serverless-openclaw-dev/agent:tag")
    with zipfile.ZipFile(io.BytesIO(made)) as folder:
        lines = [line for line in folder.read("Dockerfile").decode().splitlines() if not line.startswith("#")]
        assert lines[0].startswith("FROM 123456789012.dkr.ecr.us-east-1.amazonaws.com/")
        assert folder.read("closed.py") == (engine.LAYER / "closed.py").read_bytes()
    assert sum(line.startswith("FROM") for line in lines) == 1
    entry = next(line for line in lines if line.startswith("ENTRYPOINT"))
    assert "/opt/microvm/closed.py" in json.loads(entry.removeprefix("ENTRYPOINT "))


class FakeCloud(Cloud):
    def __init__(self, client: Any) -> None:
        super().__init__(None, "eu-central-1", "123456789012", "dev")
        object.__setattr__(self, "fake", client)

    def client(self, service: str) -> Any:
        return self.fake  # type: ignore[attr-defined]


def versions(*found: tuple[str, str, int]) -> Json:
    made = [
        {"imageArn": "arn", "imageVersion": name, "status": status, "createdAt": datetime(2026, 11, day, tzinfo=UTC)}
        for name, status, day in found
    ]
    return {"items": made}


@pytest.fixture
def service() -> Any:
    session = botocore.session.get_session()
    session.set_credentials("test", "test")
    client = session.create_client("lambda-microvms", region_name="eu-central-1")
    with Stubber(client) as stubber:
        yield stubber


def test_the_newest_base_is_built_on(service: Any) -> None:
    found = versions(("7", "AVAILABLE", 1), ("9", "RECALLED", 9), ("8", "AVAILABLE", 3))
    asked = {"imageIdentifier": "arn:aws:lambda:eu-central-1:aws:microvm-image:al2023-1"}
    service.add_response("list_managed_microvm_image_versions", found, asked)
    assert engine.base_version(FakeCloud(service.client)) == "8"


def test_a_region_without_the_service_is_said_so(service: Any) -> None:
    """It refuses without a reason, as if rights were missing."""
    service.add_client_error("list_managed_microvm_image_versions", "AccessDeniedException", "", 403)
    with pytest.raises(Problem, match=r"eu-central-1 refuses to list .* where the service is not offered"):
        engine.base_version(FakeCloud(service.client))
    service.add_response("list_managed_microvm_image_versions", versions(("9", "RECALLED", 9)))
    with pytest.raises(Problem, match="no MicroVM image to build on"):
        engine.base_version(FakeCloud(service.client))


def test_quotas_are_told_by_their_names() -> None:
    """Their codes are not documented."""
    session = botocore.session.get_session()
    session.set_credentials("test", "test")
    client = session.create_client("service-quotas", region_name="us-east-1")
    with Stubber(client) as stubber:
        names = {"MicroVM memory": 400.0, "Concurrent executions": 10.0, "Running MicroVMs": 20.0}
        found = [{"QuotaName": name, "Value": value} for name, value in names.items()]
        stubber.add_response("list_service_quotas", {"Quotas": found}, {"ServiceCode": "lambda"})
        assert engine.quotas(FakeCloud(client)) == ["Quotas of MicroVMs: MicroVM memory 400, Running MicroVMs 20."]
        stubber.add_response("list_service_quotas", {"Quotas": []})
        assert engine.quotas(FakeCloud(client)) == ["Not checked: no quota names MicroVMs."]
        stubber.add_client_error("list_service_quotas", "AccessDeniedException")
        assert engine.quotas(FakeCloud(client)) == ["Not checked: quotas of MicroVMs (AccessDeniedException)."]
