"""Import and export: whole files, single rows, and what comes back."""

import csv
import io
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy import text as sql
from sqlalchemy.orm import Session

from adminsite import audit
from adminsite.db import db, transaction
from adminsite.errors import ForbiddenError, InvalidError, MissingError
from adminsite.exchange import exporting, importing, reading
from adminsite.exchange.importing import Order, Report
from adminsite.exchange.reading import TooLargeError, UnreadableError, Upload
from adminsite.exchange.tables import TABLES
from adminsite.models import AuditEvent, Keyword, Link, User
from adminsite.permissions import SYSTEM, Actor
from tests.factories import KeywordFactory, LinkFactory, TagFactory, UserFactory
from tests.people import acting

SAMPLES = Path(__file__).resolve().parents[2] / "shared" / "data"
WORDS = "keyword,url_template,description\n"
GH = "gh,https://code.example.com/?q={slug},Code\n"
LINKS = "slug,url,title,description,tags,owners\n"
JIRA = "jira,https://jira.example.com/,Jira,,Work;Daily,ann@example.com\n"
PEOPLE = "email,display_name,role\n"
# what a refusal must say for the code that the file gives as the reason
FITTING = {
    "duplicate-keyword": "exists and differs",
    "duplicate-link": "exists and differs",
    "duplicate-slug": "exists and differs",
    "keyword-invalid": "A keyword is made of",
    "slug-invalid": "A slug is made of|control character|Give a slug",
    "slug-reserved": "route of the go-links service",
    "slug-too-long": "100 is the limit",
    "template-lacks-slug": "must contain {slug}",
    "url-credentials": "user name or password",
    "url-invalid": "no host|not a valid URL|user name or password",
    "url-invalid-strict": "not a valid URL",
    "url-missing": "Give a URL",
    "url-not-absolute": "not absolute|Only http and https",
    "url-scheme": "Only http and https",
    "url-too-long": "8,192 is the limit",
    "url-whitespace": "white space",
}


def order(kind: str, text: str | bytes, by: Actor = SYSTEM, **options: Any) -> Order:
    data = text.encode() if isinstance(text, str) else text
    return Order(kind, Upload(io.BytesIO(data), max_mb=64), by, **options)


def take(kind: str, text: str | bytes, by: Actor = SYSTEM, **options: Any) -> Report:
    with transaction():
        return importing.apply(order(kind, text, by, **options))


def export(kind: str) -> str:
    return "".join(exporting.lines(kind))


def why(report: Report) -> str:
    (problem,) = report.problems
    return f"{problem.field}: {problem.why}"


@pytest.fixture
def ann(app: Flask) -> User:
    made: User = UserFactory.create(email="ann@example.com")
    return made


class TestFile:
    """What makes a whole file unreadable; nothing of it is taken."""

    @pytest.mark.parametrize(
        ("data", "said"),
        [
            (b"", "The file is empty"),
            (b"\n", "The file is empty"),
            (b"word,template\na,b\n", "must name the columns keyword,url_template,description"),
            (b"keyword,url_template\n", "must name the columns"),
            (b"keyword,url_template,description,extra\n", "must name the columns"),
            (b"keyword,url_template,description,keyword\n", "must name the columns"),
            (b"keyword;url_template;description\n", "must name the columns"),
            (WORDS.encode() + GH.encode() + b"a,b\n", "Line 3 has 2 cells; the header has 3"),
            (WORDS.encode() + b"a\n", "Line 2 has 1 cell;"),
            (WORDS.encode() + b'a,"x\ny",c,d\n', "Line 2 has 4 cells"),
            (WORDS.encode() + b'a,"b"c,d\n', "Line 2 is not valid CSV"),
            (WORDS.encode() + b'a,"b', "is not valid CSV"),
            (WORDS.encode() + "é,,".encode("cp1252"), "not UTF-8"),
            (WORDS.encode("utf-16"), "not UTF-8"),
        ],
    )
    def test_is_refused_when_no_row_can_be_trusted(
        self, app: Flask, session: Session, data: bytes, said: str
    ) -> None:
        with pytest.raises(UnreadableError, match=re.escape(said)):
            take("keywords", data)

        assert session.scalar(select(func.count()).select_from(Keyword)) == 0

    def test_is_refused_when_too_large(self, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(reading, "MEGABYTE", 1)

        with pytest.raises(TooLargeError, match="larger than 64 MB"):
            take("keywords", WORDS + GH)

    @pytest.mark.parametrize(
        "text",
        [
            "\ufeff" + WORDS + GH,
            (WORDS + GH).replace("\n", "\r\n"),
            WORDS + "\n" + GH + "\n\n",
            WORDS + GH.rstrip("\n"),
            "description,keyword,url_template\nCode,gh,https://code.example.com/?q={slug}\n",
            WORDS.replace("\n", ",why\n") + GH.replace("\n", ",because\n"),
        ],
    )
    def test_is_read_in_many_spellings(self, app: Flask, text: str) -> None:
        assert str(take("keywords", text)) == "inserted=1 updated=0 unchanged=0 refused=0"

    def test_may_hold_only_its_header(self, app: Flask) -> None:
        assert str(take("keywords", WORDS)) == "inserted=0 updated=0 unchanged=0 refused=0"

    def test_tells_how_far_it_was_read(self, app: Flask) -> None:
        read: list[int] = []
        upload = Upload(io.BytesIO((WORDS + GH).encode()), 64, read.append)

        importing.preview(Order("keywords", upload, SYSTEM))

        assert sum(read) == len(WORDS + GH)


class TestRow:
    def test_that_is_new_is_inserted_by_the_rules(self, ann: User, session: Session) -> None:
        take("links", LINKS + JIRA)

        link = session.scalars(select(Link)).one()
        assert (link.title, link.description) == ("Jira", None)
        assert [tag.name for tag in link.tags] == ["Daily", "Work"]
        assert [share.user for share in link.owners] == [ann]

    def test_that_is_stored_is_unchanged(self, ann: User) -> None:
        take("links", LINKS + JIRA)

        again = JIRA.replace("Work;Daily", "DAILY;work").replace("ann@", "ANN@")

        assert take("links", LINKS + again).unchanged == 1

    def test_that_differs_is_refused(self, ann: User) -> None:
        take("links", LINKS + JIRA)

        report = take("links", LINKS + JIRA.replace("Jira", "Jura").replace("Daily", "Weekly"))

        assert why(report) == "slug: A link called `jira` exists and differs in title, tags."

    def test_that_differs_changes_the_record_when_it_may(self, ann: User, session: Session) -> None:
        ben = UserFactory.create(email="ben@example.com")
        take("links", LINKS + JIRA)

        changed = JIRA.replace("Jira", "Jura").replace("ann@", "ben@example.com;ann@")
        report = take("links", LINKS + changed, update=True)

        link = session.scalars(select(Link)).one()
        assert report.updated == 1
        assert (link.title, link.version) == ("Jura", 2)
        assert [(share.user, share.is_primary) for share in link.owners] == [
            (ben, True),
            (ann, False),
        ]

    def test_with_another_first_owner_differs(self, ann: User) -> None:
        UserFactory.create(email="ben@example.com")
        both = JIRA.replace("ann@", "ben@example.com;ann@")
        take("links", LINKS + both)

        swapped = both.replace("ben@example.com;ann@example.com", "ann@example.com;ben@example.com")

        assert "differs in owners" in why(take("links", LINKS + swapped))

    @pytest.mark.parametrize(
        ("owners", "said"),
        [
            ("nobody@example.com", "Nobody has the address `nobody@example.com`"),
            ("ann@example.com;x", "Nobody has the address `x`"),
            ("a\x00@example.com", "Nobody has the address"),
            ("", "at least one owner"),
            (";".join(f"p{n}@example.com" for n in range(51)), "Nobody has the address"),
        ],
    )
    def test_with_unknown_owners_is_refused(self, ann: User, owners: str, said: str) -> None:
        report = take("links", LINKS + JIRA.replace("ann@example.com", owners))

        assert why(report).startswith("owners: ")
        assert said in why(report)

    def test_tells_all_that_is_wrong(self, ann: User) -> None:
        report = take("links", LINKS + "A,ftp://a,,,,x@example.com\n")

        assert {(p.line, p.field, p.value) for p in report.problems} == {
            (2, "slug", "A"),
            (2, "url", "ftp://a"),
            (2, "owners", "x@example.com"),
        }

    @pytest.mark.parametrize("update", [True, False])
    def test_that_comes_twice_is_refused_unless_equal(self, app: Flask, *, update: bool) -> None:
        report = take("keywords", WORDS + GH + GH + GH.replace("Code", "Other"), update=update)

        assert str(report) == "inserted=1 updated=0 unchanged=1 refused=1"
        assert "is on line 2 of this file too" in why(report)

    def test_after_a_refused_one_of_the_same_name_is_taken(self, app: Flask) -> None:
        report = take("keywords", WORDS + "gh,/relative?q={slug},\n" + GH)

        assert str(report) == "inserted=1 updated=0 unchanged=0 refused=1"

    def test_with_a_huge_cell_is_refused(self, app: Flask) -> None:
        report = take("keywords", WORDS + f"gh,https://example.com/{{slug}},{'a' * 300_000}\n")

        assert "2,000 is the limit" in why(report)
        assert len(report.problems[0].value) == importing.VALUE_SHOWN

    def test_numbers_lines_as_an_editor_does(self, app: Flask) -> None:
        report = take("keywords", WORDS + 'gh,https://a.example/{slug},"two\nlines"\nGH,,\n')

        assert {problem.line for problem in report.problems} == {4}


class TestOwners:
    def test_are_named_by_address_and_not_by_id(self, ann: User) -> None:
        row = f"a,https://a.example/,A,,,{ann.id}\n"

        report = take("links", LINKS + row)

        assert why(report) == f"owners: Nobody has the address `{ann.id}`. Import users first."


class TestPeople:
    def test_with_a_role_are_admins_without_a_staff_record(
        self, app: Flask, session: Session
    ) -> None:
        take("users", PEOPLE + "Ann@example.com,Ann,admin\nben@example.com,Ben,\n")

        people = session.scalars(select(User).order_by(User.email_key)).all()
        assert [(user.email, user.role, user.level.label) for user in people] == [
            ("Ann@example.com", "admin", "admin"),
            ("ben@example.com", "user", "none"),
        ]

    def test_with_a_role_need_an_owner(self, admin: User) -> None:
        report = take("users", PEOPLE + "a@example.com,A,admin\n", acting(admin))

        assert why(report) == ": This needs an owner; you are signed in as admin."

    def test_who_exist_as_given_are_unchanged_for_who_may_not_give_roles(
        self, owner: User, admin: User
    ) -> None:
        take("users", PEOPLE + "a@example.com,A,admin\n", acting(owner))

        report = take("users", PEOPLE + "a@example.com,A,admin\n", acting(admin))

        assert (report.unchanged, report.refused) == (1, 0)

    def test_who_exist_change_when_they_may(self, ann: User) -> None:
        row = f"{ann.email},Anna,user\n"

        assert "differs in display_name" in why(take("users", PEOPLE + row))
        assert take("users", PEOPLE + row, update=True).updated == 1

    def test_keep_a_role_that_their_staff_record_gives(self, owner: User, admin: User) -> None:
        row = f"{admin.email},{admin.display_name},user\n"

        for run in (importing.preview, take_order):
            report = run(order("users", PEOPLE + row, acting(owner), update=True))
            assert "has a staff record" in why(report)


def take_order(wanted: Order) -> Report:
    with transaction():
        return importing.apply(wanted)


class TestPlans:
    """PostgreSQL plans by what it last counted, maybe when they were empty."""

    @pytest.mark.engine("postgresql")
    def test_are_made_for_what_is_there_after_some_rows(self, ann: User, session: Session) -> None:
        some = "".join(f"s{n},https://example.com/,T,,a,{ann.email}\n" for n in range(600))
        tables = ["links", "link_tags", "link_owners"]
        counted = sql(
            "SELECT reltuples FROM pg_class WHERE relname = ANY(:tables)"
            " AND relnamespace = 'public'::regnamespace"
        )
        session.connection().exec_driver_sql(f"ANALYZE {', '.join(tables)}")
        session.commit()

        report = take("links", LINKS + some)

        assert report.inserted == 600
        # about so many: it reads a sample, and other tests left dead rows behind
        assert min(session.scalars(counted, {"tables": tables})) > 100


class TestAudit:
    def test_has_an_event_for_each_row_and_one_for_all(self, admin: User, session: Session) -> None:
        take("keywords", WORDS + GH + "x,,\n", acting(admin))

        told = session.execute(
            select(AuditEvent.action, AuditEvent.actor_email).order_by(AuditEvent.id)
        ).all()
        assert [tuple(row) for row in told] == [
            ("keyword.created", "admin@example.com"),
            ("data.imported", "admin@example.com"),
        ]

    def test_holds_after_many_batches(self, app: Flask, session: Session) -> None:
        rows = "".join(f"w{n},https://example.com/{n}?q={{slug}},\n" for n in range(2200))

        take("keywords", WORDS + rows)

        assert audit.first_broken() is None
        counts = session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc())).first()
        assert counts is not None
        assert counts.changes["inserted"] == [None, 2200]

    def test_of_a_preview_is_empty(self, app: Flask, session: Session) -> None:
        report = importing.preview(order("keywords", WORDS + GH))

        assert report.inserted == 1
        assert session.scalar(select(func.count()).select_from(AuditEvent)) == 0

    def test_of_an_export_tells_what_was_taken(self, admin: User, session: Session) -> None:
        with transaction():
            exporting.note("links", by=acting(admin))

        event = session.scalars(select(AuditEvent)).one()
        assert (event.action, event.changes) == ("data.exported", {"what": [None, "links"]})


class TestAccess:
    def test_support_imports_and_exports_nothing(self, support: User) -> None:
        with pytest.raises(ForbiddenError):
            take("keywords", WORDS + GH, acting(support))
        with pytest.raises(ForbiddenError), transaction():
            exporting.note("links", by=acting(support))


class TestRace:
    """What happens when somebody else is faster than the import."""

    def test_a_record_deleted_meanwhile_stops_it(
        self, app: Flask, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        KeywordFactory.create(keyword="gh")
        table, found = type(TABLES["keywords"]), TABLES["keywords"].stored(["gh"])
        moved = {name: replace(row, pk=10**6) for name, row in found.items()}
        monkeypatch.setattr(table, "stored", lambda _self, _names: moved)

        with pytest.raises(MissingError, match="deleted during the import"):
            take("keywords", WORDS + GH, update=True)

    def test_a_name_taken_meanwhile_stops_it(
        self, app: Flask, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        KeywordFactory.create(keyword="gh")
        monkeypatch.setattr(type(TABLES["keywords"]), "stored", lambda _self, _names: {})

        with pytest.raises(InvalidError, match="exists"):
            take("keywords", WORDS + GH)


class TestRefusedRows:
    def test_come_with_a_reason_and_can_be_taken_when_mended(self, app: Flask) -> None:
        refused = io.StringIO()
        take("keywords", WORDS + GH + 'GH,https://example.com/{slug},"a\rb\nc"\n', refused=refused)

        rows = list(csv.DictReader(io.StringIO(refused.getvalue(), newline="")))
        assert rows[0]["keyword"] == "GH"
        assert rows[0]["why"].startswith("keyword: A keyword is made of")
        mended = refused.getvalue().replace("GH", "git")
        assert str(take("keywords", mended)) == "inserted=1 updated=0 unchanged=0 refused=0"

    def test_beyond_the_first_are_counted(self, app: Flask) -> None:
        report = take("keywords", WORDS + "A,,\n" * 300)

        assert report.refused == 300
        assert len(report.problems) == importing.PROBLEMS_KEPT


class TestExport:
    def test_comes_back_unchanged(self, ann: User) -> None:
        ben = UserFactory.create(email="ben@example.com", display_name='=1+1, "Ben"')
        tags = [TagFactory.create(name="b c"), TagFactory.create(name="C++")]
        LinkFactory.create(owner=ben, co_owners=[ann], tags=tags, description="two\nlines")
        LinkFactory.create(title=None, owner=ann)
        KeywordFactory.create(description=None)

        for kind, count in (("users", 2), ("links", 2), ("keywords", 1)):
            assert take(kind, export(kind)).unchanged == count

    def test_is_in_the_order_of_keys_and_whole(
        self, ann: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("adminsite.exchange.tables.CHUNK", 2)
        slugs = [LinkFactory.create(owner=ann).slug for _ in range(5)]

        rows = list(csv.DictReader(io.StringIO(export("links"))))

        assert [row["slug"] for row in rows] == slugs

    def test_leaves_out_what_is_not_asked_for(self, ann: User) -> None:
        LinkFactory.create(slug="a", owner=ann)
        LinkFactory.create(slug="b", owner=ann)

        text = "".join(exporting.lines("links", [Link.slug == "b"]))

        assert text.splitlines()[1].startswith("b,")
        assert len(text.splitlines()) == 2

    def test_of_nothing_is_a_header(self, app: Flask) -> None:
        assert export("keywords") == WORDS


def take_sample(name: str, refused: io.StringIO | None = None) -> str:
    with (SAMPLES / name).open("rb") as stream, transaction():
        upload = Upload(stream, max_mb=64)
        kind = name.partition(".")[0]
        return str(importing.apply(Order(kind, upload, SYSTEM, refused=refused)))


def check_reasons(name: str) -> str:
    """Import a file of bad rows: each is refused for what the file itself gives as the reason."""
    refused = io.StringIO()
    counts = take_sample(name, refused)
    with (SAMPLES / name).open(encoding="utf-8", newline="") as file:
        codes: dict[str, set[str]] = {}
        for row in csv.DictReader(file):
            codes.setdefault("|".join(list(row.values())[:2]), set()).add(row["why"])
    for row in csv.DictReader(io.StringIO(refused.getvalue(), newline="")):
        given = codes["|".join(list(row.values())[:2])]
        fitting = "|".join(FITTING[code.partition(":")[0]] for code in given)
        assert re.search(fitting, row["why"]), (given, row)
    return counts


if SAMPLES.is_dir():  # beside the checkout; the tests above need none of it

    def test_all_sample_rows_are_taken_and_the_bad_ones_refused(app: Flask) -> None:
        counts = {"users": 192, "links": 26_946, "keywords": 13_105}

        for kind, count in counts.items():
            taken = take_sample(f"{kind}.csv")
            assert taken == f"inserted={count} updated=0 unchanged=0 refused=0"
        for kind, count in counts.items():
            assert take(kind, export(kind)).unchanged == count
        bad_links, bad_words = check_reasons("links.bad.csv"), check_reasons("keywords.bad.csv")
        assert bad_links == "inserted=0 updated=0 unchanged=4 refused=2008"
        assert bad_words == "inserted=0 updated=0 unchanged=0 refused=1261"
        with pytest.raises(UnreadableError, match="not UTF-8"):
            take_sample("links.cp1252.bad.csv")
        assert audit.first_broken() is None

    def test_the_demo_leaves_room_for_all_sample_rows(demo_data: None) -> None:
        for kind in TABLES:
            if kind != "links":  # their owners are not stored here
                with (SAMPLES / f"{kind}.csv").open("rb") as stream:
                    report = importing.preview(Order(kind, Upload(stream, max_mb=64), SYSTEM))
                assert report.refused == 0
        with (SAMPLES / "links.csv").open(encoding="utf-8", newline="") as file:
            slugs = {row["slug"] for row in csv.DictReader(file)}
        assert slugs.isdisjoint(db.session.scalars(select(Link.slug)))
