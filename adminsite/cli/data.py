"""Links, keywords and users in and out as CSV."""

import shutil
import tempfile
from pathlib import Path
from typing import TextIO

import click
from flask.cli import AppGroup
from tqdm import tqdm

from adminsite.cli.edge import sentences, settings
from adminsite.db import db, transaction
from adminsite.exchange import exporting, importing
from adminsite.exchange.importing import Order, Report
from adminsite.exchange.reading import Upload
from adminsite.exchange.tables import KINDS
from adminsite.permissions import SYSTEM

SOME_REFUSED = 3
PROBLEMS_SHOWN = 20

commands = AppGroup("data", help="Take links, keywords and users in and out as CSV.")


@commands.command("import")
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("file")
@click.option("--dry-run", is_flag=True, help="Check everything, write nothing.")
@click.option("--errors", metavar="FILE", help="Write refused rows there, with the reason.")
@click.option("--update", is_flag=True, help="Let rows change what exists already.")
def import_file(kind: str, file: str, *, dry_run: bool, errors: str | None, update: bool) -> None:
    """Take in a CSV FILE of users, links or keywords."""
    with (
        sentences(),
        Path(file).open("rb") as stream,
        tempfile.TemporaryFile("w+", encoding="utf-8", newline="") as refused,
        tqdm(total=Path(file).stat().st_size, unit="B", unit_scale=True, disable=None) as bar,
    ):
        upload = Upload(stream, settings().import_max_mb, bar.update)
        order = Order(kind, upload, SYSTEM, update=update, refused=refused if errors else None)
        report = check(order, errors) if dry_run else take(order, errors)
    print_report(report)
    if report.refused:
        click.get_current_context().exit(SOME_REFUSED)


@commands.command("export")
@click.argument("kind", type=click.Choice(KINDS))
@click.option("--output", metavar="FILE", help="Write there instead of to standard output.")
def export_table(kind: str, output: str | None) -> None:
    """Write users, links or keywords as CSV that "data import" takes back."""
    with sentences():
        with transaction():
            exporting.note(kind, by=SYSTEM)
        with click.open_file(output or "-", "wb") as file:
            for piece in exporting.lines(kind):
                file.write(piece.encode())


def check(order: Order, errors: str | None) -> Report:
    """Preview the import, and keep the refused rows."""
    report = importing.preview(order)
    db.session.rollback()
    keep(order.refused, errors)
    return report


def take(order: Order, errors: str | None) -> Report:
    """Import; when the refused rows cannot be kept, nothing was imported."""
    with transaction():
        report = importing.apply(order)
        keep(order.refused, errors)
    return report


def keep(refused: TextIO | None, errors: str | None) -> None:
    """Write the refused rows, gathered elsewhere because FILE may be the one that was read."""
    if refused and errors:
        refused.seek(0)
        with Path(errors).open("w", encoding="utf-8", newline="") as file:
            shutil.copyfileobj(refused, file)


def print_report(report: Report) -> None:
    """The first refusals on standard error; the counts on the last line of standard output."""
    for problem in report.problems[:PROBLEMS_SHOWN]:
        about = f", {problem.field}" if problem.field else ""
        click.echo(f"line {problem.line}{about}: {problem.why}", err=True)
    if len(report.problems) > PROBLEMS_SHOWN:
        click.echo("and more; --errors FILE writes all refused rows.", err=True)
    click.echo(str(report))
