"""Both sides in turn, round by round, on one database."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench.client import UnexpectedAnswerError
from bench.database import environment, fill, migrate
from bench.dataset import Dataset
from bench.floor import Floor
from bench.money import Money
from bench.server import serving
from bench.sites import FloorSite, ProjectSite, Site, create_owner
from bench.tasks import Check, Sample, Task, WrongAnswerError, take_sample
from tests.database import postgres_database
from tests.postgres import SETTINGS, running_postgres

WARM_UPS = 3
TASK_LIMIT_S = 60
FEWEST_ROUNDS = 3


@dataclass
class Series:
    """The timed requests of one side in one task.

    Attributes:
        problem: why the last answer was wrong or missing, empty when all were right.
    """

    ms: list[float] = field(default_factory=list)
    statements: list[int] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    problem: str = ""

    @property
    def p50(self) -> float:
        """The middle time in milliseconds."""
        return median(self.ms)

    @property
    def p95(self) -> float:
        """The time that 95 of 100 stay below, in milliseconds."""
        return sorted(self.ms)[min(len(self.ms) - 1, int(len(self.ms) * 0.95))]


@dataclass(frozen=True)
class Result:
    """One task on one engine, measured on both sides."""

    task: Task
    project: Series
    floor: Series

    @property
    def ratio(self) -> float | None:
        """How many times the floor the project takes; None without figures."""
        if not self.project.ms or not self.floor.ms:
            return None
        return self.project.p50 / self.floor.p50


@contextmanager
def filled_database(engine: str, links: int, folder: Path) -> Iterator[str]:
    """The URL of a migrated, filled database with the floor's search index and an owner."""
    with _empty_database(engine, folder) as url:
        migrate(url)
        fill(url, Dataset(links).batches())
        floor = Floor(url)
        try:
            floor.build_search()
        finally:
            floor.close()
        yield url


@contextmanager
def _empty_database(engine: str, folder: Path) -> Iterator[str]:
    if engine == "sqlite":
        yield f"sqlite:///{folder}/bench.db"
        return
    SETTINGS.update(shared_buffers="1GB", work_mem="32MB", random_page_cost="1.1")
    with running_postgres() as server, postgres_database(server, "bench") as database:
        yield database.url


def measure(engine: str, links: int, entries: int, rounds: int, tasks: list[Task]) -> list[Result]:
    """Everything on one engine, in a folder of its own that is removed afterwards.

    The ledger is filled when the tasks that do without it are done.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        with filled_database(engine, links, folder) as url:
            create_owner(url)
            results = _measure(url, folder, rounds, [task for task in tasks if not task.money])
            if any(task.money for task in tasks):
                fill(url, Money(entries).batches())
                results += _measure(url, folder, rounds, [task for task in tasks if task.money])
            return results


def _measure(url: str, folder: Path, rounds: int, tasks: list[Task]) -> list[Result]:
    if not tasks:
        return []
    floor_settings = {**os.environ, "BENCH_DATABASE_URL": url}
    database = Floor(url)
    try:
        sample = take_sample(database, rounds + WARM_UPS)
        with (
            serving("bench.floor_site:create_site()", floor_settings, folder) as floor_server,
            serving("bench.project_site:create_site()", environment(url), folder) as server,
        ):
            sites = (ProjectSite(server), FloorSite(floor_server))
            return [_task(task, sites, Runner(sample, database), rounds) for task in tasks]
    finally:
        database.close()


@dataclass(frozen=True)
class Runner:
    """What one request needs besides its site and task."""

    sample: Sample
    database: Floor

    def once(self, task: Task, site: Site, number: int, series: Series) -> bool:
        """Time one request and check its answer; whether it is worth going on."""
        try:
            request = task.prepare(site, self.sample, number)
            site.server.take_statements()
            reply = request()
        except (UnexpectedAnswerError, OSError) as problem:
            series.problem = str(problem)
            return False
        series.statements.append(site.server.take_statements())
        series.ms.append(reply.ms)
        series.sizes.append(len(reply.body))
        try:
            task.check(Check(site, self.sample, number, reply, self.database))
        except WrongAnswerError as problem:
            series.problem = str(problem)
        return sum(series.ms) < TASK_LIMIT_S * 1000 or len(series.ms) < FEWEST_ROUNDS


def _task(task: Task, sites: tuple[Site, Site], runner: Runner, rounds: int) -> Result:
    series = {site.name: Series() for site in sites}
    live = list(sites)
    for number in range(-WARM_UPS, rounds):
        if number == 0:
            series = {name: Series(problem=warm.problem) for name, warm in series.items()}
        turn = live if number % 2 else live[::-1]
        live = [site for site in turn if runner.once(task, site, number, series[site.name])]
    return Result(task, series["project"], series["floor"])
