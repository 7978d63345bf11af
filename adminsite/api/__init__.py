"""The JSON families, for scripts: the same operations as the screens (D-9)."""

from flask import Flask

from adminsite.api.admins import blueprint as admins


def register(app: Flask) -> None:
    """Add the routes of every family to the application."""
    app.register_blueprint(admins)
