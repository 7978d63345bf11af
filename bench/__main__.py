"""`python -m bench`: measure the project next to the floor and write RESULTS.md."""

import argparse
import signal
import sys
from pathlib import Path

from bench.report import summary, write_report
from bench.run import Result, measure
from bench.tasks import TASKS

RESULTS = Path(__file__).with_name("RESULTS.md")


def main() -> int:
    """Measure, report, and answer 1 when a page or a write was wrong."""
    asked = _arguments().parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that every server is stopped
    tasks = [task for task in TASKS if not asked.tasks or task.key in asked.tasks.split(",")]
    found: dict[str, list[Result]] = {}
    for engine in ("sqlite", "postgres") if asked.engine == "both" else (asked.engine,):
        found[engine] = measure(engine, asked.links, asked.entries, asked.rounds, tasks)
        sys.stdout.write(summary(engine, found[engine]) + "\n")
    write_report(asked.output, asked.links, asked.rounds, found)
    series = [s for results in found.values() for r in results for s in (r.project, r.floor)]
    problems = [one.problem for one in series if one.problem]
    sys.stdout.writelines(f"wrong or missing: {problem}\n" for problem in problems)
    return 1 if problems else 0


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--links", type=int, default=100_000, metavar="N")
    parser.add_argument("--entries", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--engine", choices=("sqlite", "postgres", "both"), default="both")
    parser.add_argument("--rounds", type=int, default=30, metavar="N")
    parser.add_argument("--tasks", default="", metavar="T1,T3", help="all when not given")
    parser.add_argument("--output", type=Path, default=RESULTS, metavar="FILE")
    return parser


if __name__ == "__main__":
    sys.exit(main())
