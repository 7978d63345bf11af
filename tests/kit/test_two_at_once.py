"""Two people at the same moment, each with a connection of their own."""

from collections.abc import Callable, Iterable
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from adminsite.db import db
from adminsite.models import AuditEvent, Link, LinkOwner
from tests.client import SiteClient
from tests.kit.conftest import Fill
from tests.rows import link, person

ClientAs = Callable[[str], SiteClient]
Act = Callable[[], TestResponse]
ROUNDS = 5
WAIT_S = 30


@pytest.fixture
def tabs(client_as: ClientAs) -> tuple[SiteClient, SiteClient]:
    return client_as("admin"), client_as("owner")


def at_once(*acts: Act) -> list[TestResponse]:
    """Do them in threads that start together; what each was answered, in order."""
    start = Barrier(len(acts))
    answers: dict[int, Any] = {}

    def run(place: int, act: Act) -> None:
        start.wait(WAIT_S)
        try:
            answers[place] = act()
        except BaseException as error:  # noqa: BLE001 - told by the test's own thread
            answers[place] = error

    threads = [Thread(target=run, args=pair, daemon=True) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_S)
    assert len(answers) == len(acts), "one of them waits for ever"
    for answer in answers.values():
        assert not isinstance(answer, BaseException), repr(answer)
    return [answers[place] for place in range(len(acts))]


def statuses(answers: Iterable[TestResponse]) -> list[int]:
    return sorted(answer.status_code for answer in answers)


def save(tab: SiteClient, pk: int, **values: str) -> Act:
    return lambda: tab.put(f"/admin/links/{pk}", data=values, htmx=True)


def delete_all(tab: SiteClient, keys: Iterable[int]) -> Act:
    values = {"action": "delete", "rowid": list(map(str, keys))}
    return lambda: tab.post("/admin/links/action/", data=values, htmx=True)


def count(session: Session, model: Any, *where: Any) -> int:
    session.rollback()  # to see what was written since the session last looked
    return session.scalar(select(func.count()).select_from(model).where(*where)) or 0


Tabs = tuple[SiteClient, SiteClient]


class TestSave:
    def test_of_different_fields_keeps_both(self, tabs: Tabs, session: Session) -> None:
        one, other = tabs
        for _ in range(ROUNDS):
            pk = link(title="Old", description="Old").id

            answers = at_once(
                save(one, pk, title="Mine", row_version="1"),
                save(other, pk, description="Theirs", row_version="1"),
            )

            row = session.get_one(Link, pk, populate_existing=True)
            assert statuses(answers) == [200, 200]
            assert (row.title, row.description, row.version) == ("Mine", "Theirs", 3)

    def test_of_the_same_field_lets_one_through(self, tabs: Tabs, session: Session) -> None:
        one, other = tabs
        for _ in range(ROUNDS):
            pk = link(title="Old").id

            answers = at_once(
                save(one, pk, title="Mine", row_version="1"),
                save(other, pk, title="Theirs", row_version="1"),
            )

            row = session.get_one(Link, pk, populate_existing=True)
            assert statuses(answers) == [200, 409]
            won = "Mine" if answers[0].status_code == 200 else "Theirs"
            assert (row.title, row.version) == (won, 2)

    def test_leaves_one_event_for_each_that_went_through(
        self, tabs: Tabs, session: Session
    ) -> None:
        pk = link(title="Old").id
        one, other = tabs

        at_once(
            save(one, pk, title="Mine", row_version="1"),
            save(other, pk, title="Theirs", row_version="1"),
        )

        assert count(session, AuditEvent, AuditEvent.subject_id == str(pk)) == 1

    def test_and_delete_never_bring_a_link_back(self, tabs: Tabs, session: Session) -> None:
        one, other = tabs
        for _ in range(ROUNDS):
            pk = link().id

            answers = at_once(
                save(one, pk, title="Mine", row_version="1"),
                lambda pk=pk: other.delete(f"/admin/links/{pk}", htmx=True),  # type: ignore[misc]
            )

            assert answers[0].status_code in {200, 404}
            assert answers[1].status_code == 200
            assert count(session, Link, Link.id == pk) == 0
            assert count(session, LinkOwner, LinkOwner.link_id == pk) == 0


class TestDelete:
    def test_of_the_same_link_happens_once(self, tabs: Tabs, session: Session) -> None:
        one, other = tabs
        pk = link().id

        answers = at_once(
            lambda: one.delete(f"/admin/links/{pk}", htmx=True),
            lambda: other.delete(f"/admin/links/{pk}", htmx=True),
        )

        assert statuses(answers) == [200, 404]
        assert count(session, AuditEvent, AuditEvent.action == "link.deleted") == 1

    def test_of_the_same_rows_in_opposite_order_stops_nobody(
        self, tabs: Tabs, session: Session, fill: Fill
    ) -> None:
        one, other = tabs
        keys = fill(Link, 30)

        answers = at_once(delete_all(one, keys), delete_all(other, reversed(keys)))

        assert statuses(answers) == [200, 404]
        assert count(session, Link) == 0
        assert count(session, AuditEvent, AuditEvent.action == "link.deleted") == 30

    def test_of_overlapping_rows_is_all_or_none_for_each(
        self, tabs: Tabs, session: Session, fill: Fill
    ) -> None:
        one, other = tabs
        keys = fill(Link, 30)

        answers = at_once(delete_all(one, keys[:20]), delete_all(other, keys[:9:-1]))

        assert statuses(answers) == [200, 404]
        assert count(session, Link) == 10


class TestOwners:
    def test_made_primary_at_once_are_one(self, tabs: Tabs, session: Session) -> None:
        one, other = tabs
        bob, eve = person("Bob").id, person("Eve").id
        for _ in range(ROUNDS):
            pk = link().id

            answers = at_once(
                lambda pk=pk: one.post(f"/admin/links/{pk}/owners/{bob}/primary", htmx=True),  # type: ignore[misc]
                lambda pk=pk: other.post(f"/admin/links/{pk}/owners/{eve}/primary", htmx=True),  # type: ignore[misc]
            )

            assert statuses(answers) == [200, 200]
            primary = (LinkOwner.link_id == pk, LinkOwner.is_primary)
            assert count(session, LinkOwner, *primary) == 1

    def test_added_at_once_are_both_there(self, tabs: Tabs, session: Session) -> None:
        one, other = tabs
        pk, bob, eve = link().id, person("Bob").id, person("Eve").id

        at_once(
            lambda: one.post(f"/admin/links/{pk}/owners", data={"user": bob}, htmx=True),
            lambda: other.post(f"/admin/links/{pk}/owners", data={"user": eve}, htmx=True),
        )

        assert count(session, LinkOwner, LinkOwner.link_id == pk) == 3


class TestCreate:
    def test_of_one_name_makes_one(self, tabs: Tabs, session: Session) -> None:
        one, other = tabs
        for n in range(ROUNDS):
            values = {"slug": f"new-{n}", "url": "https://example.com/", "tags": f"tag {n}"}

            answers = at_once(
                lambda values=values: one.post("/admin/links", data=values, htmx=True),  # type: ignore[misc]
                lambda values=values: other.post("/admin/links", data=values, htmx=True),  # type: ignore[misc]
            )

            assert statuses(answers) == [200, 422]
            assert count(session, Link, Link.slug == f"new-{n}") == 1

    def test_with_one_new_tag_shares_it(self, tabs: Tabs) -> None:
        for n in range(ROUNDS):
            answers = at_once(
                *(
                    lambda tab=tab, place=place, n=n: tab.post(
                        "/admin/links",
                        data={
                            "slug": f"new-{n}-{place}",
                            "url": "https://example.com/",
                            "tags": f"tag {n}",
                        },
                        htmx=True,
                    )
                    for place, tab in enumerate(tabs)
                )
            )

            assert statuses(answers) == [200, 200]


def test_each_thread_has_a_connection_of_its_own(tabs: Tabs) -> None:
    used: set[int] = set()

    def note(connection: Any, *_rest: Any) -> None:
        used.add(id(connection.connection.driver_connection))

    event.listen(db.engine, "before_cursor_execute", note)
    first, second = link().id, link().id
    at_once(save(tabs[0], first, title="a"), save(tabs[1], second, title="b"))
    event.remove(db.engine, "before_cursor_execute", note)

    assert len(used) >= 2
