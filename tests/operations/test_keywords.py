"""Keywords: creating, changing, deleting."""

from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from adminsite.db import transaction
from adminsite.errors import ForbiddenError, InvalidError
from adminsite.models import AuditEvent, Keyword, User
from adminsite.operations import keywords
from tests.factories import KeywordFactory
from tests.people import acting

GH = {"keyword": "gh", "url_template": "https://code.example.com/?q={slug}"}


def told(session: Session, action: str) -> Any:
    return session.scalars(select(AuditEvent.changes).where(AuditEvent.action == action)).one()


class TestCreate:
    def test_adds_a_keyword(self, admin: User, session: Session) -> None:
        with transaction():
            keyword = keywords.create(GH, by=acting(admin))

        assert (keyword.keyword, keyword.description, keyword.version) == ("gh", None, 1)
        assert told(session, "keyword.created") == {
            "keyword": [None, "gh"],
            "url_template": [None, "https://code.example.com/?q={slug}"],
        }

    def test_is_refused_for_a_taken_one(self, admin: User, session: Session) -> None:
        KeywordFactory.create(keyword="gh")

        with pytest.raises(InvalidError) as refused, transaction():
            keywords.create(GH, by=acting(admin))

        assert refused.value.fields == {
            "keyword": "A keyword called `gh` exists. Choose another, or edit that one."
        }
        assert session.scalar(select(func.count()).select_from(Keyword)) == 1

    def test_is_refused_without_a_placeholder(self, admin: User) -> None:
        with pytest.raises(InvalidError, match="must contain"), transaction():
            keywords.create({**GH, "url_template": "https://example.com/"}, by=acting(admin))

    def test_is_refused_to_support(self, support: User) -> None:
        with pytest.raises(ForbiddenError), transaction():
            keywords.create(GH, by=acting(support))


class TestUpdate:
    def test_changes_template_and_description(self, admin: User, session: Session) -> None:
        keyword = KeywordFactory.create(keyword="gh", description="Old")

        with transaction():
            saved = keywords.update(keyword, {"description": ""}, by=acting(admin), seen=1)

        assert saved.changed == ("description",)
        assert told(session, "keyword.updated") == {"description": ["Old", None]}

    def test_that_changes_nothing_leaves_no_trace(self, admin: User) -> None:
        keyword = KeywordFactory.create(keyword="gh")

        with transaction():
            saved = keywords.update(keyword, {"keyword": "gh"}, by=acting(admin))

        assert (saved.changed, keyword.version) == ((), 1)

    def test_the_keyword_is_fixed(self, admin: User) -> None:
        keyword = KeywordFactory.create(keyword="gh")

        with pytest.raises(InvalidError, match="The keyword is fixed"), transaction():
            keywords.update(keyword, {"keyword": "hub"}, by=acting(admin))

    def test_is_refused_to_support(self, support: User) -> None:
        with pytest.raises(ForbiddenError), transaction():
            keywords.update(KeywordFactory.create(), {"description": "x"}, by=acting(support))


class TestDelete:
    def test_removes_it(self, admin: User, session: Session) -> None:
        keyword = KeywordFactory.create(keyword="gh")

        with transaction():
            keywords.delete(keyword, by=acting(admin))

        assert session.scalar(select(func.count()).select_from(Keyword)) == 0
        assert told(session, "keyword.deleted")["keyword"] == ["gh", None]

    def test_is_refused_to_support(self, support: User) -> None:
        with pytest.raises(ForbiddenError), transaction():
            keywords.delete(KeywordFactory.create(), by=acting(support))
