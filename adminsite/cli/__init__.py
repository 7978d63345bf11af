"""The commands: each opens the transaction, calls an operation and prints what came of it.

Source: contract, section Commands.
"""

from flask import Flask

from adminsite.cli import audit, data, demo, ledger, people, staff

GROUPS = (
    data.commands,
    staff.commands,
    people.users,
    people.tokens,
    ledger.commands,
    audit.commands,
    demo.commands,
)


def register(app: Flask) -> None:
    """Give the application its commands."""
    for group in GROUPS:
        app.cli.add_command(group)
