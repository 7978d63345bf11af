"""Import: a file is checked, shown, and taken in when its sender says so."""

import pytest
from playwright.sync_api import expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from adminsite.models import Keyword
from tests.browser.hands import Hand
from tests.browser.made import a_keyword

FILE = """keyword,url_template,description
gh,https://code.example.com/{slug},Code
jira,https://jira.example.com/{slug},
bad,https://bad.example.com/,
"""


@pytest.fixture
def checked(hand: Hand) -> Hand:
    """A file of keywords, checked: one exists as it is, one is new, one is wrong."""
    a_keyword(keyword="gh", url_template="https://code.example.com/{slug}", description="Code")
    hand.open("/admin/import?kind=keywords")
    file = {"name": "keywords.csv", "mimeType": "text/csv", "buffer": FILE.encode()}
    hand.page.get_by_label("CSV file").set_input_files(file)  # type: ignore[arg-type]
    hand.activate(hand.page.get_by_role("button", name="Check the file"))
    expect(hand.page.get_by_role("heading", level=1)).to_have_text("Check of keywords")
    return hand


def words(session: Session) -> set[str]:
    session.rollback()
    return set(session.scalars(select(Keyword.keyword)))


def test_a_check_changes_nothing_and_says_what_it_would(checked: Hand, session: Session) -> None:
    expect(checked.page.locator(".figures .value")).to_have_text(["1", "0", "1", "1"])
    expect(checked.page.get_by_role("row").filter(has_text="{slug}")).to_be_visible()
    assert words(session) == {"gh"}


def test_a_checked_file_is_taken_in(checked: Hand, session: Session) -> None:
    checked.activate(checked.page.locator("[data-confirm]"))
    expect(checked.page.get_by_role("heading", level=1)).to_have_text("Imported keywords")
    assert words(session) == {"gh", "jira"}


def test_a_checked_file_can_be_discarded(checked: Hand, session: Session) -> None:
    checked.activate(checked.page.get_by_role("button", name="Discard"))
    expect(checked.toast).to_contain_text("discarded")
    assert words(session) == {"gh"}


def test_the_refused_rows_can_be_fetched(checked: Hand) -> None:
    with checked.page.expect_download() as download:
        checked.activate(checked.page.get_by_role("link", name="Download refused rows"))
    assert download.value.path().read_text().count("bad.example.com") == 1
