"""`make status STAGE=dev`: shows what is deployed and running."""

import argparse
import sys
from collections import Counter

from botocore.exceptions import ClientError

from ops.cloud import Cloud, Problem, connect, pages
from ops.deployment.stacks import Stacks
from ops.names import ORDER, prefix, stack_name


def report(cloud: Cloud) -> list[str]:
    """Lines for a terminal."""
    stacks = Stacks(cloud.client("cloudformation"))
    lines = [f"stage {cloud.stage}, {cloud.region}, account {cloud.account}"]
    lines += [f"  {noun:<12} {stacks.status(stack_name(cloud.stage, noun)) or 'not deployed'}" for noun in ORDER]
    values = cloud.parameters()
    for name, path in (("page", "web/url"), ("REST", "api/rest-url"), ("WebSocket", "websocket-url")):
        lines.append(f"  {name:<12} {values.get(path, '-')}")
    lines.append(f"  {'agents':<12} {_running(cloud)} running")
    if "microvm/image" in values:
        lines.append(f"  {'MicroVMs':<12} {_machines(cloud, values['microvm/image'])}")
    lines.append(f"  {'secrets':<12} {', '.join(sorted(cloud.secret_names())) or 'none'}")
    return lines


def _running(cloud: Cloud) -> int:
    ecs = cloud.client("ecs")
    try:
        return sum(1 for _ in pages(ecs, "list_tasks", "taskArns", cluster=prefix(cloud.stage)))
    except ecs.exceptions.ClusterNotFoundException:
        return 0


def _machines(cloud: Cloud, image: str) -> str:
    """Of the second engine, also those of a stage that is on Fargate again."""
    try:
        items = list(pages(cloud.client("lambda-microvms"), "list_microvms", "items", imageIdentifier=image))
    except ClientError as error:
        return f"cannot be listed ({error.response['Error']['Code']})"
    states = Counter(item["state"].lower() for item in items if item["state"] != "TERMINATED")
    return ", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "none"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stage", required=True)
    options = parser.parse_args()
    try:
        print("\n".join(report(connect(options.stage))))
    except Problem as problem:
        print(problem, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
