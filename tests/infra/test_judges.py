"""What other people's tools say about our policies and templates. Each finding is mended or has a reason here.

cdk-nag judges the stacks when they are synthesized (cdk/acknowledged.py), cfn-lint the application in
test_package.py. `.checkov.yaml` holds the decisions on checkov's findings, which is too large to be run here.
"""

import json
import re
import warnings
from collections.abc import Iterator
from functools import cache

import cfnlint.api  # type: ignore[import-untyped]
import pytest
from cfnlint.config import ManualArgs  # type: ignore[import-untyped]

from cdk.synthesized import STACKS, Deployment, text
from ops.steps import ROOT
from tests.infra.policies import path as policy_file
from tests.infra.test_permissions import FUNCTIONS

with warnings.catch_warnings():  # it leaves the files of its list open
    warnings.simplefilter("ignore", ResourceWarning)
    import parliament

PLACES = {
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::AccountId": "123456789012",
    "Stage": "dev",
    "WebsocketAPI": "abcdefghij",
}
# What only CloudFormation knows, by the beginning of the logical id.
MADE = {
    "Data": "arn:aws:s3:::data",
    "Site": "arn:aws:s3:::site",
    "Logs": "arn:aws:logs:us-east-1:123456789012:log-group:agent:*",
    "Distribution": "E1EXAMPLE",
    "Alarms": "arn:aws:sns:us-east-1:123456789012:alarms",
}
# Findings that stay: policy (its beginning), kind, and a word of the detail.
REASONS = {
    # RunTask and CreateSchedule need it; each statement names the roles and the service that they are passed to.
    ("", "PERMISSIONS_MANAGEMENT_ACTIONS", "iam:passrole"),
    # AWS knows no resource for it; a condition names the cluster.
    ("policy-watchdog", "RESOURCE_STAR", "ecs:ListTasks"),
    # ECS logs in with it to pull the image.
    ("compute/ExecutionRole", "CREDENTIALS_EXPOSURE", "ecr:getauthorizationtoken"),
    # Only models and inference profiles, no other kind of resource.
    ("compute/Models", "RESOURCE_MISMATCH", "bedrock:"),
    # The service is younger than parliament's list (2025-04).
    ("compute/Models", "UNKNOWN_PREFIX", "bedrock-mantle"),
    # The same in the second engine's stack, where Lambda pulls the image.
    ("microvm/BuildRole", "CREDENTIALS_EXPOSURE", "ecr:getauthorizationtoken"),
    ("microvm/Models", "RESOURCE_MISMATCH", "bedrock:"),
    ("microvm/Models", "UNKNOWN_PREFIX", "bedrock-mantle"),
}


def documents() -> Iterator[tuple[str, str]]:
    """Every policy of both templates: name and text, with what is known at deployment filled in."""
    for function in FUNCTIONS:
        yield policy_file(function).name, policy_file(function).read_text()
    asked = Deployment("dev", parameters={"Bedrock": "true"})
    for stack in STACKS:
        for name, properties in asked.resources(stack):
            if "PolicyDocument" in properties:
                yield f"{stack}/{name}", json.dumps(properties["PolicyDocument"])


def filled(text: str) -> str:
    text = re.sub(r"\$\{([\w:]+)\}", lambda match: PLACES[match[1]], text)
    text = re.sub(r"\{\{resolve:ssm:[a-z/-]+/auth/user-pool-id\}\}", "us-east-1_Example", text)
    return re.sub(r"<([A-Z][a-z]+)\w*(?:\.Arn)?>", lambda match: MADE[match[1]], text)


@cache
def findings() -> tuple[tuple[str, str, str], ...]:
    found = []
    for name, document in documents():
        judged = parliament.analyze_policy_string(filled(document), include_community_auditors=True)
        found += [(name, finding.issue, f"{finding.detail} {finding.location}") for finding in judged.findings]
    return tuple(found)


def reason(name: str, issue: str, detail: str) -> tuple[str, str, str] | None:
    for key in REASONS:
        begin, kind, word = key
        if name.startswith(begin) and issue == kind and word in detail:
            return key
    return None


def test_parliament_finds_nothing_without_a_reason() -> None:
    """Unknown actions and condition keys, resources that do not fit, escalation of privileges."""
    assert len(list(documents())) > 12
    assert [finding for finding in findings() if reason(*finding) is None] == []


def test_each_reason_is_still_needed() -> None:
    assert {reason(*finding) for finding in findings()} == REASONS


def test_parliament_sees_what_is_wrong() -> None:
    """A misspelt action, and a resource of another service."""
    actions = ("s3:GetObjekt", "ecs:RunTask")
    statements = [{"Effect": "Allow", "Action": action, "Resource": "arn:aws:s3:::a/b"} for action in actions]
    judged = parliament.analyze_policy_string(json.dumps({"Version": "2012-10-17", "Statement": statements}))
    assert {finding.issue for finding in judged.findings} == {"UNKNOWN_ACTION", "RESOURCE_MISMATCH"}


@pytest.mark.parametrize("stack", STACKS)
def test_cfn_lint_finds_nothing(stack: str) -> None:
    """No error and no warning."""
    options = ManualArgs(regions=["us-east-1"])
    assert [str(match) for match in cfnlint.api.lint(text(stack), config=options)] == []


def test_each_finding_of_checkov_that_stays_has_a_reason() -> None:
    """On its own line, or in the sentence above its group."""
    group = ""
    skipped = (ROOT / ".checkov.yaml").read_text().split("skip-check:\n")[1]
    for line in skipped.splitlines():
        if line.strip().startswith("#"):
            group = line
        else:
            assert re.fullmatch(r"  - CKV_AWS_\d+(  # .+)?", line), line
            assert group.endswith("."), line
