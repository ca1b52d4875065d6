"""The Chalice application as a CloudFormation stack: `chalice package`, and what Chalice leaves out.

We do not use `chalice deploy`, because its only state is a local file that is written after complete
success. After a failed deploy, on a second laptop or without the file it creates second APIs with other
URLs. CloudFormation keeps the state itself, rolls back, and sets throttling, log retention and CORS on
refusals.
tests/infra/test_chalice_deploy.py shows both.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ops.deployment import build, engine
from ops.names import parameter, prefix

Json = dict[str, Any]
LOG_DAYS = 14
REST_RATE, REST_BURST = 20, 40  # requests a second; a page makes two
SOCKET_RATE, SOCKET_BURST = 50, 100  # frames a second, over all users
DEPLOYMENT, INTEGRATION = "WebsocketAPIDeployment", "AWS::ApiGatewayV2::Integration"


def package(stage: str, region: str, out: Path, told: Mapping[str, str] | None = None) -> Json:
    """Write deployment.zip into `out` and return the template. The code's place is filled in later."""
    project = build.lay_out(stage, told=told)
    build.run_chalice(project, "package", "--stage", stage, str(out), region=region)
    template: Json = json.loads((out / "sam.json").read_text())
    return finish(template, stage, told)


def place_code(template: Json, bucket: str, key: str) -> None:
    """Say where deployment.zip was uploaded to."""
    for function in functions(template).values():
        function["Properties"]["CodeUri"] = {"Bucket": bucket, "Key": key}


def functions(template: Json) -> dict[str, Json]:
    found = template["Resources"].items()
    return {name: resource for name, resource in found if resource["Type"] == "AWS::Serverless::Function"}


def logical_id(name: str) -> str:
    """What Chalice calls the function `name` of config.json in its template."""
    if name == "api_handler":
        return "APIHandler"
    return "".join(word.title() for word in name.split("_"))


def finish(template: Json, stage: str, told: Mapping[str, str] | None = None) -> Json:
    """Add to Chalice's template what Chalice cannot express."""
    resources = template["Resources"]
    names = {logical_id(name): name for name in build.config(stage, told)["stages"][stage]["lambda_functions"]}
    for logical, function in functions(template).items():
        function["Properties"]["FunctionName"] = f"{prefix(stage)}-{names[logical]}"
    for resource in resources.values():
        if resource["Type"] == "AWS::IAM::Role":
            resource["Properties"] = _substituted(resource["Properties"])
    _rest(resources["RestAPI"]["Properties"], stage)
    resources["WebsocketAPIStage"]["Properties"]["DefaultRouteSettings"] = {
        "ThrottlingRateLimit": SOCKET_RATE,
        "ThrottlingBurstLimit": SOCKET_BURST,
    }
    if (told or {}).get("IPV6_ONLY") == "true":  # the Bridge connects to it and posts to its @connections
        resources["WebsocketAPI"]["Properties"]["IpAddressType"] = "dualstack"
    _deploy_routes_anew(resources)
    resources |= _gateway_responses(stage) | _log_group() | _parameters(template, stage)
    agents = ("task", "microvm") if engine.asked(told) else ("task",)
    resources |= _agent_policy([f"{prefix(stage)}-{name}" for name in agents])
    return template


def _substituted(value: Any) -> Any:
    """Policies name region and account as CloudFormation does; only Fn::Sub reads that."""
    if isinstance(value, dict):
        return value if "Fn::Sub" in value else {name: _substituted(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_substituted(part) for part in value]
    return {"Fn::Sub": value} if isinstance(value, str) and "${" in value else value


def _rest(properties: Json, stage: str) -> None:
    properties["DefinitionBody"]["info"]["title"] = prefix(stage)
    properties["Name"] = prefix(stage)
    properties["MethodSettings"] = [
        {
            "HttpMethod": "*",
            "ResourcePath": "/*",
            "ThrottlingRateLimit": REST_RATE,
            "ThrottlingBurstLimit": REST_BURST,
            "MetricsEnabled": False,
        }
    ]


def _deploy_routes_anew(resources: Json) -> None:
    """A WebSocket API serves its deployment, which is a copy of the routes at the time of its creation.

    Under Chalice's fixed name CloudFormation would create it only once, and later routes would not be live.
    """
    routed = {name: r for name, r in resources.items() if r["Type"] in ("AWS::ApiGatewayV2::Route", INTEGRATION)}
    mark = hashlib.sha256(json.dumps(routed, sort_keys=True).encode()).hexdigest()[:10]
    resources[f"{DEPLOYMENT}{mark}"] = resources.pop(DEPLOYMENT)
    resources["WebsocketAPIStage"]["Properties"]["DeploymentId"] = {"Ref": f"{DEPLOYMENT}{mark}"}


def _gateway_responses(stage: str) -> Json:
    """Refusals that API Gateway makes itself must be readable by the page."""
    origin = "'{{resolve:ssm:" + parameter(stage, "web/url") + "}}'"
    return {
        f"Refused{kind}": {
            "Type": "AWS::ApiGateway::GatewayResponse",
            "Properties": {
                "RestApiId": {"Ref": "RestAPI"},
                "ResponseType": f"DEFAULT_{kind}",
                "ResponseParameters": {"gatewayresponse.header.Access-Control-Allow-Origin": origin},
            },
        }
        for kind in ("4XX", "5XX")
    }


def _log_group() -> Json:
    """Chalice makes the others; for the REST function it names a resource that is not there."""
    name = {"Fn::Sub": "/aws/lambda/${APIHandler}"}
    properties = {"LogGroupName": name, "RetentionInDays": LOG_DAYS}
    return {"APIHandlerLogs": {"Type": "AWS::Logs::LogGroup", "Properties": properties}}


def _agent_policy(roles: list[str]) -> Json:
    """Agents post to this API's connections; its id is known only here."""
    arn = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${WebsocketAPI}/api/POST/@connections/*"
    statement = {"Effect": "Allow", "Action": ["execute-api:ManageConnections"], "Resource": [{"Fn::Sub": arn}]}
    properties = {
        "PolicyName": "connections",
        "Roles": roles,
        "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]},
    }
    return {"AgentConnections": {"Type": "AWS::IAM::Policy", "Properties": properties}}


def _parameters(template: Json, stage: str) -> Json:
    """What the Bridge, the page and the dashboard need to know of the APIs."""
    outputs = template["Outputs"]
    values = {
        "websocket-url": outputs["WebsocketConnectEndpointURL"]["Value"],
        "api/rest-url": outputs["EndpointURL"]["Value"],
        "api/websocket-id": {"Ref": "WebsocketAPI"},
    }
    return {
        "Export" + path.title().replace("-", "").replace("/", ""): {
            "Type": "AWS::SSM::Parameter",
            "Properties": {"Name": parameter(stage, path), "Type": "String", "Value": value},
        }
        for path, value in values.items()
    }
