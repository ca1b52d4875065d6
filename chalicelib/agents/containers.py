"""ECS: runs, describes and stops the tasks that contain an agent."""

import hashlib
import re
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.agents.runtime import StartFailed, TaskGone, TaskInfo, Unsupported
from chalicelib.platform import aws
from chalicelib.platform.settings import Settings
from chalicelib.wire.protocol import number_in

CONTAINER = "agent"
DESCRIBE_LIMIT = 100  # DescribeTasks takes no more
# "Capacity is unavailable…", "RESOURCE:MEMORY" or "the limit on the number of vCPUs" (Spot and on demand have a quota
# each), and not what is wrong with a "capacity provider".
_NO_ROOM = re.compile(r"\bcapacity\b(?! provider)|RESOURCE:|limit on the number of", re.IGNORECASE)


@dataclass(frozen=True)
class Containers:
    """The cluster of this stage, as a Runtime."""

    settings: Settings

    def start(self, user_id: str, generation: int, spot_only: bool = False) -> str:
        """Start the user's task, on Spot if it has capacity, and return its ARN. Raises StartFailed."""
        try:
            return self._run(user_id, generation, "FARGATE_SPOT")
        except StartFailed as error:
            if error.code != "CAPACITY" or spot_only:
                raise
        return self._run(user_id, generation, "FARGATE")

    def _run(self, user_id: str, generation: int, provider: str) -> str:
        # The token makes the call idempotent: a retry of the same start gets the same task.
        token = hashlib.sha256(f"{user_id}/{generation}/{provider}".encode()).hexdigest()[:64]
        try:
            answer = self._ecs.run_task(
                cluster=self.settings.need("ECS_CLUSTER"),
                taskDefinition=self.settings.need("TASK_DEFINITION"),
                count=1,
                clientToken=token,
                startedBy=f"g{generation}",
                capacityProviderStrategy=[{"capacityProvider": provider, "weight": 1}],
                networkConfiguration={
                    "awsvpcConfiguration": {
                        "subnets": list(self.settings.items("SUBNETS")),
                        "securityGroups": list(self.settings.items("SECURITY_GROUPS")),
                        # Subnets without IPv4 have a way out that needs no public address.
                        "assignPublicIp": "DISABLED" if self.settings.ipv6_only else "ENABLED",
                    }
                },
                overrides={"containerOverrides": [{"name": CONTAINER, "environment": _identity(user_id, generation)}]},
            )
        except ClientError as error:
            raise _failure(str(error.response["Error"].get("Message", ""))) from None
        except BotoCoreError as error:  # the outcome is unknown; if a task did start, the next generation fences it off
            raise StartFailed("START_FAILED", type(error).__name__) from None
        if answer.get("failures"):
            raise _failure(str(answer["failures"][0].get("reason", "unknown")))
        return str(answer["tasks"][0]["taskArn"])

    def follow(self, user_id: str, generation: int) -> None:
        """ECS tells of every end."""

    def owns(self, task_arn: str) -> bool:
        return task_arn.startswith("arn:")

    def states(self, task_arns: list[str]) -> dict[str, bool]:
        """Whether each task is alive. A missing task ended over an hour ago, or ECS does not list it yet."""
        return {task["taskArn"]: task["lastStatus"] != "STOPPED" for task in self._describe(task_arns)}

    def describe(self, task_arns: list[str]) -> list[TaskInfo]:
        """The owners of tasks; tasks that ECS no longer knows are omitted."""
        return [
            TaskInfo(task["taskArn"], *owner(task), _created(task))
            for task in self._describe(task_arns)
            if task["lastStatus"] != "STOPPED"
        ]

    def _describe(self, task_arns: list[str]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        ours = [arn for arn in task_arns if self.owns(arn)]
        for start in range(0, len(ours), DESCRIBE_LIMIT):
            batch = ours[start : start + DESCRIBE_LIMIT]
            found += self._ecs.describe_tasks(cluster=self.settings.need("ECS_CLUSTER"), tasks=batch)["tasks"]
        return found

    def stop(self, task_arn: str, reason: str) -> None:
        """Ask ECS to stop a task (SIGTERM, then SIGKILL); no error if the task is already gone.

        One of another engine reads in its row that it must end.
        """
        if not self.owns(task_arn):
            return
        try:
            self._ecs.stop_task(cluster=self.settings.need("ECS_CLUSTER"), task=task_arn, reason=reason)
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("InvalidParameterException", "TaskNotFoundException"):
                raise

    def all(self) -> list[str]:
        """The ARNs of all tasks of the cluster that should run."""
        pages = self._ecs.get_paginator("list_tasks").paginate(
            cluster=self.settings.need("ECS_CLUSTER"), desiredStatus="RUNNING"
        )
        return [arn for page in pages for arn in page["taskArns"]]

    def suspend(self, task_arn: str) -> None:
        self._refuse(task_arn)

    def resume(self, task_arn: str) -> None:
        self._refuse(task_arn)

    def _refuse(self, task_arn: str) -> None:
        if not self.owns(task_arn):
            raise TaskGone(task_arn)
        raise Unsupported("Fargate runs a task or stops it")

    @property
    def _ecs(self) -> Any:
        return aws.client("ecs")


def owner(task: dict[str, Any]) -> tuple[str | None, int]:
    """User and generation that a task was started for, as RunTask's overrides say."""
    for container in task.get("overrides", {}).get("containerOverrides", []):
        values = {entry["name"]: entry["value"] for entry in container.get("environment", [])}
        generation = number_in(values.get("GENERATION", ""))
        if "USER_ID" in values and generation is not None:
            return values["USER_ID"], generation
    return None, 0


def _created(task: dict[str, Any]) -> int:
    """ms; 0 for a task without the time (moto's)."""
    at = task.get("createdAt")
    return int(at.timestamp() * 1000) if at is not None else 0


def _identity(user_id: str, generation: int) -> list[dict[str, str]]:
    return [{"name": "USER_ID", "value": user_id}, {"name": "GENERATION", "value": str(generation)}]


def _failure(reason: str) -> StartFailed:
    return StartFailed("CAPACITY" if _NO_ROOM.search(reason) else "START_FAILED", reason)
