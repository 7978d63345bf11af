"""A tiny admin of plain Flask-Admin, to show what it leaves open."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from flask_admin import Admin, expose
from flask_admin.contrib.sqla import ModelView
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import ForeignKey, String, event
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlalchemy.pool import StaticPool

PEOPLE, ITEMS = 30, 5


class Base(DeclarativeBase):
    """The tables of the stock admin."""


db = SQLAlchemy(model_class=Base)


class Person(Base):
    """Somebody who owns items."""

    __tablename__ = "people"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(50))

    def __str__(self) -> str:
        return self.name


class Item(Base):
    """Something with a secret."""

    __tablename__ = "items"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(50), unique=True)
    password_hash: Mapped[str] = mapped_column(String(50), default="hunter2")
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))

    person: Mapped[Person | None] = relationship()


class Plain(ModelView):
    """Everything as Flask-Admin does it."""

    can_export = True
    form_ajax_refs: Any = None

    @expose("/broken/")
    def broken(self) -> str:
        message = "the real reason"
        raise TypeError(message)


class Locked(ModelView):
    """A view that says its rows cannot be edited."""

    can_edit = False
    column_editable_list = ("name",)


class Guarded(ModelView):
    """A view with a rule in a hook, and rows that nobody may see."""

    def get_query(self) -> Any:
        return super().get_query().filter(Item.name != "item 5")

    def on_model_change(self, form: Any, model: Any, is_created: bool) -> None:  # noqa: FBT001
        if model.name == "broken":
            message = "secret detail of the server"
            raise RuntimeError(message)

    def on_model_delete(self, model: Any) -> None:
        if model.name == "item 3":
            message = "not this one"
            raise ValueError(message)


class Picking(ModelView):
    """A view with a picker of people."""

    form_ajax_refs = {"person": {"fields": ["name"], "page_size": 10}}  # noqa: RUF012


@contextmanager
def stock_admin() -> Iterator[FlaskClient]:
    """A browser tab on the stock admin, with a few rows."""
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY="stock",
        SQLALCHEMY_DATABASE_URI="sqlite://",
        SQLALCHEMY_ENGINE_OPTIONS={
            "poolclass": StaticPool,
            "connect_args": {"check_same_thread": False},
        },
    )
    db.init_app(app)
    panel = Admin(app)
    for view in (Plain, Locked, Guarded, Picking):
        panel.add_view(view(Item, db, endpoint=view.__name__.lower()))
    with app.app_context():
        Base.metadata.create_all(db.engine)
        db.session.add_all(Person(name=f"person {n}") for n in range(1, PEOPLE + 1))
        db.session.add_all(Item(name=f"item {n}") for n in range(1, ITEMS + 1))
        db.session.commit()
        db.session.remove()
        yield app.test_client()
        db.session.remove()
        db.engine.dispose()


def names() -> list[str]:
    """The items' names as stored."""
    db.session.rollback()
    return [name for (name,) in db.session.execute(db.select(Item.name).order_by(Item.id))]


@contextmanager
def sent(engine: Any) -> Iterator[list[tuple[str, Any]]]:
    """The statements of the block with their parameters."""
    found: list[tuple[str, Any]] = []

    def note(*args: Any) -> None:
        found.append((args[2], args[3]))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", note)
