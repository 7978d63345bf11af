"""Making and deleting records from lists, forms and scripts."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from adminsite.models import AuditEvent, Keyword, Link, LinkOwner, LinkTag, Tag, User
from tests.client import SiteClient
from tests.rows import keyword, link, person, tag

ClientAs = Callable[[str], SiteClient]
JSON = {"Accept": "application/json"}
WORD = {"keyword": "jira", "url_template": "https://jira.example.com/{slug}"}
LINK = {"slug": "jira", "url": "https://jira.example.com/"}


@pytest.fixture
def tab(client_as: ClientAs) -> SiteClient:
    return client_as("admin")


def count(session: Session, model: Any) -> int:
    return session.scalar(select(func.count()).select_from(model)) or 0


def actions(session: Session) -> list[str]:
    made = select(AuditEvent.action).order_by(AuditEvent.id)
    return [name for name in session.scalars(made) if not name.startswith("session.")]


class TestCreate:
    def test_answers_htmx_with_the_list_and_a_toast(
        self, tab: SiteClient, session: Session
    ) -> None:
        answer = tab.post("/admin/keywords", data={**WORD, "description": "Tickets"}, htmx=True)

        assert answer.status_code == 200
        row = session.scalars(select(Keyword)).one()
        assert '<section id="list"' in answer.text
        assert f'id="keyword-{row.id}"' in answer.text
        assert '"Created jira."' in answer.headers["HX-Trigger"]

    def test_records_one_event(self, tab: SiteClient, session: Session) -> None:
        answer = tab.post("/admin/keywords", data=WORD, htmx=True)

        event = session.scalars(
            select(AuditEvent).where(AuditEvent.action == "keyword.created")
        ).one()
        assert event.changes["keyword"] == [None, "jira"]
        assert event.request_id == answer.headers["X-Request-ID"]

    @pytest.mark.parametrize(
        "path", ["/admin/keywords", "/admin/keywords/", "/admin/keywords/new/"]
    )
    def test_leads_a_plain_form_to_the_list(self, tab: SiteClient, path: str) -> None:
        answer = tab.post(path, data=WORD)

        assert (answer.status_code, answer.location) == (303, "/admin/keywords")

    def test_answers_a_script_with_the_record(self, tab: SiteClient) -> None:
        answer = tab.post("/admin/keywords", json=WORD, headers=JSON)

        assert answer.status_code == 201
        assert answer.json is not None
        assert answer.json["data"] == answer.json["data"] | WORD

    @pytest.mark.parametrize(
        ("values", "field", "sentence"),
        [
            ({**WORD, "keyword": ""}, "keyword", "Give a keyword"),
            ({**WORD, "keyword": "Not Small"}, "keyword", "lower-case letters"),
            ({**WORD, "url_template": ""}, "url_template", "Give a URL"),
            (
                {**WORD, "url_template": "https://example.com/"},
                "url_template",
                "must contain {slug}",
            ),
            ({"keyword": "jira"}, "url_template", "Give a URL"),
            ({**WORD, "description": "x" * 2001}, "description", "2,000 is the limit"),
        ],
    )
    def test_shows_the_form_again_with_what_is_wrong(
        self, tab: SiteClient, session: Session, values: dict[str, str], field: str, sentence: str
    ) -> None:
        answer = tab.post("/admin/keywords", data=values, htmx=True)

        assert answer.status_code == 422
        assert (answer.headers["HX-Retarget"], answer.headers["HX-Reswap"]) == (
            "#dialog",
            "innerHTML",
        )
        assert f'id="{field}-error"' in answer.text
        assert sentence in answer.text
        assert (count(session, Keyword), actions(session)) == (0, [])

    def test_keeps_what_was_typed(self, tab: SiteClient) -> None:
        values = {
            "keyword": "Not <b>",
            "url_template": "https://x.example/{slug}",
            "description": "D",
        }

        answer = tab.post("/admin/keywords", data=values, htmx=True)

        assert 'value="Not &lt;b&gt;"' in answer.text
        assert 'value="https://x.example/{slug}"' in answer.text

    def test_refuses_a_keyword_that_is_taken(self, tab: SiteClient, session: Session) -> None:
        keyword(keyword="jira")

        answer = tab.post("/admin/keywords", data=WORD, htmx=True)

        assert answer.status_code == 422
        assert "A keyword called `jira` exists" in answer.text
        assert count(session, Keyword) == 1

    def test_names_each_field_to_a_script(self, tab: SiteClient) -> None:
        answer = tab.post("/admin/links", json={"slug": "Not Small", "url": "x"}, headers=JSON)

        assert answer.status_code == 422
        assert answer.json is not None
        assert answer.json["error"]["fields"].keys() == {"slug", "url"}

    def test_offers_an_empty_form_in_a_dialog_or_on_a_page(self, tab: SiteClient) -> None:
        dialog = tab.get("/admin/keywords/new/", htmx=True).text
        page = tab.get("/admin/keywords/new/").text

        assert '<dialog class="modal"' in dialog
        assert "<html" not in dialog
        assert "<html" in page

    @pytest.mark.parametrize("slug", ["admin", "api", "-a", "A", "a b", "a/b", "é", "a" * 101, ""])
    def test_refuses_slugs_that_lead_nowhere(
        self, tab: SiteClient, session: Session, slug: str
    ) -> None:
        answer = tab.post("/admin/links", data={**LINK, "slug": slug})

        assert (answer.status_code, count(session, Link)) == (422, 0)

    def test_of_a_link_makes_one_its_owner(
        self, tab: SiteClient, session: Session, admin: User
    ) -> None:
        tab.post("/admin/links", data=LINK)

        share = session.scalars(select(LinkOwner)).one()
        assert (share.user_id, share.is_primary) == (admin.id, True)

    @pytest.mark.parametrize("by", ["id", "email"])
    def test_of_a_link_takes_an_owner(self, tab: SiteClient, session: Session, by: str) -> None:
        alice = person("Alice", email="Alice@Example.com")
        owner = str(alice.id) if by == "id" else " alice@example.com "

        tab.post("/admin/links", data={**LINK, "owners": owner})

        assert session.scalars(select(LinkOwner.user_id)).one() == alice.id

    @pytest.mark.parametrize(
        "owner",
        ["00000000-0000-4000-8000-000000000000", "nobody@example.com", "\x00", "Alice"],
    )
    def test_of_a_link_refuses_an_owner_who_is_nobody(
        self, tab: SiteClient, session: Session, owner: str
    ) -> None:
        answer = tab.post("/admin/links", json={**LINK, "owners": owner}, headers=JSON)

        assert (answer.status_code, count(session, Link)) == (422, 0)
        assert answer.json is not None
        assert answer.json["error"]["fields"].keys() == {"owners"}

    def test_of_a_link_makes_new_tags(self, tab: SiteClient, session: Session) -> None:
        tag("Red")

        tab.post("/admin/links", data={**LINK, "tags": ["red", "blue; green"]})

        assert sorted(session.scalars(select(Tag.name))) == ["Red", "blue", "green"]
        assert count(session, LinkTag) == 3

    def test_of_a_tag_refuses_a_name_that_folds_to_another(self, tab: SiteClient) -> None:
        tag("Straße")

        answer = tab.post("/admin/tags", data={"name": "STRASSE"}, htmx=True)

        assert answer.status_code == 422
        assert "A tag called `Straße` exists (0 links)" in answer.text

    def test_continues_where_the_button_says(self, tab: SiteClient, session: Session) -> None:
        another = tab.post("/admin/links/new/", data={**LINK, "_add_another": "1"})
        stay = tab.post("/admin/links/new/", data={**LINK, "slug": "b", "_continue_editing": "1"})

        row = session.scalars(select(Link).where(Link.slug == "b")).one()
        assert another.location == "/admin/links/new/"
        assert stay.location == f"/admin/links/edit/?id={row.id}"


class TestDelete:
    def test_leaves_nothing_and_says_so(self, tab: SiteClient, session: Session) -> None:
        row = link(slug="mine", co_owners=[person()], tags=[tag("red")])

        answer = tab.delete(f"/admin/links/{row.id}", htmx=True)

        assert (answer.status_code, answer.text) == (200, "")
        said = json.loads(answer.headers["HX-Trigger"])
        assert said == {"toast": {"message": "Deleted mine.", "level": "success"}}
        assert [count(session, model) for model in (Link, LinkOwner, LinkTag)] == [0, 0, 0]
        assert count(session, Tag) == 1

    def test_records_what_there_was(self, tab: SiteClient, session: Session) -> None:
        alice = person("Alice", email="alice@example.com")
        row = link(slug="mine", owner=alice, tags=[tag("red")], description="D")

        tab.delete(f"/admin/links/{row.id}", htmx=True)

        event = session.scalars(select(AuditEvent).where(AuditEvent.action == "link.deleted")).one()
        assert event.subject_label == "mine"
        assert event.changes == {
            "slug": ["mine", None],
            "url": ["https://example.com/mine", None],
            "title": ["Title of mine", None],
            "description": ["D", None],
            "tags": [["red"], None],
            "owners": [["alice@example.com"], None],
        }

    @pytest.mark.parametrize("pk", ["999999", "0", "9" * 30])
    def test_of_no_record_is_not_found(self, tab: SiteClient, pk: str) -> None:
        assert tab.delete(f"/admin/links/{pk}", htmx=True).status_code == 404
        assert tab.get(f"/admin/links/{pk}/delete", htmx=True).status_code == 404
        assert tab.post("/admin/links/delete/", data={"id": pk}).status_code == 404

    def test_twice_is_not_found(self, tab: SiteClient, session: Session) -> None:
        path = f"/admin/keywords/{keyword().id}"
        tab.delete(path)

        assert tab.delete(path, htmx=True).status_code == 404
        assert actions(session) == ["keyword.deleted"]

    def test_by_a_plain_form_leads_to_the_list(self, tab: SiteClient, session: Session) -> None:
        row = keyword()

        answer = tab.post("/admin/keywords/delete/", data={"id": row.id})

        assert (answer.status_code, answer.location) == (303, "/admin/keywords")
        assert count(session, Keyword) == 0

    def test_by_a_script_is_answered_in_json(self, tab: SiteClient) -> None:
        answer = tab.delete(f"/admin/links/{link().id}", headers=JSON)

        assert answer.json is not None
        assert answer.json["success"] is True

    def test_takes_the_record_from_the_form_alone(self, tab: SiteClient, session: Session) -> None:
        row = link()

        answer = tab.post(f"/admin/links/delete/?id={row.id}", data={})

        assert (answer.status_code, count(session, Link)) == (404, 1)

    def test_asks_first_with_slug_url_and_warning(self, tab: SiteClient) -> None:
        row = link(slug="mine", url="https://example.com/where")

        dialog = tab.get(f"/admin/links/{row.id}/delete", htmx=True).text

        assert '<dialog class="modal"' in dialog
        for said in (
            "Delete mine?",
            "https://example.com/where",
            "This is permanent, and removes all its ownership and tag associations.",
            f'hx-delete="/admin/links/{row.id}"',
            f'hx-target="#link-{row.id}"',
            "data-confirm",
            "data-dismiss",
        ):
            assert said in dialog

    def test_of_a_tag_leaves_its_links(self, tab: SiteClient, session: Session) -> None:
        red = tag("red")
        row = link(tags=[red])

        tab.delete(f"/admin/tags/{red.id}", htmx=True)

        session.refresh(row)
        assert row.tags == []
        assert actions(session) == ["tag.deleted"]

    def test_of_a_tag_says_how_many_links_lose_it(self, tab: SiteClient) -> None:
        red = tag("red")
        link(tags=[red])

        dialog = tab.get(f"/admin/tags/{red.id}/delete", htmx=True).text

        assert "Links that carry it" in dialog
        assert "The links stay; they lose this tag." in dialog
