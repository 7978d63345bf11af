"""Many rows at once: all of them, or none and the name of the one in the way."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from adminsite.errors import InvalidError
from adminsite.kit import bulk
from adminsite.models import AuditEvent, Keyword, Link
from adminsite.views.links import LinkView
from tests.client import SiteClient
from tests.kit.conftest import Fill
from tests.lists import Listed
from tests.rows import keyword, link, person, tag

ClientAs = Callable[[str], SiteClient]
JSON = {"Accept": "application/json"}
HIDDEN = re.compile(r'type="hidden" name="rowid" value="([\d,]*)"')
DELETE = {"action": "delete"}


@pytest.fixture
def tab(client_as: ClientAs) -> SiteClient:
    return client_as("admin")


@pytest.fixture
def guarded(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule of the links view: nobody deletes one whose slug begins with "kept"."""

    def refuses(self: LinkView, verb: str, row: Any, person: object) -> str | None:
        return "It is kept." if verb == "delete" and row.slug.startswith("kept") else None

    monkeypatch.setattr(LinkView, "refuses", refuses)


def test_does_nothing_when_the_list_to_come_back_to_makes_no_sense(
    tab: SiteClient, session: Session
) -> None:
    chosen = link()
    data = {"action": "delete", "rowid": str(chosen.id), "created_at": "zzz"}

    answer = tab.post("/admin/links/action/", data=data, htmx=True)

    assert (answer.status_code, count(session)) == (400, 1)


def count(session: Session, model: Any = Link) -> int:
    return session.scalar(select(func.count()).select_from(model)) or 0


def events(session: Session) -> list[AuditEvent]:
    wanted = select(AuditEvent).where(AuditEvent.subject_type.in_(("link", "keyword")))
    return list(session.scalars(wanted))


def keys(*rows: Link) -> str:
    return ",".join(str(row.id) for row in rows)


class TestRun:
    def test_deletes_all_that_are_chosen(self, tab: SiteClient, session: Session) -> None:
        rows = [link() for _ in range(3)]
        link(slug="other")

        answer = tab.post(
            "/admin/links/action/", data={**DELETE, "rowid": [r.id for r in rows]}, htmx=True
        )

        assert session.scalars(select(Link.slug)).all() == ["other"]
        assert '"Deleted 3 links."' in answer.headers["HX-Trigger"]
        assert len(Listed(answer).ids) == 1

    def test_records_one_event_for_each_tied_by_the_request(
        self, tab: SiteClient, session: Session
    ) -> None:
        rows = [link() for _ in range(3)]

        answer = tab.post("/admin/links/action/", data={**DELETE, "rowid": keys(*rows)})

        made = events(session)
        assert [e.action for e in made] == ["link.deleted"] * 3
        assert {e.request_id for e in made} == {answer.headers["X-Request-ID"]}

    @pytest.mark.usefixtures("guarded")
    def test_changes_nothing_when_one_is_refused_and_names_it(
        self, tab: SiteClient, session: Session
    ) -> None:
        rows = [link(), link(slug="kept-one"), link()]

        answer = tab.post(
            "/admin/links/action/", data={**DELETE, "rowid": keys(*rows)}, headers=JSON
        )

        assert answer.status_code == 403
        assert answer.json is not None
        said = answer.json["error"]["message"]
        assert said == "kept-one: It is kept. Nothing was changed."
        assert (count(session), events(session)) == (3, [])

    def test_changes_nothing_when_one_is_missing_and_names_it(
        self, tab: SiteClient, session: Session
    ) -> None:
        rows = [link(), link()]

        answer = tab.post(
            "/admin/links/action/", data={**DELETE, "rowid": f"{keys(*rows)},999999"}, headers=JSON
        )

        assert answer.status_code == 404
        assert answer.json is not None
        assert "999999" in answer.json["error"]["message"]
        assert "Nothing was changed" in answer.json["error"]["message"]
        assert (count(session), events(session)) == (2, [])

    @pytest.mark.parametrize("rowid", ["", ",", "abc", "1;2", "1 or 1=1", "\x00", "-1", "9" * 30])
    def test_refuses_what_is_no_row(self, tab: SiteClient, session: Session, rowid: str) -> None:
        link()

        answer = tab.post("/admin/links/action/", data={**DELETE, "rowid": rowid})

        assert (answer.status_code, count(session)) == (400, 1)

    @pytest.mark.parametrize("action", ["", "drop", "Delete", "\x00", "x" * 500])
    def test_refuses_an_action_there_is_not(
        self, tab: SiteClient, session: Session, action: str
    ) -> None:
        row = link()

        answer = tab.post("/admin/links/action/", data={"action": action, "rowid": row.id})

        assert (answer.status_code, count(session)) == (400, 1)

    def test_is_not_for_support(self, client_as: ClientAs, session: Session) -> None:
        row = link()

        answer = client_as("support").post(
            "/admin/links/action/", data={**DELETE, "rowid": row.id}, headers=JSON
        )

        assert (answer.status_code, count(session)) == (403, 1)

    def test_keeps_a_refusals_kind_and_fields(
        self, app: Flask, tab: SiteClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(row: Link, *, by: object) -> None:
            raise InvalidError({"url": "No."})

        action = bulk.BulkAction("check", "Check", "check", "edit", refuse, "Checked")
        monkeypatch.setattr(LinkView, "bulk_actions", (action,))
        row = link(slug="mine")

        answer = tab.post(
            "/admin/links/action/", data={"action": "check", "rowid": row.id}, headers=JSON
        )

        assert answer.status_code == 422
        assert answer.json is not None
        assert answer.json["error"]["message"] == "mine: No. Nothing was changed."


class TestPreview:
    def test_says_how_many_and_which(self, tab: SiteClient, session: Session) -> None:
        rows = [link(slug=f"row-{n}") for n in range(7)]

        dialog = tab.post(
            "/admin/links/action/preview", data={**DELETE, "rowid": [r.id for r in rows]}, htmx=True
        ).text

        assert "Delete 7 links?" in dialog
        assert "<li>row-4</li>" in dialog
        assert "and 2 more" in dialog
        assert HIDDEN.findall(dialog) == [keys(*rows)]
        assert count(session) == 7

    def test_says_which_will_be_refused(self, tab: SiteClient) -> None:
        answer = tab.post("/admin/links/action/preview", data={**DELETE, "rowid": "5"}, htmx=True)

        assert answer.status_code == 404

    def test_freezes_all_that_match_now(self, tab: SiteClient, session: Session) -> None:
        red = tag("red")
        alice = person()
        found = [link(slug=f"wanted-{n}", tags=[red], owner=alice) for n in range(3)]
        link(slug="wanted-other")
        narrow = {**DELETE, "all": "1", "search": "wanted", "tag": red.id}

        dialog = tab.post("/admin/links/action/preview", data=narrow, htmx=True).text
        late = link(slug="wanted-late", tags=[red])
        [frozen] = HIDDEN.findall(dialog)
        assert frozen == keys(*found)

        tab.post("/admin/links/action/", data={**DELETE, "rowid": frozen}, htmx=True)

        assert set(session.scalars(select(Link.slug))) == {"wanted-other", late.slug}

    def test_leads_back_to_the_list_as_it_was_narrowed(self, tab: SiteClient) -> None:
        gone, stays = link(slug="wanted-1"), link(slug="wanted-2")
        link(slug="other")
        narrow = {**DELETE, "rowid": gone.id, "search": "wanted", "sort": "slug", "desc": "0"}

        dialog = tab.post("/admin/links/action/preview", data=narrow, htmx=True).text
        fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', dialog))
        answer = tab.post("/admin/links/action/", data=fields, htmx=True)

        assert Listed(answer).ids == [stays.id]

    def test_of_a_filter_that_makes_no_sense_is_refused(self, tab: SiteClient) -> None:
        link()

        answer = tab.post(
            "/admin/links/action/preview", data={**DELETE, "all": "1", "owner": "x"}, htmx=True
        )

        assert answer.status_code == 400

    def test_of_a_search_that_finds_nothing_is_refused(self, tab: SiteClient) -> None:
        link()

        answer = tab.post(
            "/admin/links/action/preview", data={**DELETE, "all": "1", "search": "zzz"}, htmx=True
        )

        assert answer.status_code == 400

    def test_has_a_limit(
        self, tab: SiteClient, fill: Fill, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(bulk, "MAX_ROWS", 10)
        found = fill(Keyword, 11)

        everything = tab.post("/admin/keywords/action/preview", data={**DELETE, "all": "1"})
        named = tab.post(
            "/admin/keywords/action/", data={**DELETE, "rowid": ",".join(map(str, found))}
        )

        assert (everything.status_code, named.status_code) == (400, 400)
        assert "At most 10 rows at once" in everything.text


def test_whatever_matches_later_is_never_deleted_unseen(tab: SiteClient, session: Session) -> None:
    keyword()

    answer = tab.post("/admin/keywords/action/", data={**DELETE, "all": "1"})

    assert (answer.status_code, count(session, Keyword)) == (400, 1)


def test_rows_are_locked_in_the_order_of_their_keys(app: Flask, session: Session) -> None:
    with app.test_request_context(method="POST", data={"rowid": "10,9,100,1"}):
        named = bulk.named(links_view(app))

    assert named == [1, 9, 10, 100]


def links_view(app: Flask) -> Any:
    [panel] = app.extensions["admin"]
    return next(v for v in panel._views if v.endpoint == "links")  # noqa: SLF001
