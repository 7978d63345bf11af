"""Row rules: what cannot be done to a row is said before anybody tries, and refused then."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from sqlalchemy.orm import Session

from adminsite.errors import RuleError
from adminsite.kit import ResourceView
from adminsite.models import Keyword
from adminsite.operations import keywords
from tests.client import SiteClient
from tests.kit.conftest import Declare
from tests.lists import Listed, ask
from tests.rows import keyword, link, tag

ClientAs = Callable[[str], SiteClient]
JSON = {"Accept": "application/json"}
URL = "/admin/keywords"
TEMPLATE = "https://example.com/{slug}"
VALUES = {"url_template": TEMPLATE, "description": "Typed <by hand>", "row_version": "1"}
WHY = 'It is "kept" <for now>.'
SHOWN = "It is &#34;kept&#34; &lt;for now&gt;."


@pytest.fixture
def tab(client_as: ClientAs) -> SiteClient:
    return client_as("admin")


@pytest.fixture
def ruled(declare: Declare) -> Keyword:
    """A keyword whose description nobody changes, and that nobody deletes; the view knows why."""

    def refusals(
        _view: ResourceView, records: Sequence[Any], _person: object
    ) -> Mapping[Any, Mapping[str, str]]:
        kept = [row.id for row in records if row.keyword == "kept"]
        return {key: {"description": WHY, "delete": WHY} for key in kept}

    def objection(_view: ResourceView, verb: str, row: Any, _person: object) -> str | None:
        return WHY if verb == "delete" and row.keyword == "kept" else None

    declare("keywords", refusals=refusals, objection=objection, row_actions="ruled_actions")
    return keyword(keyword="kept", description="Old")


class TestRow:
    def test_shows_the_value_with_the_reason_in_place_of_the_control(
        self, tab: SiteClient, ruled: Keyword
    ) -> None:
        row = ask(tab, URL).row(ruled.id)

        assert 'data-cell="description"' not in row
        assert f'class="refused" tabindex="0" data-tip="{SHOWN}">Old' in row
        assert f'<span class="sr-only">{SHOWN}</span>' in row
        assert 'data-cell="url_template"' in row

    def test_disables_the_delete_control_and_names_the_reason(
        self, tab: SiteClient, ruled: Keyword
    ) -> None:
        row = ask(tab, URL).row(ruled.id)

        assert f"{URL}/{ruled.id}/delete" not in row
        assert f'aria-disabled="true" data-action="delete" data-tip="{SHOWN}"' in row
        assert f'aria-label="Delete kept: {SHOWN}"' in row

    def test_of_others_is_as_ever(self, tab: SiteClient, ruled: Keyword) -> None:
        other = keyword()

        row = ask(tab, URL).row(other.id)

        assert 'data-cell="description"' in row
        assert f'href="{URL}/{other.id}/delete"' in row
        assert "refused" not in row

    def test_is_drawn_alike_alone(self, tab: SiteClient, ruled: Keyword) -> None:
        in_the_list = ask(tab, URL).row(ruled.id)

        alone = Listed(tab.get(f"{URL}/{ruled.id}", htmx=True)).row(ruled.id)

        assert alone == in_the_list

    def test_is_drawn_alike_after_another_cell_was_saved(
        self, tab: SiteClient, ruled: Keyword
    ) -> None:
        cell = tab.get(f"{URL}/{ruled.id}/cell/description?cancel=1", htmx=True).text

        assert f'data-tip="{SHOWN}">Old' in cell
        assert "<button" not in cell

    def test_says_nothing_to_whom_nothing_is_offered(
        self, client_as: ClientAs, ruled: Keyword
    ) -> None:
        row = ask(client_as("support"), URL).row(ruled.id)

        assert SHOWN not in row
        assert "Old" in row

    def test_without_a_reason_is_not_even_offered(
        self, tab: SiteClient, ruled: Keyword, declare: Declare
    ) -> None:
        declare("keywords", refusals=lambda *_asked: {ruled.id: {"delete": ""}})

        row = ask(tab, URL).row(ruled.id)

        assert 'data-action="delete"' not in row
        assert 'data-action="edit"' in row


class TestDoors:
    """Where the view knows a reason, no form opens that would lead to a refusal."""

    def test_no_cell_opens(self, tab: SiteClient, ruled: Keyword) -> None:
        answer = tab.get(f"{URL}/{ruled.id}/cell/description", htmx=True)

        assert answer.status_code == 400
        assert "<form" not in answer.text

    @pytest.mark.parametrize("htmx", [True, False])
    def test_no_question_is_asked(self, tab: SiteClient, ruled: Keyword, *, htmx: bool) -> None:
        answer = tab.get(f"{URL}/{ruled.id}/delete", htmx=htmx)

        assert answer.status_code == 400
        assert SHOWN in answer.text
        assert "data-confirm" not in answer.text.split("<main")[-1].split("</main>")[0]

    def test_the_form_has_a_disabled_delete_control(self, tab: SiteClient, ruled: Keyword) -> None:
        page = tab.get(f"{URL}/edit/?id={ruled.id}").text

        assert f"{URL}/{ruled.id}/delete" not in page
        assert f'aria-disabled="true" data-action="delete" data-tip="{SHOWN}"' in page

    def test_a_preview_counts_it_as_refused(self, tab: SiteClient, ruled: Keyword) -> None:
        other = keyword(keyword="other")
        data = {"action": "delete", "rowid": f"{ruled.id},{other.id}"}

        dialog = tab.post(f"{URL}/action/preview", data=data, htmx=True).text

        assert "1 changes, 1 refused." in dialog
        assert f"<li><strong>kept</strong>: {SHOWN}</li>" in dialog
        assert f'name="rowid" value="{other.id}"' in dialog


class TestFields:
    """A form shows what is ruled, closed, with the reason beside it."""

    def test_are_closed_in_the_form(self, tab: SiteClient, ruled: Keyword) -> None:
        page = tab.get(f"{URL}/edit/?id={ruled.id}").text

        control = page.split('id="description"')[0].rpartition("<")[2]
        assert "disabled" in control
        assert f'id="description-help">{SHOWN}</p>' in page

    def test_are_closed_in_the_row(self, tab: SiteClient, ruled: Keyword) -> None:
        row = tab.get(f"{URL}/{ruled.id}/edit", htmx=True).text

        control = row.split('id="description"')[0].rpartition("<")[2]
        assert "disabled" in control
        assert f'id="description-help">{SHOWN}</p>' in row

    @pytest.mark.parametrize("door", ["form", "row"])
    def test_stay_closed_with_their_value_when_another_was_refused(
        self, tab: SiteClient, ruled: Keyword, door: str
    ) -> None:
        values = {"url_template": "nonsense", "row_version": "1"}

        answer = (
            tab.put(f"{URL}/{ruled.id}", data=values, htmx=True)
            if door == "row"
            else tab.post(f"{URL}/edit/?id={ruled.id}", data=values)
        )

        assert answer.status_code == 422
        assert f'id="description-help">{SHOWN}</p>' in answer.text
        assert ">Old</textarea>" in answer.text.replace("\r\n", "")


@pytest.mark.parametrize("how", ["row", "page"])
def test_what_was_not_sent_is_shown_as_stored(tab: SiteClient, how: str) -> None:
    row = link(title="Stays", description="So does this", tags=[tag("red"), tag("blue")])

    answer = tab.put(f"/admin/links/{row.id}", data={"url": "nonsense"}, htmx=how == "row")

    assert answer.status_code == 422
    assert 'value="Stays"' in answer.text
    assert "So does this</textarea>" in answer.text
    assert how == "row" or 'value="blue; red"' in answer.text


class TestRefusalOfTheRecord:
    """A rule that is about no field: what was typed is shown again, with the sentence."""

    @pytest.fixture
    def stubborn(self, monkeypatch: pytest.MonkeyPatch) -> Keyword:
        def update(*_asked: object, **_how: object) -> None:
            raise RuleError("Not on a Sunday.")

        row = keyword(keyword="sunday", description="Old")
        monkeypatch.setattr(keywords, "update", update)
        return row

    def test_shows_the_form_again(self, tab: SiteClient, stubborn: Keyword) -> None:
        answer = tab.post(f"{URL}/edit/?id={stubborn.id}", data=VALUES)

        assert answer.status_code == 400
        assert "<h1>sunday</h1>" in answer.text
        assert 'role="alert"' in answer.text
        assert "<p>Not on a Sunday.</p>" in answer.text
        assert "Typed &lt;by hand&gt;</textarea>" in answer.text
        assert 'name="row_version" value="1"' in answer.text

    def test_shows_it_where_to_go_back_to(self, tab: SiteClient, stubborn: Keyword) -> None:
        back = {"return_to": f"{URL}?search=sun"}

        answer = tab.post(f"{URL}/edit/?id={stubborn.id}", data={**VALUES, **back})

        assert f'name="return_to" value="{URL}?search=sun"' in answer.text

    def test_shows_the_form_after_a_plain_put(self, tab: SiteClient, stubborn: Keyword) -> None:
        answer = tab.put(f"{URL}/{stubborn.id}", data=VALUES)

        assert answer.status_code == 400
        assert "Typed &lt;by hand&gt;</textarea>" in answer.text

    def test_leaves_the_row_as_it_is_typed(self, tab: SiteClient, stubborn: Keyword) -> None:
        answer = tab.put(f"{URL}/{stubborn.id}", data=VALUES, htmx=True)

        assert answer.status_code == 400
        assert answer.headers["HX-Reswap"] == "none"
        assert "Not on a Sunday." in answer.headers["HX-Trigger"]

    def test_tells_a_script(self, tab: SiteClient, stubborn: Keyword) -> None:
        answer = tab.put(f"{URL}/{stubborn.id}", json=VALUES, headers=JSON)

        assert answer.status_code == 400
        assert answer.json == {
            "success": False,
            "error": {"message": "Not on a Sunday.", "fields": {}},
        }

    def test_of_a_new_record_shows_the_form_again(
        self, tab: SiteClient, session: Session, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def create(*_asked: object, **_how: object) -> None:
            raise RuleError("Not on a Sunday.")

        monkeypatch.setattr(keywords, "create", create)
        values = {"keyword": "typed", "url_template": TEMPLATE}

        page = tab.post(f"{URL}/new/", data=values)
        dialog = tab.post(URL, data=values, htmx=True)

        assert (page.status_code, dialog.status_code) == (400, 400)
        for answer in (page, dialog):
            assert "<p>Not on a Sunday.</p>" in answer.text
            assert 'value="typed"' in answer.text
        assert dialog.headers["HX-Retarget"] == "#dialog"
