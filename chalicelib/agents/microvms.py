"""Lambda MicroVMs: runs, suspends, resumes and ends the machines that contain an agent.

No `idlePolicy`: it counts requests through the machine's endpoint, and an agent has none. So suspending and resuming
are our own decisions. A machine cannot suspend itself; its agent asks for it (docs/engines.md).
"""

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.agents.runtime import StartFailed, TaskGone, TaskInfo
from chalicelib.platform import aws
from chalicelib.platform.settings import Settings

# The longest that AWS lets one exist, running and suspended together.
LIFE_SECONDS = 28_800
# So many are asked for one by one; above that the list is cheaper, and it has 50 on a page.
ONE_BY_ONE = 4
ENDED = ("TERMINATING", "TERMINATED")
NO_ROOM = ("InsufficientCapacityException", "ServiceQuotaExceededException")
GONE = "ResourceNotFoundException"
# A machine that is just being suspended can be resumed only when that is done.
RESUME_TRIES, RESUME_PAUSE = 60, 0.25


@dataclass(frozen=True)
class MicroVms:
    """The machines of this stage's image, as a Runtime."""

    settings: Settings
    # Has a start or a resume followed: no event tells of a machine that ends before its agent has a socket.
    followed: Callable[[str, int], None] = lambda user_id, generation: None

    def start(self, user_id: str, generation: int, spot_only: bool = False) -> str:
        """Run a machine for the user and return its id. There is one price: `spot_only` changes nothing."""
        # The token makes the call idempotent: a retry of the same start gets the same machine.
        token = hashlib.sha256(f"{user_id}/{generation}/microvm".encode()).hexdigest()
        try:
            answer = self._client.run_microvm(
                imageIdentifier=self._image,
                executionRoleArn=self.settings.need("MICROVM_ROLE"),
                logging={"cloudWatch": {"logGroup": self.settings.need("MICROVM_LOG_GROUP")}},
                maximumDurationInSeconds=LIFE_SECONDS,
                runHookPayload=json.dumps({"userId": user_id, "generation": generation}),
                clientToken=token,
            )
        except ClientError as error:
            code = "CAPACITY" if _code(error) in NO_ROOM else "START_FAILED"
            raise StartFailed(code, f"{_code(error)}: {error.response['Error'].get('Message', '')}") from None
        except BotoCoreError as error:  # the outcome is unknown; if one did start, the next generation fences it off
            raise StartFailed("START_FAILED", type(error).__name__) from None
        self.follow(user_id, generation)
        return str(answer["microvmId"])

    def follow(self, user_id: str, generation: int) -> None:
        self.followed(user_id, generation)

    def owns(self, task_arn: str) -> bool:
        return not task_arn.startswith("arn:")

    def states(self, task_arns: list[str]) -> dict[str, bool]:
        """One that is being terminated may still save and hand over: it is alive."""
        if len(task_arns) <= ONE_BY_ONE:
            found = {name: self._state(name) for name in task_arns}
            return {name: state != ENDED[-1] for name, state in found.items() if state is not None}
        wanted = set(task_arns)
        return {item["microvmId"]: item["state"] != ENDED[-1] for item in self._items() if item["microvmId"] in wanted}

    def stop(self, task_arn: str, reason: str) -> None:
        """Its hook `terminate` saves and hands over. A suspended one has saved already."""
        try:
            self._client.terminate_microvm(microvmIdentifier=task_arn)
        except ClientError as error:
            if _code(error) not in (GONE, "ConflictException"):
                raise

    def all(self) -> list[str]:
        return [item["microvmId"] for item in self._items() if _lives(item)]

    def describe(self, task_arns: list[str]) -> list[TaskInfo]:
        wanted = set(task_arns)
        if not wanted:
            return []
        return [
            TaskInfo(item["microvmId"], None, 0, int(item["startedAt"].timestamp() * 1000))
            for item in self._items()
            if item["microvmId"] in wanted and _lives(item)
        ]

    def suspend(self, task_arn: str) -> None:
        try:
            self._client.suspend_microvm(microvmIdentifier=task_arn)
        except ClientError as error:
            self._gone(error, task_arn)
            raise

    def resume(self, task_arn: str) -> None:
        for last in (*[False] * RESUME_TRIES, True):
            try:
                self._client.resume_microvm(microvmIdentifier=task_arn)
                return
            except ClientError as error:
                self._gone(error, task_arn)
                if _code(error) != "ConflictException" or last:
                    raise
            if self._state(task_arn) == "RUNNING":
                return
            time.sleep(RESUME_PAUSE)

    def _gone(self, error: ClientError, name: str) -> None:
        """Raises TaskGone if that is the reason: AWS refuses a change of an ended machine as a conflict."""
        if _code(error) == GONE or (_code(error) == "ConflictException" and self._state(name) in (*ENDED, None)):
            raise TaskGone(name) from None

    def _state(self, name: str) -> str | None:
        try:
            return str(self._client.get_microvm(microvmIdentifier=name)["state"])
        except ClientError as error:
            if _code(error) != GONE:
                raise
            return None

    def _items(self) -> list[dict[str, Any]]:
        pages = self._client.get_paginator("list_microvms").paginate(imageIdentifier=self._image)
        return [item for page in pages for item in page["items"]]

    @property
    def _image(self) -> str:
        return self.settings.need("MICROVM_IMAGE")

    @property
    def _client(self) -> Any:
        return aws.client("lambda-microvms")


def _lives(item: dict[str, Any]) -> bool:
    return item["state"] not in ENDED


def _code(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])
