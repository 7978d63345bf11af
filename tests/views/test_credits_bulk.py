"""Adjusting many at once: lines are checked, then all of them applied, or none."""

import io
from typing import Any

import pytest
from flask import Flask
from markupsafe import escape
from sqlalchemy.orm import Session

from adminsite.models import User
from tests.client import SiteClient
from tests.lists import statements
from tests.rows import person
from tests.views.ledgers import URL, ClientAs, balance, count, entry, limit
from tests.views.reading import JSON, actions, message, said

BULK = f"{URL}/bulk"
LINES = "mia@example.com,50,For the outage\nben@example.com,-20,Charged twice\n"


@pytest.fixture
def tab(client_as: ClientAs) -> SiteClient:
    return client_as("admin")


@pytest.fixture
def mia(session: Session) -> User:
    made = person("Mia", email="mia@example.com")
    entry(made, 120)
    return made


@pytest.fixture
def ben(session: Session) -> User:
    return person("Ben", email="ben@example.com")


def check(tab: SiteClient, lines: str = LINES, **how: Any) -> Any:
    return tab.post(BULK, data={"lines": lines, "idempotency_key": "one"}, **how)


def apply(tab: SiteClient, lines: str = LINES, **how: Any) -> Any:
    data = {"lines": lines, "idempotency_key": "one", "apply": "1"}
    return tab.post(BULK, data=data, **how)


@pytest.mark.usefixtures("mia", "ben")
class TestCheck:
    def test_shows_line_by_line_what_would_happen(self, tab: SiteClient, session: Session) -> None:
        page = said(check(tab))

        assert "1 mia@example.com +50: 120 → 170 For the outage" in page
        assert "2 ben@example.com −20: 0 → −20 Charged twice" in page
        assert "Lines 2 People 2 Added +50 Taken −20 Net +30 Refused 0" in page
        assert "All 2 lines can be applied. Nothing is changed yet." in page
        assert "Apply all 2 lines" in page
        assert count(session) == 1

    def test_counts_on_within_one_person(self, tab: SiteClient) -> None:
        page = said(check(tab, "mia@example.com,1,a\nMIA@example.com,2,b"))

        assert "120 → 121" in page
        assert "121 → 123" in page

    @pytest.mark.parametrize(
        ("line", "why"),
        [
            ("nobody@example.com,5,x", "Nobody has the address nobody@example.com."),
            (",5,x", "Give an address."),
            ("ben@example.com,0,x", "The amount cannot be 0"),
            ("ben@example.com,1.5,x", "The amount is a whole number"),
            ("ben@example.com,,x", "The amount is a whole number"),
            ("ben@example.com,5,", "Give a reason"),
            (f"ben@example.com,5,{'x' * 501}", "The reason has 501 characters"),
            ("ben@example.com,2147483648,x", "The amount lies between"),
        ],
    )
    def test_names_what_is_refused_and_offers_nothing(
        self, tab: SiteClient, line: str, why: str
    ) -> None:
        page = said(check(tab, f"mia@example.com,5,ok\n{line}"))

        assert why in page
        assert "1 line is refused, so nothing can be applied." in page
        assert "Apply" not in page

    @pytest.mark.parametrize(
        "text",
        [
            "email,amount,reason\n" + LINES,
            "Email, Amount ,REASON\r\n" + LINES.replace("\n", "\r\n"),
            "\ufeff" + LINES,
            LINES.replace(",", "\t"),
            LINES.replace(",", ";"),
            '"email","amount","reason"\n' + LINES,
            '"Email";"Amount";"Reason"\n' + LINES.replace(",", ";"),
            "mia@example.com;50;For the outage\nben@example.com;-20;late, and twice",
            "ben@example.com;-20;late, and twice\nmia@example.com;50;For the outage",
            "amount,email,reason\n50,mia@example.com,For the outage\n-20,ben@example.com,x",
            "\n\n" + LINES + "\n\n",
        ],
    )
    def test_reads_what_people_paste(self, tab: SiteClient, text: str) -> None:
        page = said(check(tab, text))

        assert "mia@example.com +50: 120 → 170 For the outage" in page
        assert "Lines 2 " in page

    def test_reads_a_file(self, tab: SiteClient) -> None:
        file = (io.BytesIO(b"\xef\xbb\xbf" + LINES.encode()), "lines.csv")

        page = tab.post(BULK, data={"file": file, "lines": ""})

        assert "Lines 2 " in said(page)
        assert "mia@example.com,50,For the outage" in page.text  # to be mended here

    @pytest.mark.parametrize(
        ("data", "why"),
        [
            (b"\xff\xfe\x00", "not UTF-8"),
            (b"x" * 400_001, "more than 400,000 bytes"),
            (b'mia@example.com,5,"open', "not valid CSV"),
            (b"mia@example.com,5", "Line 1 has 2 cells; give three: e-mail, amount and reason."),
            (b"email,amount,reason\n\nmia@example.com", "Line 3 has 1 cell; give three"),
            (b"mia@example.com;5;a;b", "Line 1 has 4 cells; give three"),
            (b'mia@example.com,5,"a\nb"\nmia@example.com,5', "Line 3 has 2 cells; give three"),
        ],
    )
    def test_refuses_what_is_no_list(self, tab: SiteClient, data: bytes, why: str) -> None:
        answer = tab.post(BULK, data={"file": (io.BytesIO(data), "x.csv")})

        assert answer.status_code in {413, 422}
        assert why in said(answer)

    @pytest.mark.parametrize("lines", ["", "  \n ", "email,amount,reason"])
    def test_refuses_nothing_at_all(self, tab: SiteClient, lines: str) -> None:
        answer = check(tab, lines)

        assert answer.status_code == 422
        assert "There is no line" in said(answer)

    @pytest.mark.parametrize("lines", ["mia@example.com,5", '"<b>', 'mia@example.com;5;"x\n'])
    def test_loses_nothing_that_was_pasted(self, tab: SiteClient, lines: str) -> None:
        answer = check(tab, lines)

        assert answer.status_code == 422
        assert escape(lines.strip()) in answer.text

    def test_refuses_too_many(self, tab: SiteClient) -> None:
        answer = check(tab, "mia@example.com,1,x\n" * 5001)

        assert answer.status_code == 422
        assert "5,001 lines; 5,000 is the limit." in said(answer)

    def test_shows_the_first_and_all_that_are_refused(self, tab: SiteClient) -> None:
        lines = "mia@example.com,1,x\n" * 600 + "nobody@example.com,1,x"

        page = said(check(tab, lines))

        assert "Lines 601" in page
        assert "601 nobody@example.com Nobody has the address" in page
        assert "and 100 more" in page

    def test_costs_the_same_however_many(self, tab: SiteClient) -> None:
        check(tab)
        with statements() as few:
            check(tab)

        with statements() as many:
            check(tab, "mia@example.com,1,x\n" * 200)

        assert len(many) == len(few)

    def test_tells_a_script(self, tab: SiteClient) -> None:
        answer = check(tab, LINES + "x,1,y", headers=JSON)

        assert answer.json["data"]["refused"] == 1
        assert answer.json["data"]["lines"][0] == {
            "line": 1,
            "email": "mia@example.com",
            "amount": 50,
            "before": 120,
            "after": 170,
        }

    def test_refuses_what_needs_a_second_person(
        self, app: Flask, monkeypatch: pytest.MonkeyPatch, tab: SiteClient
    ) -> None:
        limit(app, monkeypatch, admin=10)

        assert "More than 10 credits need a second person" in said(check(tab))


class TestApply:
    def test_makes_all_of_them(
        self, tab: SiteClient, mia: User, ben: User, session: Session
    ) -> None:
        answer = apply(tab)

        assert (answer.status_code, answer.location) == (303, URL)
        assert "Made 2 adjustments for 2 people." in tab.get(URL).text
        assert (balance(session, mia), balance(session, ben)) == (170, -20)
        assert actions(session, ben.id) == ["credits.adjusted"]

    def test_or_none(self, tab: SiteClient, mia: User, session: Session) -> None:
        answer = apply(tab, "mia@example.com,5,x\nnobody@example.com,5,x")

        assert answer.status_code == 422
        assert "Line 2: Nobody has the address nobody@example.com." in said(answer)
        assert "mia@example.com,5,x" in answer.text
        assert (count(session), balance(session, mia)) == (1, 120)

    def test_twice_is_once(self, tab: SiteClient, mia: User, ben: User, session: Session) -> None:
        answers = [apply(tab, headers=JSON) for _ in range(2)]

        assert [answer.json["data"]["entries"] for answer in answers] == [2, 2]
        assert count(session) == 3
        assert (balance(session, mia), balance(session, ben)) == (170, -20)

    @pytest.mark.usefixtures("mia", "ben")
    def test_other_lines_with_the_same_key_are_refused(
        self, tab: SiteClient, session: Session
    ) -> None:
        apply(tab)

        script = apply(tab, "mia@example.com,5,x", headers=JSON)
        page = apply(tab, "mia@example.com,5,x")

        assert (script.status_code, page.status_code) == (409, 409)
        assert "mia@example.com,5,x" in page.text
        assert count(session) == 3

    @pytest.mark.usefixtures("mia", "ben")
    def test_needs_a_key(self, tab: SiteClient, session: Session) -> None:
        answer = tab.post(BULK, data={"lines": LINES, "apply": "1"}, headers=JSON)

        assert answer.status_code == 422
        assert "idempotency key" in message(answer)
        assert count(session) == 1

    @pytest.mark.usefixtures("mia", "ben")
    @pytest.mark.parametrize("who", ["member", "support"])
    def test_is_for_admins(self, client_as: ClientAs, session: Session, who: str) -> None:
        other = client_as(who)

        assert other.get(BULK).status_code == 403
        assert apply(other).status_code == 403
        assert count(session) == 1

    @pytest.mark.usefixtures("mia", "ben")
    def test_needs_the_token(self, tab: SiteClient, session: Session) -> None:
        assert apply(tab, csrf=False).status_code == 400
        assert count(session) == 1


def test_the_page_asks_for_lines_or_a_file(tab: SiteClient) -> None:
    page = tab.get(BULK)

    assert 'name="lines"' in page.text
    assert 'type="file"' in page.text
    assert "Check the lines" in said(page)
