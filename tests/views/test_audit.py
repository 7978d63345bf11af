"""The audit screen: who may read it, what its list shows and finds, and the page of an event."""

import csv
import io
import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.orm import Session

from adminsite import audit, queries
from adminsite.db import db, transaction, utc_now
from adminsite.kit.listing import Newest
from adminsite.models import AuditEvent, AuditHead, User
from adminsite.operations import keywords, links
from adminsite.resources import AUDIT
from adminsite.views.audit import AuditView, words
from adminsite.views.timelines import SAID
from tests.client import SiteClient
from tests.factories import CreditTransactionFactory, SubscriptionFactory
from tests.lists import ask, statements, walk
from tests.people import acting
from tests.rows import keyword, link, person, staff, tag
from tests.views.auditing import THEN, URL, about, by, events, happened, shown
from tests.views.reading import JSON, said

ClientAs = Callable[[str | User], SiteClient]
WRITES = [
    ("POST", ""),
    ("GET", "/new/"),
    ("POST", "/new/"),
    ("GET", "/edit/?id=1"),
    ("POST", "/edit/?id=1"),
    ("GET", "/1/edit"),
    ("PUT", "/1"),
    ("GET", "/1/cell/reason"),
    ("POST", "/ajax/update/"),
    ("GET", "/1/delete"),
    ("DELETE", "/1"),
    ("POST", "/delete/"),
    ("POST", "/action/preview"),
    ("POST", "/action/"),
]
BODY = {
    "id": "1",
    "rowid": "1",
    "action": "delete",
    "list_form_pk": "1",
    "reason": "changed",
    "actor_email": "changed",
}


@pytest.fixture
def tab(client_as: ClientAs) -> SiteClient:
    return client_as("admin")


@pytest.fixture
def mia(app: object) -> User:
    return person("Mia Lund", email="mia@example.com")


class TestAccess:
    @pytest.mark.parametrize("path", [URL, f"{URL}/"])
    @pytest.mark.parametrize("who", ["admin", "owner"])
    def test_is_given_to_admins_and_owners(self, client_as: ClientAs, who: str, path: str) -> None:
        assert client_as(who).get(path).status_code == 200

    @pytest.mark.parametrize("path", ["", "/1", "/details/?id=1", "/count", "/export/csv/"])
    @pytest.mark.parametrize("who", ["support", "member"])
    def test_is_refused_to_others(self, client_as: ClientAs, who: str, path: str) -> None:
        happened()

        assert client_as(who).get(f"{URL}{path}").status_code == 403

    def test_sends_the_signed_out_to_sign_in(self, client: SiteClient) -> None:
        answer = client.get(URL)

        assert answer.status_code == 302
        assert "/login" in answer.location

    def test_stands_in_the_menu_of_those_who_may(self, client_as: ClientAs) -> None:
        menus = {
            who: client_as(who).get("/admin").text.partition('<nav class="sidebar"')[2]
            for who in ("support", "admin")
        }

        menu = menus["admin"].partition("</nav>")[0]
        assert 0 < menu.find("Record") < menu.find(f'href="{URL}"') < menu.find("/admin/import")
        assert URL not in menus["support"].partition("</nav>")[0]


class TestWriting:
    def test_has_no_operation(self) -> None:
        assert not any(AUDIT.supports(verb) for verb in ("create", "update", "delete"))

    @pytest.mark.parametrize(("method", "path"), WRITES)
    @pytest.mark.parametrize("htmx", [False, True], ids=["page", "htmx"])
    def test_answers_no_route(
        self, client_as: ClientAs, session: Session, method: str, path: str, *, htmx: bool
    ) -> None:
        owner = client_as("owner")
        happened(reason="kept")
        before = session.execute(select(AuditEvent.__table__)).all()

        sent = {} if method == "GET" else {"data": BODY}
        answer = owner.open(f"{URL}{path}", method=method, htmx=htmx, **sent)

        assert answer.status_code in {400, 404}
        session.rollback()
        assert session.execute(select(AuditEvent.__table__)).all() == before

    def test_is_not_offered(self, tab: SiteClient) -> None:
        happened()

        page = tab.get(URL).text.partition("<main")[2]

        assert "data-action" not in page
        assert 'type="checkbox"' not in page


class TestList:
    def test_shows_who_did_what_to_what(self, tab: SiteClient, mia: User, admin: User) -> None:
        row = link(slug="jira")
        key = happened(
            **by(admin),
            **about(row),
            at=THEN,
            changes={"title": ["Old", "New"]},
            reason="It moved",
        )

        page = ask(tab, URL, action="link.updated")

        read = [
            page.cell(key, label)
            for label in ("When", "Who", "What", "On what", "What changed", "Reason")
        ]
        assert read == [
            "Mar 1, 2025",
            "admin@example.com admin",
            "changed the link link.updated",
            "jira link",
            "Title: Old → New",
            "It moved",
        ]
        assert 'title="2025-03-01 12:00:00.000000 UTC"' in page.row(key)
        assert f'href="{URL}/{key}"' in page.row(key)
        assert f'href="/admin/links/details/?id={row.id}"' in page.row(key)
        assert f'href="{URL}?actor={admin.id}"' in page.row(key)

    def test_shows_a_time_of_this_year_to_the_minute(self) -> None:
        assert words.stamped(utc_now()).text[-3] == ":"

    def test_shows_who_was_behind(self, tab: SiteClient, mia: User, admin: User) -> None:
        viewing = {"viewing_as_id": mia.id, "viewing_as_email": mia.email}
        key = happened("access.denied", **by(admin), **viewing)

        cell = ask(tab, URL).cell(key, "Who")

        assert cell == "admin@example.com admin viewing as mia@example.com"

    def test_shows_who_is_no_person_without_a_link(self, tab: SiteClient) -> None:
        key = happened(actor_email="system", actor_level="owner")
        nobody = happened()

        page = ask(tab, URL)

        assert page.cell(key, "Who") == "system"  # as which level it acts says nothing
        assert page.cell(nobody, "Who") == "somebody"
        assert "?actor" not in page.row(key) + page.row(nobody)

    def test_names_a_deleted_record_without_a_link(self, tab: SiteClient, admin: User) -> None:
        row = link(slug="gone")
        with transaction():
            links.delete(row, by=acting(admin))

        page = ask(tab, URL, action="link.deleted")

        assert page.cell(page.ids[0], "On what") == "gone link"
        assert "/admin/links" not in page.row(page.ids[0])

    def test_leads_to_no_record_that_the_person_may_not_read(self, client_as: ClientAs) -> None:
        boss = staff("owner", "Ada")
        key = happened("admin.updated", **about(boss))

        pages = {who: ask(client_as(who), URL).row(key) for who in ("admin", "owner")}

        assert "/admin/admins/" not in pages["admin"]
        assert f"/admin/admins/details/?id={boss.id}" in pages["owner"]

    @pytest.mark.parametrize(
        ("kind", "key"),
        [("link", "1,2"), ("link", "x"), ("link", "9" * 30), ("user", "x"), ("link", "²"),
         ("role", "1"), ("user", None)],
    )  # fmt: skip
    def test_bears_any_subject(self, tab: SiteClient, kind: str, key: str | None) -> None:
        event = happened(subject_type=kind, subject_id=key, subject_label="Odd")

        assert ask(tab, URL).cell(event, "On what") == f"Odd {kind}"
        assert tab.get(f"{URL}/{event}").status_code == 200

    def test_says_how_much_more_changed(self, tab: SiteClient) -> None:
        fields = {name: [None, name] for name in ("a", "b", "c", "d", "e")}
        key = happened(changes=fields)

        assert ask(tab, URL).cell(key, "What changed") == "A: a, B: b +3 more"

    def test_does_not_read_what_is_very_long(self, tab: SiteClient) -> None:
        key = happened(changes={"links": [["x" * 50] * 1000, None]})

        page = ask(tab, URL)

        assert page.cell(key, "What changed") == "long, see the event"
        assert len(page.text) < 40_000

    def test_shows_everything_as_it_is_written(self, tab: SiteClient) -> None:
        evil = "<b>evil</b>"
        key = happened(
            "<b>evil",
            actor_email=evil,
            subject_type="link",
            subject_id=evil,
            subject_label=evil,
            changes={evil: [evil, evil + "2"]},
            reason=evil,
            request_id=evil,
            ip=evil,
            user_agent=evil,
        )

        pages = tab.get(URL).text + tab.get(f"{URL}/{key}").text

        assert "<b>evil" not in pages

    def test_is_the_newest_first_page_by_page(self, tab: SiteClient) -> None:
        made = [happened(at=THEN + timedelta(minutes=n % 7)) for n in range(45)]

        pages = list(walk(tab, f"{URL}?action=link.updated&page_size=20"))

        listed = [key for page in pages for key in page.ids]
        assert listed == sorted(made, key=lambda key: ((key - made[0]) % 7, key), reverse=True)
        assert len(pages) == 3

    def test_is_the_oldest_first_when_asked(self, tab: SiteClient) -> None:
        made = [happened(at=THEN + timedelta(minutes=n)) for n in range(3)]

        assert ask(tab, f"{URL}?sort=at&desc=0&action=link.updated").ids == made

    def test_costs_the_same_at_every_length(self, tab: SiteClient, admin: User) -> None:
        for n in range(210):
            record = link() if n % 10 == 0 else keyword() if n % 10 == 1 else admin
            happened(**by(admin), **about(record), changes={"title": ["a", "b"]})

        def cost(size: int, **asked: str) -> int:
            with statements() as sent:
                page = ask(tab, URL, page_size=size, **asked)
            assert len(page.ids) == size
            return len(sent)

        assert cost(20) == cost(200) <= 10
        assert cost(20, action="link.updated") == cost(200, action="link.updated") <= 10


class TestFilters:
    @pytest.fixture
    def made(self, mia: User, admin: User) -> dict[str, int]:
        mia_as = {"subject_type": "user", "subject_id": str(mia.id), "subject_label": "Mia Lund"}
        jira = {"subject_type": "link", "subject_id": "7", "subject_label": "jira"}
        return {
            "old": happened("link.created", **by(admin), **jira, at=THEN, request_id="r1"),
            "link": happened("link.updated", **by(mia), **jira, request_id="r2"),
            "mia": happened("user.updated", **by(admin), **mia_as, request_id="r2"),
            "system": happened("user.created", actor_email="system", **mia_as),
            "odd": happened("robot.woken", actor_email="nobody"),
        }

    @pytest.mark.parametrize(
        ("asked", "found"),
        [
            ({"action": "link.updated"}, {"link"}),
            ({"action": "robot.woken"}, {"odd"}),
            ({"action": "token.created"}, set()),
            ({"actor": "mia@example.com"}, {"link"}),
            ({"actor_email": "MIA@example.com"}, {"link"}),
            ({"actor": "system"}, {"system"}),
            ({"actor": "nobody"}, {"odd"}),
            ({"subject_type": "user"}, {"mia", "system"}),
            ({"subject_type": "tag"}, set()),
            ({"subject_id": "7"}, {"old", "link"}),
            ({"subject_id": " 7 ", "subject_type": "link"}, {"old", "link"}),
            ({"subject_id": "7", "subject_type": "user"}, set()),
            ({"subject_id": "8"}, set()),
            ({"at_to": "2025-03-01"}, {"old"}),
            ({"at": "2025-03-01"}, {"old"}),
            ({"at_from": "2025-03-02", "subject_id": "7"}, {"link"}),
            ({"request_id": "r2"}, {"link", "mia"}),
            ({"request_id": "r2", "action": "user.updated"}, {"mia"}),
        ],
    )
    def test_leave_what_matches(
        self, tab: SiteClient, made: dict[str, int], asked: dict[str, str], found: set[str]
    ) -> None:
        page = ask(tab, URL, **asked)

        assert shown(page) == sorted(made[name] for name in found)

    def test_know_a_person_by_id_in_both_cases(
        self, tab: SiteClient, mia: User, made: dict[str, int]
    ) -> None:
        for key in (str(mia.id), str(mia.id).upper()):
            assert shown(ask(tab, URL, subject_id=key)) == [made["mia"], made["system"]]
            assert shown(ask(tab, URL, actor=key)) == [made["link"]]

    def test_know_an_actor_who_is_gone(self, tab: SiteClient) -> None:
        left = uuid4()
        key = happened(actor_id=left, actor_email="left@example.com")

        page = ask(tab, URL, actor=str(left))

        assert page.ids == [key]
        assert "left@example.com (deleted)" in page.text

    @pytest.mark.parametrize(
        "asked",
        [
            {"action": "link"},
            {"action": "x\x00"},
            {"action": "x" * 5000},
            {"actor": "stranger@example.com"},
            {"actor": str(uuid4())},
            {"actor": "x\x00"},
            {"subject_type": "session"},
            {"subject_id": "x" * 256},
            {"subject_id": "x\x00"},
            {"request_id": "x" * 65},
            {"request_id": "\x1b"},
            {"at_from": "yesterday"},
            {"at": "2025-02-30"},
        ],
    )
    def test_refuse_nonsense(self, tab: SiteClient, asked: dict[str, str]) -> None:
        for path in (URL, f"{URL}/count", f"{URL}/export/csv/"):
            assert tab.get(path, query_string=asked).status_code == 400

    @pytest.mark.parametrize("asked", [{"page_size": "x"}, {"sort": "hash"}, {"cursor": "x"}])
    def test_fall_back_from_other_nonsense(self, tab: SiteClient, asked: dict[str, str]) -> None:
        assert tab.get(URL, query_string=asked).status_code == 200

    def test_offer_what_is_known_and_what_is_stored(
        self, tab: SiteClient, made: dict[str, int]
    ) -> None:
        page = tab.get(URL).text

        assert made
        assert '<optgroup label="Robot">' in page
        assert '<option value="robot.woken">Robot woken</option>' in page
        assert '<option value="token.revoked">Token revoked</option>' in page

    def test_are_chips_that_can_be_removed(self, tab: SiteClient, made: dict[str, int]) -> None:
        assert made

        page = tab.get(URL, query_string={"subject_type": "link", "subject_id": "7"})

        assert "Kind of recordLink" in said(page)
        assert "Id of the record7" in said(page)
        assert f'href="{URL}?subject_id=7"' in page.text

    def test_name_system_among_the_people(self, tab: SiteClient) -> None:
        answer = tab.get(f"{URL}/ajax/lookup/?name=people&query=syst")

        assert answer.json == [["system", "System", ""]]


class TestSearch:
    @pytest.mark.parametrize("term", ["ADA@", "dr. грин", "ДР.", "tick", "ГРИН"])
    def test_finds_by_who_on_what_and_reason(self, tab: SiteClient, term: str) -> None:
        key = happened(
            actor_email="ada@example.com", subject_label="Dr. ГРИН", reason="Ticket 7; др."
        )
        happened(actor_email="bob@example.com", subject_label="jira")

        assert ask(tab, URL, search=term).ids == [key]

    @pytest.mark.parametrize("term", ["%", "_da", "'; DROP TABLE audit_events; --", "a\nb"])
    def test_takes_what_is_typed_literally(self, tab: SiteClient, term: str) -> None:
        happened(actor_email="ada@a", subject_label="b", reason="none")

        assert shown(ask(tab, URL, search=term)) == []

    def test_marks_what_it_found(self, tab: SiteClient) -> None:
        key = happened(actor_email="ada@example.com", reason="Ada asked")

        row = ask(tab, URL, search="ada").row(key)

        assert "<mark>ada</mark>@example.com" in row
        assert "<mark>Ada</mark> asked" in row

    def test_finds_none_with_a_way_back(self, tab: SiteClient) -> None:
        page = said(tab.get(URL, query_string={"search": "zzz"}))

        assert "Nothing matches" in page
        assert "No event fits this search." in page

    def test_looks_through_the_newest_that_the_filters_leave(
        self, tab: SiteClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        few = Newest(AuditView.search_column.columns, among=3)
        monkeypatch.setattr(AuditView, "search_column", few)
        tags = [happened("tag.created", reason="same", at=THEN) for _ in range(4)]
        made = [happened("link.updated", reason="same") for _ in range(4)]

        found = ask(tab, URL, search="same")
        narrowed = ask(tab, URL, search="same", action="tag.created")
        further = ask(tab, URL, search="same", at_to="2025-03-01")

        assert sorted(found.ids) == made[1:]
        assert sorted(narrowed.ids) == sorted(further.ids) == tags  # the same moment, all of it

    def test_says_how_far_back_it_looked(
        self, tab: SiteClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        happened(reason="same")
        told = "Searched are the newest 100,000 events"

        assert told not in ask(tab, URL, search="same").text
        monkeypatch.setattr(queries.audit, "reaches", lambda *_: True)
        assert f"{told}." in ask(tab, URL, search="same").text
        assert f"{told} that the filters leave." in ask(tab, URL, search="s", at="2025-01-01").text
        assert told not in ask(tab, URL).text


class TestPage:
    def test_tells_everything(self, tab: SiteClient, admin: User, mia: User) -> None:
        row = link(slug="jira")
        key = happened(
            **by(admin),
            **about(row),
            viewing_as_id=mia.id,
            viewing_as_email=mia.email,
            at=THEN,
            subject_version=4,
            changes={"title": ["Old", "New " * 100], "url": [None, ""], "batch": ["", {"a": 1}]},
            reason="It moved",
            request_id="req-1",
            ip="203.0.113.9",
            user_agent="Lynx",
        )

        answer = tab.get(f"{URL}/{key}")

        told = said(answer)
        for part in (
            "admin@example.com changed the link",
            "Link jira · 2025-03-01 12:00:00.000000 UTC",
            "Reason: It moved",
            "FieldBeforeAfter",
            "Title Old New New",
            "URL – empty",
            'Batch empty {"a": 1}',
            "Who admin@example.com",
            "Level admin",
            "Viewing as mia@example.com",
            "Action link.updated",
            f"Record link {row.id}",
            "Version then 4",
            "IP address 203.0.113.9",
            "User agent Lynx",
            "Request req-1",
            "Nothing else was done by this request.",
            "Chainintact",
        ):
            assert part in told
        assert told.count("New") == 100
        for href in (
            f"/admin/links/details/?id={row.id}",
            f"/admin/users/{admin.id}",
            f"/admin/users/{mia.id}",
            f"{URL}?subject_type=link&amp;subject_id={row.id}",
        ):
            assert f'href="{href}"' in answer.text

    def test_names_those_who_are_gone_without_a_link(self, tab: SiteClient) -> None:
        key = happened(actor_id=uuid4(), actor_email="left@example.com", actor_level="admin")

        page = tab.get(f"{URL}/{key}")

        assert "Who left@example.com" in said(page)
        assert "/admin/users/" not in page.text.partition("<main")[2]

    def test_shows_the_rest_of_the_request(self, tab: SiteClient, admin: User) -> None:
        words_ = [keyword(keyword=f"word{n}") for n in range(3)]
        keys = [
            happened("keyword.deleted", **by(admin), **about(word), request_id="r")
            for word in words_
        ]
        other = happened("keyword.deleted", **by(admin), subject_label="other", request_id="q")

        page = tab.get(f"{URL}/{keys[1]}")

        panel = said(page).partition("Everything of this request")[2].partition("Who and")[0]
        assert panel.count("deleted the keyword") == 2
        assert "word0" in panel
        assert "word2" in panel
        assert f'href="{URL}?request_id=r"' in page.text
        assert f'href="{URL}/{other}"' not in page.text

    def test_shows_a_part_of_a_large_request(self, tab: SiteClient) -> None:
        keys = [happened(request_id="r") for _ in range(25)]

        panel = said(tab.get(f"{URL}/{keys[0]}")).partition("Everything of this request")[2]

        assert panel.count("changed the link") == 20
        assert "and more, in the list" in panel

    def test_leads_to_the_events_around_it_of_the_same_record(self, tab: SiteClient) -> None:
        jira = {"subject_type": "link", "subject_id": "7", "subject_label": "jira"}
        first, _other, middle, last = (
            happened(**jira),
            happened(subject_type="keyword", subject_id="7"),
            happened(**jira),
            happened(**jira),
        )

        pages = {key: tab.get(f"{URL}/{key}").text for key in (first, middle, last)}

        before, after = 'id="event-before" href="{}"', 'id="event-after" href="{}"'
        assert before.format(f"{URL}/{first}") in pages[middle]
        assert after.format(f"{URL}/{last}") in pages[middle]
        assert 'id="event-before" aria-disabled="true"' in pages[first]
        assert 'id="event-after" aria-disabled="true"' in pages[last]

    def test_shows_its_place_in_the_chain(self, tab: SiteClient, session: Session) -> None:
        happened()
        row = session.get_one(AuditEvent, happened())

        told = said(tab.get(f"{URL}/{row.id}"))

        assert f"Event {row.id} Hash {row.hash} Hash before {row.prev_hash}" in told

    def test_says_when_its_hash_is_not_of_what_it_says(
        self, tab: SiteClient, session: Session
    ) -> None:
        last = session.scalars(select(AuditHead.event_id)).one()
        fake = {"at": THEN, "action": "link.updated", "changes": {}, "reason": "forged"}
        session.execute(
            insert(AuditEvent).values(id=last + 1, prev_hash="0" * 64, hash="1" * 64, **fake)
        )
        session.execute(update(AuditHead).values(event_id=last + 1))
        session.commit()

        told = said(tab.get(f"{URL}/{last + 1}"))

        assert "Chainaltered" in told
        assert "its hash is wrong" in told

    def test_finds_the_hash_of_every_recorded_event_right(
        self, tab: SiteClient, session: Session, admin: User
    ) -> None:
        with transaction():
            row = keywords.create({"description": "ключ", "keyword": "k", "url_template": "https://x.example/{slug}"},
                                  by=acting(admin))  # fmt: skip
        with transaction():
            keywords.delete(row, by=acting(admin))
        keys = session.scalars(select(AuditEvent.id)).all()

        assert len(keys) >= 2
        for key in keys:
            assert "Chainintact" in said(tab.get(f"{URL}/{key}"))

    def test_stands_at_both_addresses(self, tab: SiteClient) -> None:
        key = happened()

        for address in (f"/{key}", f"/{key}/", f"/details/?id={key}"):
            assert "somebody changed the link" in said(tab.get(f"{URL}{address}")).lower()

    def test_is_a_record_to_scripts(self, tab: SiteClient) -> None:
        key = happened(changes={"title": ["a", "b"]}, at=THEN)

        told = tab.get(f"{URL}/{key}", headers=JSON).json

        assert told is not None
        assert (told["data"]["id"], told["data"]["action"]) == (key, "link.updated")
        assert told["data"]["changes"] == {"title": ["a", "b"]}
        assert told["data"]["at"] == THEN.isoformat()

    def test_is_a_row_to_htmx(self, tab: SiteClient) -> None:
        key = happened()

        assert tab.get(f"{URL}/{key}", htmx=True).text.startswith(f'<tr id="audit-{key}"')

    @pytest.mark.parametrize(
        "address", ["/99999", "/0", "/99999999999999999999", "/x", "/-1", "/1.5", "/details/?id=x",
                    "/details/", "/details/?id=1%00", "/%00"]
    )  # fmt: skip
    def test_is_missing_for_unknown_ids(self, tab: SiteClient, address: str) -> None:
        assert tab.get(f"{URL}{address}").status_code == 404

    def test_costs_the_same_for_any_request(self, tab: SiteClient, admin: User) -> None:
        alone = happened(**by(admin), **about(link()), request_id="a")
        many = [happened(**by(admin), **about(link()), request_id="b") for _ in range(25)]

        def cost(key: int) -> int:
            with statements() as sent:
                tab.get(f"{URL}/{key}")
            return len(sent)

        assert cost(alone) == cost(many[0]) <= 8


class TestExport:
    def read(self, tab: SiteClient, **asked: str) -> list[dict[str, str]]:
        answer = tab.get(f"{URL}/export/csv/", query_string=asked)
        assert answer.status_code == 200
        return list(csv.DictReader(io.StringIO(answer.text)))

    def test_gives_all_that_is_stored(self, tab: SiteClient, admin: User) -> None:
        changes = {"title": ["Grün", None]}
        key = happened(**by(admin), at=THEN, changes=changes, user_agent="=cmd()", reason="@x")

        [line] = self.read(tab, action="link.updated")

        assert list(line) == ["id", *AUDIT.fields]
        assert (line["id"], line["at"], line["actor_email"]) == (
            str(key),
            THEN.isoformat(),
            "admin@example.com",
        )
        assert json.loads(line["changes"]) == changes
        assert "Grün" in line["changes"]
        assert (line["user_agent"], line["reason"]) == ("'=cmd()", "'@x")
        assert len(line["hash"]) == len(line["prev_hash"]) == 64

    def test_is_of_what_the_list_shows(self, tab: SiteClient) -> None:
        happened("tag.created", reason="same")
        key = happened(reason="same")
        happened(reason="other")

        lines = self.read(tab, search="same", action="link.updated")

        assert [line["id"] for line in lines] == [str(key)]

    def test_is_on_record_itself(self, tab: SiteClient, session: Session) -> None:
        self.read(tab, subject_type="link")

        [event] = events(session, action="data.exported")
        assert event.changes["resource"] == "audit"
        assert event.changes["filters"] == {"subject_type": "Link"}
        assert "exported data" in said(tab.get(f"{URL}/{event.id}"))

    def test_goes_on_beyond_one_piece(
        self, tab: SiteClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("adminsite.kit.export.CHUNK", 3)
        made = [happened(at=THEN) for _ in range(10)]

        lines = self.read(tab, action="link.updated")

        assert [int(line["id"]) for line in lines] == made[::-1]


class TestWaysIn:
    def test_from_the_overview(self, tab: SiteClient, admin: User) -> None:
        key = happened(**by(admin))

        page = tab.get("/admin?fresh=1", follow_redirects=True).text

        panel = page.partition('id="recent"')[2].partition("</section>")[0]
        assert f'href="{URL}">All activity</a>' in panel
        assert f'href="{URL}/{key}">changed the link</a>' in panel

    def test_from_a_person(self, tab: SiteClient, mia: User) -> None:
        key = happened("user.updated", **about(mia))

        page = tab.get(f"/admin/users/{mia.id}").text

        assert f'href="{URL}?subject_type=user&amp;subject_id={mia.id}">All events' in page
        assert f'href="{URL}/{key}">changed the profile</a>' in page

    @pytest.mark.parametrize("page", ["edit", "details"])
    @pytest.mark.parametrize(("kind", "make"), [("link", link), ("keyword", keyword), ("tag", tag)])
    def test_from_a_record(
        self, tab: SiteClient, kind: str, make: Callable[[], Any], page: str
    ) -> None:
        row = make()

        text_ = tab.get(f"/admin/{kind}s/{page}/?id={row.id}").text

        assert f'href="{URL}?subject_type={kind}&amp;subject_id={row.id}"' in text_

    def test_from_a_member_of_staff(self, client_as: ClientAs) -> None:
        row = staff()

        page = client_as("owner").get(f"/admin/admins/edit/?id={row.id}").text

        assert f'href="{URL}?subject_type=admin&amp;subject_id={row.id}"' in page

    def test_from_a_subscription(self, tab: SiteClient, mia: User) -> None:
        SubscriptionFactory(user=mia, id="sub_1")

        page = tab.get("/admin/subscriptions/sub_1").text

        asked = f"subject_type=user&amp;subject_id={mia.id}&amp;action=subscription.updated"
        assert f'href="{URL}?{asked}"' in page

    def test_from_an_entry_of_the_ledger(self, tab: SiteClient, mia: User) -> None:
        rows: list[Any] = [
            CreditTransactionFactory(user=mia),
            CreditTransactionFactory(user=mia, user_id=None),
        ]

        pages = [tab.get(f"/admin/credits/details/?id={row.id}").text for row in rows]

        assert f'href="{URL}?subject_type=user&amp;subject_id={mia.id}"' in pages[0]
        assert f'href="{URL}?' not in pages[1]

    @pytest.mark.parametrize("path", ["/admin", "/admin/users/{}", "/admin/links/details/?id={}"])
    def test_are_not_shown_to_support(self, client_as: ClientAs, mia: User, path: str) -> None:
        happened("user.updated", **about(mia))
        key = mia.id if "users" in path else link().id

        assert URL not in client_as("support").get(path.format(key)).text


class TestWords:
    def test_know_every_action_that_is_recorded(self) -> None:
        sources = Path(audit.__file__).parent.rglob("*.py")
        recorded = {
            action
            for source in sources
            for action in re.findall(
                r'(?:record|finish)\(\s*(?:\w+, )?"(\w+\.\w+)"', source.read_text()
            )
        }

        assert len(recorded) > 20
        assert recorded <= SAID.keys()


@pytest.mark.engine("sqlite")  # PostgreSQL reads a small table whole, whatever there is
def test_filters_and_search_stay_on_an_index(tab: SiteClient, session: Session) -> None:
    """At any size: nothing reads the whole table, and nothing is sorted but what was found."""
    happened(request_id="r", subject_type="link", subject_id="7")
    asked = [
        {}, {"action": "link.updated"}, {"actor": "system"}, {"subject_type": "link"},
        {"subject_id": "7"}, {"request_id": "r"}, {"at_from": "2020-01-01"},
        {"action": "link.updated", "at_from": "2020-01-01"}, {"search": "x"},
    ]  # fmt: skip
    for params in asked:
        with statements() as sent:
            ask(tab, URL, **params)
        read = [sql for sql in sent if "FROM audit_events" in sql]
        for sql in read:
            plan = session.execute(text("EXPLAIN QUERY PLAN " + sql.replace("?", "1"))).all()
            steps = " / ".join(step[3] for step in plan)
            assert "SCAN audit_events /" not in f"{steps} /", (params, sql, steps)
    db.session.rollback()
