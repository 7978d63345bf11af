"""The screens: one short file each, listed here in the order of the menu."""

from pathlib import Path

from flask import Flask

from adminsite.kit.panel import create_panel
from adminsite.views import account, subjects, viewing
from adminsite.views.admins import AdminView
from adminsite.views.audit import AuditView
from adminsite.views.credits import CreditView
from adminsite.views.imports import ImportView
from adminsite.views.keywords import KeywordView
from adminsite.views.links import LinkView
from adminsite.views.overview import Overview
from adminsite.views.subscriptions import SubscriptionView
from adminsite.views.tags import TagView
from adminsite.views.users import UserView

VIEWS = (
    LinkView,
    KeywordView,
    TagView,
    UserView,
    AdminView,
    SubscriptionView,
    CreditView,
    AuditView,
    ImportView,
)


def register(app: Flask, templates: Path, *, environment: str | None) -> None:
    """Add every screen to the application.

    Args:
        environment: a word shown in the top bar where this is not the real thing ("demo").

    Raises:
        UndeclaredError: a view's declaration is incomplete or wrong.
    """
    app.register_blueprint(account.blueprint)
    app.register_blueprint(viewing.blueprint)
    app.context_processor(lambda: {"environment": environment})
    app.context_processor(subjects.context)
    create_panel(app, templates, Overview(name="Overview"), [view() for view in VIEWS])
