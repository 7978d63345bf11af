"""What violated constraints say, asked from the databases themselves."""

from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from adminsite.db import Base, db
from adminsite.models import Admin, Keyword, Link, LinkOwner, LinkTag, Tag, User
from adminsite.operations.constraints import MESSAGES, SQLITE_FORMS, explain
from tests.factories import (
    AdminFactory,
    KeywordFactory,
    LinkFactory,
    TagFactory,
    UserFactory,
)


def violation(session: Session, row: Base) -> IntegrityError:
    session.add(row)
    with pytest.raises(IntegrityError) as refused:
        session.flush()
    session.rollback()
    return refused.value


def test_every_unique_value_has_its_sentence(app: Flask, session: Session) -> None:
    link, user = LinkFactory.create(slug="a"), UserFactory.create(email="a@b")
    TagFactory.create(slug="a")
    KeywordFactory.create(keyword="a")
    staff = AdminFactory.create()
    rows: dict[str, Base] = {
        "slug": Link(slug="a", url="https://example.com"),
        "name": Tag(name="A", slug="a"),
        "keyword": Keyword(keyword="a", url_template="https://example.com/{slug}"),
        "email": User(email="A@B", display_name="B"),
        "owners": LinkOwner(link_id=link.id, user_id=user.id, is_primary=True),
    }

    for field, row in rows.items():
        told = explain(violation(session, row))
        assert told is not None
        assert told[0] == field
    told = explain(violation(session, Admin(user_id=staff.user_id, role="admin")))
    assert told == MESSAGES["uq_admins_user_id"]


def test_a_check_has_its_sentence(app: Flask, session: Session) -> None:
    row = Keyword(keyword="a", url_template="https://example.com/")

    assert explain(violation(session, row)) == MESSAGES["ck_keywords_url_template"]


def test_a_key_taken_twice_has_its_sentence(app: Flask, session: Session) -> None:
    tag = TagFactory.create()
    link: Link = LinkFactory.create(tags=[tag])

    twice = explain(violation(session, LinkTag(link_id=link.id, tag_id=tag.id)))

    assert twice == MESSAGES["pk_link_tags"]


@pytest.mark.engine("postgresql")
def test_a_person_who_is_gone_has_a_sentence(app: Flask, session: Session) -> None:
    link: Link = LinkFactory.create()

    gone = explain(violation(session, LinkOwner(link_id=link.id, user_id=uuid4())))

    assert gone == MESSAGES["fk_link_owners_user_id_users"]


@pytest.mark.engine("sqlite")
def test_sqlite_does_not_say_who_is_gone(app: Flask, session: Session) -> None:
    link: Link = LinkFactory.create()

    assert explain(violation(session, LinkOwner(link_id=link.id, user_id=uuid4()))) is None


def test_all_names_are_those_of_constraints() -> None:
    names = {
        str(getattr(item, "name", None))
        for table in db.metadata.tables.values()
        for item in (*table.constraints, *table.indexes)
    }

    assert set(MESSAGES) <= names
    assert set(SQLITE_FORMS) <= set(MESSAGES)
