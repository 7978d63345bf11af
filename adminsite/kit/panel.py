"""The panel: Flask-Admin's registry with our theme, and the menu a person may see.

The theme's folder is absolute, so none of Flask-Admin's own templates can be reached, and its
static folder is not served.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar

from flask import Flask, request
from flask_admin import Admin, AdminIndexView
from flask_admin.theme import Theme

from adminsite import auth
from adminsite.kit.access import PageView

SECTIONS = ("Overview", "Content", "People", "Money", "Record")


class IndexView(PageView, AdminIndexView):
    """The panel's first page, closed like every other."""

    section: ClassVar[str] = "Overview"

    def __init__(self, **options: Any) -> None:
        super().__init__(endpoint="admin", url="/admin", **options)
        self.static_folder = None


def create_panel(app: Flask, templates: Path, index: IndexView, views: Iterable[Any]) -> Admin:
    """Register the panel and its views with the application.

    Raises:
        UndeclaredError: a view's declaration is incomplete or wrong.
    """
    theme = Theme(folder=str(templates), base_template="layout.html")
    panel = Admin(app, name="adminsite", index_view=index, theme=theme)
    registered = list(views)
    for view in registered:
        panel.add_view(view)
    app.context_processor(lambda: {"menu": menu([index, *registered])})
    return panel


def menu(views: Sequence[Any]) -> list[dict[str, Any]]:
    """The sidebar's sections with what the person may open; nothing for the signed-out."""
    if auth.current_actor() is None:
        return []
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in SECTIONS}
    for view in views:
        if view.is_accessible():
            url = str(view.url)
            here = request.path.rstrip("/")
            active = here == url or (url != "/admin" and here.startswith(f"{url}/"))
            item = {"label": view.name, "url": url, "icon": view.icon, "active": active}
            found.setdefault(view.section, []).append(item)
    return [{"title": title, "items": items} for title, items in found.items() if items]
