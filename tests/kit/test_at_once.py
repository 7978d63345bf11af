"""Cells that are controls: a select or a switch saves as soon as it is used."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse
from wtforms import SelectField

from adminsite.models import Keyword
from tests.client import SiteClient
from tests.kit.conftest import Declare
from tests.lists import Listed, ask
from tests.rows import keyword

ClientAs = Callable[[str], SiteClient]
JSON = {"Accept": "application/json"}
URL = "/admin/keywords"
WORDS = (("open", "Open"), ("closed", "Closed"))
ASKED = "Close {label}? Nobody gets in any more."


@pytest.fixture
def tab(client_as: ClientAs) -> SiteClient:
    return client_as("admin")


@pytest.fixture(params=["select", "switch"])
def kind(request: pytest.FixtureRequest, declare: Declare) -> str:
    """The kind of the description's cells."""
    choose(declare, request.param)
    return str(request.param)


def choose(declare: Declare, kind: str, **more: Any) -> None:
    declare(
        "keywords",
        column_kinds={"description": kind},
        column_choices={"description": WORDS},
        column_asks={"description": ASKED},
        form_extra_fields={
            "description": SelectField("State", choices=list(WORDS), validate_choice=False)
        },
        form_overrides={},
        **more,
    )


def use(tab: SiteClient, row: Keyword, word: str, **values: str) -> TestResponse:
    data = {"list_form_pk": str(row.id), "description": word, **values}
    return tab.post(f"{URL}/ajax/update/", data=data, htmx=True)


class TestControl:
    def test_of_a_select_offers_every_word(self, tab: SiteClient, declare: Declare) -> None:
        choose(declare, "select")
        row = keyword(keyword="door", description="closed")

        cell = ask(tab, URL).row(row.id)

        assert re.findall(r'<option value="(\w+)"( selected)?>(\w+)', cell) == [
            ("open", "", "Open"),
            ("closed", " selected", "Closed"),
        ]
        assert f'aria-label="Description of {row.keyword}"' in cell

    @pytest.mark.parametrize(
        ("stored", "on", "sends", "asks"),
        [("open", "true", "closed", True), ("closed", "false", "open", False)],
    )
    def test_of_a_switch_sends_the_other_word(  # noqa: PLR0913 - one for each parameter
        self, tab: SiteClient, declare: Declare, stored: str, on: str, sends: str, *, asks: bool
    ) -> None:
        choose(declare, "switch")
        row = keyword(keyword="door", description=stored)

        cell = ask(tab, URL).row(row.id)

        assert f'role="switch" aria-checked="{on}"' in cell
        assert f'"description": "{sends}"' in cell
        assert ("hx-confirm" in cell) == asks

    def test_asks_with_the_name_of_the_row(self, tab: SiteClient, kind: str) -> None:
        row = keyword(keyword="door", description="open")

        cell = ask(tab, URL).row(row.id)

        assert 'hx-confirm="Close door? Nobody gets in any more."' in cell

    def test_sends_the_version_it_was_drawn_from(self, tab: SiteClient, kind: str) -> None:
        row = keyword(description="open")
        use(tab, row, "closed")

        cell = ask(tab, URL).row(row.id)

        assert f'"list_form_pk": "{row.id}", "row_version": "2"' in cell

    def test_is_a_badge_for_whom_it_is_not(self, client_as: ClientAs, kind: str) -> None:
        row = keyword(description="open")

        cell = ask(client_as("support"), URL).row(row.id)

        assert '<span class="badge" data-word="open">open</span>' in cell
        for markup in ("<select", "<button", "hx-post"):
            assert markup not in cell

    def test_is_a_badge_with_the_reason_where_a_rule_refuses(
        self, tab: SiteClient, kind: str, declare: Declare
    ) -> None:
        row = keyword(description="open")
        ruled = {row.id: {"description": "Not on a Sunday."}}

        def refusals(*_asked: object) -> Mapping[Any, Mapping[str, str]]:
            return ruled

        declare("keywords", refusals=refusals)

        cell = ask(tab, URL).row(row.id)

        assert "hx-post" not in cell.split('class="cell-')[3]
        assert 'data-tip="Not on a Sunday."><span class="badge" data-word="open">' in cell


class TestUse:
    def test_saves_and_draws_the_cell_anew(
        self, tab: SiteClient, session: Session, kind: str
    ) -> None:
        row = keyword(keyword="door", description="open")

        answer = use(tab, row, "closed", row_version="1")

        assert answer.status_code == 200
        assert '"Saved door."' in answer.headers["HX-Trigger"]
        assert '"row_version": "2"' in answer.text
        assert ("<select" in answer.text) == (kind == "select")
        assert session.get_one(Keyword, row.id).description == "closed"

    def test_draws_the_list_anew_where_rules_span_rows(
        self, tab: SiteClient, declare: Declare
    ) -> None:
        choose(declare, "select", rules_span_rows=True)
        rows = [keyword(description="open") for _ in range(3)]

        answer = use(tab, rows[0], "closed")

        assert (answer.headers["HX-Retarget"], answer.headers["HX-Reswap"]) == (
            "#list",
            "outerHTML",
        )
        assert len(Listed(answer).ids) == 3

    @pytest.mark.parametrize("here", ["http://[", "http://x/?created_at=zzz", "?search=door", ""])
    def test_draws_the_list_from_any_address(
        self, tab: SiteClient, declare: Declare, here: str
    ) -> None:
        choose(declare, "select", rules_span_rows=True)
        row = keyword(keyword="door", description="open")

        answer = tab.post(
            f"{URL}/ajax/update/",
            data={"list_form_pk": str(row.id), "description": "closed"},
            headers={"HX-Current-URL": here},
            htmx=True,
        )

        assert Listed(answer).ids == [row.id]

    def test_draws_the_row_anew_where_the_column_rules_it(
        self, tab: SiteClient, declare: Declare
    ) -> None:
        choose(declare, "select", ruling_columns=("description",))
        row = keyword(description="open")

        answer = use(tab, row, "closed")

        assert answer.headers["HX-Retarget"] == f"#keyword-{row.id}"
        assert Listed(answer).ids == [row.id]

    @pytest.mark.parametrize("htmx", [True, False])
    def test_of_no_word_is_refused(
        self, tab: SiteClient, session: Session, kind: str, *, htmx: bool
    ) -> None:
        row = keyword(description="open")

        answer = tab.post(
            f"{URL}/ajax/update/",
            data={"list_form_pk": str(row.id), "description": ""},
            htmx=htmx,
        )

        assert answer.status_code == 422
        assert "Choose one." in answer.text
        assert session.get_one(Keyword, row.id).description == "open"

    def test_of_an_old_version_is_a_conflict(
        self, tab: SiteClient, client_as: ClientAs, session: Session, kind: str
    ) -> None:
        row = keyword(description="open")
        use(client_as("owner"), row, "ajar", row_version="1")

        answer = use(tab, row, "closed", row_version="1")

        assert answer.status_code == 409
        assert session.get_one(Keyword, row.id).description == "ajar"

    @pytest.mark.parametrize(
        ("word", "status"), [("closed", 200), ("", 422), ("a\x00", 422), ("x" * 3000, 422)]
    )
    def test_answers_a_script(
        self, tab: SiteClient, session: Session, kind: str, word: str, status: int
    ) -> None:
        row = keyword(description="open")

        answer = tab.post(
            f"{URL}/ajax/update/",
            json={"list_form_pk": row.id, "description": word},
            headers=JSON,
        )

        assert answer.status_code == status
        assert answer.json is not None
        assert answer.json["success"] == (status == 200)
        stored = session.get_one(Keyword, row.id).description
        assert stored == (word if status == 200 else "open")

    def test_is_refused_to_people_of_a_lower_level(
        self, client_as: ClientAs, session: Session, kind: str
    ) -> None:
        row = keyword(description="open")

        assert use(client_as("support"), row, "closed").status_code == 403
        assert session.get_one(Keyword, row.id).description == "open"


def test_lists_without_such_cells_select_no_version(tab: SiteClient, declare: Declare) -> None:
    row = keyword(description="open")

    view = declare("keywords", column_choices={})

    assert "version" not in view.drawn_names
    assert "row_version" not in ask(tab, URL).row(row.id)
