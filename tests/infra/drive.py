"""Runs every handler and every service the Bridge uses on moto, and prints the AWS calls they made.

A process of its own (`python -m tests.infra.drive`): models read their stage when imported, and
botocore's session is one per process. Someone who adds an AWS call adds here what leads to it;
test_permissions.py names the functions that nothing here reaches.
"""

import inspect
import json
import os
import sys
from typing import Any
from urllib.parse import parse_qs

STAGE = "dev"
CLUSTER = f"serverless-openclaw-{STAGE}"
BUCKET = f"serverless-openclaw-{STAGE}-data-123456789012-us-east-1"
os.environ.pop("AWS_ENDPOINT_URL", None)
os.environ |= {
    "STAGE": STAGE,
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "COGNITO_ISSUER": "https://issuer.example",
    "COGNITO_CLIENT_ID": "client",
    "JWKS_URL": "https://issuer.example/jwks",
    "ECS_CLUSTER": CLUSTER,
    "TASK_DEFINITION": CLUSTER,
    "DATA_BUCKET": BUCKET,
    "PARAMETER_PATH": f"/serverless-openclaw/{STAGE}/",
    "ALLOWED_ORIGINS": "https://page.example",
    "WAKE_FUNCTION": f"arn:aws:lambda:us-east-1:123456789012:function:{CLUSTER}-wake",
    "WAKE_ROLE": f"arn:aws:iam::123456789012:role/{CLUSTER}-wake",
    "FIRST_WORDS": "true",
    "PREWARM_CRONS": "0 8 * * ? *",
}

from botocore.signers import S3PostPresigner  # noqa: E402  the environment comes first
from moto import mock_aws  # noqa: E402
from moto.ecs.models import Task  # noqa: E402
from moto.moto_api import state_manager  # noqa: E402

from cdk.synthesized import Deployment  # noqa: E402
from tests.infra.recorder import Recorder  # noqa: E402

PARAMETERS = {
    "websocket-url": "wss://api.example/api",
    "telegram-bot-token": "42:token",
    "telegram-webhook-secret": "secret",
    "telegram-bot-username": "our_bot",
}
GONE = "gone"  # connections of this name are closed


class World:
    """What the functions find: the deployed resources, on moto."""

    def __init__(self) -> None:
        from chalicelib.platform import aws

        self.recorder = Recorder(STAGE)
        aws.session().register("before-parameter-build", self.recorder.hear)  # a client copies the session's hooks
        _hear_signed_posts(self.recorder)
        deployment = Deployment(STAGE)
        dynamodb = aws.client("dynamodb")
        for table in deployment.tables():
            dynamodb.create_table(**table)
        aws.client("s3").create_bucket(Bucket=BUCKET)
        pool = aws.client("cognito-idp").create_user_pool(**deployment.user_pool())["UserPool"]["Id"]
        aws.client("cognito-idp").create_group(UserPoolId=pool, **deployment.user_pool_group())
        for name, value in PARAMETERS.items():
            aws.client("ssm").put_parameter(Name=os.environ["PARAMETER_PATH"] + name, Value=value, Type="String")
        _give_tasks_an_age()
        state_manager.set_transition("ecs::task", {"progression": "manual", "times": 1_000_000})
        aws.client("scheduler").create_schedule_group(Name=CLUSTER)
        ecs = aws.client("ecs")
        ecs.create_cluster(**deployment.cluster())
        ecs.register_task_definition(**deployment.task_definition())
        ec2 = aws.client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
        os.environ["SUBNETS"] = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
        group = ec2.create_security_group(GroupName="agent", Description="agent", VpcId=vpc)
        os.environ["SECURITY_GROUPS"] = group["GroupId"]


def _give_tasks_an_age() -> None:
    """moto's tasks do not say when they were made; these are old."""
    made = Task.__init__

    def init(self: Any, *arguments: Any, **more: Any) -> None:
        made(self, *arguments, **more)
        self.created_at = 1_577_836_800.0

    Task.__init__ = init


def _hear_signed_posts(recorder: Recorder) -> None:
    sign = S3PostPresigner.generate_presigned_post

    def heard(presigner: Any, request_dict: Any, fields: Any = None, **options: Any) -> Any:
        recorder.signed_post(BUCKET, fields["key"])
        return sign(presigner, request_dict, fields, **options)

    S3PostPresigner.generate_presigned_post = heard


class Fakes:
    """The token check, a closed connection, Telegram and Lambda, which moto has not."""

    telegram_fails = False

    class Identity:
        def user_id(self, token: str) -> str:
            return token

        def caller(self, token: str) -> Any:
            from chalicelib.people.identity import OWNER, Caller

            return Caller(token, frozenset({OWNER}))

    @classmethod
    def install(cls) -> None:
        from chalicelib import wiring
        from chalicelib.lifecycle import first_words
        from chalicelib.telegram import api as telegram_api
        from chalicelib.wire import connections

        wiring.identity = cls.Identity  # type: ignore[assignment]
        sent = connections.Post.to

        def to(self: Any, connection_id: str, endpoint: str, frame: dict[str, Any]) -> None:
            sent(self, connection_id, endpoint, frame)
            if connection_id.startswith(GONE):
                raise connections.Gone(connection_id)

        connections.Post.to = to  # type: ignore[method-assign]

        def call(self: Any, method: str, **fields: Any) -> Any:
            if cls.telegram_fails:
                raise telegram_api.TelegramError("down")
            return {"message_id": 7}

        invoked = first_words.Asking._invoked

        def accepted(self: Any, message: Any, more: dict[str, bool]) -> bool:
            return invoked(self, message, more) or True  # moto has no functions

        first_words.Asking._invoked = accepted  # type: ignore[method-assign]
        telegram_api.BotApi.call = call  # type: ignore[assignment,method-assign]


class Drive:
    """One method per handler. `user` is fresh in each scenario, so that scenarios do not touch."""

    def __init__(self, recorder: Recorder) -> None:
        import app

        self._app = app
        self._recorder = recorder
        self._users = 0

    def user(self) -> str:
        self._users += 1
        return f"user-{self._users}"

    def call(self, function: str, event: dict[str, Any]) -> Any:
        target: Any = self._app.app if function == "api_handler" else getattr(self._app, function)
        with self._recorder.running(function):
            # A function that app.py registers by hand is not wrapped and takes the event alone.
            return target(event) if inspect.isfunction(target) else target(event, None)

    def connect(self, query: dict[str, str], connection: str) -> Any:
        return self.call("websocket_connect", socket_event(connection) | {"queryStringParameters": query})

    def send(self, connection: str, action: str, **fields: Any) -> Any:
        event = socket_event(connection) | {"body": json.dumps({"action": action, **fields})}
        return self.call("websocket_message", event)

    def rest(
        self,
        user: str,
        method: str,
        path: str,
        body: Any = None,
        resource: str = "",
        headers: dict[str, str] | None = None,
    ) -> Any:
        event = rest_event(user, method, path, body, resource or path)
        return self.call("api_handler", event | {"headers": event["headers"] | (headers or {})})

    def agent(self, user: str, connection: str = "") -> None:
        """A running agent with an open socket, as the Bridge would leave it."""
        from chalicelib.agents.tasks import Status, Tasks
        from chalicelib.wire.connections import AGENT
        from chalicelib.wire.tickets import Ticket, Tickets

        tasks = Tasks()
        if tasks.get(user).status is Status.IDLE:
            tasks.begin_start(user)
        task = tasks.get(user)
        if task.status is Status.STARTING:
            tasks.running(user, task.generation, task.task_arn or "arn:none")
        ticket = Tickets().issue(Ticket(user, AGENT, task.generation))
        self.connect({"ticket": ticket}, connection or f"agent-{user}")
        self.send(connection or f"agent-{user}", "agentReady")


def socket_event(connection: str) -> dict[str, Any]:
    context = {"connectionId": connection, "apiId": "api1", "stage": "api", "domainName": "d", "routeKey": "$default"}
    return {"requestContext": context, "headers": {}, "body": None}


def rest_event(user: str, method: str, path: str, body: Any, resource: str) -> dict[str, Any]:
    names = [part[1:-1] for part in resource.split("/") if part.startswith("{")]
    path, _, query = path.partition("?")
    headers = {"authorization": f"Bearer {user}", "content-type": "application/json"}
    return {
        "httpMethod": method,
        "path": path,
        "headers": headers,
        "multiValueHeaders": {},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": parse_qs(query) or None,
        "pathParameters": {name: path.rsplit("/", 1)[-1] for name in names} or None,
        "stageVariables": None,
        "body": json.dumps(body) if body is not None else None,
        "isBase64Encoded": False,
        "requestContext": {"resourcePath": resource, "httpMethod": method, "stage": "api"},
    }


def main() -> int:
    with mock_aws():
        world = World()
        Fakes.install()
        from tests.infra import asking, bridge_life, channels, owners, scenarios, wakes, waking

        drive = Drive(world.recorder)
        out, sys.stdout = sys.stdout, sys.stderr  # handlers write their metrics and logs there
        for scenario in (*scenarios.ALL, *channels.ALL, *wakes.ALL, *asking.ALL, *waking.ALL, *owners.ALL):
            scenario(drive)
        user = drive.user()
        bridge_life.before_bridge(user)
        with world.recorder.running("agent"):
            bridge_life.bridge(user)
        sys.stdout = out
    calls = {name: sorted(made) for name, made in world.recorder.calls.items()}
    sites = {name: sorted(seen) for name, seen in world.recorder.sites.items()}
    print(json.dumps({"calls": calls, "sites": sites}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
