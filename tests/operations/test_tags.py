"""Tags: creating, renaming, deleting."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from adminsite.db import transaction
from adminsite.errors import ForbiddenError, InvalidError
from adminsite.models import AuditEvent, Link, Tag, User
from adminsite.operations import tags
from tests.factories import LinkFactory, TagFactory
from tests.people import acting


class TestCreate:
    def test_adds_a_tag(self, admin: User) -> None:
        with transaction():
            tag = tags.create({"name": " On  call "}, by=acting(admin))

        assert (tag.name, tag.slug) == ("On call", "on call")

    def test_is_refused_for_a_name_that_folds_to_a_taken_one(self, admin: User) -> None:
        LinkFactory.create(tags=[TagFactory.create(name="PHP", slug="php")])

        with pytest.raises(InvalidError) as refused, transaction():
            tags.create({"name": "Php"}, by=acting(admin))

        assert refused.value.fields["name"].startswith("A tag called `PHP` exists (1 link).")

    def test_is_refused_to_support(self, support: User) -> None:
        with pytest.raises(ForbiddenError), transaction():
            tags.create({"name": "x"}, by=acting(support))


class TestUpdate:
    def test_renames_it_on_its_links(self, admin: User) -> None:
        tag = TagFactory.create(name="Work")
        link: Link = LinkFactory.create(tags=[tag])

        with transaction():
            tags.update(tag, {"name": "Job"}, by=acting(admin))

        assert [one.name for one in link.tags] == ["Job"]
        assert tag.slug == "job"

    def test_changes_its_case(self, admin: User) -> None:
        tag = TagFactory.create(name="php")

        with transaction():
            saved = tags.update(tag, {"name": "PHP"}, by=acting(admin))

        assert saved.changed == ("name",)

    def test_does_not_merge_two(self, admin: User) -> None:
        TagFactory.create(name="Work")
        other = TagFactory.create(name="Job")

        with pytest.raises(InvalidError, match=r"exists \(0 links\)"), transaction():
            tags.update(other, {"name": "work"}, by=acting(admin))

    def test_to_the_same_name_leaves_no_trace(self, admin: User) -> None:
        tag = TagFactory.create(name="Work")

        with transaction():
            tags.update(tag, {"name": "Work"}, by=acting(admin))

        assert tag.version == 1

    def test_is_refused_to_support(self, support: User) -> None:
        with pytest.raises(ForbiddenError), transaction():
            tags.update(TagFactory.create(), {"name": "x"}, by=acting(support))


class TestDelete:
    def test_keeps_the_links(self, admin: User, session: Session) -> None:
        tag = TagFactory.create(name="Work")
        link: Link = LinkFactory.create(tags=[tag])

        with transaction():
            tags.delete(tag, by=acting(admin))

        session.refresh(link)
        assert link.tags == []
        assert session.scalar(select(func.count()).select_from(Tag)) == 0

    def test_tells_how_many_links_had_it(self, admin: User, session: Session) -> None:
        tag = TagFactory.create(name="Work")
        LinkFactory.create(tags=[tag])

        with transaction():
            tags.delete(tag, by=acting(admin))

        event = session.scalars(select(AuditEvent)).one()
        assert event.changes == {"name": ["Work", None], "links": [1, None]}

    def test_is_refused_to_support(self, support: User) -> None:
        with pytest.raises(ForbiddenError), transaction():
            tags.delete(TagFactory.create(), by=acting(support))


class TestObtain:
    def test_asks_nothing_for_no_names(self, admin: User) -> None:
        with transaction():
            assert tags.obtain([], by=acting(admin)) == {}

    def test_makes_none_for_support(self, support: User) -> None:
        with pytest.raises(ForbiddenError), transaction():
            tags.obtain(["new"], by=acting(support))
