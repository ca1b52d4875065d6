"""`make budget`: shows or sets what models may cost in a month, for each user and for all together."""

import argparse
import os
import sys
from dataclasses import replace

from ops.cloud import Problem, connect


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stage", required=True)
    parser.add_argument("--user", type=dollars, help="US dollars for each user who has set no limit")
    parser.add_argument("--total", type=dollars, help="US dollars for all users together")
    options = parser.parse_args()
    try:
        cloud = connect(options.stage)
    except Problem as problem:
        print(problem, file=sys.stderr)
        return 1
    # The models name their tables when they are imported.
    os.environ |= {"STAGE": options.stage, "AWS_REGION": cloud.region}
    from chalicelib.people.spending import EVERYBODY, Spending

    spending = Spending()
    before = limits = spending.limits()
    if options.user is not None:
        limits = replace(limits, user_usd=options.user)
    if options.total is not None:
        limits = replace(limits, total_usd=options.total)
    if limits != before:
        spending.limit(limits)
    month = spending.month(EVERYBODY)
    least = "at least " if month.inexact else ""
    print(f"Limit of each user: ${limits.user_usd:.2f} a month (unless a user has set another one).")
    print(f"Limit of all: ${limits.total_usd:.2f}. Spent in {month.name} (UTC): {least}${month.usd:.4f}.")
    return 0


def dollars(text: str) -> float:
    """A sum that is more than nothing."""
    value = float(text)
    if not 0.01 <= value <= 100_000:
        raise argparse.ArgumentTypeError("must be from 0.01 to 100000 US dollars")
    return round(value, 2)


if __name__ == "__main__":
    sys.exit(main())
