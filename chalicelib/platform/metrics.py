"""Metrics in the CloudWatch embedded metric format: log lines, without API calls."""

import json
import time
from collections.abc import Mapping
from enum import StrEnum

from chalicelib.platform.settings import stage

NAMESPACE = "ServerlessOpenClaw"


class Metric(StrEnum):
    """The ten of requirements.md F, and those the alarms need."""

    STARTUP_TOTAL = "StartupTotal"
    STARTUP_RESTORE = "StartupS3Restore"
    STARTUP_GATEWAY = "StartupGatewayWait"
    STARTUP_CLIENT = "StartupClientReady"
    CONSUMED = "PendingMessagesConsumed"
    LATENCY = "MessageLatency"
    LENGTH = "ResponseLength"
    FIRST_RESPONSE = "FirstResponseTime"
    PREWARM_TRIGGERED = "PrewarmTriggered"
    PREWARM_SKIPPED = "PrewarmSkipped"
    START_FAILED = "StartFailed"
    ORPHAN_STOPPED = "OrphanStopped"
    DEAD_LETTER = "DeadLetter"
    HANDLER_FAILED = "HandlerFailed"  # an error that we caught and logged, so Lambda's own error count misses it
    MODEL_TOKENS = "ModelTokens"
    MODEL_COST = "ModelCost"


UNITS = {
    Metric.STARTUP_TOTAL: "Milliseconds",
    Metric.STARTUP_RESTORE: "Milliseconds",
    Metric.STARTUP_GATEWAY: "Milliseconds",
    Metric.STARTUP_CLIENT: "Milliseconds",
    Metric.LATENCY: "Milliseconds",
    Metric.FIRST_RESPONSE: "Milliseconds",
}


def emit(properties: Mapping[str, object] | None = None, /, **values: float) -> None:
    """Write one EMF line: metric names (of Metric) to values. Properties are logged, not counted (and free).

    ModelCost is in millionths of a US dollar.
    """
    names = [Metric(name) for name in values]
    definitions = [{"Name": str(name), "Unit": UNITS.get(name, "Count")} for name in names]
    directive = {"Namespace": NAMESPACE, "Dimensions": [["Stage"]], "Metrics": definitions}
    head = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}
    print(json.dumps({"_aws": head, "Stage": stage(), **(properties or {}), **values}), flush=True)
