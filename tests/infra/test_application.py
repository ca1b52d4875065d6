"""What the application's APIs let in and tell, and to whom (requirements C, F)."""

import json
from typing import Any

from ops.deployment import application

Json = dict[str, Any]


def test_the_rest_api_is_regional_and_throttled(package: Any) -> None:
    rest = package.template["Resources"]["RestAPI"]["Properties"]
    assert rest["EndpointConfiguration"] in ("REGIONAL", {"Type": "REGIONAL"})
    (setting,) = rest["MethodSettings"]
    assert setting["ThrottlingRateLimit"] <= 50
    assert (setting["ResourcePath"], setting["HttpMethod"]) == ("/*", "*")


def test_the_websocket_api_is_throttled_and_has_its_three_routes(package: Any) -> None:
    resources = package.template["Resources"]
    assert resources["WebsocketAPIStage"]["Properties"]["DefaultRouteSettings"]["ThrottlingRateLimit"] <= 100
    routes = {r["Properties"]["RouteKey"] for r in resources.values() if r["Type"] == "AWS::ApiGatewayV2::Route"}
    assert routes == {"$connect", "$default", "$disconnect"}


def test_no_path_of_a_request_is_logged(package: Any) -> None:
    """A hook's address is a secret."""
    resources = package.template["Resources"]
    rest = resources["RestAPI"]["Properties"]
    assert "AccessLogSetting" not in rest
    assert not rest.get("TracingEnabled")
    for setting in rest["MethodSettings"]:
        assert setting.get("LoggingLevel", "OFF") == "OFF"
        assert not setting.get("DataTraceEnabled")
    stage = resources["WebsocketAPIStage"]["Properties"]
    assert "AccessLogSettings" not in stage
    assert stage["DefaultRouteSettings"].get("LoggingLevel", "OFF") == "OFF"


def test_refusals_of_api_gateway_can_be_read_by_the_page(package: Any) -> None:
    found = [r["Properties"] for r in package.template["Resources"].values() if "GatewayResponse" in r["Type"]]
    assert {entry["ResponseType"] for entry in found} == {"DEFAULT_4XX", "DEFAULT_5XX"}
    for entry in found:
        (origin,) = entry["ResponseParameters"].values()
        assert "web/url" in origin
        assert origin != "'*'"


def test_ends_of_tasks_are_heard_from_the_own_cluster_only(package: Any) -> None:
    """EventBridge tells of every cluster in the account; the ARN ends with the cluster's name."""
    (event,) = package.template["Resources"]["TaskStopped"]["Properties"]["Events"].values()
    detail = event["Properties"]["Pattern"]["detail"]
    assert detail == {"lastStatus": ["STOPPED"], "clusterArn": [{"suffix": ":cluster/serverless-openclaw-dev"}]}


def test_no_other_page_may_read_an_answer(package: Any) -> None:
    """Chalice's own default is every origin: on preflights, and on answers that name none themselves."""
    paths = package.template["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]["paths"]
    preflights = [path["options"]["x-amazon-apigateway-integration"] for path in paths.values() if "options" in path]
    assert len(preflights) > 8
    header = "method.response.header.Access-Control-Allow-Origin"
    origins = {preflight["responses"]["default"]["responseParameters"][header] for preflight in preflights}
    assert origins == {"'{{resolve:ssm:/serverless-openclaw/dev/web/url}}'"}


def test_an_agent_may_post_to_this_api_only(package: Any) -> None:
    policy = package.template["Resources"]["AgentConnections"]["Properties"]
    assert policy["Roles"] == ["serverless-openclaw-dev-task"]
    assert "${WebsocketAPI}/api/POST/@connections/*" in json.dumps(policy["PolicyDocument"])


def test_what_is_live_is_what_was_deployed_last(package: Any) -> None:
    """A deployment is a copy of the routes: others are live only with a deployment of their own."""
    resources = package.template["Resources"]
    (name,) = [name for name, r in resources.items() if r["Type"] == "AWS::ApiGatewayV2::Deployment"]
    assert resources["WebsocketAPIStage"]["Properties"]["DeploymentId"] == {"Ref": name}
    again: Json = json.loads(json.dumps(resources))
    again["WebsocketAPIDeployment"] = again.pop(name)
    application._deploy_routes_anew(again)
    assert set(again) == set(resources), "the same routes are the same deployment"
    again["WebsocketAPIDeployment"] = again.pop(name)
    again["WebsocketMessageRoute"]["Properties"]["RouteKey"] = "another"
    application._deploy_routes_anew(again)
    assert name not in again
