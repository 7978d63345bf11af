"""What every answer has in common: identity, headers, refusals, health, static addresses."""

from flask import Flask
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from adminsite.config import Settings
from adminsite.web import assets, bodies, headers, health, logs, refusals
from adminsite.web.asked import is_htmx, origin, request_id, wants_json
from adminsite.web.refusals import refuse, toast_header

__all__ = [
    "init_app",
    "is_htmx",
    "origin",
    "refuse",
    "request_id",
    "toast_header",
    "wants_json",
]


def init_app(app: Flask, settings: Settings) -> None:
    """Give every answer of the application its headers, and every refusal its form.

    Source: contract, sections Environment and CSRF; D-8.
    """
    app.config.update(
        SECRET_KEY=settings.secret_key,
        TRUSTED_HOSTS=list(settings.trusted_hosts) or None,
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session
    )
    if hops := settings.proxy_hops:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops
        )
    logs.init_app(app)
    headers.init_app(app, settings)
    bodies.init_app(app)
    assets.init_app(app)
    refusals.init_app(app)
    CSRFProtect(app)
    app.register_blueprint(health.blueprint)
