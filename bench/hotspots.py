"""`python -m bench.hotspots`: where the project's own time goes, task by task."""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.database import environment, fill
from bench.floor import Floor
from bench.money import Money
from bench.run import WARM_UPS, filled_database
from bench.server import serving
from bench.sites import ProjectSite, create_owner
from bench.tasks import TASKS, Sample, Task, take_sample

HEADER = "X-Bench-Profile"


def main() -> None:
    """Profile the chosen tasks and print the most expensive functions of each."""
    asked = _arguments().parse_args()
    tasks = [task for task in TASKS if task.key in asked.tasks.split(",")]
    entries = asked.entries if any(task.money for task in tasks) else 0
    with _site(asked.engine, asked.links, entries, asked.rounds) as (site, sample):
        for task in tasks:
            for number in range(WARM_UPS):
                task.prepare(site, sample, number)()
            found = _profile(task, site, sample, asked.rounds)
            sys.stdout.write(f"\n=== {task.key} {task.title}, {asked.rounds} requests\n{found}")


@contextmanager
def _site(
    engine: str, links: int, entries: int, rounds: int
) -> Iterator[tuple[ProjectSite, Sample]]:
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        with filled_database(engine, links, folder) as url:
            create_owner(url)
            if entries:
                fill(url, Money(entries).batches())
            database = Floor(url)
            sample = take_sample(database, rounds + WARM_UPS)
            database.close()
            settings = environment(url) | {"BENCH_PROFILE": "1"}
            with serving("bench.project_site:create_site()", settings, folder) as server:
                yield ProjectSite(server), sample


def _profile(task: Task, site: ProjectSite, sample: Sample, rounds: int) -> str:
    for number in range(rounds):
        request = task.prepare(site, sample, number)
        site.server.browser.headers[HEADER] = "1"  # this request, not what prepared it
        try:
            request()
        finally:
            del site.server.browser.headers[HEADER]
    return site.server.ask("/__bench__/profile")


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.hotspots", description=__doc__)
    parser.add_argument("--links", type=int, default=10_000, metavar="N")
    parser.add_argument("--entries", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--engine", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--rounds", type=int, default=20, metavar="N")
    parser.add_argument("--tasks", default="T1,T6,T7,T8", metavar="T1,T3")
    return parser


if __name__ == "__main__":
    main()
