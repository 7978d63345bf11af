"""Create, update and delete for a table without rules, tried on tags as if they had none."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from adminsite.db import transaction
from adminsite.errors import ConflictError, ForbiddenError, InvalidError
from adminsite.models import AuditEvent, Tag, User
from adminsite.operations.crud import Crud
from adminsite.permissions import Permission
from tests.factories import TagFactory
from tests.people import acting

TAGS = Crud(Tag, Permission.TAGS_WRITE)
WORK = {"name": "Work", "slug": "work"}


class TestCreate:
    def test_adds_a_record_and_tells_the_audit(self, admin: User, session: Session) -> None:
        with transaction():
            tag = TAGS.create(WORK, by=acting(admin))

        event = session.scalars(select(AuditEvent)).one()
        assert (event.action, event.subject_id) == ("tag.created", str(tag.id))
        assert event.changes["name"] == [None, "Work"]

    def test_needs_what_its_columns_need(self, admin: User) -> None:
        with pytest.raises(InvalidError) as refused, transaction():
            TAGS.create({"name": " ", "slug": None}, by=acting(admin))

        assert refused.value.fields == {"name": "Give the name.", "slug": "Give the slug."}

    @pytest.mark.parametrize(
        ("name", "said"), [("a" * 101, "100 is the limit"), ("a\x00", "control character")]
    )
    def test_refuses_text_that_does_not_fit(self, admin: User, name: str, said: str) -> None:
        with pytest.raises(InvalidError, match=said), transaction():
            TAGS.create({**WORK, "name": name}, by=acting(admin))

    def test_is_refused_to_support(self, support: User) -> None:
        with pytest.raises(ForbiddenError), transaction():
            TAGS.create(WORK, by=acting(support))


class TestUpdate:
    def test_changes_what_is_named(self, admin: User) -> None:
        tag = TagFactory.create(name="Work")

        with transaction():
            saved = TAGS.update(tag, {"name": "Job"}, by=acting(admin))

        assert (saved.changed, tag.name, tag.version) == (("name",), "Job", 2)

    def test_that_changes_nothing_leaves_no_trace(self, admin: User) -> None:
        tag = TagFactory.create(name="Work")

        with transaction():
            assert TAGS.update(tag, {"name": "Work"}, by=acting(admin)).changed == ()

    def test_meets_conflicts(self, owner: User, admin: User) -> None:
        tag = TagFactory.create(name="Work")
        with transaction():
            TAGS.update(tag, {"name": "Theirs"}, by=acting(owner))

        with pytest.raises(ConflictError), transaction():
            TAGS.update(tag, {"name": "Mine"}, by=acting(admin), seen=1)

    def test_is_refused_to_support(self, support: User) -> None:
        with pytest.raises(ForbiddenError), transaction():
            TAGS.update(TagFactory.create(), {"name": "x"}, by=acting(support))


class TestDelete:
    def test_removes_it(self, admin: User, session: Session) -> None:
        tag = TagFactory.create()

        with transaction():
            TAGS.delete(tag, by=acting(admin))

        assert session.scalar(select(func.count()).select_from(Tag)) == 0

    def test_is_refused_to_support(self, support: User) -> None:
        with pytest.raises(ForbiddenError), transaction():
            TAGS.delete(TagFactory.create(), by=acting(support))
