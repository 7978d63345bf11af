"""Who may use the panel."""

import sys

import click
from flask.cli import AppGroup

from adminsite.cli.edge import sentences
from adminsite.cli.people import find, person
from adminsite.db import transaction
from adminsite.models import Admin
from adminsite.operations import admins
from adminsite.permissions import SYSTEM

commands = AppGroup("staff", help="Who may use the panel.")


@commands.command("create-owner")
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


@commands.command("suspend")
@click.argument("email")
def suspend(email: str) -> None:
    """Shut the person with that EMAIL out at once."""
    with sentences(), transaction():
        admins.change_status(record_of(email), "suspended", by=SYSTEM)
    click.echo(f"{email} is suspended.")


@commands.command("reinstate")
@click.argument("email")
def reinstate(email: str) -> None:
    """Let the person with that EMAIL in again."""
    with sentences(), transaction():
        admins.change_status(record_of(email), "active", by=SYSTEM)
    click.echo(f"{email} is active.")


@commands.command("remove")
@click.argument("email")
def remove(email: str) -> None:
    """Take the staff record of the person with that EMAIL away; the person stays."""
    with sentences(), transaction():
        admins.delete(record_of(email), by=SYSTEM)
    click.echo(f"{email} is no staff any more.")


@commands.command("set-role")
@click.argument("email")
@click.argument("role", type=click.Choice(Admin.ROLES))
def set_role(email: str, role: str) -> None:
    """Give the person with that EMAIL another level."""
    with sentences(), transaction():
        admins.change_role(record_of(email), role, by=SYSTEM)
    click.echo(f"{email} has the level {role}.")


def record_of(email: str) -> Admin:
    """The staff record of whoever has that address."""
    record = person(email).staff
    if record is None:
        raise click.ClickException(f"{email} is not staff: there is no staff record.")
    return record


def read_password(email: str, *, given: bool) -> str | None:
    """The password from standard input or the terminal; None to keep the stored one."""
    if given:
        return sys.stdin.readline().rstrip("\r\n")
    known = find(email)
    if known is not None and known.password_hash:
        return None
    if not is_terminal():
        raise click.ClickException("Nobody can type a password here: use --password-stdin.")
    prompted: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return prompted


def is_terminal() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty()
