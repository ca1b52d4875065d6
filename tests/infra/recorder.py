"""Which AWS calls the code makes, as IAM would name them, and from which function of chalicelib."""

import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

REGION, ACCOUNT = "us-east-1", "123456789012"
Call = tuple[str, str]

SERVICES = {"apigatewaymanagementapi": "execute-api"}
TRANSACTION = {
    "Put": "dynamodb:PutItem",
    "Update": "dynamodb:UpdateItem",
    "Delete": "dynamodb:DeleteItem",
    "ConditionCheck": "dynamodb:ConditionCheckItem",
}


class Recorder:
    """Hooked into the one botocore session; sorts what it hears by the handler that runs."""

    def __init__(self, stage: str) -> None:
        self._stage = stage
        self._function = ""
        self.calls: dict[str, set[Call]] = defaultdict(set)
        self.sites: dict[str, set[str]] = defaultdict(set)

    @contextmanager
    def running(self, function: str) -> Iterator[None]:
        self._function = function
        try:
            yield
        finally:
            self._function = ""

    def hear(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        """botocore's before-parameter-build."""
        if not self._function:
            return
        service = model.service_model.service_name
        self.calls[self._function] |= set(self._calls(service, model.name, params))
        self.sites[self._function] |= set(_sites())

    def signed_post(self, bucket: str, key: str) -> None:
        """The browser that posts with the signature has the signer's permission."""
        if self._function:
            self.calls[self._function] |= set(self._calls("s3", "PutObject", {"Bucket": bucket, "Key": key}))

    def _calls(self, service: str, operation: str, params: dict[str, Any]) -> Iterator[Call]:
        if service == "dynamodb":
            yield from self._dynamodb(operation, params)
        elif service == "ecs":
            yield from self._ecs(operation, params)
        elif service == "apigatewaymanagementapi":
            yield "execute-api:ManageConnections", self._arn("execute-api", "<api>/api/POST/@connections/<id>")
        elif service == "s3" and operation == "CreateBucket":
            return  # botocore finds the address of a signed POST in this way, and calls nothing
        elif service == "s3" and operation == "ListObjectVersions":
            yield "s3:ListBucketVersions", f"arn:aws:s3:::{params['Bucket']}"
        elif service == "s3" and operation == "DeleteObjects":
            for entry in params["Delete"]["Objects"]:
                kind = "DeleteObjectVersion" if "VersionId" in entry else "DeleteObject"
                yield f"s3:{kind}", f"arn:aws:s3:::{params['Bucket']}/{entry['Key']}"
        elif service == "s3":
            action = {"ListObjectsV2": "ListBucket", "HeadObject": "GetObject"}.get(operation, operation)
            key = f"/{params['Key']}" if "Key" in params else ""
            yield f"s3:{action}", f"arn:aws:s3:::{params['Bucket']}{key}"
            if params.get("Tagging"):
                yield "s3:PutObjectTagging", f"arn:aws:s3:::{params['Bucket']}{key}"
        elif service == "cognito-idp":
            yield f"cognito-idp:{operation}", self._arn("cognito-idp", f"userpool/{params['UserPoolId']}")
        elif service == "logs":
            group, stream = params["logGroupName"], params["logStreamName"]
            yield f"logs:{operation}", self._arn("logs", f"log-group:{group}:log-stream:{stream}")
        elif service == "lambda-microvms":
            yield from self._microvm(operation, params)
        elif service == "scheduler":
            yield from self._schedule(operation, params)
        elif service == "lambda":
            yield "lambda:InvokeFunction", self._arn("lambda", f"function:{params['FunctionName']}")
        elif operation == "GetParameters":
            for name in params["Names"]:
                yield "ssm:GetParameters", self._arn("ssm", "parameter" + name)
        elif service == "ssm" and operation != "DescribeParameters":  # for that IAM knows no resource
            path = params.get("Path") or params.get("Name") or ""
            yield f"ssm:{operation}", self._arn("ssm", "parameter" + path.rstrip("/"))
        else:
            yield f"{SERVICES.get(service, service)}:{operation}", "*"

    def _dynamodb(self, operation: str, params: dict[str, Any]) -> Iterator[Call]:
        if operation == "TransactWriteItems":
            for item in params["TransactItems"]:
                (kind, entry) = next(iter(item.items()))
                yield TRANSACTION[kind], self._table(entry["TableName"])
        elif operation in ("BatchWriteItem", "BatchGetItem"):
            for table in params["RequestItems"]:
                yield f"dynamodb:{operation}", self._table(table)
        else:
            index = f"/index/{params['IndexName']}" if params.get("IndexName") else ""
            yield f"dynamodb:{operation}", self._table(params["TableName"]) + index

    def _ecs(self, operation: str, params: dict[str, Any]) -> Iterator[Call]:
        if operation == "RunTask":
            yield "ecs:RunTask", self._arn("ecs", f"task-definition/{params['taskDefinition']}:1")
            # RunTask hands both roles of the task definition to ECS, which IAM checks as PassRole.
            for role in ("task", "execution"):
                yield "iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/serverless-openclaw-{self._stage}-{role}"
        elif operation == "ListTasks":
            yield "ecs:ListTasks", "*"  # knows no resource; the cluster is a condition
        else:
            yield f"ecs:{operation}", self._arn("ecs", f"task/{params['cluster']}/<task>")

    def _schedule(self, operation: str, params: dict[str, Any]) -> Iterator[Call]:
        yield f"scheduler:{operation}", self._arn("scheduler", f"schedule/{params['GroupName']}/<name>")
        if operation != "DeleteSchedule":
            yield "iam:PassRole", params["Target"]["RoleArn"]

    def _microvm(self, operation: str, params: dict[str, Any]) -> Iterator[Call]:
        """IAM knows the image only, and a machine by it; the prefix is Lambda's own."""
        if operation == "ListMicrovms":
            yield "lambda:ListMicrovms", "*"
            return
        yield f"lambda:{operation}", self._arn("lambda", f"microvm-image:serverless-openclaw-{self._stage}")
        if operation == "RunMicrovm":
            yield "iam:PassRole", params["executionRoleArn"]
            yield "lambda:PassNetworkConnector", "*"  # the internet's, which nobody asks for

    def _table(self, name: str) -> str:
        return self._arn("dynamodb", f"table/{name}")

    @staticmethod
    def _arn(service: str, resource: str) -> str:
        return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def _sites() -> Iterator[str]:
    """The functions of chalicelib on the way to this call, as `module:Class.method`."""
    frame: Any = sys._getframe(1)
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module.startswith("chalicelib."):
            yield f"{module.removeprefix('chalicelib.')}:{frame.f_code.co_qualname.split('.<locals>')[0]}"
        frame = frame.f_back
