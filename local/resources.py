"""Creates the resources of the CDK add-on from its synthesized templates: tables, user pool, cluster, task."""

import contextlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import botocore.session
from botocore.exceptions import ClientError

from cdk.synthesized import Deployment
from local import tables

REGION = "us-east-1"
STAGE = "local"
PARAMETER_PATH = f"/serverless-openclaw/{STAGE}/"
BUCKET = f"serverless-openclaw-{STAGE}-data"
CLUSTER = f"serverless-openclaw-{STAGE}"
# As deployed, but everyone at this machine may register: it listens on loopback.
DEPLOYMENT = Deployment(STAGE, REGION, parameters={"SelfSignUp": "true"})
# As deployed; nobody is a minute late here, and a start takes seconds.
WAKE = {
    "WAKE_FUNCTION": f"arn:aws:lambda:{REGION}:123456789012:function:{CLUSTER}-wake",
    "WAKE_ROLE": f"arn:aws:iam::123456789012:role/{CLUSTER}-wake",
    "WAKE_MARGIN_SECONDS": "5",
}
USER_EMAIL = "you@example.com"
PROVIDER_KEYS = ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "OPENROUTER_API_KEY", "GEMINI_API_KEY", "DEEPSEEK_API_KEY")


def aws_environment(endpoint: str) -> dict[str, str]:
    """The environment that sends AWS clients to the stand-in, without anybody's real keys."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_EC2_METADATA_DISABLED": "true",
        "STAGE": STAGE,
    }


@dataclass(frozen=True)
class Resources:
    """What was made, for the environment of functions and tasks."""

    endpoint: str
    pool_id: str
    client_id: str
    subnets: str
    security_groups: str
    task_definition: str
    email: str
    password: str

    def function_environment(self, callback_url: str, origins: str) -> dict[str, str]:
        """The environment of every Lambda function of this stage."""
        return aws_environment(self.endpoint) | {
            "COGNITO_ISSUER": f"https://cognito-idp.{REGION}.amazonaws.com/{self.pool_id}",
            "COGNITO_CLIENT_ID": self.client_id,
            "JWKS_URL": f"{self.endpoint}/{self.pool_id}/.well-known/jwks.json",
            "ECS_CLUSTER": CLUSTER,
            "TASK_DEFINITION": self.task_definition,
            "SUBNETS": self.subnets,
            "SECURITY_GROUPS": self.security_groups,
            "DATA_BUCKET": BUCKET,
            "PARAMETER_PATH": PARAMETER_PATH,
            "ALLOWED_ORIGINS": origins,
            "CALLBACK_URL": callback_url,
            **WAKE,
        }


class Builder:
    """Creates missing resources. Those from the snapshot stay."""

    def __init__(self, endpoint: str, data: Path) -> None:
        self._endpoint = endpoint
        self._data = data
        session = botocore.session.get_session()
        session.set_credentials("local", "local")
        self._session = session

    def client(self, service: str) -> Any:
        return self._session.create_client(service, region_name=REGION, endpoint_url=self._endpoint)

    def build(self, task_environment: Mapping[str, str]) -> Resources:
        tables.create_missing(self.client("dynamodb"), DEPLOYMENT)
        self._bucket()
        pool_id, client_id = self._user_pool()
        password = self._user(pool_id)
        self.client("scheduler").create_schedule_group(Name=CLUSTER)
        subnets, groups = self._network()
        definition = self._task_definition(task_environment)
        return Resources(self._endpoint, pool_id, client_id, subnets, groups, definition, USER_EMAIL, password)

    def _bucket(self) -> None:
        s3 = self.client("s3")
        if BUCKET not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]:
            s3.create_bucket(Bucket=BUCKET)
        s3.put_bucket_cors(Bucket=BUCKET, CORSConfiguration=DEPLOYMENT.bucket_cors())

    def _user_pool(self) -> tuple[str, str]:
        cognito = self.client("cognito-idp")
        pools = cognito.list_user_pools(MaxResults=10)["UserPools"]
        if pools:
            pool_id = pools[0]["Id"]
            clients = cognito.list_user_pool_clients(UserPoolId=pool_id)["UserPoolClients"]
            return pool_id, clients[0]["ClientId"]
        pool_id = cognito.create_user_pool(**DEPLOYMENT.user_pool())["UserPool"]["Id"]
        # Cognito's default, which moto lacks: without it the page shows an id instead of the address.
        wanted = {"ReadAttributes": ["email", "email_verified"]} | DEPLOYMENT.user_pool_client()
        client = cognito.create_user_pool_client(UserPoolId=pool_id, **wanted)
        return pool_id, client["UserPoolClient"]["ClientId"]

    def _user(self, pool_id: str) -> str:
        """The local user, with a password of this installation's own."""
        file = self._data / "password"
        if not file.exists():
            file.touch(mode=0o600)
            file.write_text(f"Local-{secrets.token_hex(5)}-1")
        password = file.read_text()
        cognito = self.client("cognito-idp")
        try:
            cognito.admin_get_user(UserPoolId=pool_id, Username=USER_EMAIL)
        except ClientError:
            cognito.admin_create_user(
                UserPoolId=pool_id,
                Username=USER_EMAIL,
                MessageAction="SUPPRESS",
                UserAttributes=[{"Name": "email", "Value": USER_EMAIL}, {"Name": "email_verified", "Value": "true"}],
            )
        self._owner(pool_id)
        cognito.admin_set_user_password(UserPoolId=pool_id, Username=USER_EMAIL, Password=password, Permanent=True)
        return password

    def _owner(self, pool_id: str) -> None:
        """The local user owns this deployment. Data of an earlier version has no such group yet."""
        cognito, group = self.client("cognito-idp"), DEPLOYMENT.user_pool_group()
        with contextlib.suppress(cognito.exceptions.GroupExistsException):
            cognito.create_group(UserPoolId=pool_id, **group)
        cognito.admin_add_user_to_group(UserPoolId=pool_id, Username=USER_EMAIL, GroupName=group["GroupName"])

    def _network(self) -> tuple[str, str]:
        ec2 = self.client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
        group = ec2.create_security_group(GroupName="agent", Description="no ingress", VpcId=vpc)["GroupId"]
        return subnet, group

    def _task_definition(self, environment: Mapping[str, str]) -> str:
        """The deployed task definition. Here a process runs it, with this machine's addresses in its environment."""
        ecs = self.client("ecs")
        ecs.create_cluster(**DEPLOYMENT.cluster())
        definition = DEPLOYMENT.task_definition()
        (container,) = definition["containerDefinitions"]
        deployed = {entry["name"]: entry["value"] for entry in container["environment"]}
        container["image"] = "local"
        group = DEPLOYMENT.one("compute", "AWS::Logs::LogGroup")["LogGroupName"]
        container["logConfiguration"]["options"]["awslogs-group"] = group
        container["environment"] = [
            {"name": name, "value": value} for name, value in (deployed | dict(environment)).items()
        ]
        answer = ecs.register_task_definition(**definition)
        return str(answer["taskDefinition"]["taskDefinitionArn"])

    def parameters(self, values: Mapping[str, str]) -> None:
        """Write parameters below PARAMETER_PATH; secrets live in memory here, never in a file."""
        ssm = self.client("ssm")
        for name, value in values.items():
            ssm.put_parameter(Name=PARAMETER_PATH + name, Value=value, Type="SecureString", Overwrite=True)


def provider_parameters(env: Mapping[str, str], demo_url: str) -> tuple[dict[str, str], str | None]:
    """The provider's parameters from the caller's environment, and the notice when it is the demo."""
    if env.get("OPENAI_BASE_URL"):
        custom = {"openai-base-url": env["OPENAI_BASE_URL"], "openai-api-key": env.get("OPENAI_API_KEY", "none")}
        return custom | _model(env), None
    for name in PROVIDER_KEYS:
        if env.get(name):
            return {name.lower().replace("_", "-"): env[name]} | _model(env), None
    notice = "The built-in demo model answers here. Set a provider key to talk to a real one."
    return {"openai-base-url": demo_url, "openai-api-key": "demo", "model": "demo"}, notice


def _model(env: Mapping[str, str]) -> dict[str, str]:
    return {"model": env["MODEL"]} if env.get("MODEL") else {}
