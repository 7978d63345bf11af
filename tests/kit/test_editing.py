"""Changing a record: the same rules at every door."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from adminsite.models import AuditEvent, Link
from tests.client import SiteClient
from tests.rows import keyword, link, person, tag

ClientAs = Callable[[str], SiteClient]
Door = Callable[..., TestResponse]
JSON = {"Accept": "application/json"}


def by_row(tab: SiteClient, pk: Any, **values: Any) -> TestResponse:
    """The row edited in its place."""
    return tab.put(f"/admin/links/{pk}", data=values, htmx=True)


def by_cell(tab: SiteClient, pk: Any, **values: Any) -> TestResponse:
    """A cell edited in its place."""
    data = {"list_form_pk": pk, **values}
    return tab.post("/admin/links/ajax/update/", data=data, htmx=True)


def by_form(tab: SiteClient, pk: Any, **values: Any) -> TestResponse:
    """The form on its own page."""
    return tab.post(f"/admin/links/edit/?id={pk}", data=values)


def by_script(tab: SiteClient, pk: Any, **values: Any) -> TestResponse:
    """A script that sends JSON."""
    return tab.put(f"/admin/links/{pk}", json=values, headers=JSON)


DOORS = pytest.mark.parametrize("door", [by_row, by_cell, by_form, by_script])
PAGES = pytest.mark.parametrize("door", [by_row, by_cell, by_form])


@pytest.fixture
def tab(client_as: ClientAs) -> SiteClient:
    return client_as("admin")


@pytest.fixture
def other(client_as: ClientAs) -> SiteClient:
    """Somebody else's tab."""
    return client_as("owner")


def events(session: Session, row: Any) -> list[AuditEvent]:
    wanted = select(AuditEvent).where(AuditEvent.subject_id == str(row.id)).order_by(AuditEvent.id)
    return list(session.scalars(wanted))


class TestEveryDoor:
    @DOORS
    def test_saves_what_is_sent_and_nothing_else(
        self, tab: SiteClient, session: Session, door: Door
    ) -> None:
        row = link(description="Stays.")

        answer = door(tab, row.id, title="New title", row_version="1")

        assert answer.status_code in {200, 303}
        session.refresh(row)
        assert (row.title, row.description, row.version) == ("New title", "Stays.", 2)

    @DOORS
    def test_records_one_event_with_before_and_after(
        self, tab: SiteClient, session: Session, door: Door
    ) -> None:
        row = link(title="Old")

        answer = door(tab, row.id, title="New")

        [event] = events(session, row)
        assert (event.action, event.changes) == ("link.updated", {"title": ["Old", "New"]})
        assert (event.actor_email, event.actor_level) == ("admin@example.com", "admin")
        assert event.request_id == answer.headers["X-Request-ID"]

    @DOORS
    def test_records_nothing_when_nothing_changes(
        self, tab: SiteClient, session: Session, door: Door
    ) -> None:
        row = link(title="Same")

        answer = door(tab, row.id, title="Same")

        assert answer.status_code in {200, 303}
        assert events(session, row) == []
        assert session.get_one(Link, row.id).version == 1

    @DOORS
    def test_refuses_what_breaks_a_rule_and_changes_nothing(
        self, tab: SiteClient, session: Session, door: Door
    ) -> None:
        row = link(url="https://example.com/old")

        answer = door(tab, row.id, url="ftp://example.com/<x>")

        assert answer.status_code == 422
        assert "Only http and https lead somewhere" in answer.text
        assert session.get_one(Link, row.id).url == "https://example.com/old"
        assert events(session, row) == []

    @PAGES
    def test_shows_what_was_refused(self, tab: SiteClient, door: Door) -> None:
        row = link()

        answer = door(tab, row.id, url="ftp://example.com/<x>")

        assert 'value="ftp://example.com/&lt;x&gt;"' in answer.text
        assert "Only http and https" in answer.text

    @DOORS
    def test_refuses_people_of_a_lower_level(
        self, client_as: ClientAs, session: Session, door: Door
    ) -> None:
        row = link(title="Old")

        answer = door(client_as("support"), row.id, title="New")

        assert answer.status_code == 403
        assert "This needs an admin" in answer.text
        assert session.get_one(Link, row.id).title == "Old"
        assert events(session, row) == []

    @DOORS
    @pytest.mark.parametrize("pk", [999999, 10**30])
    def test_does_not_find_what_is_not_there(self, tab: SiteClient, door: Door, pk: int) -> None:
        assert door(tab, pk, title="New").status_code == 404

    @DOORS
    def test_keeps_the_others_change_to_the_same_field(
        self, tab: SiteClient, other: SiteClient, session: Session, door: Door
    ) -> None:
        row = link(title="Old")
        by_row(other, row.id, title="Theirs", row_version="1")

        answer = door(tab, row.id, title="Mine", row_version="1")

        assert answer.status_code == 409
        assert "owner@example.com changed title while you were editing" in answer.text
        assert session.get_one(Link, row.id).title == "Theirs"
        assert len(events(session, row)) == 1

    @PAGES
    def test_shows_both_values_and_whose_they_are(
        self, tab: SiteClient, other: SiteClient, door: Door
    ) -> None:
        row = link(title="Old")
        by_row(other, row.id, title="Theirs", row_version="1")

        answer = door(tab, row.id, title="Mine", row_version="1")

        choices = re.findall(r'type="radio" name="title" value="(\w+)"( checked)?', answer.text)
        assert choices == [("Mine", " checked"), ("Theirs", "")]
        said = re.sub(r"<[^>]+>", "", answer.text)
        assert re.search(r"owner@example\.com, 20\d\d-\d\d-\d\d \d\d:\d\d UTC", said)
        assert 'name="row_version" value="2"' in answer.text

    @PAGES
    def test_takes_the_choice_that_follows(
        self, tab: SiteClient, other: SiteClient, session: Session, door: Door
    ) -> None:
        row = link(title="Old")
        by_row(other, row.id, title="Theirs", row_version="1")
        door(tab, row.id, title="Mine", row_version="1")

        answer = door(tab, row.id, title="Mine", row_version="2")

        assert answer.status_code in {200, 303}
        assert session.get_one(Link, row.id).title == "Mine"

    @DOORS
    def test_joins_changes_to_different_fields_and_says_so(
        self, tab: SiteClient, other: SiteClient, session: Session, door: Door
    ) -> None:
        row = link(title="Old")
        by_row(other, row.id, title="Theirs", row_version="1")

        answer = door(tab, row.id, description="Mine", row_version="1")

        assert answer.status_code in {200, 303}
        now = session.get_one(Link, row.id)
        assert (now.title, now.description, now.version) == ("Theirs", "Mine", 3)
        if answer.status_code == 200 and "HX-Trigger" in answer.headers:
            assert "owner@example.com changed title meanwhile" in answer.headers["HX-Trigger"]

    @DOORS
    def test_does_not_undo_the_other_with_a_whole_stale_form(
        self, tab: SiteClient, other: SiteClient, session: Session, door: Door
    ) -> None:
        row = link(title="Old", url="https://example.com/", description="Old")
        by_row(other, row.id, title="Theirs", row_version="1")

        door(tab, row.id, title="Old", url=row.url, description="Mine", row_version="1")

        now = session.get_one(Link, row.id)
        assert (now.title, now.description) == ("Theirs", "Mine")

    @DOORS
    def test_agrees_when_both_wrote_the_same(
        self, tab: SiteClient, other: SiteClient, door: Door
    ) -> None:
        row = link(title="Old")
        by_row(other, row.id, title="Both", row_version="1")

        assert door(tab, row.id, title="Both", row_version="1").status_code in {200, 303}

    @DOORS
    def test_keeps_markup_as_text(self, tab: SiteClient, door: Door) -> None:
        row = link()

        answer = door(tab, row.id, title="<script>alert(1)</script>")

        assert "<script>alert" not in answer.text or answer.is_json
        assert "<script>alert" not in tab.get("/admin/links").text


class TestNonsense:
    @DOORS
    def test_versions_are_refused_at_every_door(
        self, tab: SiteClient, session: Session, door: Door
    ) -> None:
        row = link()

        assert door(tab, row.id, title="New", row_version="x").status_code == 400
        assert door(tab, row.id, title="New", row_version="99").status_code == 422
        assert session.get_one(Link, row.id).version == 1

    @pytest.mark.parametrize("version", ["-1", "1.0", "0", "1 OR 1", "9" * 30, "²", "\x00", "1,1"])
    def test_versions_are_refused(self, tab: SiteClient, session: Session, version: str) -> None:
        row = link()

        answer = by_row(tab, row.id, title="New", row_version=version)

        assert answer.status_code in {400, 422}
        assert session.get_one(Link, row.id).version == 1

    @pytest.mark.parametrize(
        "values",
        [
            {"title": "a\x00b"},
            {"title": "x" * 201},
            {"title": "two\nlines"},
            {"title": ["one", "two"]},
            {"description": "x" * 2001},
            {"url": "https://example.com/\x00"},
            {"url": "https://example.com/" + "x" * 8192},
            {"url": "javascript:alert(1)"},
            {"url": "https://user:secret@example.com/"},
            {"url": "   "},
            {"url": ""},
        ],
    )
    def test_values_are_refused(
        self, tab: SiteClient, session: Session, values: dict[str, Any]
    ) -> None:
        row = link()

        assert by_row(tab, row.id, **values).status_code == 422
        assert session.get_one(Link, row.id).version == 1


class TestSlug:
    @pytest.mark.parametrize("door", [by_row, by_form, by_script])
    def test_is_ignored_beside_other_fields(
        self, tab: SiteClient, session: Session, door: Door
    ) -> None:
        row = link(slug="fixed")

        answer = door(tab, row.id, title="New", slug="smuggled", id="7", version="9")

        assert answer.status_code in {200, 303}
        now = session.get_one(Link, row.id)
        assert (now.slug, now.title, now.version) == ("fixed", "New", 2)

    @pytest.mark.parametrize("name", ["slug", "id", "version", "created_at", "owners", "nonsense"])
    def test_is_refused_as_a_cell(self, tab: SiteClient, session: Session, name: str) -> None:
        row = link(slug="fixed", title="Old")

        answer = by_cell(tab, row.id, title="New", **{name: "smuggled"})

        assert answer.status_code == 400
        assert session.get_one(Link, row.id).title == "Old"

    def test_is_text_in_the_edit_row(self, tab: SiteClient) -> None:
        row = link(slug="fixed")

        page = tab.get(f"/admin/links/{row.id}/edit", htmx=True).text

        assert "<output>fixed</output>" in page
        assert 'name="slug"' not in page


class TestRow:
    def test_is_drawn_anew_with_a_toast(self, tab: SiteClient) -> None:
        row = link(slug="mine")

        answer = by_row(tab, row.id, title="New title")

        assert answer.text.startswith(f'<tr id="link-{row.id}"')
        assert "New title" in answer.text
        assert '"Saved mine."' in answer.headers["HX-Trigger"]

    def test_keeps_its_id_while_it_is_edited(self, tab: SiteClient) -> None:
        row = link()

        for answer in (
            tab.get(f"/admin/links/{row.id}/edit", htmx=True),
            by_row(tab, row.id, url="nonsense"),
        ):
            assert f'<tr id="link-{row.id}"' in answer.text
            assert f'hx-put="/admin/links/{row.id}"' in answer.text

    def test_comes_back_unchanged_when_cancelled(self, tab: SiteClient) -> None:
        row = link(title="As it was")

        answer = tab.get(f"/admin/links/{row.id}", htmx=True)

        assert answer.text.startswith(f'<tr id="link-{row.id}"')
        assert "As it was" in answer.text

    def test_shows_the_settled_fields_of_a_conflict_as_they_will_be(
        self, tab: SiteClient, other: SiteClient
    ) -> None:
        row = link(title="Old", description="Old")
        by_row(other, row.id, title="Theirs", description="Also theirs", row_version="1")

        answer = by_row(tab, row.id, title="Mine", description="Old", row_version="1")

        assert answer.status_code == 409
        assert ">Also theirs</textarea>" in answer.text.replace("\r\n", "")

    def test_without_htmx_leads_back_to_the_list(self, tab: SiteClient) -> None:
        answer = tab.put(f"/admin/links/{link().id}", data={"title": "New"})

        assert (answer.status_code, answer.location) == (303, "/admin/links")

    def test_without_htmx_is_the_whole_page_when_refused(self, tab: SiteClient) -> None:
        answer = tab.put(f"/admin/links/{link().id}", data={"url": "nonsense"})

        assert answer.status_code == 422
        assert "<html" in answer.text

    def test_without_htmx_leads_a_person_to_the_page(
        self, tab: SiteClient, client_as: ClientAs
    ) -> None:
        row = link()

        assert tab.get(f"/admin/links/{row.id}").location == f"/admin/links/edit/?id={row.id}"
        seen = client_as("support").get(f"/admin/links/{row.id}")
        assert seen.location == f"/admin/links/details/?id={row.id}"


class TestCell:
    @pytest.mark.parametrize(
        ("field", "value"),
        [("url", "https://example.com/new"), ("title", "New"), ("description", "New")],
    )
    def test_is_drawn_anew_after_a_save(self, tab: SiteClient, field: str, value: str) -> None:
        row = link()

        answer = by_cell(tab, row.id, **{field: value})

        assert answer.status_code == 200
        assert value.removeprefix("https://") in answer.text
        assert "<tr" not in answer.text

    @pytest.mark.parametrize("field", ["url", "title", "description"])
    def test_is_a_form_when_asked_for(self, tab: SiteClient, field: str) -> None:
        row = link()

        page = tab.get(f"/admin/links/{row.id}/cell/{field}", htmx=True).text

        assert f'name="list_form_pk" value="{row.id}"' in page
        assert 'name="row_version" value="1"' in page
        assert f'name="{field}"' in page

    @pytest.mark.parametrize("field", ["url", "title", "description"])
    def test_comes_back_when_cancelled(self, tab: SiteClient, field: str) -> None:
        row = link(description="Text", title="Text", url="https://example.com/Text")

        answer = tab.get(f"/admin/links/{row.id}/cell/{field}?cancel=1", htmx=True)

        assert answer.status_code == 200
        assert "Text" in answer.text
        assert "<form" not in answer.text

    @pytest.mark.parametrize("field", ["slug", "id", "tags", "owners", "version", "nonsense"])
    def test_of_a_column_that_is_not_editable_is_not_there(
        self, tab: SiteClient, field: str
    ) -> None:
        assert tab.get(f"/admin/links/{link().id}/cell/{field}").status_code == 404

    @pytest.mark.parametrize(
        "values", [{}, {"title": "New"}, {"list_form_pk": "1"}, {"list_form_pk": "", "title": "x"}]
    )
    def test_says_what_is_missing(self, tab: SiteClient, values: dict[str, str]) -> None:
        link()

        answer = tab.post("/admin/links/ajax/update/", data=values, headers=JSON)

        assert answer.status_code == 400
        assert answer.json is not None
        assert "list_form_pk" in answer.json["error"]["message"]

    @pytest.mark.parametrize("pk", ["abc", "1,2", "1 or 1=1", "\x00", "1.0", "-1", "9" * 40])
    def test_of_no_record_is_not_found(self, tab: SiteClient, pk: str) -> None:
        link()

        assert by_cell(tab, pk, title="New").status_code == 404

    def test_saves_several_cells_as_a_row(self, tab: SiteClient) -> None:
        row = link()

        answer = by_cell(tab, row.id, title="New", url="https://example.com/new")

        assert answer.text.startswith(f'<tr id="link-{row.id}"')

    def test_shows_several_cells_again_as_a_row(self, tab: SiteClient) -> None:
        row = link()

        answer = by_cell(tab, row.id, title="New", url="nonsense")

        assert answer.status_code == 422
        assert f'<tr id="link-{row.id}"' in answer.text
        assert 'value="nonsense"' in answer.text

    def test_answers_a_plain_post_in_plain_text(self, tab: SiteClient) -> None:
        row = tag("old")
        values = {"list_form_pk": row.id, "name": "<script>alert(1)</script>"}

        answer = tab.post("/admin/tags/ajax/update/", data=values)

        assert answer.status_code == 200
        assert answer.mimetype == "text/plain"

    def test_of_a_tag_renames_it(self, tab: SiteClient) -> None:
        row = tag("old")

        answer = tab.post(
            "/admin/tags/ajax/update/", data={"list_form_pk": row.id, "name": "new"}, htmx=True
        )

        assert answer.status_code == 200
        assert ">new<" in answer.text


class TestForm:
    def test_shows_what_is_stored(self, tab: SiteClient) -> None:
        row = link(title="As stored", tags=[tag("red"), tag("blue")])

        page = tab.get(f"/admin/links/edit/?id={row.id}").text

        assert 'value="As stored"' in page
        assert 'value="blue; red"' in page
        assert 'name="row_version" value="1"' in page

    @pytest.mark.parametrize(
        "pk", ["", "abc", "1,2", "0", "-1", "999999", "9" * 30, "1%00", "%27", "1.0"]
    )
    @pytest.mark.parametrize("page", ["edit", "details"])
    def test_of_no_record_is_not_found(self, tab: SiteClient, page: str, pk: str) -> None:
        link()

        assert tab.get(f"/admin/links/{page}/?id={pk}").status_code == 404

    def test_stays_open_when_the_button_says_so(self, tab: SiteClient) -> None:
        row = link()

        answer = by_form(tab, row.id, title="New", _continue_editing="1")

        assert (answer.status_code, answer.location) == (303, f"/admin/links/edit/?id={row.id}")

    def test_replaces_the_tags(self, tab: SiteClient, session: Session) -> None:
        row = link(tags=[tag("red"), tag("blue")])

        by_form(tab, row.id, tags=["RED", "green; yellow", ""])

        session.refresh(row)
        assert [t.name for t in row.tags] == ["green", "red", "yellow"]

    def test_without_tags_removes_them(self, tab: SiteClient, session: Session) -> None:
        row = link(tags=[tag("red")])

        by_form(tab, row.id, tags="")

        session.refresh(row)
        assert row.tags == []

    @pytest.mark.parametrize(
        ("asked", "expected"),
        [
            ("/admin/links?search=a", "/admin/links?search=a"),
            ("https://evil.example/", "/admin/links"),
            ("//evil.example", "/admin/links"),
            ("", "/admin/links"),
        ],
    )
    def test_leads_back_within_this_site(self, tab: SiteClient, asked: str, expected: str) -> None:
        answer = by_form(tab, link().id, title="New", return_to=asked)

        assert (answer.status_code, answer.location) == (303, expected)


class TestScript:
    def test_gets_the_record_after_a_save(self, tab: SiteClient) -> None:
        row = link(slug="mine")

        answer = by_script(tab, row.id, title="New", row_version=1)

        assert answer.json is not None
        assert answer.json["success"] is True
        assert answer.json["data"] == answer.json["data"] | {
            "id": row.id,
            "slug": "mine",
            "title": "New",
            "version": 2,
        }

    def test_gets_each_fields_message(self, tab: SiteClient) -> None:
        answer = by_script(tab, link().id, url="nonsense", title="x" * 300)

        assert answer.json is not None
        assert answer.json["success"] is False
        assert answer.json["error"]["fields"].keys() == {"url", "title"}

    def test_clears_the_tags_with_an_empty_list(self, tab: SiteClient, session: Session) -> None:
        row = link(tags=[tag("red")])

        by_script(tab, row.id, tags=[])

        session.refresh(row)
        assert row.tags == []

    def test_sets_several_tags(self, tab: SiteClient, session: Session) -> None:
        row = link()

        by_script(tab, row.id, tags=["red", "blue"])

        session.refresh(row)
        assert [t.name for t in row.tags] == ["blue", "red"]

    def test_empties_a_field_with_null(self, tab: SiteClient, session: Session) -> None:
        row = link(title="Old")

        by_script(tab, row.id, title=None)

        assert session.get_one(Link, row.id).title is None

    @pytest.mark.parametrize(
        "values",
        [
            {"title": True},
            {"title": 5},
            {"title": 1.5},
            {"title": {"a": 1}},
            {"title": ["one", "two"]},
            {"title": [["one"]]},
            {"url": []},
            {"tags": [1, 2]},
            {"tags": [None, True]},
            {"tags": {"a": "b"}},
            {"title": "a\x00b"},
            {"title": "\ud800"},
            {"tags": ["\ud800"]},
            {"title": "New", "row_version": True},
            {"title": "New", "row_version": 1.0},
            {"title": "New", "row_version": [1, 2]},
        ],
    )
    def test_is_told_what_is_wrong_with_a_value(
        self, tab: SiteClient, session: Session, values: dict[str, Any]
    ) -> None:
        row = link(title="Old")

        answer = by_script(tab, row.id, **values)

        assert answer.status_code in {400, 422}
        assert answer.json is not None
        assert answer.json["error"]["message"]
        assert session.get_one(Link, row.id).version == 1

    @pytest.mark.parametrize(
        "body",
        ["", "{", "[]", "null", "1", '"text"', "[1,2]", "{'a':1}", "\x00", "[" * 5000, "NaN"],
    )
    @pytest.mark.parametrize("verb", ["PUT", "POST"])
    def test_is_told_that_the_body_is_no_object(
        self, tab: SiteClient, verb: str, body: str
    ) -> None:
        path = f"/admin/links/{link().id}" if verb == "PUT" else "/admin/links"

        answer = tab.open(
            path, method=verb, data=body, content_type="application/json", headers=JSON
        )

        assert answer.status_code == 400
        assert answer.json is not None
        assert answer.json["success"] is False

    def test_is_told_when_the_body_is_no_text(self, tab: SiteClient) -> None:
        answer = tab.put(
            f"/admin/links/{link().id}",
            data=b'{"title": "\xff"}',
            content_type="application/json",
            headers=JSON,
        )

        assert answer.status_code == 400
        assert answer.is_json

    def test_reads_a_record(self, client_as: ClientAs) -> None:
        row = link(slug="mine")

        answer = client_as("support").get(f"/admin/links/{row.id}", headers=JSON)

        assert answer.json is not None
        assert answer.json["data"]["slug"] == "mine"


def test_a_keyword_is_edited_like_a_link(tab: SiteClient, session: Session) -> None:
    row = keyword(keyword="jira")

    answer = tab.put(
        f"/admin/keywords/{row.id}",
        data={"url_template": "https://example.com/{slug}/x", "keyword": "smuggled"},
        htmx=True,
    )

    assert answer.text.startswith(f'<tr id="keyword-{row.id}"')
    session.refresh(row)
    assert (row.keyword, row.url_template) == ("jira", "https://example.com/{slug}/x")


def test_an_owner_of_the_link_need_not_be_staff(tab: SiteClient) -> None:
    row = link(owner=person("Member"))

    assert "Member" in by_row(tab, row.id, title="New").text


@pytest.mark.parametrize("body", [{"title": "\ud800"}, {"\ud800": "1"}])
def test_half_a_character_is_refused_in_every_form(
    client_as: Callable[[str], SiteClient], body: dict[str, str]
) -> None:
    row = link()

    answer = client_as("admin").put(f"/admin/links/{row.id}", json=body)

    assert answer.status_code == 400


def test_a_form_of_a_deleted_record_saves_onto_no_other(
    client_as: Callable[[str], SiteClient],
) -> None:
    tab, key = client_as("admin"), link().id
    tab.delete(f"/admin/links/{key}")
    tab.post("/admin/links/new/", data={"slug": "next", "url": "https://next.example/"})

    answer = tab.put(f"/admin/links/{key}", data={"url": "https://a.example/"}, htmx=True)

    assert answer.status_code == 404
