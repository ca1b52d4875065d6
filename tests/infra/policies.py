"""Each function's policy from the calls it was recorded to make: `python -m tests.infra.policies`.

The committed `.chalice/policy-<function>.json` must equal what this renders, so a policy can
neither miss a call nor allow one that is not made.
"""

import json
import subprocess
import sys
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Any

from chalicelib.lifecycle.erasing import PREFIXES

ROOT = Path(__file__).resolve().parent.parent.parent
HERE = "arn:${AWS::Partition}:"
PLACE = "${AWS::Region}:${AWS::AccountId}:"
NAME = "serverless-openclaw-${Stage}"
CLUSTER = {"ArnEquals": {"ecs:cluster": f"{HERE}ecs:{PLACE}cluster/{NAME}"}}
CONDITIONS = {
    "ecs:RunTask": CLUSTER,
    "ecs:ListTasks": CLUSTER,
    "ecs:DescribeTasks": CLUSTER,
    "ecs:StopTask": CLUSTER,
    # Only what belongs to a person; never the releases.
    "s3:ListBucketVersions": {"StringLike": {"s3:prefix": [f"{prefix}/*" for prefix in PREFIXES]}},
    "iam:PassRole": {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
}
Json = dict[str, Any]


@cache
def recorded() -> Json:
    """What tests.infra.drive heard: calls and call sites by function."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.infra.drive"],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{ROOT}:{ROOT / 'container'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"the handlers could not be driven:\n{done.stderr[-3000:]}")
    heard: Json = json.loads(done.stdout)
    return heard


def general(action: str, resource: str) -> str:
    """The recorded resource without what is only known at run time: account, task, connection, key."""
    if resource == "*":
        return "*"
    service, tail = resource.split(":")[2], resource.split(":", 5)[5]
    tail = tail.replace("serverless-openclaw-dev", NAME).replace("serverless-openclaw/dev", NAME.replace("-$", "/$"))
    if service == "s3":
        bucket, _, key = tail.partition("/")
        bucket = f"{NAME}-data-${{AWS::AccountId}}-${{AWS::Region}}"
        # Of a memory a function reads the pointer only.
        last = "/latest" if key.endswith("/latest") else ""
        return f"{HERE}s3:::{bucket}" + (f"/{key.split('/')[0]}/*{last}" if key else "")
    if service == "iam":
        return f"{HERE}iam::${{AWS::AccountId}}:{tail}"
    if service == "execute-api":
        tail = "${WebsocketAPI}/api/POST/@connections/*"
    elif service == "ecs":
        tail = tail.replace("<task>", "*").replace(":1", ":*")
    elif service == "cognito-idp":
        tail = "userpool/{{resolve:ssm:/serverless-openclaw/${Stage}/auth/user-pool-id}}"
    elif service == "logs":
        tail = tail.rpartition(":")[0] + ":*"
    elif service == "ssm" and "/mcp/" in tail:
        tail = tail.partition("/mcp/")[0] + "/mcp/*"  # a user's, and a server's
    elif service == "scheduler":
        tail = tail.replace("<name>", "*")
    return f"{HERE}{service}:{PLACE}{tail}"


def resources(action: str, resource: str) -> set[str]:
    """A path of parameters is asked for by its own name, and its children are read."""
    found = general(action, resource)
    return {found, f"{found}/*"} if action == "ssm:GetParametersByPath" else {found}


def render(function: str, calls: list[list[str]]) -> Json:
    """The policy document of a function."""
    actions: dict[str, set[str]] = defaultdict(set)
    for action, resource in calls:
        for one in resources(action, resource):
            actions[one].add(action)
    # The scheduler's role is handed to another service than ECS's roles: a statement of its own.
    grouped: dict[tuple[tuple[str, ...], bool], list[str]] = defaultdict(list)
    for resource, allowed in actions.items():
        grouped[tuple(sorted(allowed)), resource.endswith("-wake")].append(resource)
    logs = f"{HERE}logs:{PLACE}log-group:/aws/lambda/{NAME}-{function}:*"
    statements = [_allow(("logs:CreateLogStream", "logs:PutLogEvents"), [logs])]
    statements += [_allow(allowed, sorted(where)) for (allowed, _), where in sorted(grouped.items())]
    return {"Version": "2012-10-17", "Statement": statements}


def _allow(actions: tuple[str, ...], where: list[str]) -> Json:
    statement: Json = {"Effect": "Allow", "Action": list(actions), "Resource": where}
    if where[0].endswith("-wake"):
        statement["Condition"] = {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}}
    elif actions[0] in CONDITIONS:
        statement["Condition"] = CONDITIONS[actions[0]]
    return statement


def path(function: str) -> Path:
    return ROOT / ".chalice" / f"policy-{function}.json"


def main() -> int:
    for function, calls in recorded()["calls"].items():
        if function != "agent":  # the task role is cdk/task_role.py
            path(function).write_text(json.dumps(render(function, calls), indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
