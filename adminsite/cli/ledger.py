"""The ledger of credits."""

import click
from flask.cli import AppGroup

from adminsite import queries
from adminsite.cli.edge import sentences
from adminsite.db import db

commands = AppGroup("credits", help="The ledger of credits.")


@commands.command("reconcile")
def reconcile() -> None:
    """Check that every balance is the sum of its entries."""
    with sentences():
        differing = queries.ledger.differences(db.session())
    for one in differing:
        click.echo(
            f"{one.email}: the balance is {one.balance:,}, the entries add up to {one.entries:,}."
        )
    if differing:
        click.get_current_context().exit(1)
    click.echo("Every balance equals the sum of its entries.")
