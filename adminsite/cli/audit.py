"""The record of all changes."""

import click
from flask.cli import AppGroup

from adminsite import audit
from adminsite.cli.edge import sentences

commands = AppGroup("audit", help="The record of all changes.")


@commands.command("verify")
def verify_audit() -> None:
    """Check that no event was changed, dropped or cut off."""
    with sentences():
        broken = audit.first_broken()
    if broken is not None:
        click.echo(f"The audit's chain is broken at the event with id {broken}.")
        click.get_current_context().exit(1)
    click.echo("The audit's chain holds.")
