"""`make cost`: the cost of a month, computed from the deployed stacks and the usage profile.

Sizes and counts come from the synthesized templates and the Chalice configuration, prices from
prices.json (with date and source), usage from profile.json. The model provider's bill is not included.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cdk.synthesized import Deployment
from ops import engine_cost, model_cost
from ops.steps import ROOT

FOLDER = Path(__file__).parent
MONTH_HOURS = 730
WATCHDOG_PER_HOUR = 12
# A container that is woken for an automation and to which nobody writes: start and margin (150 s of them before the
# automation is due), its run, and the rest after it.
WAKE_SECONDS = 270
Json = dict[str, Any]


@dataclass(frozen=True)
class System:
    """What of the deployment has a price."""

    vcpu: float
    memory_gb: float
    alarm_metrics: int
    dashboards: tuple[int, ...]  # metrics on each
    own_metrics: int
    function_gb: Mapping[str, float]
    ipv6_only: bool = False


@dataclass(frozen=True)
class Line:
    """One thing on the bill: `full` at list price, `due` after what AWS gives everyone for ever."""

    what: str
    amount: float
    unit: str
    full: float
    due: float


def read_system(cpu: str = "1024", ipv6_only: bool = False) -> System:
    """The options are those of `make deploy`: AGENT_CPU and IPV6_ONLY."""
    deployment = Deployment("dev", parameters={"AgentCpu": cpu})
    task = deployment.task_definition()
    alarms = [properties for _, properties in deployment.resources("monitoring", "AWS::CloudWatch::Alarm")]
    config = json.loads((ROOT / ".chalice" / "config.json").read_text())["stages"]["dev"]
    return System(
        vcpu=int(task["cpu"]) / 1024,
        memory_gb=int(task["memory"]) / 1024,
        alarm_metrics=sum(_numbers_read(alarm) for alarm in alarms),
        dashboards=tuple(map(_metrics_shown, deployment.resources("monitoring", "AWS::CloudWatch::Dashboard"))),
        own_metrics=len(_own_metrics()),
        function_gb={name: entry["lambda_memory_size"] / 1024 for name, entry in config["lambda_functions"].items()},
        ipv6_only=ipv6_only,
    )


def _numbers_read(alarm: Json) -> int:
    return sum(1 for metric in alarm.get("Metrics", []) if "MetricStat" in metric) or 1


def _metrics_shown(dashboard: tuple[str, Json]) -> int:
    """Lines of its charts: a number that is shown twice counts twice here, to be sure."""
    widgets = json.loads(dashboard[1]["DashboardBody"])["widgets"]
    return sum(len(widget["properties"].get("metrics", [])) for widget in widgets)


def _own_metrics() -> list[str]:
    from chalicelib.platform.metrics import Metric

    return list(Metric)


@dataclass(frozen=True)
class Use:
    """A month's use, from a profile."""

    profile: Json

    def of(self, name: str) -> float:
        """A daily number of the profile, times the days of the month."""
        return float(self.profile[name] * self.profile["days"])

    @property
    def hours(self) -> float:
        return self.of("hours_per_day")

    @property
    def messages(self) -> float:
        return self.of("messages_per_day")

    @property
    def starts(self) -> float:
        return self.of("starts_per_day")

    @property
    def ticks(self) -> float:
        return float(WATCHDOG_PER_HOUR * 24 * self.profile["days"])

    @property
    def rest(self) -> float:
        return self.of("rest_calls_per_day")


class Prices:
    """Makes lines of the bill from prices.json."""

    def __init__(self) -> None:
        self.entries: Json = json.loads((FOLDER / "prices.json").read_text())["prices"]

    def line(self, what: str, name: str, amount: float, factor: float = 1.0) -> Line:
        """`factor` is the share of the list price that is paid."""
        entry = self.entries[name]
        charged = max(amount - entry.get("free", 0), 0)
        return Line(what, amount, entry["unit"], amount * entry["price"] * factor, charged * entry["price"] * factor)


def bill(profile: Json, spot: bool = True, system: System | None = None) -> list[Line]:
    """The month's lines; `spot` is whether all tasks run on Spot. `system`: another one than the default."""
    prices, system, use = Prices(), system or read_system(), Use(profile)
    return [
        *_container_lines(prices, system, use, spot),
        *_function_lines(prices, system, use),
        *_storage_lines(prices, use),
        *_monitoring_lines(prices, system, use),
        prices.line("Traffic to the internet", "transfer_out_gb", profile["transfer_gb"]),
        prices.line("Cognito", "cognito_user", profile["users"]),
    ]


def _container_lines(prices: Prices, system: System, use: Use, spot: bool) -> list[Line]:
    share = 1 - prices.entries["fargate_spot_discount"]["price"] if spot else 1.0
    return [
        prices.line("Fargate, processor", "fargate_arm_vcpu_hour", use.hours * system.vcpu, share),
        prices.line("Fargate, memory", "fargate_arm_gb_hour", use.hours * system.memory_gb, share),
        prices.line("Public IPv4 address", "public_ipv4_hour", 0 if system.ipv6_only else use.hours),
    ]


def _function_lines(prices: Prices, system: System, use: Use) -> list[Line]:
    profile, seconds = use.profile, use.profile["function_seconds"]
    calls = {
        "websocket_message": (use.messages + use.starts, seconds["message"]),
        "api_handler": (use.rest, seconds["rest"]),
        "websocket_connect": (2 * use.starts, seconds["connect"]),
        "websocket_disconnect": (2 * use.starts, seconds["connect"]),
        "task_stopped": (use.starts, seconds["task_stopped"]),
        "first_words": (use.starts, seconds["first_words"]),
        "watchdog": (use.ticks, seconds["watchdog"]),
    }
    gb_seconds = sum(count * each * system.function_gb[name] for name, (count, each) in calls.items())
    frames = use.messages * (profile["frames_per_answer"] * profile["tabs"] + 4)
    return [
        prices.line("Lambda, time", "lambda_arm_gb_second", gb_seconds),
        prices.line("Lambda, calls", "lambda_request", sum(count for count, _ in calls.values())),
        prices.line("REST API", "rest_request", use.rest),
        prices.line("WebSocket, frames", "websocket_message", frames),
        prices.line("WebSocket, time", "websocket_minute", use.hours * 60 * (1 + profile["tabs"])),
    ]


def _storage_lines(prices: Prices, use: Use) -> list[Line]:
    profile = use.profile
    beats = use.hours * profile["heartbeats_per_hour"]
    writes = use.messages * profile["writes_per_message"] + beats + use.starts * 8
    ticks = use.ticks * profile["reads_per_watchdog_tick"]
    reads = use.messages * profile["reads_per_message"] + ticks + use.rest * 2
    return [
        prices.line("DynamoDB, writes", "dynamodb_write", writes),
        prices.line("DynamoDB, reads", "dynamodb_read", reads),
        prices.line("DynamoDB, storage", "dynamodb_gb", profile["table_gb"]),
        prices.line("DynamoDB, backup", "dynamodb_backup_gb", profile["table_gb"]),
        prices.line("S3, storage", "s3_gb", profile["workspace_gb"] + use.messages * profile["save_gb"]),
        prices.line("S3, writes", "s3_put", use.messages * profile["s3_writes_per_save"]),
        prices.line("S3, reads", "s3_get", use.messages * 2 + use.starts * profile["s3_reads_per_start"]),
        prices.line("Image repository", "ecr_gb", profile["image_gb"]),
    ]


def _monitoring_lines(prices: Prices, system: System, use: Use) -> list[Line]:
    # AWS charges a metric only for the hours in which it was written.
    metrics = system.own_metrics * min(use.hours * 1.5, MONTH_HOURS) / MONTH_HOURS
    return [
        prices.line("Logs", "log_gb", use.profile["log_gb"]),
        prices.line("Own metrics", "custom_metric", metrics),
        prices.line("Alarms", "alarm_metric", system.alarm_metrics),
        _dashboards(prices.entries["dashboard"], system.dashboards),
    ]


def _dashboards(price: Json, metrics: Sequence[int]) -> Line:
    """Free are the first few that show few metrics; a larger one is paid for from the first."""
    large = sum(1 for count in metrics if count > price["free_metrics"])
    charged = large + max(len(metrics) - large - price["free"], 0)
    return Line("Dashboard", len(metrics), price["unit"], len(metrics) * price["price"], charged * price["price"])


def profile_of(hours: float | None = None, messages: int | None = None, wakes: float = 0) -> Json:
    """profile.json with other hours or messages a day, and with wakes for automations."""
    profile: Json = json.loads((FOLDER / "profile.json").read_text())
    if hours is not None:
        profile["hours_per_day"] = hours
    if messages is not None:
        profile["messages_per_day"] = messages
    if wakes:
        profile["hours_per_day"] += wakes * WAKE_SECONDS / 3600
        profile["starts_per_day"] += wakes
    return profile


def total(lines: list[Line]) -> float:
    return sum(line.due for line in lines)


def early_usd(profile: Json) -> float:
    """What starts before a message may cost in a month: the limit of the committed configuration."""
    config = json.loads((ROOT / ".chalice" / "config.json").read_text())["stages"]["dev"]["environment_variables"]
    return float(config["PREWARM_BUDGET_USD"]) * float(profile["users"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--markdown", action="store_true", help="write the tables into docs/cost.md")
    parser.add_argument("--hours", type=float, help="a day")
    parser.add_argument("--messages", type=int, help="a day")
    parser.add_argument("--wakes", type=float, default=0, help="a day, for automations")
    parser.add_argument("--on-demand", action="store_true")
    parser.add_argument("--ipv6-only", action="store_true", help="with IPV6_ONLY=true")
    parser.add_argument("--cpu", choices=("512", "1024"), default="1024", help="AGENT_CPU")
    options = parser.parse_args()
    if options.markdown:
        from ops import cost_page

        cost_page.write()
        return 0
    system = read_system(options.cpu, options.ipv6_only)
    lines = bill(profile_of(options.hours, options.messages, options.wakes), not options.on_demand, system)
    for line in lines:
        print(f"{line.what:<26}{line.amount:>14,.2f} {line.unit:<34}{line.due:>8.2f}   (list {line.full:.2f})")
    print(f"{'total, US dollars':<75}{total(lines):>8.2f}")
    print(f"{'early starts besides, at most (PREWARM_BUDGET_USD)':<75}{early_usd(profile_of()):>8.2f}")
    if options.wakes:
        without = bill(profile_of(options.hours, options.messages), not options.on_demand, system)
        print(f"{f'of that for {options.wakes:g} wakes a day':<75}{total(lines) - total(without):>8.2f}")
    print("\n".join(engine_cost.lines()))
    print("\n".join(model_cost.lines(profile_of(options.hours, options.messages)["messages_per_day"])))
    return 0


if __name__ == "__main__":
    sys.exit(main())
