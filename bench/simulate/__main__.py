"""`python -m bench.simulate`: which limit of AWS comes first as users grow. `--docs` writes docs/simulation.md."""

import argparse
import sys

from bench.bars import ROOT
from bench.simulate import habits_report, idle, report
from bench.simulate.demand import simulate

PAGE = ROOT / "docs" / "simulation.md"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.simulate", description=__doc__)
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--docs", action="store_true")
    options = parser.parse_args()
    demand = simulate(options.users, options.seed)
    steps = report.ladder(demand, options.users)
    print(report.table(steps, options.users))
    if options.docs:
        parts = (report.page(steps, demand, options.users), habits_report.section(), idle.section())
        PAGE.write_text("\n".join(parts))
    return 0


if __name__ == "__main__":
    sys.exit(main())
