"""Least privilege: each function's policy is exactly what its code calls.

How: every handler, and every service the Bridge uses, runs on moto with a hook in the one botocore
session that writes down each call (tests/infra/drive.py). What this cannot see: a call on a path
that no scenario takes. Two checks narrow that gap: every function of chalicelib that calls AWS,
found by reading the source, must have been on the way of a recorded call, and so must every
service method that the Bridge's source names. A path inside such a function may still be missed.
"""

import fnmatch
import json
from typing import Any

import pytest

from cdk.synthesized import Deployment
from chalicelib.first_words.speaking import PARAMETERS
from tests.infra import policies
from tests.infra.sites import bridge_methods, call_sites

Json = dict[str, Any]
FUNCTIONS = sorted(
    json.loads((policies.ROOT / ".chalice" / "config.json").read_text())["stages"]["dev"]["lambda_functions"]
)
# The second engine is driven by itself (test_engine.py).
OTHER_ENGINE = ("agents.microvms:", "lifecycle.watching:")
# What a task may do although nothing was recorded doing it, each with its reason.
AHEAD = {
    ("s3:ListBucket", "bucket"): "makes S3 answer 404, not 403, for the pointer that a new user does not have",
}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_policy_is_exactly_what_its_function_calls(recorded: Json, function: str) -> None:
    """Neither a call without permission nor a permission without a call."""
    wanted = policies.render(function, recorded["calls"][function])
    found = json.loads(policies.path(function).read_text())
    missing, spare = pairs(wanted) - pairs(found), pairs(found) - pairs(wanted)
    assert not missing, f"{function} calls what its policy does not allow (python -m tests.infra.policies): {missing}"
    assert not spare, f"{function}'s policy allows what it never calls (python -m tests.infra.policies): {spare}"
    assert found == wanted


def test_every_function_that_calls_aws_was_driven(recorded: Json) -> None:
    """A new AWS call needs a scenario; otherwise its permission would be found missing only in AWS."""
    driven = {site for sites in recorded["sites"].values() for site in sites}
    here = {site for site in call_sites() if not site.startswith(OTHER_ENGINE)}
    assert here - driven == set(), "add what leads there to tests/infra/scenarios.py or channels.py"


def test_the_call_sites_are_found() -> None:
    """The check above is worth something only while its reader sees calls."""
    assert {"messages.inbox:Inbox.put", "agents.containers:Containers._run", "wire.connections:Post.to"} <= call_sites()
    assert len(call_sites()) > 30


def test_everything_the_bridge_uses_was_driven(recorded: Json) -> None:
    driven = {site.split(":")[1] for site in recorded["sites"]["agent"]}
    assert bridge_methods() - driven == set(), "add it to scenarios.bridge"


def test_the_task_role_allows_what_the_bridge_calls(recorded: Json, dev: Deployment) -> None:
    allowed = task_role(dev)
    for action, resource in recorded["calls"]["agent"]:
        if action == "execute-api:ManageConnections":
            continue  # in the application's template, where the API's id is known: test_package.py
        assert any(action == known and fnmatch.fnmatchcase(resource, pattern) for known, pattern in allowed), (
            f"the task role does not allow {action} on {resource}"
        )


def test_the_task_role_allows_nothing_else(recorded: Json, dev: Deployment) -> None:
    calls = [(action, resource) for action, resource in recorded["calls"]["agent"]]
    for action, pattern in task_role(dev):
        used = any(action == made and fnmatch.fnmatchcase(resource, pattern) for made, resource in calls)
        place = "workspaces" if "/workspaces/" in pattern else "bucket"
        reserved = (action, place) in AHEAD or action == "ssm:GetParametersByPath"
        assert used or reserved, f"the task role allows {action} on {pattern}, which nothing uses"


def test_only_the_first_words_function_may_read_a_providers_key() -> None:
    """It and the agent's task. Any other function that is broken into gives away the bot, not the money."""
    for function in FUNCTIONS:
        text = policies.path(function).read_text()
        assert "GetParametersByPath" not in text
        names: set[str] = set()
        for statement in json.loads(text)["Statement"]:
            places = {place for place in _list(statement["Resource"]) if ":parameter/" in place}
            if all("/mcp/" in place for place in places):  # users' tokens: put and deleted, never read
                assert set(_list(statement["Action"])) == {"ssm:DeleteParameter", "ssm:PutParameter"} or not places
                continue
            names |= {place.rpartition("/")[2] for place in places}
        keys = {name for name in names if not name.startswith("telegram-")}
        allowed = set(PARAMETERS) if function == "first_words" else set()
        assert keys <= allowed, function


def test_no_wildcard_action_and_no_bare_wildcard_resource(dev: Deployment) -> None:
    """`*` stands only where AWS knows no resource: ecs:ListTasks (bound to the cluster), ECR's login, SSM's names."""
    documents = [json.loads(policies.path(function).read_text()) for function in FUNCTIONS]
    documents += [properties["PolicyDocument"] for _, properties in dev.resources("compute", "AWS::IAM::Policy")]
    for document in documents:
        for statement in document["Statement"]:
            actions = _list(statement["Action"])
            assert not [action for action in actions if "*" in action]
            if "*" in _list(statement["Resource"]):
                unbound = ["ecr:GetAuthorizationToken"], ["ssm:DescribeParameters"]  # no values
                assert actions in (["ecs:ListTasks"], *unbound)
                assert actions in unbound or "ecs:cluster" in json.dumps(statement["Condition"])


def test_tasks_are_started_only_in_the_own_cluster_with_the_own_roles() -> None:
    for function in FUNCTIONS:
        for statement in json.loads(policies.path(function).read_text())["Statement"]:
            if statement["Action"] == ["ecs:RunTask"]:
                assert "cluster/serverless-openclaw-${Stage}" in json.dumps(statement["Condition"])
            if statement["Action"] == ["iam:PassRole"]:
                wake = statement["Resource"][0].endswith("-wake")
                service = "scheduler" if wake else "ecs-tasks"
                assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": f"{service}.amazonaws.com"}}
                assert all("role/serverless-openclaw-${Stage}-" in role for role in statement["Resource"])


def task_role(dev: Deployment) -> set[tuple[str, str]]:
    """Action and resource pattern of every permission, Bedrock aside (it is off unless asked for)."""
    found: set[tuple[str, str]] = set()
    for _, properties in dev.resources("compute", "AWS::IAM::Policy"):
        if any("TaskRole" in role for role in properties["Roles"]):
            found |= pairs(properties["PolicyDocument"])
    return found


def pairs(document: Json) -> set[tuple[str, str]]:
    return {
        (action, resource)
        for statement in document["Statement"]
        for action in _list(statement["Action"])
        for resource in _list(statement["Resource"])
    }


def _list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
