"""Checks before `make deploy` changes anything. One sentence says what is missing."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from cdk.synthesized import Deployment
from ops import image, secrets
from ops.cloud import Cloud, Problem, connect
from ops.deployment import account, build, engine, settings, web
from ops.deployment.settings import Settings

STAGE = re.compile(r"[a-z][a-z0-9]{1,11}")
BUCKET_NAME = 63  # characters, S3's limit
UNTRIED = (
    "RUNTIME=microvm: nothing of this engine ever ran on AWS, it is built from its documentation (docs/engines.md). "
    "Try it on a stage of its own first."
)


@dataclass(frozen=True)
class Wanted:
    """What the caller asked for; `env` is read for secrets only. `notes` are sentences to show before it starts."""

    stage: str
    settings: Settings
    env: Mapping[str, str]
    notes: tuple[str, ...] = ()
    base: str = ""  # version of Lambda's managed image, for the second engine

    @property
    def microvm(self) -> bool:
        return self.settings["RUNTIME"] == engine.MICROVM

    def parameters(self, stack: str, image_tag: str) -> dict[str, str]:
        """The parameters of a CDK template."""
        more = {
            "auth": {"SelfSignUp": self.settings["SELF_SIGN_UP"]},
            "compute": {"ImageTag": image_tag, "Bedrock": self.settings["BEDROCK"]},
            "microvm": {"BaseVersion": self.base, "Bedrock": self.settings["BEDROCK"]},
            "monitoring": {
                "AlarmEmail": self.settings["EMAIL"],
                "MonthlyBudget": self.settings["MONTHLY_BUDGET"],
            },
        }
        return {"Stage": self.stage} | more.get(stack, {})


def check(stage: str, env: Mapping[str, str], image_tag: str) -> tuple[Cloud, Wanted]:
    """Everything that can be known before the first change. Raises Problem."""
    if STAGE.fullmatch(stage) is None:
        raise Problem(f"STAGE={stage} is not a valid stage name: use 2 to 12 lower-case letters and digits.")
    try:
        build.config(stage)
    except build.BuildError as error:
        raise Problem(str(error)) from None
    web.need_node()
    cloud = connect(stage)
    need_short_name(cloud)
    settled = settings.settle(env, settings.stored(cloud))
    secrets.need_provider(cloud.secret_names(), env, settled["BEDROCK"] == "true")
    if not image.exists(cloud, image_tag):
        image.need_docker()
    notes, base = tuple(account.look(cloud)), ""
    if settled["RUNTIME"] == engine.MICROVM:
        notes, base = (*notes, UNTRIED), engine.base_version(cloud)
    return cloud, Wanted(stage, settled, env, notes, base)


def need_short_name(cloud: Cloud) -> None:
    """Raises Problem if the bucket names, which contain stage and region, would not be valid."""
    deployed = Deployment(cloud.stage, cloud.region, cloud.account)
    longest = max(
        len(properties["BucketName"])
        for stack in ("storage", "web")
        for _, properties in deployed.resources(stack, "AWS::S3::Bucket")
    )
    if longest > BUCKET_NAME:
        room = len(cloud.stage) - (longest - BUCKET_NAME)
        raise Problem(
            f"STAGE={cloud.stage} is too long for {cloud.region}: the names of buckets have room for {room} letters."
        )
