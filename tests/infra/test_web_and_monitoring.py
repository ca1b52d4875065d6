"""The page at the edge, and what is watched (requirements D, F)."""

import json
from typing import Any

from cdk.synthesized import Deployment
from chalicelib.platform.metrics import NAMESPACE, Metric
from local.policies import headers_of
from local.tools import ROOT

Json = dict[str, Any]
TEN = {
    "StartupTotal",
    "StartupS3Restore",
    "StartupGatewayWait",
    "StartupClientReady",
    "PendingMessagesConsumed",
    "MessageLatency",
    "ResponseLength",
    "FirstResponseTime",
    "PrewarmTriggered",
    "PrewarmSkipped",
}


def distribution(dev: Deployment) -> Json:
    return dict(dev.one("web", "AWS::CloudFront::Distribution")["DistributionConfig"])


def test_the_site_is_reached_through_cloudfront_only(dev: Deployment) -> None:
    bucket = dev.one("web", "AWS::S3::Bucket")
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert "WebsiteConfiguration" not in bucket
    control = dev.one("web", "AWS::CloudFront::OriginAccessControl")["OriginAccessControlConfig"]
    assert (control["SigningBehavior"], control["SigningProtocol"]) == ("always", "sigv4")
    (origin,) = distribution(dev)["Origins"]
    assert "OriginAccessControlId" in origin


def test_https_only(dev: Deployment) -> None:
    assert distribution(dev)["DefaultCacheBehavior"]["ViewerProtocolPolicy"] == "redirect-to-https"


def test_a_path_of_the_app_is_its_page_and_a_missing_file_is_missing(dev: Deployment) -> None:
    code = dev.one("web", "AWS::CloudFront::Function")["FunctionCode"]
    assert "/index.html" in code
    assert "/console/index.html" in code
    assert all(rule.get("FunctionAssociations") for rule in distribution(dev)["CacheBehaviors"][1:])
    assert "CustomErrorResponses" not in distribution(dev), "a missing script must not be answered with a page"


def headers(dev: Deployment) -> Json:
    return dict(headers_policy(dev, "-headers")["SecurityHeadersConfig"])


def headers_policy(dev: Deployment, ending: str) -> Json:
    found = [properties for _, properties in dev.resources("web", "AWS::CloudFront::ResponseHeadersPolicy")]
    policies = {one["ResponseHeadersPolicyConfig"]["Name"]: one["ResponseHeadersPolicyConfig"] for one in found}
    return dict(policies[f"serverless-openclaw-dev{ending}"])


def test_security_headers(dev: Deployment) -> None:
    found = headers(dev)
    assert found["FrameOptions"]["FrameOption"] == "DENY"
    assert found["ContentTypeOptions"]["Override"] is True
    assert found["ReferrerPolicy"]["ReferrerPolicy"] == "no-referrer"
    assert found["StrictTransportSecurity"]["AccessControlMaxAgeSec"] >= 31_536_000


def test_the_content_policy_allows_own_scripts_and_this_region_s_services(dev: Deployment) -> None:
    policy = headers(dev)["ContentSecurityPolicy"]["ContentSecurityPolicy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["script-src"] == "'self'"
    assert "unsafe" not in policy
    assert "wss://*.execute-api.us-east-1.amazonaws.com" in rules["connect-src"]
    assert "https://cognito-idp.us-east-1.amazonaws.com" in rules["connect-src"]
    assert rules["frame-ancestors"] == "'none'"
    assert rules["frame-src"] == "'self'"


def test_diagrams_and_pdfs_are_drawn_by_pages_without_origin_and_network(dev: Deployment) -> None:
    """The same policy as the local server's, which the browser tests use."""
    behaviours = distribution(dev)["CacheBehaviors"]
    assert [behaviour["PathPattern"] for behaviour in behaviours] == ["/sandbox/*", "/console/*"]
    assert {behaviour["ViewerProtocolPolicy"] for behaviour in behaviours} == {"redirect-to-https"}
    found = headers_policy(dev, "-sandbox-headers")
    policy = found["SecurityHeadersConfig"]["ContentSecurityPolicy"]["ContentSecurityPolicy"]
    for page in ("diagram", "pdf"):
        assert policy == headers_of(f"sandbox/{page}/index.html")["Content-Security-Policy"]
        written = (ROOT / "frontend" / "src" / "sandbox" / page / "index.html").read_text()
        rules = policy.removeprefix("sandbox allow-scripts; ").removesuffix("; frame-ancestors 'self'")
        assert f'content="{rules}"' in written
    assert policy.startswith("sandbox allow-scripts; default-src 'none'; script-src 'self'; ")
    assert "FrameOptions" not in found["SecurityHeadersConfig"], "the app itself embeds this page"
    assert found["CorsConfig"]["AccessControlAllowOrigins"]["Items"] == ["*"]
    assert found["CorsConfig"]["AccessControlAllowCredentials"] is False


def test_openclaw_s_own_page_has_no_origin_and_no_address_but_ours(dev: Deployment) -> None:
    """It is a whole app that is not ours: it can read nothing of the page around it, and send nothing elsewhere."""
    found = headers_policy(dev, "-console-headers")
    policy = found["SecurityHeadersConfig"]["ContentSecurityPolicy"]["ContentSecurityPolicy"]
    assert policy == headers_of("console/index.html")["Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert "allow-same-origin" not in rules["sandbox"]
    assert "allow-popups" not in rules["sandbox"]
    assert "allow-top-navigation" not in rules["sandbox"]
    assert (rules["script-src"], rules["default-src"], rules["form-action"]) == ("'self'", "'none'", "'none'")
    assert "http" not in policy
    assert found["CorsConfig"]["AccessControlAllowOrigins"]["Items"] == ["*"]
    assert found["CorsConfig"]["AccessControlAllowCredentials"] is False


def dashboard(dev: Deployment) -> list[Json]:
    widgets: list[Json] = json.loads(dev.one("monitoring", "AWS::CloudWatch::Dashboard")["DashboardBody"])["widgets"]
    return widgets


def test_the_dashboard_has_its_six_sections(dev: Deployment) -> None:
    titles = [widget["properties"]["markdown"] for widget in dashboard(dev) if widget["type"] == "text"]
    assert titles == [
        f"## {name}" for name in ("Cold start", "Messages", "Lambda", "API Gateway", "Prewarm", "Infrastructure")
    ]


def test_all_ten_metrics_are_shown(dev: Deployment) -> None:
    assert {name for name in TEN if f'"{name}"' in json.dumps(dashboard(dev))} == TEN
    assert {str(metric) for metric in Metric} >= TEN


def test_the_dashboard_reads_the_namespace_and_dimension_that_is_written(dev: Deployment) -> None:
    from chalicelib.platform import metrics

    own = [
        metric
        for widget in dashboard(dev)
        for metric in widget["properties"].get("metrics", [])
        if metric[0] == metrics.NAMESPACE
    ]
    assert len(own) >= len(TEN)
    assert all(metric[2:4] == ["Stage", "dev"] for metric in own)
    assert {metric[1] for metric in own} <= set(map(str, Metric)), "a chart that stays empty"


def alarms(dev: Deployment) -> dict[str, Json]:
    found = [properties for _, properties in dev.resources("monitoring", "AWS::CloudWatch::Alarm")]
    return {alarm["AlarmName"].removeprefix("serverless-openclaw-dev-"): alarm for alarm in found}


def test_the_alarms(dev: Deployment) -> None:
    assert set(alarms(dev)) == {"StartFailed", "Orphan", "DeadLetter", "ErrorRate", "HandlerFailed"}
    for alarm in alarms(dev).values():
        assert alarm["AlarmActions"], "an alarm that tells nobody"
        assert alarm["TreatMissingData"] == "notBreaching", "nothing is written while nobody talks"


def test_the_alarms_read_metrics_that_the_code_writes(dev: Deployment) -> None:
    for name, alarm in alarms(dev).items():
        if "MetricName" in alarm:
            assert alarm["MetricName"] in set(map(str, Metric)), name


def test_what_a_handler_answers_is_an_error_too(dev: Deployment) -> None:
    """Lambda counts what is thrown only; the rest a handler counts itself, and both are watched and shown."""
    alarm = alarms(dev)["HandlerFailed"]
    assert (alarm["MetricName"], alarm["Namespace"], alarm["Statistic"]) == ("HandlerFailed", NAMESPACE, "Sum")
    assert alarm["Dimensions"] == [{"Name": "Stage", "Value": "dev"}]
    assert (alarm["Threshold"], alarm["Period"]) == (2, 900)
    errors = next(w for w in dashboard(dev) if w["properties"].get("title") == "Errors thrown, and HandlerFailed")
    shown = {metric[1] for metric in errors["properties"]["metrics"]}
    assert shown == {"Errors", "HandlerFailed"}


def test_a_function_that_was_not_called_does_not_hide_the_others_errors(dev: Deployment) -> None:
    """In metric math a sum with a missing number is missing, too."""
    (expression,) = [m["Expression"] for m in alarms(dev)["ErrorRate"]["Metrics"] if "Expression" in m]
    assert expression.count("FILL(") == 6


def test_throttles_are_shown_by_a_metric_that_tables_have(dev: Deployment) -> None:
    """ThrottledRequests is by table and operation: with the table alone it shows nothing, ever."""
    metrics = [m for w in dashboard(dev) for m in w["properties"].get("metrics", []) if m[0] == "AWS/DynamoDB"]
    assert [metric[1] for metric in metrics] == ["WriteThrottleEvents"] * 5
    assert all(metric[2] == "TableName" and len(metric) <= 5 for metric in metrics)


def test_a_month_that_gets_dear_is_told(dev: Deployment) -> None:
    budget = dev.one("monitoring", "AWS::Budgets::Budget")
    assert (budget["Budget"]["BudgetType"], budget["Budget"]["TimeUnit"]) == ("COST", "MONTHLY")
    kinds = {entry["Notification"]["NotificationType"] for entry in budget["NotificationsWithSubscribers"]}
    assert kinds == {"ACTUAL", "FORECASTED"}
    statements = dev.one("monitoring", "AWS::SNS::TopicPolicy")["PolicyDocument"]["Statement"]
    assert any(s["Principal"] == {"Service": "budgets.amazonaws.com"} for s in statements if s["Effect"] == "Allow")


def test_an_address_is_told_when_there_is_one(dev: Deployment) -> None:
    assert list(dev.resources("monitoring", "AWS::SNS::Subscription")) == []
    asked = Deployment("dev", parameters={"AlarmEmail": "a@example.com"})
    assert asked.one("monitoring", "AWS::SNS::Subscription")["Endpoint"] == "a@example.com"
