"""`make logs STAGE=dev`: the last minutes of all functions and agents, in order of time."""

import argparse
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from ops.cloud import Cloud, Problem, connect, pages
from ops.names import parameter, prefix


def groups(cloud: Cloud) -> list[str]:
    """The stage's log groups."""
    starts = (f"/aws/lambda/{prefix(cloud.stage)}-", parameter(cloud.stage))
    logs = cloud.client("logs")
    return [
        group["logGroupName"]
        for start in starts
        for group in pages(logs, "describe_log_groups", "logGroups", logGroupNamePrefix=start)
    ]


def lines(cloud: Cloud, since: int, pattern: str = "") -> Iterator[tuple[int, str, str]]:
    """Time (ms), short name of the group, text; sorted by time."""
    logs = cloud.client("logs")
    found = [
        (event["timestamp"], group.rsplit("/", 1)[-1].removeprefix(f"{prefix(cloud.stage)}-"), event["message"])
        for group in groups(cloud)
        for event in pages(
            logs, "filter_log_events", "events", logGroupName=group, startTime=since, filterPattern=pattern
        )
    ]
    yield from sorted(found)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stage", required=True)
    parser.add_argument("--minutes", type=int, default=15)
    parser.add_argument("--follow", action="store_true")
    parser.add_argument("--pattern", default="", help="CloudWatch's filter pattern, for example ERROR")
    options = parser.parse_args()
    try:
        cloud = connect(options.stage)
    except Problem as problem:
        print(problem, file=sys.stderr)
        return 2
    since = int((time.time() - options.minutes * 60) * 1000)
    try:
        while True:
            for at, name, text in lines(cloud, since, options.pattern):
                print(f"{datetime.fromtimestamp(at / 1000, UTC):%H:%M:%S} {name:<20} {text.rstrip()}")
                since = at + 1
            if not options.follow:
                return 0
            time.sleep(3)
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
