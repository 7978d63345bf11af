"""Deleting that needs an answer, and what is shown a single time after making something."""

import json
from collections.abc import Callable, Sequence
from typing import Any
from unittest.mock import Mock

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from adminsite.errors import OutdatedError, RuleError
from adminsite.kit.deleting import Choice, Once, Question
from adminsite.models import Keyword
from adminsite.operations import keywords
from adminsite.operations.crud import Crud
from tests.client import SiteClient
from tests.kit.conftest import Declare
from tests.lists import Listed, text_of
from tests.rows import keyword

ClientAs = Callable[[str], SiteClient]
JSON = {"Accept": "application/json"}
URL = "/admin/keywords"
SECRET = "shown once & <never> again"
NEW = {"keyword": "new", "url_template": "https://example.com/{slug}"}


@pytest.fixture
def tab(client_as: ClientAs) -> SiteClient:
    return client_as("admin")


def question(_view: Any, rows: Sequence[Any]) -> Question:
    names = ", ".join(row.keyword for row in rows)
    return Question(
        facts=(("Which", names), ("How many", f"{len(rows)}")),
        lines=("It is in use.",),
        warning="This cannot be undone.",
        name="use",
        legend="What becomes of its use?",
        choices=(
            Choice("keep", "Keep it", "Somebody else takes it."),
            Choice("drop", "Drop it", "3 uses end.", ("first", "second"), 1),
        ),
        fields={"plan": "p1"},
    )


@pytest.fixture
def deleted(declare: Declare, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the operation was told by each deletion; plan "old" is out of date."""
    told: list[dict[str, Any]] = []
    real = keywords.delete

    def answered(answers: dict[str, Any]) -> None:
        if answers.get("plan") == "old":
            raise OutdatedError("Look again <b>.")
        if answers.get("use") not in {"keep", "drop"}:
            raise RuleError("use is required.")
        told.append(answers)

    def delete(row: Keyword, *, by: Any, use: str | None = None, plan: str | None = None) -> None:
        answered({"use": use, "plan": plan})
        real(row, by=by)

    def delete_all(
        rows: Sequence[Keyword], *, by: Any, use: str | None = None, plan: str | None = None
    ) -> None:
        answered({"use": use, "plan": plan, "rows": len(rows)})
        for row in rows:
            real(row, by=by)

    monkeypatch.setattr(keywords, "delete", delete)
    monkeypatch.setattr(keywords, "delete_all", delete_all, raising=False)
    declare("keywords", delete_answers=("use", "plan"), delete_question=question)
    return told


def left(session: Session) -> list[str]:
    return list(session.scalars(select(Keyword.keyword).order_by(Keyword.keyword)))


class TestQuestion:
    @pytest.mark.parametrize("htmx", [True, False])
    def test_says_what_goes_and_asks(
        self, tab: SiteClient, deleted: list[Any], *, htmx: bool
    ) -> None:
        row = keyword(keyword="jira")

        asked = tab.get(f"{URL}/{row.id}/delete", htmx=htmx).text

        told = text_of(asked)
        for words in ("It is in use.", "Which jira", "This cannot be undone."):
            assert words in told
        assert "What becomes of its use? Keep it Somebody else takes it." in told
        assert "Drop it 3 uses end. first second and 1 more" in told
        assert 'type="hidden" name="plan" value="p1"' in asked
        assert asked.count('type="radio" name="use"') == 2
        assert " checked" not in asked

    def test_is_asked_once_for_many(self, tab: SiteClient, deleted: list[Any]) -> None:
        rows = [keyword(), keyword()]
        data = {"action": "delete", "rowid": ",".join(str(row.id) for row in rows)}

        asked = tab.post(f"{URL}/action/preview", data=data, htmx=True).text

        assert "How many 2" in text_of(asked)
        assert asked.count('type="radio" name="use"') == 2


SENT = [
    lambda tab, key: tab.delete(f"{URL}/{key}?use=drop&plan=p1", htmx=True),
    lambda tab, key: tab.delete(f"{URL}/{key}", data={"use": "drop", "plan": "p1"}, htmx=True),
    lambda tab, key: tab.delete(f"{URL}/{key}?plan=p1", data={"use": "drop"}, headers=JSON),
    lambda tab, key: tab.delete(f"{URL}/{key}", json={"use": "drop", "plan": "p1"}, headers=JSON),
    lambda tab, key: tab.post(
        f"{URL}/delete/", data={"id": str(key), "use": "drop", "plan": "p1", "more": "x"}
    ),
]


class TestAnswer:
    @pytest.mark.parametrize("send", SENT)
    def test_reaches_the_operation(
        self, tab: SiteClient, deleted: list[Any], send: Callable[..., TestResponse]
    ) -> None:
        answer = send(tab, keyword().id)

        assert answer.status_code in {200, 303}
        assert deleted == [{"use": "drop", "plan": "p1"}]

    def test_reaches_one_operation_for_many(
        self, tab: SiteClient, session: Session, deleted: list[Any]
    ) -> None:
        rowid = ",".join(str(keyword().id) for _ in range(3))
        data = {"action": "delete", "rowid": rowid, "use": "keep"}

        tab.post(f"{URL}/action/", data=data, htmx=True)

        assert deleted == [{"use": "keep", "plan": None, "rows": 3}]
        assert left(session) == []

    def test_that_is_missing_deletes_nothing(
        self, tab: SiteClient, session: Session, deleted: list[Any]
    ) -> None:
        row = keyword(keyword="jira")

        answer = tab.delete(f"{URL}/{row.id}", htmx=True)

        assert answer.status_code == 400
        assert json.loads(answer.headers["HX-Trigger"])["toast"]["level"] == "error"
        assert left(session) == ["jira"]

    def test_is_not_passed_where_nothing_is_asked(self, tab: SiteClient, session: Session) -> None:
        row = keyword()

        answer = tab.delete(f"{URL}/{row.id}?use=drop&link_action=x", htmx=True)

        assert (answer.status_code, left(session)) == (200, [])


class TestOutdated:
    """What the question said is not so any more: nothing is done, and it is asked anew."""

    def test_is_asked_again_in_the_dialog(
        self, tab: SiteClient, session: Session, deleted: list[Any]
    ) -> None:
        row = keyword(keyword="jira")

        answer = tab.delete(f"{URL}/{row.id}?use=drop&plan=old", htmx=True)

        assert answer.status_code == 409
        assert (answer.headers["HX-Retarget"], answer.headers["HX-Reswap"]) == (
            "#dialog",
            "innerHTML",
        )
        assert "Look again &lt;b&gt;." in answer.text
        assert answer.text.count('type="radio"') == 2
        assert left(session) == ["jira"]

    def test_is_asked_again_on_the_page(
        self, tab: SiteClient, session: Session, deleted: list[Any]
    ) -> None:
        row = keyword(keyword="jira")

        data = {"id": str(row.id), "use": "drop", "plan": "old"}
        answer = tab.post(f"{URL}/delete/", data=data)

        assert answer.status_code == 409
        assert "<h1>Delete jira?</h1>" in answer.text
        assert "Look again &lt;b&gt;." in answer.text
        assert left(session) == ["jira"]

    @pytest.mark.parametrize("htmx", [True, False])
    def test_is_asked_again_for_many(
        self, tab: SiteClient, session: Session, deleted: list[Any], *, htmx: bool
    ) -> None:
        rows = [keyword(keyword="a"), keyword(keyword="b")]
        rowid = ",".join(str(row.id) for row in rows)
        data = {"action": "delete", "rowid": rowid, "use": "drop", "plan": "old"}

        answer = tab.post(f"{URL}/action/", data=data, htmx=htmx)

        assert answer.status_code == 409
        assert "Delete 2 keywords?" in text_of(answer.text)
        assert f'name="rowid" value="{rowid}"' in answer.text
        assert left(session) == ["a", "b"]

    def test_is_told_to_a_script(self, tab: SiteClient, deleted: list[Any]) -> None:
        row = keyword()

        one = tab.delete(f"{URL}/{row.id}", json={"use": "drop", "plan": "old"}, headers=JSON)
        data = {"action": "delete", "rowid": str(row.id), "use": "drop", "plan": "old"}
        many = tab.post(f"{URL}/action/", data=data, headers=JSON)

        for answer in (one, many):
            assert answer.status_code == 409
            assert answer.json is not None
            assert answer.json["error"]["message"] == "Look again <b>."


class TestOnItsPage:
    """A record with a page of its own is left when it is deleted."""

    def test_the_answer_leads_to_the_list(self, tab: SiteClient, session: Session) -> None:
        key = keyword(keyword="jira").id
        asked = tab.get(f"{URL}/{key}/delete?from=page", htmx=True).text

        answer = tab.delete(f"{URL}/{key}?from=page", htmx=True)

        assert f'hx-delete="{URL}/{key}?from=page"' in asked
        assert (answer.text, answer.headers["HX-Redirect"]) == ("", URL)
        assert "Deleted jira." in tab.get(URL).text

    def test_is_drawn_from_its_template(self, tab: SiteClient, declare: Declare) -> None:
        declare(
            "keywords",
            record_template="model/once.html",
            record_context=lambda _view, row: {"once": Once("x", row.keyword, "value", "about")},
        )
        row = keyword(keyword="jira")

        page, script = tab.get(f"{URL}/{row.id}"), tab.get(f"{URL}/{row.id}", headers=JSON)

        assert "<h1>jira</h1>" in page.text
        assert "<title>jira · Keywords · adminsite</title>" in page.text
        assert script.json is not None
        assert script.json["data"]["keyword"] == "jira"
        assert Listed(tab.get(f"{URL}/{row.id}", htmx=True)).ids == [row.id]

    def test_needs_no_more_than_the_record(self, tab: SiteClient, declare: Declare) -> None:
        declare("keywords", record_template="layout.html")
        row = keyword(keyword="jira")

        page = tab.get(f"{URL}/{row.id}")

        assert "<title>jira · Keywords · adminsite</title>" in page.text


class TestOnce:
    @pytest.fixture
    def shown(self, declare: Declare) -> Mock:
        """What making a keyword brings; asked after the commit."""
        found = Mock(return_value=Once("the_secret", "Keep it safe", SECRET, "Copy it now."))
        declare("keywords", shown_once=lambda _view, row: found(row.id))
        return found

    def test_is_shown_over_the_new_list(self, tab: SiteClient, shown: Mock) -> None:
        answer = tab.post(URL, data=NEW, htmx=True)

        assert len(Listed(answer).ids) == 1
        dialog = answer.text.split('<div id="dialog" hx-swap-oob="innerHTML">')[1]
        assert text_of(dialog).startswith("Keep it safe")
        assert 'value="shown once &amp; &lt;never&gt; again"' in dialog
        assert '"Created new."' in answer.headers["HX-Trigger"]

    def test_is_a_page_without_script(self, tab: SiteClient, shown: Mock) -> None:
        answer = tab.post(f"{URL}/new/", data=NEW)

        assert answer.status_code == 200
        assert "<h1>Keep it safe</h1>" in answer.text
        assert f'<a href="{URL}">Keywords</a>' in answer.text

    def test_is_beside_the_record_for_a_script(self, tab: SiteClient, shown: Mock) -> None:
        answer = tab.post(URL, json=NEW, headers=JSON)

        assert answer.status_code == 201
        assert answer.json is not None
        assert answer.json["data"]["the_secret"] == SECRET

    def test_is_not_asked_for_when_nothing_was_made(self, tab: SiteClient, shown: Mock) -> None:
        answer = tab.post(URL, data={**NEW, "keyword": "No Good"}, htmx=True)

        assert answer.status_code == 422
        shown.assert_not_called()


def test_an_operation_for_one_row_is_used_for_each(declare: Declare) -> None:
    assert not hasattr(Crud, "delete_all")

    view = declare("keywords")

    assert view.bulk_delete.apply_all is None
    assert view.bulk_delete.apply is keywords.delete
