"""Many rows at once, for lists; views that declare more than they do elsewhere."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import insert
from sqlalchemy.orm import Session

from adminsite import audit
from adminsite.db import utc_now
from adminsite.models import Keyword, Link, LinkOwner
from tests.factories import UserFactory

Fill = Callable[..., list[int]]
Declare = Callable[..., Any]


def rows_of(model: type, count: int, when: Callable[[int], datetime]) -> list[dict[str, Any]]:
    """Rows whose names sort otherwise than their keys."""
    names = [f"row-{n * 7919 % 10007:05}" for n in range(count)]
    if model is Link:
        return [
            {
                "slug": name,
                "url": f"https://example.com/{name}",
                "search_text": f"{name}\x1fhttps://example.com/{name}\x1f",
                "created_at": when(n),
                "updated_at": when(n),
            }
            for n, name in enumerate(names)
        ]
    if model is Keyword:
        template = "https://example.com/{slug}"
        return [
            {
                "keyword": name,
                "url_template": template,
                "search_text": f"{name}\x1f{template}\x1f",
                "created_at": when(n),
                "updated_at": when(n),
            }
            for n, name in enumerate(names)
        ]
    return [
        {"name": name, "slug": name, "search_text": name, "created_at": when(n)}
        for n, name in enumerate(names)
    ]


@pytest.fixture
def fill(session: Session) -> Fill:
    """Put rows into a table, past the audit: `fill(Link, 300)`; gives their keys."""

    def put(model: type, count: int, *, at_once: bool = False) -> list[int]:
        start = utc_now()
        rows = rows_of(
            model, count, lambda n: start if at_once else start - timedelta(minutes=n * 37 % 997)
        )
        people: list[Any] = [UserFactory(), UserFactory()] if model is Link else []
        keys = list(session.scalars(insert(model).returning(model.id), rows))  # type: ignore[attr-defined]
        if people:
            owners = [
                {"link_id": key, "user_id": person.id, "is_primary": n == 0, "created_at": start}
                for key in keys
                for n, person in enumerate(people)
            ]
            session.execute(insert(LinkOwner), owners)
        session.info.pop(audit.BULK, None)
        session.commit()
        return keys

    return put


def view_of(app: Flask, name: str) -> Any:
    """The registered view of that name."""
    [panel] = app.extensions["admin"]
    return next(view for view in panel._views if view.endpoint == name)  # noqa: SLF001


@pytest.fixture
def declare(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Declare]:
    """Let a view declare something for this test: `declare("links", counts_pages=True)`."""
    touched = []

    def set_all(name: str, **declared: Any) -> Any:
        view = view_of(app, name)
        touched.append(view)
        for attribute, value in declared.items():
            holder = view if attribute in vars(view) else type(view)  # Flask-Admin sets some
            monkeypatch.setattr(holder, attribute, value)
        _work_out_anew(view)
        return view

    yield set_all
    monkeypatch.undo()
    for view in touched:
        _work_out_anew(view)


def _work_out_anew(view: Any) -> None:
    """Forget what the view worked out once from what it declares."""
    for kind in type(view).__mro__:
        for name, value in vars(kind).items():
            if isinstance(value, cached_property):
                vars(view).pop(name, None)
