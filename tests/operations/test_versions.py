"""Two people, one record: merging, conflicts and locks."""

import contextvars
import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event
from sqlalchemy.orm import Session

from adminsite.db import db, transaction
from adminsite.errors import ConflictError, InvalidError, MissingError
from adminsite.models import Link, User
from adminsite.operations import keywords, links, tags, versions
from adminsite.permissions import Actor
from tests.factories import KeywordFactory, LinkFactory, TagFactory
from tests.people import acting

WAIT_S = 20


def save(link: Link, by: User | Actor, seen: int | None = None, **values: Any) -> Any:
    actor = acting(by) if isinstance(by, User) else by
    with transaction():
        return links.update(link, values, by=actor, seen=seen)


@pytest.fixture
def link(app: Flask) -> Link:
    made: Link = LinkFactory.create(
        slug="jira", url="https://old.example.com/", title="Old", description="Old"
    )
    return made


class TestMerge:
    def test_different_fields_are_merged_and_told(
        self, link: Link, owner: User, admin: User
    ) -> None:
        save(link, owner, title="Theirs")

        saved = save(link, admin, seen=1, title="Old", url="https://mine.example.com/")

        assert saved.changed == ("url",)
        (merged,) = saved.merged
        assert (merged.field, merged.mine, merged.theirs) == ("title", None, "Theirs")
        assert merged.who == "owner@example.com"

    def test_fields_that_were_not_sent_are_told_too(
        self, link: Link, owner: User, admin: User
    ) -> None:
        save(link, owner, title="Theirs")

        saved = save(link, admin, seen=1, url="https://mine.example.com/")

        assert [clash.field for clash in saved.merged] == ["title"]
        assert link.title == "Theirs"

    def test_the_same_change_twice_is_no_conflict(
        self, link: Link, owner: User, admin: User
    ) -> None:
        save(link, owner, title="Both")

        saved = save(link, admin, seen=1, title="Both")

        assert (saved.changed, saved.merged) == ((), ())

    def test_a_change_taken_back_is_no_conflict(self, link: Link, owner: User, admin: User) -> None:
        save(link, owner, title="Theirs")
        save(link, owner, title="Old")

        saved = save(link, admin, seen=1, title="Mine")

        assert (saved.changed, saved.merged) == (("title",), ())

    def test_tags_are_merged_as_one_field(self, link: Link, owner: User, admin: User) -> None:
        save(link, owner, tags=["theirs"])

        saved = save(link, admin, seen=1, tags=[], title="Mine")

        assert [clash.theirs for clash in saved.merged] == [["theirs"]]
        assert [tag.name for tag in link.tags] == ["theirs"]


class TestConflict:
    def test_one_field_changed_by_both_changes_nothing(
        self, link: Link, owner: User, admin: User
    ) -> None:
        save(link, owner, title="Theirs")

        with pytest.raises(ConflictError) as conflict:
            save(link, admin, seen=1, title="Mine", url="https://mine.example.com/")

        (clash,) = conflict.value.clashes
        assert (clash.field, clash.mine, clash.theirs) == ("title", "Mine", "Theirs")
        assert clash.who == "owner@example.com"
        assert clash.when is not None
        assert (link.version, link.url) == (2, "https://old.example.com/")

    def test_says_what_is_settled(self, link: Link, owner: User, admin: User) -> None:
        save(link, owner, title="Theirs", description="Theirs")

        with pytest.raises(ConflictError) as conflict:
            save(link, admin, seen=1, title="Mine", description="Old", url="https://a.example/")

        assert conflict.value.version == 2
        assert conflict.value.values == {"description": "Theirs", "url": "https://a.example/"}
        assert "owner@example.com changed title while you were editing" in str(conflict.value)

    def test_is_over_with_the_version_it_told(self, link: Link, owner: User, admin: User) -> None:
        save(link, owner, title="Theirs")
        with pytest.raises(ConflictError) as conflict:
            save(link, admin, seen=1, title="Mine")

        save(link, admin, seen=conflict.value.version, title="Mine")

        assert link.title == "Mine"

    def test_tags_in_another_case_are_none(self, link: Link, owner: User, admin: User) -> None:
        save(link, owner, tags=["PHP"])

        assert save(link, admin, seen=1, tags=["php"]).changed == ()

    def test_a_deleted_record_leaves_its_key_to_no_other(self, owner: User, admin: User) -> None:
        old = LinkFactory.create()
        key = old.id

        with transaction():
            links.delete(old, by=acting(owner))
        with transaction():
            values = {"slug": "new", "url": "https://example.com/"}
            new = links.create(values, by=acting(admin))

        assert new.id != key

    @pytest.mark.parametrize("seen", [0, -1, 2])
    def test_a_version_that_never_was_is_refused(self, link: Link, admin: User, seen: int) -> None:
        with pytest.raises(InvalidError) as refused:
            save(link, admin, seen=seen, title="Mine")

        assert "row_version" in refused.value.fields

    @pytest.mark.parametrize(
        ("make", "update", "field"),
        [
            (KeywordFactory.create, keywords.update, "description"),
            (TagFactory.create, tags.update, "name"),
        ],
    )
    def test_other_records_have_them_too(
        self, owner: User, admin: User, make: Any, update: Any, field: str
    ) -> None:
        row = make()
        with transaction():
            update(row, {field: "theirs"}, by=acting(owner))

        with pytest.raises(ConflictError), transaction():
            update(row, {field: "mine"}, by=acting(admin), seen=1)


class TestSeenVersion:
    def test_is_a_number_or_not_given(self) -> None:
        assert [versions.seen_version(text) for text in (None, "", "12")] == [None, None, 12]

    @pytest.mark.parametrize("text", ["x", "-1", "1.0", "1e3", "١", "9" * 10])
    def test_refuses_nonsense(self, text: str) -> None:
        with pytest.raises(InvalidError):
            versions.seen_version(text)


class TestLock:
    def test_a_locked_row_is_updated_by_one_statement(
        self, link: Link, admin: User, session: Session
    ) -> None:
        statements: list[str] = []
        key, url, actor = link.id, link.url, acting(admin)
        with transaction():
            row = versions.get_for_update(Link, key)
            assert row is not None
            note: Callable[..., None] = lambda *args: statements.append(args[2])  # noqa: E731
            event.listen(db.engine, "before_cursor_execute", note)
            links.update(row, {"title": "New", "url": url}, by=actor, seen=1)
            event.remove(db.engine, "before_cursor_execute", note)

        assert len(statements) == 1
        assert statements[0].startswith("UPDATE links")

    def test_reads_what_others_wrote(self, link: Link, session: Session) -> None:
        with transaction():
            assert link.title == "Old"
            session.execute(
                db.update(Link).values(title="Other"),
                execution_options={"audited": True, "synchronize_session": False},
            )
            versions.lock(link)

            assert link.title == "Other"

    def test_gives_all_rows_that_exist_in_order(self, app: Flask) -> None:
        made = [LinkFactory.create() for _ in range(3)]
        keys = [link.id for link in made]

        with transaction():
            found = versions.get_all_for_update(Link, [*reversed(keys), 10**6], *links.RELATIONS)

        assert [link.id for link in found] == keys

    def test_a_deleted_row_is_missing(self, link: Link, admin: User) -> None:
        with transaction():
            links.delete(link, by=acting(admin))

        with pytest.raises(MissingError, match="This link was deleted meanwhile"), transaction():
            versions.lock(link)

    def test_ends_with_the_transaction(self, link: Link, session: Session) -> None:
        with transaction():
            versions.lock(link)
        with transaction():
            assert versions._locked(session) == set()  # noqa: SLF001 - nothing else shows it


class TestAtOnce:
    """Two connections at the same moment."""

    def test_the_second_of_two_editors_sees_the_first(
        self, app: Flask, link: Link, owner: User, admin: User
    ) -> None:
        key, first, second = link.id, acting(owner), acting(admin)
        holding, outcome = threading.Event(), []

        def edit_too() -> None:
            with app.app_context():
                row = db.session.get_one(Link, key)
                holding.wait(WAIT_S)
                try:
                    with transaction():
                        links.update(row, {"title": "Second"}, by=second, seen=1)
                except ConflictError as conflict:
                    outcome.append(conflict.clashes[0].theirs)

        other = threading.Thread(target=contextvars.Context().run, args=(edit_too,))
        other.start()
        with transaction():
            links.update(link, {"title": "First"}, by=first, seen=1)
            holding.set()
        other.join(WAIT_S)

        assert outcome == ["First"]

    def test_two_who_bring_the_same_new_tag_share_it(
        self, app: Flask, link: Link, owner: User, admin: User
    ) -> None:
        other_key, first, second = LinkFactory.create().id, acting(owner), acting(admin)
        holding, failures = threading.Event(), []

        def tag_too() -> None:
            with app.app_context():
                holding.wait(WAIT_S)
                try:
                    with transaction():
                        row = db.session.get_one(Link, other_key)
                        links.update(row, {"tags": ["new"]}, by=second)
                except Exception as failure:  # noqa: BLE001 - told by the test
                    failures.append(failure)

        other = threading.Thread(target=contextvars.Context().run, args=(tag_too,))
        other.start()
        with transaction():
            links.update(link, {"tags": ["NEW"]}, by=first)
            holding.set()
            other.join(0.3)  # it waits for our commit meanwhile
        other.join(WAIT_S)

        assert failures == []
        second_link = db.session.get(Link, other_key)
        assert second_link is not None
        assert [tag.name for tag in second_link.tags] == ["NEW"]
