"""What can be read of an account before `make deploy` changes it: region, quotas, names, half-made stacks.

docs/first-deploy.md lists every check with its message; tests/infra/test_first_deploy.py compares the two.
A check that the caller has no permission for is skipped and said so: its subject may well be in order.
"""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from cdk.synthesized import Deployment
from ops.cloud import Cloud, Problem
from ops.deployment.stacks import DEAD, STUCK, Stacks
from ops.names import ORDER, stack_name

REGIONS = "/aws/service/global-infrastructure/regions"
# As AWS names them there; GetParameters takes ten. CloudFront, IAM and Budgets belong to no region.
SERVICES = ("apigateway", "cloudformation", "cognito-idp", "dynamodb", "ecr", "ecs", "fargate", "lambda", "scheduler")
SPOT, ON_DEMAND, VPCS = ("fargate", "L-36FBB829"), ("fargate", "L-3032A538"), ("vpc", "L-F678F1CE")
FEW_AGENTS, FEW_CALLS = 20, 50  # below these a note says how many


def region(cloud: Cloud) -> list[str]:
    """Raises Problem outside of AWS's commercial regions: addresses and CloudFront differ there."""
    partition = cloud.session.get_partition_for_region(cloud.region)
    if partition != "aws":
        raise Problem(f"{cloud.region} belongs to {partition}: only regions of AWS's partition aws can be used.")
    return []


def services(cloud: Cloud) -> list[str]:
    """Raises Problem if AWS does not offer a service in this region."""
    start = f"{REGIONS}/{cloud.region}/services/"
    answer = cloud.client("ssm").get_parameters(Names=[start + name for name in SERVICES])
    missing = [name.removeprefix(start) for name in answer["InvalidParameters"]]
    if len(missing) == len(SERVICES):
        return [f"AWS lists no services for {cloud.region}: whether all that are needed are there was not checked."]
    if missing:
        raise Problem(f"{cloud.region} lacks {', '.join(missing)}: choose another AWS_REGION.")
    return []


def vpcs(cloud: Cloud) -> list[str]:
    """Raises Problem if the quota has no room for the network, unless that exists already."""
    if Stacks(cloud.client("cloudformation")).status(stack_name(cloud.stage, "network")) is not None:
        return []
    present = len(cloud.client("ec2").describe_vpcs()["Vpcs"])
    quota = _quota(cloud, VPCS)
    if present >= quota:
        raise Problem(
            f"{cloud.region} has {present} VPCs and its quota is {quota:g}: "
            f"delete one or ask for more in Service Quotas ({VPCS[1]})."
        )
    return []


def buckets(cloud: Cloud) -> list[str]:
    """Raises Problem if somebody else has a bucket's name, or if one of ours is left without its stack."""
    deployed, notes = Deployment(cloud.stage, cloud.region, cloud.account), []
    for noun in ("storage", "web"):
        name = str(deployed.one(noun, "AWS::S3::Bucket")["BucketName"])
        try:
            cloud.client("s3").head_bucket(Bucket=name, ExpectedBucketOwner=cloud.account)
        except ClientError as error:
            if error.response["Error"]["Code"] == "404":
                continue
            raise Problem(
                f"The bucket {name} is there but cannot be reached: it belongs to somebody else "
                "or these credentials may not use S3."
            ) from None
        if Stacks(cloud.client("cloudformation")).status(stack_name(cloud.stage, noun)) is not None:
            continue
        if noun == "web":
            raise Problem(f"The bucket {name} is left from an earlier stage: delete it and try again.")
        notes.append(f"The bucket {name} is left from an earlier stage: its files will be used again.")
    return notes


def agents(cloud: Cloud, cpu: str = "1024") -> list[str]:
    """How many agents may run at once, each with that many units of CPU. Raises Problem if that is none."""
    vcpu = int(Deployment(cloud.stage, parameters={"AgentCpu": cpu}).task_definition()["cpu"]) / 1024
    spot, demand = _quota(cloud, SPOT), _quota(cloud, ON_DEMAND)
    count = int(spot // vcpu) + int(demand // vcpu)
    allowed = f"Fargate's quotas are {spot:g} vCPU on Spot and {demand:g} on demand ({SPOT[1]}, {ON_DEMAND[1]})"
    if count == 0:
        raise Problem(f"No agent can run in {cloud.region}: {allowed}; ask for more in Service Quotas.")
    return [f"{count} agents at most run at once: {allowed}."] if count < FEW_AGENTS else []


def functions(cloud: Cloud) -> list[str]:
    """A new account may start with ten calls at once. That is enough for one or two persons."""
    count = int(cloud.client("lambda").get_account_settings()["AccountLimit"]["ConcurrentExecutions"])
    if count >= FEW_CALLS:
        return []
    return [f"Lambda runs {count} calls at once in this account: ask for more in Service Quotas (L-B99A9384)."]


def stacks(cloud: Cloud) -> list[str]:
    """What an earlier run left half-made, and what the next one does about it."""
    known, notes = Stacks(cloud.client("cloudformation")), []
    for name in (stack_name(cloud.stage, noun) for noun in ORDER):
        status = known.status(name)
        if status in DEAD:
            notes.append(f"The stack {name} is in {status}: it will be removed and made again.")
        elif status == STUCK:
            notes.append(f"The stack {name} is in {status}: its rollback will be continued first.")
        elif status is not None and status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS":
            notes.append(f"The stack {name} is in {status}: this will be waited for, an hour at most.")
    return notes


def _quota(cloud: Cloud, which: tuple[str, str]) -> float:
    service, code = which
    answer: Any = cloud.client("service-quotas").get_service_quota(ServiceCode=service, QuotaCode=code)
    return float(answer["Quota"]["Value"])


CHECKS: tuple[Callable[[Cloud], list[str]], ...] = (region, services, stacks, vpcs, buckets, agents, functions)


def look(cloud: Cloud, cpu: str = "1024") -> list[str]:
    """All checks; what is worth knowing before the deployment starts. Raises Problem if it cannot succeed."""
    notes = []
    for check in CHECKS:
        try:
            notes += agents(cloud, cpu) if check is agents else check(cloud)
        except ClientError as error:
            notes.append(f"Not checked: {check.__name__} ({error.response['Error']['Code']}).")
        except BotoCoreError as error:
            notes.append(f"Not checked: {check.__name__} ({type(error).__name__}).")
    return notes
