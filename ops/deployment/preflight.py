"""Checks before `make deploy` changes anything. One sentence says what is missing."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from cdk.synthesized import Deployment
from chalicelib.people.machine_price import fargate, microvm
from chalicelib.platform.settings import Settings as Environment
from ops import image, secrets
from ops.cloud import Cloud, Problem, connect
from ops.deployment import account, build, engine, ipv6, settings, web
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

    def parameters(self, stack: str, image_tag: str, ipv6: str = "no") -> dict[str, str]:
        """The parameters of a CDK template. `ipv6`: what the deployed network says of its subnets without IPv4."""
        only = self.settings["IPV6_ONLY"] == "true"
        more = {
            # Made once, they stay: a task may still be in them, and they cost nothing.
            "network": {"Ipv6": "only" if only else "no" if ipv6 == "no" else "ready"},
            "auth": {"SelfSignUp": self.settings["SELF_SIGN_UP"]},
            "compute": {
                "ImageTag": image_tag,
                "Bedrock": self.settings["BEDROCK"],
                "Ipv6Only": self.settings["IPV6_ONLY"],
                "AgentCpu": self.settings["AGENT_CPU"],
            },
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
    notes = (*_reached(cloud, settled, env), *account.look(cloud, settled["AGENT_CPU"]))
    if settled["RUNTIME"] != engine.MICROVM:
        return cloud, Wanted(stage, settled, env, notes)
    if settled["IPV6_ONLY"] == "true" or settled["AGENT_CPU"] != "1024":
        raise Problem("IPV6_ONLY and AGENT_CPU are for tasks of Fargate: leave them, or RUNTIME=microvm.")
    base = engine.base_version(cloud)
    return cloud, Wanted(stage, settled, env, (*notes, *engine.quotas(cloud), waiting(settled), UNTRIED), base)


def waiting(settled: Settings) -> str:
    """What an agent costs that waits for somebody: that engine has no Spot."""
    there, here = microvm(), fargate(Environment({}))
    minutes = int(settled["PREWARM_MINUTES"])
    crons = sum(1 for cron in settled["PREWARM_CRONS"].split(";") if cron.strip())
    more = f" Each start of PREWARM_CRONS costs up to ${there.start + there.hour * minutes / 60:.2f}." if crons else ""
    return (
        f"An hour in which an agent waits, an early start's too, costs ${there.hour:.3f}, not ${here.hour:.3f}.{more}"
    )


def _reached(cloud: Cloud, settled: Settings, env: Mapping[str, str]) -> list[str]:
    """What agents without IPv4 cannot reach. Raises Problem if that is every model."""
    if settled["IPV6_ONLY"] != "true":
        return []
    bot = secrets.TELEGRAM[0] in cloud.secret_names() | set(secrets.from_environment(env))
    return ipv6.check(cloud, ipv6.providers(cloud, env, settled["BEDROCK"] == "true"), bot)


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
