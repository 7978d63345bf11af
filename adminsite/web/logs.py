"""Log lines that name their request."""

import logging

from flask import Flask, has_request_context
from flask.logging import default_handler

from adminsite.web.asked import request_id

FORMAT = "%(asctime)s %(levelname)s [%(request_id)s] %(name)s: %(message)s"


class _NameRequest(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id() if has_request_context() else "-"
        return True


def init_app(app: Flask) -> None:
    """Put the request's id into every line that the application logs."""
    default_handler.setFormatter(logging.Formatter(FORMAT))
    if not any(isinstance(known, _NameRequest) for known in default_handler.filters):
        default_handler.addFilter(_NameRequest())
    ours = logging.getLogger("adminsite")
    if default_handler not in ours.handlers:
        ours.addHandler(default_handler)
    if app.logger.level == logging.NOTSET and not app.debug:
        app.logger.setLevel(logging.INFO)
