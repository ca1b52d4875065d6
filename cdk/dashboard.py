"""The dashboard's six sections: which numbers stand where."""

from collections.abc import Iterator, Sequence

from aws_cdk import Duration, aws_cloudwatch

from cdk.base import StageStack

NAMESPACE = "ServerlessOpenClaw"
# Chalice's names of the handlers; the deployed function is <prefix>-<stage>-<name>.
FUNCTIONS = (
    "api_handler",
    "websocket_connect",
    "websocket_message",
    "websocket_disconnect",
    "task_stopped",
    "watchdog",
    "prewarm",
)
# The functions that all others lean on: sign-in and tickets, messages, clean-up.
MAIN = ("api_handler", "websocket_message", "watchdog")
SECTIONS = ("Cold start", "Messages", "Lambda", "API Gateway", "Prewarm", "Infrastructure")
TABLES = ("Conversations", "Settings", "TaskState", "Connections", "PendingMessages")
Metrics = list[aws_cloudwatch.IMetric]
Row = list[aws_cloudwatch.IWidget]


def own_metric(stack: StageStack, name: str, statistic: str = "Sum", minutes: int = 5) -> aws_cloudwatch.Metric:
    """One of ours, written as embedded metric format by functions and tasks."""
    return aws_cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=name,
        statistic=statistic,
        period=Duration.minutes(minutes),
        dimensions_map={"Stage": stack.stage.value_as_string},
    )


def function_metric(stack: StageStack, function: str, name: str, statistic: str = "Sum") -> aws_cloudwatch.Metric:
    return aws_cloudwatch.Metric(
        namespace="AWS/Lambda",
        metric_name=name,
        statistic=statistic,
        period=Duration.minutes(15),
        label=function,
        dimensions_map={"FunctionName": stack.named(f"-{function}")},
    )


class Charts:
    """Each section is a heading and a row of charts, 24 units wide.

    A dashboard is free up to 50 metrics: what matters of every function are its errors.
    """

    def __init__(self, stack: StageStack) -> None:
        self._stack = stack

    def sections(self) -> Iterator[Row]:
        rows = (
            self._cold_start(),
            self._messages(),
            self._lambda(),
            self._api_gateway(),
            self._prewarm(),
            self._infrastructure(),
        )
        for title, charts in zip(SECTIONS, rows, strict=True):
            yield [aws_cloudwatch.TextWidget(markdown=f"## {title}", width=24, height=1)]
            width = 24 // len(charts)
            yield [
                aws_cloudwatch.GraphWidget(title=name, left=left, width=width, height=6)
                for name, left in charts.items()
            ]

    def _cold_start(self) -> dict[str, Metrics]:
        parts = ("StartupTotal", "StartupS3Restore", "StartupGatewayWait", "StartupClientReady")
        return {
            "Start, p50 by part (ms)": self._own(parts, "p50"),
            "Start, p95 by part (ms)": self._own(parts, "p95"),
            "Starts that failed": self._own(["StartFailed"]),
        }

    def _messages(self) -> dict[str, Metrics]:
        return {
            "First response and whole answer, p50 (ms)": self._own(["FirstResponseTime", "MessageLatency"], "p50"),
            "Length of an answer (characters)": self._own(["ResponseLength"], "Average"),
            "Taken from the inbox, given up": self._own(["PendingMessagesConsumed", "DeadLetter"]),
            "Models: tokens, millionths of a dollar": self._own(["ModelTokens", "ModelCost"]),
        }

    def _lambda(self) -> dict[str, Metrics]:
        return {
            "Calls": self._functions(MAIN, "Invocations", "Sum"),
            "Errors thrown, and HandlerFailed": self._functions(FUNCTIONS, "Errors", "Sum")
            + self._own(["HandlerFailed"]),
            "Duration, p95 (ms)": self._functions(MAIN, "Duration", "p95"),
        }

    def _api_gateway(self) -> dict[str, Metrics]:
        rest = {"ApiName": self._stack.named()}
        socket = {"ApiId": self._stack.imported("api/websocket-id")}
        return {
            "REST: calls and refusals": self._aws("AWS/ApiGateway", ["Count", "4XXError", "5XXError"], rest),
            "REST: latency, p95 (ms)": self._aws("AWS/ApiGateway", ["Latency"], rest, "p95"),
            "WebSocket: connects, messages, errors": self._aws(
                "AWS/ApiGateway", ["ConnectCount", "MessageCount", "ClientError", "ExecutionError"], socket
            ),
        }

    def _prewarm(self) -> dict[str, Metrics]:
        return {
            "Started ahead": self._own(["PrewarmTriggered"]),
            "Not needed": self._own(["PrewarmSkipped"]),
        }

    def _infrastructure(self) -> dict[str, Metrics]:
        cluster = {"ClusterName": self._stack.named()}
        # ThrottledRequests would need each operation's name as well; writes are throttled first.
        throttles = [
            self._aws("AWS/DynamoDB", ["WriteThrottleEvents"], {"TableName": f"{self._stack.named()}-{noun}"})[0]
            for noun in TABLES
        ]
        return {
            "Tasks: CPU and memory (%)": self._aws(
                "AWS/ECS", ["CPUUtilization", "MemoryUtilization"], cluster, "Average"
            ),
            "Orphans stopped": self._own(["OrphanStopped"]),
            "Tables: throttled writes": throttles,
        }

    def _own(self, names: Sequence[str], statistic: str = "Sum") -> Metrics:
        return [own_metric(self._stack, name, statistic) for name in names]

    def _functions(self, functions: Sequence[str], name: str, statistic: str) -> Metrics:
        return [function_metric(self._stack, function, name, statistic) for function in functions]

    def _aws(self, namespace: str, names: Sequence[str], of: dict[str, str], statistic: str = "Sum") -> Metrics:
        return [
            aws_cloudwatch.Metric(
                namespace=namespace,
                metric_name=name,
                statistic=statistic,
                period=Duration.minutes(5),
                dimensions_map=of,
            )
            for name in names
        ]
