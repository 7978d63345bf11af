"""The measurements as a page of Markdown."""

import os
import platform
import sqlite3
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench.run import Result, Series
from bench.tasks import Task

PACKAGES = ("Flask", "Flask-Admin", "SQLAlchemy", "psycopg", "gunicorn")
HEAD = """# Benchmark results

Written by `make bench`; [README.md](README.md) says what is measured and how. Times are in
milliseconds, p50 / p95. The project runs with everything on: session, permissions, audit, CSP,
theme. The floor is hand-written SQL behind a bare Flask page on the same database. Both are one
synchronous gunicorn worker; their requests alternate.
"""
COLUMNS = "| task | target | project | floor | ratio | met | SQL | KB |"
RULE = "|---|---:|---:|---:|---:|---|---:|---:|"


def write_report(path: Path, links: int, rounds: int, found: Mapping[str, list[Result]]) -> None:
    """Write the page."""
    parts = [HEAD, _circumstances(links, rounds)]
    parts += [_engine(engine, results) for engine, results in found.items()]
    parts.append(
        "SQL and KB are project / floor, per request; BEGIN and COMMIT are not counted.\n\n"
        f"Again: `make bench`, or `python -m bench --links {links} --rounds {rounds}`.\n"
    )
    path.write_text("\n".join(parts), encoding="utf-8")


def summary(engine: str, results: list[Result]) -> str:
    """The same figures for a terminal."""
    return "\n".join(f"{engine:8} {_row(result)}" for result in results)


def _circumstances(links: int, rounds: int) -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, commit {_commit()}, {links:,} links, {rounds} rounds. "
        f"{os.cpu_count()} cores ({_processor()}), Python {platform.python_version()}, "
        f"{packages}, SQLite {sqlite3.sqlite_version}. PostgreSQL on a Unix socket, without "
        "fsync.\n"
    )


def _engine(engine: str, results: list[Result]) -> str:
    lines = [f"## {engine}", "", COLUMNS, RULE, *map(_row, results), ""]
    problems = [
        f"- {result.task.key}, {side}: {series.problem}"
        for result in results
        for side, series in (("project", result.project), ("floor", result.floor))
        if series.problem
    ]
    lines += ["Wrong or missing:", "", *problems, ""] if problems else ["All answers right.", ""]
    return "\n".join(lines)


def _row(result: Result) -> str:
    task, ratio = result.task, result.ratio
    cells = (
        f"{task.key} {task.title}",
        _target(task),
        _times(result.project),
        _times(result.floor),
        "n/a" if ratio is None else f"{ratio:.1f}",
        _met(result),
        _both(result, "statements", 1),
        _both(result, "sizes", 1024),
    )
    return f"| {' | '.join(cells)} |"


def _target(task: Task) -> str:
    if task.limit_ms is not None:
        return f"≤ {task.limit_ms:g} ms"
    return "" if task.target is None else f"≤ {task.target:g}"


def _met(result: Result) -> str:
    task, ratio = result.task, result.ratio
    if ratio is None or (task.target is None and task.limit_ms is None):
        return ""
    slow = task.limit_ms is not None and result.project.p50 > task.limit_ms
    return "no" if slow or (task.target is not None and ratio > task.target) else "yes"


def _times(series: Series) -> str:
    return f"{series.p50:.1f} / {series.p95:.1f}" if series.ms else "n/a"


def _both(result: Result, what: str, unit: int) -> str:
    sides = (getattr(result.project, what), getattr(result.floor, what))
    return " / ".join(f"{sorted(s)[len(s) // 2] / unit:.0f}" if s else "-" for s in sides)


def _commit() -> str:
    command = ["git", "rev-parse", "--short", "HEAD"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
    return done.stdout.strip() or "unknown"


def _processor() -> str:
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text(encoding="utf-8").splitlines() if facts.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
