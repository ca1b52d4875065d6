"""Reads the synthesized templates without the CDK: for `make deploy`, `make cost` and `make run`.

What it returns is ready for boto's create_table, create_user_pool, register_task_definition …, so
that the local system and the tests run on the resources that are deployed, not on a second list.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent / "synthesized"
# In the order in which they are made; monitoring follows the Chalice application.
# `microvm` is made only for the second engine.
STACKS = ("network", "storage", "auth", "compute", "microvm", "web", "monitoring")
ACCOUNT, REGION = "123456789012", "us-east-1"
Json = dict[str, Any]


@cache
def text(stack: str) -> str:
    return (FOLDER / f"{stack}.json").read_text()


def template(stack: str) -> Json:
    """A stack's template as committed."""
    loaded: Json = json.loads(text(stack))
    return loaded


@dataclass(frozen=True)
class Deployment:
    """The templates as CloudFormation would fill them in for one stage."""

    stage: str
    region: str = REGION
    account: str = ACCOUNT
    parameters: Mapping[str, str] = field(default_factory=dict)

    def resources(self, stack: str, kind: str | None = None) -> Iterator[tuple[str, Json]]:
        """Logical ids and properties of a stack's resources (of one type), in template order.

        A reference to a resource becomes `<LogicalId>`, an import from SSM `<ssm:path>`.
        """
        document = template(stack)
        values = self._values(document)
        for name, resource in document["Resources"].items():
            condition = resource.get("Condition")
            if condition is not None and not self._holds(document, condition, values):
                continue
            if kind is None or resource["Type"] == kind:
                yield name, self._resolve(resource.get("Properties", {}), document, values)

    def one(self, stack: str, kind: str) -> Json:
        """The properties of the only resource of a type. Raises LookupError."""
        found = [properties for _, properties in self.resources(stack, kind)]
        if len(found) != 1:
            raise LookupError(f"{stack} has {len(found)} resources of {kind}, not one")
        return found[0]

    def _values(self, document: Json) -> dict[str, str]:
        defaults = {name: str(entry.get("Default", "")) for name, entry in document.get("Parameters", {}).items()}
        return {
            **defaults,
            **self.parameters,
            "Stage": self.stage,
            "AWS::Region": self.region,
            "AWS::AccountId": self.account,
            "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
        }

    def _holds(self, document: Json, name: str, values: Mapping[str, str]) -> bool:
        def value(expression: Any) -> bool:
            if "Fn::Equals" in expression:
                left, right = (self._resolve(side, document, values) for side in expression["Fn::Equals"])
                return bool(left == right)
            return not value(expression["Fn::Not"][0])

        return value(document["Conditions"][name])

    def _resolve(self, value: Any, document: Json, values: Mapping[str, str]) -> Any:
        def inner(part: Any) -> Any:
            return self._resolve(part, document, values)

        if isinstance(value, list):
            return [inner(part) for part in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            (name, argument) = next(iter(value.items()))
            if name == "Ref":
                return values.get(argument, f"<{argument}>")
            if name == "Fn::GetAtt":
                return f"<{'.'.join(argument)}>"
            if name == "Fn::Join":
                return argument[0].join(str(inner(part)) for part in argument[1])
            if name == "Fn::Sub":
                filled = re.sub(r"\$\{([^}!]+)\}", lambda m: values.get(m.group(1), f"<{m.group(1)}>"), argument)
                return re.sub(r"\{\{resolve:ssm:([^}]+)\}\}", r"<ssm:\1>", filled)
            if name == "Fn::If":
                return inner(argument[1 if self._holds(document, argument[0], values) else 2])
            if name.startswith("Fn::"):
                return f"<{name}>"
        return {name: inner(part) for name, part in value.items()}

    def tables(self) -> list[Json]:
        """Arguments of create_table, the five tables."""
        names = ("TableName", "KeySchema", "AttributeDefinitions", "BillingMode")
        indexes = ("GlobalSecondaryIndexes", "LocalSecondaryIndexes")
        return [
            {name: properties[name] for name in (*names, *indexes) if name in properties}
            for _, properties in self.resources("storage", "AWS::DynamoDB::Table")
        ]

    def times_to_live(self) -> list[Json]:
        """Arguments of update_time_to_live."""
        return [
            {
                "TableName": properties["TableName"],
                "TimeToLiveSpecification": properties["TimeToLiveSpecification"],
            }
            for _, properties in self.resources("storage", "AWS::DynamoDB::Table")
        ]

    def bucket_cors(self) -> Json:
        """The CORSConfiguration of put_bucket_cors."""
        rules = self.one("storage", "AWS::S3::Bucket")["CorsConfiguration"]["CorsRules"]
        renamed = {"MaxAge": "MaxAgeSeconds"}
        return {"CORSRules": [{renamed.get(name, name): value for name, value in rule.items()} for rule in rules]}

    def user_pool(self) -> Json:
        """Arguments of create_user_pool."""
        properties = self.one("auth", "AWS::Cognito::UserPool")
        renamed = {"UserPoolName": "PoolName", "EnabledMfas": None}
        return {renamed.get(name, name) or "": value for name, value in properties.items() if renamed.get(name, name)}

    def user_pool_group(self) -> Json:
        """Arguments of create_group, without the pool."""
        properties = self.one("auth", "AWS::Cognito::UserPoolGroup")
        return {name: value for name, value in properties.items() if name != "UserPoolId"}

    def user_pool_client(self) -> Json:
        """Arguments of create_user_pool_client, besides the pool's id."""
        properties = self.one("auth", "AWS::Cognito::UserPoolClient")
        return {name: value for name, value in properties.items() if name != "UserPoolId"}

    def task_definition(self) -> Json:
        """Arguments of register_task_definition."""
        lowered: Json = _lower_first(self.one("compute", "AWS::ECS::TaskDefinition"))
        return lowered

    def cluster(self) -> Json:
        """Arguments of create_cluster."""
        properties: Json = _lower_first(self.one("compute", "AWS::ECS::Cluster"))
        return {"settings" if name == "clusterSettings" else name: value for name, value in properties.items()}


def _lower_first(value: Any) -> Any:
    """Template names to API names, except below `Options`, where names are values."""
    if isinstance(value, list):
        return [_lower_first(part) for part in value]
    if not isinstance(value, dict):
        return value
    return {
        name[0].lower() + name[1:]: part if name == "Options" else _lower_first(part) for name, part in value.items()
    }
