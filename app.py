"""The application: `create_app()` wires settings, database, sign-in, panel and commands."""

import gc
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Flask
from flask_migrate import Migrate

from adminsite import api, auth, cli, denials, mail, throttle, views, web
from adminsite.config import Settings
from adminsite.db import db

ROOT = Path(__file__).resolve().parent
TEMPLATES = ROOT / "templates" / "admin"


def create_app(config: Mapping[str, Any] | None = None) -> Flask:
    """Build the application from the environment; `config` overrides it.

    Raises:
        ConfigError: a setting is missing or makes no sense.
        UndeclaredError: a view's declaration is incomplete or wrong.
    """
    settings = Settings.load(config)
    app = Flask(
        __name__, template_folder=str(TEMPLATES), static_folder=str(ROOT / "adminsite" / "static")
    )
    app.config.from_mapping(settings.for_flask())
    app.config.update(Settings.flask_only(config or {}))
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    Path(app.instance_path).mkdir(mode=0o700, exist_ok=True)

    db.init_app(app)
    Migrate(app, db, directory=str(ROOT / "migrations"), render_as_batch=True)
    web.init_app(app, settings)
    auth.init_app(app, settings)
    throttle.init_app(app, settings)
    denials.init_app(app)
    mail.init_app(app, settings)
    views.register(app, TEMPLATES, environment="demo" if settings.demo else None)
    api.register(app)
    cli.register(app)
    if not app.testing:  # spares requests the collector's walk over all this: 50 ms now and then
        gc.collect()
        gc.freeze()
    return app
