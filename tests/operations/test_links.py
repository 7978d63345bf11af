"""Links: creating, changing, deleting, and who owns them."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from adminsite.db import transaction
from adminsite.errors import ForbiddenError, InvalidError, MissingError
from adminsite.models import AuditEvent, Link, LinkOwner, LinkTag, Tag, User
from adminsite.operations import links
from adminsite.operations.links import PrimaryOwnerError
from adminsite.permissions import SYSTEM
from tests.factories import LinkFactory, TagFactory, UserFactory
from tests.people import acting

JIRA = {"slug": "jira", "url": "https://jira.example.com/"}


def events(session: Session, action: str) -> list[dict[str, Any]]:
    wanted = select(AuditEvent.changes).where(AuditEvent.action == action).order_by(AuditEvent.id)
    return list(session.scalars(wanted))


def owners(link: Link) -> list[tuple[User, bool]]:
    return [(share.user, share.is_primary) for share in link.owners]


class TestCreate:
    def test_makes_whoever_makes_it_the_primary_owner(self, admin: User) -> None:
        with transaction():
            link = links.create(JIRA, by=acting(admin))

        assert owners(link) == [(admin, True)]
        assert (link.version, link.title) == (1, None)

    def test_keeps_the_order_of_owners(self, admin: User) -> None:
        people = [UserFactory.create() for _ in range(4)]

        with transaction():
            values = {**JIRA, "owners": [person.id for person in people]}
            link = links.create(values, by=acting(admin))

        assert [user for user, _primary in owners(link)] == people

    def test_takes_stored_tags_and_makes_new_ones(self, admin: User, session: Session) -> None:
        stored = TagFactory.create(name="Work", slug="work")

        with transaction():
            link = links.create({**JIRA, "tags": ["WORK", "New"]}, by=acting(admin))

        assert stored in link.tags
        assert [tag.name for tag in link.tags] == ["New", "Work"]
        assert events(session, "tag.created") == [{"name": [None, "New"]}]

    def test_tells_the_audit_everything(self, admin: User, session: Session) -> None:
        with transaction():
            links.create({**JIRA, "title": "Jira", "tags": "b;a"}, by=acting(admin))

        assert events(session, "link.created") == [
            {
                "slug": [None, "jira"],
                "url": [None, "https://jira.example.com/"],
                "title": [None, "Jira"],
                "tags": [None, ["a", "b"]],
                "owners": [None, ["admin@example.com"]],
            }
        ]

    def test_is_found_in_lower_case(self, admin: User, session: Session) -> None:
        with transaction():
            links.create({**JIRA, "title": "ÉTÉ"}, by=acting(admin))

        assert "été" in session.scalars(select(Link.search_text)).one()

    def test_is_refused_for_a_taken_slug(self, admin: User) -> None:
        LinkFactory.create(slug="jira")

        with pytest.raises(InvalidError) as refused, transaction():
            links.create(JIRA, by=acting(admin))

        assert refused.value.fields == {
            "slug": "A link called `jira` exists. Choose another slug, or edit that one."
        }

    def test_is_refused_for_the_same_slug_twice(self, admin: User, session: Session) -> None:
        with pytest.raises(InvalidError, match="exists"), transaction():
            links.create_many([JIRA, JIRA], by=acting(admin))

        assert session.scalar(select(func.count()).select_from(Link)) == 0

    def test_is_refused_for_an_owner_who_does_not_exist(self, admin: User) -> None:
        with pytest.raises(InvalidError, match="does not exist"), transaction():
            links.create({**JIRA, "owners": [uuid4()]}, by=acting(admin))

    def test_is_refused_without_an_owner(self, app: object) -> None:
        with pytest.raises(InvalidError, match="at least one owner"), transaction():
            links.create(JIRA, by=SYSTEM)

    def test_is_refused_to_support(self, support: User) -> None:
        with pytest.raises(ForbiddenError, match="needs an admin"), transaction():
            links.create(JIRA, by=acting(support))


class TestUpdate:
    def test_changes_only_what_is_named(self, admin: User, session: Session) -> None:
        link = LinkFactory.create(title="Old")

        with transaction():
            saved = links.update(link, {"title": " New "}, by=acting(admin))

        assert (saved.changed, link.title, link.version) == (("title",), "New", 2)
        assert events(session, "link.updated") == [{"title": ["Old", "New"]}]

    def test_moves_the_time_of_change(self, admin: User) -> None:
        link = LinkFactory.create()
        before = link.updated_at

        with transaction():
            links.update(link, {"url": "https://example.com/new"}, by=acting(admin))

        assert link.updated_at > before

    def test_that_changes_nothing_leaves_no_trace(self, admin: User, session: Session) -> None:
        link = LinkFactory.create(title="Same")

        with transaction():
            saved = links.update(link, {"title": "Same", "tags": []}, by=acting(admin))

        assert (saved.changed, link.version) == ((), 1)
        assert events(session, "link.updated") == []

    def test_gives_it_other_tags(self, admin: User, session: Session) -> None:
        link = LinkFactory.create(tags=[TagFactory.create(name="Old", slug="old")])

        with transaction():
            links.update(link, {"tags": ["new", "other"]}, by=acting(admin))

        assert [tag.name for tag in link.tags] == ["new", "other"]
        assert link.version == 2
        assert events(session, "link.updated") == [{"tags": [["Old"], ["new", "other"]]}]

    def test_takes_a_tag_in_another_case_for_the_same(self, admin: User) -> None:
        link = LinkFactory.create(tags=[TagFactory.create(name="PHP", slug="php")])

        with transaction():
            saved = links.update(link, {"tags": ["php"]}, by=acting(admin))

        assert saved.changed == ()

    def test_gives_it_other_owners(self, admin: User, session: Session) -> None:
        old, new = (
            UserFactory.create(email="old@example.com"),
            UserFactory.create(email="new@example.com"),
        )
        link = LinkFactory.create(owner=old, co_owners=[admin])

        with transaction():
            links.update(link, {"owners": [new.id, old.id]}, by=acting(admin))

        session.refresh(link)
        assert owners(link) == [(new, True), (old, False)]
        change = events(session, "link.updated")[0]["owners"]
        assert change == [
            ["old@example.com", "admin@example.com"],
            ["new@example.com", "old@example.com"],
        ]

    def test_to_the_same_owners_leaves_no_trace(self, admin: User) -> None:
        link = LinkFactory.create(owner=admin)

        with transaction():
            saved = links.update(link, {"owners": [admin.id]}, by=acting(admin))

        assert (saved.changed, link.version) == ((), 1)

    def test_is_refused_for_another_slug(self, admin: User) -> None:
        link = LinkFactory.create(slug="jira")

        with pytest.raises(InvalidError) as refused, transaction():
            links.update(link, {"slug": "jura"}, by=acting(admin))

        assert "The slug is fixed." in refused.value.fields["slug"]

    def test_is_refused_for_a_field_it_does_not_have(self, admin: User) -> None:
        with pytest.raises(InvalidError, match="no field called `version`"), transaction():
            links.update(LinkFactory.create(), {"version": 5}, by=acting(admin))

    def test_is_refused_for_a_deleted_link(self, admin: User) -> None:
        link = LinkFactory.create()
        with transaction():
            links.delete(link, by=acting(admin))

        with pytest.raises(MissingError, match="deleted meanwhile"), transaction():
            links.update(link, {"title": "x"}, by=acting(admin))

    def test_is_refused_to_support(self, support: User) -> None:
        with pytest.raises(ForbiddenError), transaction():
            links.update(LinkFactory.create(), {"title": "x"}, by=acting(support))


class TestDelete:
    def test_removes_it_with_owners_and_tags(self, admin: User, session: Session) -> None:
        link = LinkFactory.create(tags=[TagFactory.create()])

        with transaction():
            links.delete(link, by=acting(admin))

        for model in (Link, LinkOwner, LinkTag):
            assert session.scalar(select(func.count()).select_from(model)) == 0
        assert session.scalar(select(func.count()).select_from(Tag)) == 1

    @pytest.mark.parametrize("loaded", [True, False])
    def test_tells_the_audit_what_it_was(
        self, admin: User, session: Session, *, loaded: bool
    ) -> None:
        link = LinkFactory.create(slug="jira", owner=admin, tags=[TagFactory.create(name="Work")])

        with transaction():
            if loaded:
                session.scalars(select(Link).options(*links.RELATIONS)).all()
            links.delete(link, by=acting(admin))

        told = events(session, "link.deleted")[0]
        assert told["slug"] == ["jira", None]
        assert told["tags"] == [["Work"], None]
        assert told["owners"] == [["admin@example.com"], None]

    def test_is_refused_to_support(self, support: User) -> None:
        with pytest.raises(ForbiddenError), transaction():
            links.delete(LinkFactory.create(), by=acting(support))


class TestOwners:
    def test_an_added_one_is_co_owner(self, admin: User, session: Session) -> None:
        ann, ben = UserFactory.create(), UserFactory.create()
        link = LinkFactory.create(owner=ann)

        with transaction():
            links.add_owner(link, ben, by=acting(admin))

        assert owners(link) == [(ann, True), (ben, False)]
        assert link.version == 2
        assert events(session, "link.updated") == [
            {"owners": [[ann.email], [ann.email, ben.email]]}
        ]

    def test_an_owner_is_not_added_again(self, admin: User) -> None:
        link = LinkFactory.create(owner=admin)

        with pytest.raises(InvalidError, match="already"), transaction():
            links.add_owner(link, admin, by=acting(admin))

    def test_fifty_is_the_limit(self, admin: User) -> None:
        link = LinkFactory.create(owner=admin, co_owners=[UserFactory.create() for _ in range(49)])

        with pytest.raises(InvalidError, match="at most 50 owners"), transaction():
            links.add_owner(link, UserFactory.build(), by=acting(admin))

    def test_a_co_owner_is_removed(self, admin: User) -> None:
        ann, ben = UserFactory.create(), UserFactory.create()
        link = LinkFactory.create(owner=ann, co_owners=[ben])

        with transaction():
            links.remove_owner(link, ben, by=acting(admin))

        assert owners(link) == [(ann, True)]

    def test_the_primary_one_is_not_removed(self, admin: User) -> None:
        link = LinkFactory.create(owner=admin, co_owners=[UserFactory.create()])

        with pytest.raises(PrimaryOwnerError, match="Make somebody else primary"), transaction():
            links.remove_owner(link, admin, by=acting(admin))

        assert len(link.owners) == 2

    def test_who_owns_nothing_is_not_removed(self, admin: User) -> None:
        with pytest.raises(MissingError, match="does not own"), transaction():
            links.remove_owner(LinkFactory.create(), admin, by=acting(admin))

    @pytest.mark.parametrize("co_owner", [True, False])
    def test_a_transfer_leaves_the_old_one_as_co_owner(
        self, admin: User, *, co_owner: bool
    ) -> None:
        ann, ben, cia = UserFactory.create(), UserFactory.create(), UserFactory.create()
        link = LinkFactory.create(owner=ann, co_owners=[ben, cia] if co_owner else [ben])

        with transaction():
            links.transfer(link, cia, by=acting(admin))

        assert owners(link) == [(cia, True), (ann, False), (ben, False)]
        assert link.version == 2

    def test_a_transfer_to_the_primary_one_is_refused(self, admin: User) -> None:
        link = LinkFactory.create(owner=admin)

        with pytest.raises(InvalidError, match="primary owner already"), transaction():
            links.transfer(link, admin, by=acting(admin))

    @pytest.mark.parametrize("verb", [links.add_owner, links.remove_owner, links.transfer])
    def test_support_changes_none(self, support: User, verb: Callable[..., Link]) -> None:
        with pytest.raises(ForbiddenError), transaction():
            verb(LinkFactory.create(), support, by=acting(support))
