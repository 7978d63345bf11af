"""Data to try the panel with."""

import os

import click
from flask.cli import AppGroup

from adminsite.cli.edge import sentences, settings
from adminsite.db import transaction
from adminsite.demo import loading

DEFAULT_PORT = "8000"

commands = AppGroup("demo", help="Data to try the panel with.")


@commands.command("load")
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
