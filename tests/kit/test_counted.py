"""What a list says of its pages where it counts them, and what a bulk action would do."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session

from adminsite.errors import RuleError
from adminsite.kit.bulk import BulkAction
from adminsite.models import Keyword
from adminsite.operations import keywords
from adminsite.permissions import Permission
from tests.client import SiteClient
from tests.kit.conftest import Declare, Fill
from tests.lists import ask, text_of, walk
from tests.rows import keyword

ClientAs = Callable[[str], SiteClient]
URL = "/admin/keywords"


@pytest.fixture
def tab(client_as: ClientAs) -> SiteClient:
    return client_as("admin")


class TestCountedPages:
    @pytest.fixture(autouse=True)
    def counted(self, declare: Declare) -> None:
        declare("keywords", counts_pages=True)

    def test_say_where_they_stand(self, tab: SiteClient, fill: Fill) -> None:
        fill(Keyword, 45)

        told = [text_of(page.text) for page in walk(tab, f"{URL}?page_size=20")]

        for words, rows, number in zip(
            told, ("1 to 20", "21 to 40", "41 to 45"), "123", strict=True
        ):
            assert f"Showing {rows} of 45 " in words
            assert f"Page {number} of 3" in words

    def test_say_so_on_the_way_back(self, tab: SiteClient, fill: Fill) -> None:
        fill(Keyword, 45)
        *_pages, last = walk(tab, f"{URL}?page_size=20")

        back = ask(tab, last.prev or "")

        assert "Showing 21 to 40 of 45" in text_of(back.text)
        assert "Page 2 of 3" in text_of(back.text)

    def test_have_no_controls_where_there_is_one(self, tab: SiteClient, fill: Fill) -> None:
        fill(Keyword, 20)

        page = ask(tab, f"{URL}?page_size=20").text

        assert "Showing 1 to 20 of 20" in text_of(page)
        for control in ("page-prev", "page-next", "Page 1"):
            assert control not in page

    def test_are_told_late_where_there_are_many(self, tab: SiteClient, fill: Fill) -> None:
        fill(Keyword, 1001)
        page = ask(tab, f"{URL}?page_size=200")

        late = tab.get(page.count_url or "", htmx=True).text

        assert "of more than 1,000" in text_of(page.text)
        assert '<span id="paging-of" hx-swap-oob="true">of 1,001</span>' in late
        assert '<span id="paging-pages" hx-swap-oob="true">Page 1 of 6</span>' in late

    def test_of_an_empty_list_say_nothing(self, tab: SiteClient) -> None:
        assert "Showing" not in ask(tab, URL).text


def test_lists_that_count_no_pages_say_which_rows(tab: SiteClient, fill: Fill) -> None:
    fill(Keyword, 25)

    page = ask(tab, f"{URL}?page_size=20").text

    assert "Showing 1–20" in text_of(page)
    assert "Page 1" not in page


class TestOutcome:
    """ "2 change, 1 already so, 1 refused." """

    @pytest.fixture(autouse=True)
    def marking(self, declare: Declare) -> None:
        def apply(row: Keyword, *, by: Any) -> None:
            if row.keyword.startswith("no"):
                raise RuleError("Not this one.")
            keywords.update(row, {"description": "marked"}, by=by)

        def refused(row: Keyword, _person: Any) -> str | None:
            return "Not <this> one." if row.keyword.startswith("no") else None

        action = BulkAction(
            name="mark",
            label="Mark",
            icon="check",
            verb="edit",
            apply=apply,
            refused=refused,
            settled=lambda row: row.description == "marked",
            warning="This is seen by all.",
            done="Marked",
        )
        reserved = BulkAction(
            name="own",
            label="Own",
            icon="check",
            verb="edit",
            apply=apply,
            permission=Permission.STAFF_WRITE,
            done="Owned",
        )
        declare("keywords", bulk_actions=(action, reserved))

    def preview(self, tab: SiteClient, rows: list[Keyword], name: str = "mark") -> str:
        data = {"action": name, "rowid": ",".join(str(row.id) for row in rows)}
        return tab.post(f"{URL}/action/preview", data=data, htmx=True).text

    def test_is_told_in_three_counts(self, tab: SiteClient) -> None:
        change = [keyword(), keyword()]
        settled, refused = keyword(description="marked"), keyword(keyword="no-1")

        dialog = self.preview(tab, [*change, settled, refused])

        told = text_of(dialog)
        assert "Mark 2 keywords?" in told
        assert "2 change, 1 already so, 1 refused." in told
        assert "no-1: Not <this> one." in told
        assert "This is seen by all." in told
        assert f'name="rowid" value="{change[0].id},{change[1].id}"' in dialog

    def test_is_told_in_none_where_all_change(self, tab: SiteClient) -> None:
        told = text_of(self.preview(tab, [keyword(), keyword()]))

        assert "Mark 2 keywords?" in told
        assert "already so" not in told
        assert "2 change" not in told

    def test_of_nothing_has_nothing_to_confirm(self, tab: SiteClient) -> None:
        dialog = self.preview(tab, [keyword(keyword="no-1"), keyword(description="marked")])

        assert "Mark: nothing to do" in text_of(dialog)
        assert "data-confirm" not in dialog
        assert "This is seen by all." not in dialog

    def test_is_what_is_done(self, tab: SiteClient, session: Session) -> None:
        rows = [keyword(), keyword()]

        data = {"action": "mark", "rowid": ",".join(str(row.id) for row in rows)}
        answer = tab.post(f"{URL}/action/", data=data, htmx=True)

        assert '"Marked 2 keywords."' in answer.headers["HX-Trigger"]
        assert [session.get_one(Keyword, row.id).description for row in rows] == ["marked"] * 2

    def test_is_counted_for_a_script(self, tab: SiteClient) -> None:
        data = {"action": "mark", "rowid": f"{keyword().id},{keyword().id}"}

        answer = tab.post(f"{URL}/action/", data=data, headers={"Accept": "application/json"})

        assert answer.json == {"success": True, "data": {"count": 2}}

    def test_is_refused_by_the_operation_as_the_preview_said(
        self, tab: SiteClient, session: Session
    ) -> None:
        rows = [keyword(), keyword(keyword="no-1")]

        data = {"action": "mark", "rowid": ",".join(str(row.id) for row in rows)}
        answer = tab.post(f"{URL}/action/", data=data, htmx=True)

        assert answer.status_code == 400
        assert "no-1: Not this one. Nothing was changed." in answer.headers["HX-Trigger"]
        assert session.get_one(Keyword, rows[0].id).description != "marked"

    def test_of_an_action_for_others_is_not_offered(self, client_as: ClientAs) -> None:
        row = keyword()

        assert 'value="own"' not in client_as("admin").get(URL).text
        assert 'value="own"' in client_as("owner").get(URL).text
        assert "no action called" in self.preview(client_as("admin"), [row], "own")
