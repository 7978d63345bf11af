"""The JSON families, for scripts: the same operations as the screens (D-9)."""

from flask import Flask

from adminsite.api.admins import blueprint as admins
from adminsite.api.docs import blueprint as docs
from adminsite.api.ledger import blueprint as ledger
from adminsite.api.stats import blueprint as stats
from adminsite.api.users import blueprint as users


def register(app: Flask) -> None:
    """Add the routes of every family to the application."""
    for blueprint in (admins, users, ledger, stats, docs):
        app.register_blueprint(blueprint)
