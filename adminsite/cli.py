"""The commands: each opens the transaction, calls an operation and prints what came of it.

Source: contract, section Commands.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import click
from flask import Flask, current_app
from flask.cli import AppGroup
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError
from tqdm import tqdm

from adminsite import audit
from adminsite.config import Settings
from adminsite.db import db, transaction
from adminsite.demo import loading
from adminsite.errors import RuleError
from adminsite.exchange import exporting, importing
from adminsite.exchange.importing import Order, Report
from adminsite.exchange.reading import Upload
from adminsite.exchange.tables import KINDS
from adminsite.operations import admins, constraints
from adminsite.permissions import SYSTEM

SOME_REFUSED = 3
PROBLEMS_SHOWN = 20
DEFAULT_PORT = "8000"

data = AppGroup("data", help="Take links, keywords and users in and out as CSV.")
staff = AppGroup("staff", help="Who may use the panel.")
audit_commands = AppGroup("audit", help="The record of all changes.")
demo = AppGroup("demo", help="Data to try the panel with.")


def register(app: Flask) -> None:
    """Give the application its commands."""
    for group in (data, staff, audit_commands, demo):
        app.cli.add_command(group)


@data.command("import")
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


@data.command("export")
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


@staff.command("create-owner")
@click.argument("email")
@click.option("--name", required=True, help="Their name, when they are new here.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def create_owner(email: str, name: str, *, password_stdin: bool) -> None:
    """Make the person with that EMAIL an owner; adds them when nobody has it."""
    with sentences():
        password = read_password(email, given=password_stdin)
        with transaction():
            admins.make_owner(email, name, password, by=SYSTEM)
    click.echo(f"{email} is an owner.")


@audit_commands.command("verify")
def verify_audit() -> None:
    """Check that no event was changed, dropped or cut off."""
    with sentences():
        broken = audit.first_broken()
    if broken is not None:
        click.echo(f"The audit's chain is broken at the event with id {broken}.")
        click.get_current_context().exit(1)
    click.echo("The audit's chain holds.")


@demo.command("load")
def load_demo() -> None:
    """Load the demo data, once."""
    if not settings().demo:
        raise click.ClickException("Demo data is for demo mode only: set ADMINSITE_DEMO=1.")
    with sentences(), transaction():
        loaded = loading.load()
    click.echo("Loaded the demo data." if loaded else "The demo data is there already.")
    click.echo(f"Open http://127.0.0.1:{os.environ.get('PORT') or DEFAULT_PORT} and sign in as")
    for email, what in loading.SIGN_INS.items():
        click.echo(f"  {email:<22}{what}")
    click.echo(f"with the password {loading.PASSWORD}")


@contextmanager
def sentences() -> Iterator[None]:
    """Turn refusals into a sentence on standard error and exit code 1."""
    try:
        yield
    except RuleError as refusal:
        reasons = [f"{name}: {why}" for name, why in refusal.fields.items()]
        raise click.ClickException("\n".join(reasons) or refusal.message) from None
    except IntegrityError as error:
        _field, sentence = constraints.explain(error) or ("", "")
        if not sentence:
            raise
        raise click.ClickException(sentence) from None
    except (OperationalError, ProgrammingError) as error:
        raise click.ClickException(f"The database cannot be used: {error.orig}".rstrip()) from None
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}.") from None


def settings() -> Settings:
    """The application's settings."""
    found: Settings = current_app.config["SETTINGS"]
    return found


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


def read_password(email: str, *, given: bool) -> str | None:
    """The password from standard input or the terminal; None to keep the stored one."""
    if given:
        return sys.stdin.readline().rstrip("\r\n")
    person = admins.find(email)
    if person is not None and person.password_hash:
        return None
    if not is_terminal():
        raise click.ClickException("Nobody can type a password here: use --password-stdin.")
    prompted: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return prompted


def is_terminal() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty()
