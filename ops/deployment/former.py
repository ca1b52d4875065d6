"""What a stage that went back to Fargate still has of the second engine: a stack, and machines that live on.

The functions start no machine any more. Those that are left work until they are idle or eight hours old, so the stack,
with their role and image, goes with the first deployment that finds none of them.
"""

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.people.machine_price import SNAPSHOT_GB, STORED_USD, microvm
from ops.cloud import Cloud, pages
from ops.deployment.stacks import Stacks
from ops.names import prefix, stack_name

Json = dict[str, Any]
STACK, POLICY = "microvm", "AgentConnections"


@dataclass(frozen=True)
class Former:
    """As it was before the functions were deployed. `why`: what keeps it, "" if nothing does."""

    cloud: Cloud
    stacks: Stacks
    why: str

    def let_speak(self, template: Json) -> None:
        """Machines that live go on showing their answers in the tabs."""
        if self.why:
            template["Resources"][POLICY]["Properties"]["Roles"].append(f"{prefix(self.cloud.stage)}-{STACK}")

    def remove(self) -> str:
        if self.why:
            return f"KEPT, {self.why}. {cost()} The next `make deploy` removes it, if none is left then"
        self.stacks.delete(stack_name(self.cloud.stage, STACK))
        return "removed"


def look(cloud: Cloud, stacks: Stacks) -> Former | None:
    """None: there is no such stack."""
    if stacks.status(stack_name(cloud.stage, STACK)) is None:
        return None
    image = cloud.parameters().get("microvm/image")
    return Former(cloud, stacks, _why(cloud, image) if image else "")  # without it, a removal has broken off


def _why(cloud: Cloud, image: str) -> str:
    try:
        items = list(pages(cloud.client("lambda-microvms"), "list_microvms", "items", imageIdentifier=image))
    except ClientError as error:
        return f"its machines cannot be listed ({error.response['Error']['Code']})"
    live = sum(1 for item in items if item["state"] != "TERMINATED")
    return f"{live} of its machines live, for 8 hours at most" if live else ""


def cost() -> str:
    return f"One that runs costs ${microvm().hour:.2f} an hour, the image ${SNAPSHOT_GB * STORED_USD:.2f} a month."
