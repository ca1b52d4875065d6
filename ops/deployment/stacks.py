"""CloudFormation: make a stack equal to a template, or make it go."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

CAPABILITIES = ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
# A failed creation leaves a stack that can only be deleted.
DEAD = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"}
# An update and its rollback failed. The stack accepts no change until the rollback is finished.
STUCK = "UPDATE_ROLLBACK_FAILED"
NO_CHANGE = ("didn't contain changes", "No updates are to be performed", "no changes")
BODY_LIMIT = 51_200  # CloudFormation's, for a template in the call itself
CHANGE_SET = "deploy"


class StackFailed(Exception):
    """The stack was rolled back. The message is CloudFormation's first reason."""


@dataclass(frozen=True)
class Stacks:
    """`pause` is the time between two looks, in seconds."""

    client: Any
    pause: float = 4.0
    patience: float = 3600.0

    def status(self, name: str) -> str | None:
        """The stack's status, None when there is no such stack."""
        try:
            return str(self.client.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise

    def deploy(self, name: str, template: Mapping[str, str], parameters: Mapping[str, str]) -> bool:
        """Create or update the stack; False if nothing had to change. Raises StackFailed.

        `template` is {"TemplateBody": …} or {"TemplateURL": …}.
        """
        status = self._settled(name)
        if status == STUCK:
            status = self._go_back(name)
        if status in DEAD:
            self.delete(name)
            status = None
        new = status in (None, "REVIEW_IN_PROGRESS")
        self._drop_change_set(name, status)
        self.client.create_change_set(
            StackName=name,
            ChangeSetName=CHANGE_SET,
            ChangeSetType="CREATE" if new else "UPDATE",
            Capabilities=CAPABILITIES,
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            # Resources that a removed stack left behind (tables, the bucket) are imported.
            **({"ImportExistingResources": True} if new else {}),
            **template,
        )
        if not self._prepared(name):
            return False
        begun = time.time()
        self.client.execute_change_set(StackName=name, ChangeSetName=CHANGE_SET)
        status = self._settled(name)
        if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"):
            raise StackFailed(f"{name}: {self._reason(name, begun) or status}")
        return True

    def delete(self, name: str) -> None:
        """Remove a stack; no error when there is none. Raises StackFailed."""
        if self._settled(name) is None:
            return
        begun = time.time()
        self.client.delete_stack(StackName=name)
        status = self._settled(name)
        if status not in (None, "DELETE_COMPLETE"):
            raise StackFailed(f"{name}: {self._reason(name, begun) or status}")

    def _go_back(self, name: str) -> str:
        """End a rollback that had failed; what stopped it is usually gone by now. Raises StackFailed."""
        begun = time.time()
        self.client.continue_update_rollback(StackName=name)
        time.sleep(self.pause)
        status = self._settled(name)
        if status != "UPDATE_ROLLBACK_COMPLETE":
            why = self._reason(name, begun) or status
            raise StackFailed(f"{name} is stuck in {STUCK}, and going back failed again: {why}")
        return status

    def _drop_change_set(self, name: str, status: str | None) -> None:
        """One that a broken-off run left."""
        if status is not None:
            self.client.delete_change_set(StackName=name, ChangeSetName=CHANGE_SET)

    def _prepared(self, name: str) -> bool:
        """Wait for the change set; False when it changes nothing. Raises StackFailed."""
        deadline = time.monotonic() + self.patience
        while time.monotonic() < deadline:
            found = self.client.describe_change_set(StackName=name, ChangeSetName=CHANGE_SET)
            if found["Status"] == "FAILED":
                reason = str(found.get("StatusReason", ""))
                self.client.delete_change_set(StackName=name, ChangeSetName=CHANGE_SET)
                if any(text in reason for text in NO_CHANGE):
                    return False
                raise StackFailed(f"{name}: {reason}")
            if found["Status"].endswith("COMPLETE"):
                return True
            time.sleep(self.pause)
        raise StackFailed(f"{name}: the change set was not ready in time")

    def _settled(self, name: str) -> str | None:
        """The status once nothing is in progress. Raises StackFailed after patience."""
        deadline = time.monotonic() + self.patience
        while time.monotonic() < deadline:
            status = self.status(name)
            if status is None or status == "REVIEW_IN_PROGRESS" or not status.endswith("IN_PROGRESS"):
                return status
            time.sleep(self.pause)
        raise StackFailed(f"{name}: still in progress after {self.patience:.0f} s")

    def _reason(self, name: str, begun: float) -> str:
        """The first failure since then: what follows is only its consequence."""
        try:
            events = self.client.describe_stack_events(StackName=name)["StackEvents"]
        except ClientError:
            return ""
        failed = [
            event
            for event in events
            if event["ResourceStatus"].endswith("FAILED") and event["Timestamp"].timestamp() >= begun - 5
        ]
        if not failed:
            return ""
        first = failed[-1]
        return f"{first['LogicalResourceId']}: {first.get('ResourceStatusReason', first['ResourceStatus'])}"


def body(text: str) -> dict[str, str]:
    """A template in the call. Raises ValueError for one that must be uploaded."""
    if len(text.encode()) > BODY_LIMIT:
        raise ValueError(f"a template of {len(text.encode())} bytes must be uploaded first")
    return {"TemplateBody": text}
