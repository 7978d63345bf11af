"""What is measured: T1 to T12, what each must show or change, and how fast it has to be."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from bench.client import Reply, form_with
from bench.dataset import RARE_WORD
from bench.floor import LEAVER, LEAVER_LINKS, PAGE_ROWS, Floor
from bench.sites import Place, Site

ABSENT_WORD = "zzqqxxyy"
DEEP_SHARE = 0.9
AMOUNT = 3
SLUG_LIKE = re.compile(r"[a-z]+-[a-z]+-\d+")
EMAIL_LIKE = re.compile(r"[A-Za-z.]+\d*@example\.com")
MARKED = re.compile(r"</?mark\b[^>]*>")  # a match may be marked inside the word
NEWEST = "ORDER BY created_at DESC, id DESC"
FIGURES = """
    SELECT count(*) FROM users
    UNION ALL SELECT count(*) FROM subscriptions WHERE status = 'active'
    UNION ALL SELECT coalesce(sum(amount), 0) FROM credit_transactions WHERE amount > 0
    UNION ALL SELECT coalesce(-sum(amount), 0) FROM credit_transactions WHERE type = 'usage'
"""

Request = Callable[[], Reply]


class WrongAnswerError(RuntimeError):
    """A page did not show, or a write did not leave, what it should."""


@dataclass(frozen=True)
class Sample:
    """What the pages should show and which rows are written, read from the database itself.

    Attributes:
        heir: who deletes users, and takes their links over.
        leavers: makes a user who alone owns 10,000 links.
        figures: what the overview shows, added up from the entries themselves.
        holder: whose credits are adjusted.
    """

    first_page: list[str]
    deep_page: list[str]
    before_deep_page: Place
    rare: list[str]
    emails: list[str]
    form_rows: list[int]
    cell_rows: list[int]
    heir: UUID
    leavers: Callable[[], UUID]
    figures: list[str]
    holder: UUID


@dataclass(frozen=True)
class Task:
    """One thing a person does.

    Attributes:
        target: how many times the floor it may take; None when nothing is asked of it.
        limit_ms: how long it may take, whatever the floor takes.
        money: whether it needs the members and the ledger of `money.py`.
        prepare: does what is not timed and gives the request that is.
        check: raises WrongAnswerError when the answer is wrong.
    """

    key: str
    title: str
    target: float | None
    prepare: Callable[[Site, Sample, int], Request]
    check: Callable[["Check"], None]
    limit_ms: float | None = None
    money: bool = False


@dataclass(frozen=True)
class Check:
    """Everything a check may look at after one timed request."""

    site: Site
    sample: Sample
    number: int
    reply: Reply
    database: Floor


def take_sample(database: Floor, writes: int) -> Sample:
    """Read what the pages should show; `writes` rows are set aside for each write task."""

    def column(sql: str) -> list[str]:
        return [str(row[0]) for row in database.rows(sql)]

    count = int(column("SELECT count(*) FROM links")[0])
    deep = max(1, int(count * DEEP_SHARE) // PAGE_ROWS) * PAGE_ROWS
    at, number = database.rows(
        f"SELECT created_at, id FROM links {NEWEST} LIMIT 1 OFFSET {deep - 1}"
    )[0]
    page = f"SELECT slug FROM links {NEWEST} LIMIT {PAGE_ROWS}"
    rare = f"SELECT slug FROM links WHERE search_text LIKE '%{RARE_WORD}%' {NEWEST}"
    middle = f"SELECT id FROM links {NEWEST} LIMIT {writes} OFFSET {count // 3}"
    return Sample(
        first_page=column(page),
        deep_page=column(f"{page} OFFSET {deep}"),
        before_deep_page=(at, number),
        rare=column(f"{rare} LIMIT {PAGE_ROWS}"),
        emails=column(f"SELECT email FROM users ORDER BY email_key LIMIT {PAGE_ROWS}"),
        form_rows=[int(row) for row in column(middle)],
        cell_rows=[int(row) for row in column(page.replace("slug", "id"))],
        heir=UUID(column("SELECT id FROM users ORDER BY role, email_key LIMIT 1")[0]),
        leavers=database.add_leaver,
        figures=[f"{int(figure):,}" for figure in column(FIGURES)],
        holder=UUID(column("SELECT id FROM users ORDER BY email_key DESC LIMIT 1")[0]),
    )


def title_for(site: Site, number: int) -> str:
    """The title that a write gives, different for each write."""
    return f"Written by {site.name}, {number}"


def _form_row(sample: Sample, number: int) -> int:
    return sample.form_rows[number % len(sample.form_rows)]


def _cell_row(sample: Sample, number: int) -> int:
    return sample.cell_rows[number % len(sample.cell_rows)]


def _shows(expected: Callable[[Sample], list[str]]) -> Callable[[Check], None]:
    def check(seen: Check) -> None:
        wanted = expected(seen.sample)
        pattern = EMAIL_LIKE if wanted and "@" in wanted[0] else SLUG_LIKE
        known = set(wanted)
        found = dict.fromkeys(pattern.findall(MARKED.sub("", seen.reply.text)))
        shown = [word for word in found if word in known]
        if shown != wanted:
            raise WrongAnswerError(f"{len(shown)} of {len(wanted)} expected rows, or out of order")

    return check


def _shows_nothing(seen: Check) -> None:
    if any(slug in seen.reply.text for slug in seen.sample.first_page):
        raise WrongAnswerError("rows where none should be")


def _shows_the_form(seen: Check) -> None:
    number = _form_row(seen.sample, seen.number)
    title = seen.database.rows("SELECT title FROM links WHERE id = ?", [number])[0][0]
    if dict(form_with("title", seen.reply.text))["title"] != title:
        raise WrongAnswerError("the form does not hold the link's title")


def _changed(row: Callable[[Sample, int], int], task: str) -> Callable[[Check], None]:
    def check(seen: Check) -> None:
        number = row(seen.sample, seen.number)
        title = seen.database.rows("SELECT title FROM links WHERE id = ?", [number])[0][0]
        if title != title_for(seen.site, seen.number) + task:
            raise WrongAnswerError(f"the title is {title!r}")
        if seen.site.name == "project" and not _audited(seen.database, number, title):
            raise WrongAnswerError("no audit event names the change")

    return check


def _deleting(link_action: str) -> Callable[[Site, Sample, int], Request]:
    def prepare(site: Site, sample: Sample, _number: int) -> Request:
        person = sample.leavers()
        return lambda: site.delete_user(person, link_action, sample.heir)

    return prepare


def _left(link_action: str) -> Callable[[Check], None]:
    """Nobody of that name is left, and every link went where it should."""
    kept = LEAVER_LINKS if link_action == "reassign" else 0

    def check(seen: Check) -> None:
        heir = seen.database.key(seen.sample.heir)
        gone = seen.database.rows("SELECT count(*) FROM users WHERE display_name = ?", [LEAVER])
        taken = seen.database.rows(
            "SELECT count(*) FROM link_owners o JOIN links l ON l.id = o.link_id "
            f"WHERE o.user_id = ? AND o.is_primary AND substr(l.slug, 1, {len(LEAVER)}) = ?",
            [heir, LEAVER],
        )
        if (gone[0][0], taken[0][0]) != (0, kept):
            raise WrongAnswerError(f"{gone[0][0]} leavers, {taken[0][0]} of {kept} links taken")

    return check


def _shows_the_figures(seen: Check) -> None:
    missing = [figure for figure in seen.sample.figures if figure not in seen.reply.text]
    if missing:
        raise WrongAnswerError(f"the overview does not show {', '.join(missing)}")


def _reason(site: Site, number: int) -> str:
    return f"{title_for(site, number)} T12"


def _adjusted(seen: Check) -> None:
    reason, holder = _reason(seen.site, seen.number), seen.database.key(seen.sample.holder)
    entry = seen.database.rows(
        "SELECT amount, description, balance_after, (SELECT credits_balance FROM users WHERE id = "
        "user_id) FROM credit_transactions WHERE user_id = ? ORDER BY id DESC LIMIT 1",
        [holder],
    )
    if not entry or entry[0][0] != AMOUNT or not entry[0][1].endswith(reason):
        raise WrongAnswerError(f"the newest entry is {entry}")
    if entry[0][2] != entry[0][3]:
        raise WrongAnswerError(f"the balance is {entry[0][3]}, the entry says {entry[0][2]}")
    if seen.site.name == "project":
        event = seen.database.rows("SELECT reason FROM audit_events ORDER BY id DESC LIMIT 1")
        if event[0][0] != reason:
            raise WrongAnswerError("no audit event names the adjustment")


def _audited(database: Floor, number: int, title: str) -> bool:
    newest = database.rows(
        "SELECT changes FROM audit_events WHERE subject_type = 'link' AND subject_id = ? "
        "AND action = 'link.updated' ORDER BY id DESC LIMIT 1",
        [str(number)],
    )
    return bool(newest) and title in str(newest[0][0])


TASKS = (
    Task(
        "T1",
        "links, first page",
        5,
        lambda site, _sample, _number: site.first_page,
        _shows(lambda sample: sample.first_page),
    ),
    Task(
        "T2",
        "links, the page at 90 %",
        5,
        lambda site, sample, _number: site.page_after(sample.before_deep_page),
        _shows(lambda sample: sample.deep_page),
    ),
    Task(
        "T3",
        f"search “{RARE_WORD}”",
        25,
        lambda site, _sample, _number: lambda: site.search(RARE_WORD),
        _shows(lambda sample: sample.rare),
    ),
    Task(
        "T3f",
        "the same, list region only",
        25,
        lambda site, _sample, _number: lambda: site.search(RARE_WORD, fragment=True),
        _shows(lambda sample: sample.rare),
    ),
    Task(
        "T4",
        "search without a match",
        25,
        lambda site, _sample, _number: lambda: site.search(ABSENT_WORD),
        _shows_nothing,
    ),
    Task(
        "T5",
        "users by e-mail",
        None,
        lambda site, _sample, _number: site.users,
        _shows(lambda sample: sample.emails),
    ),
    Task(
        "T6",
        "edit form",
        4,
        lambda site, sample, number: lambda: site.form(_form_row(sample, number)),
        _shows_the_form,
    ),
    Task(
        "T7",
        "save a title, with audit",
        4,
        lambda site, sample, number: site.saving(
            _form_row(sample, number), title_for(site, number) + " T7"
        ),
        _changed(_form_row, " T7"),
    ),
    Task(
        "T8",
        "one cell, with audit",
        3,
        lambda site, sample, number: (
            lambda: site.cell(_cell_row(sample, number), title_for(site, number) + " T8")
        ),
        _changed(_cell_row, " T8"),
    ),
    Task(
        "T9",
        "delete a user, reassign 10,000 links",
        2,
        _deleting("reassign"),
        _left("reassign"),
    ),
    Task(
        "T10",
        "delete a user and 10,000 links",
        2,
        _deleting("delete"),
        _left("delete"),
    ),
    Task(
        "T11",
        "overview, 1,000,000 entries",
        None,
        lambda site, _sample, _number: lambda: site.overview("30d"),
        _shows_the_figures,
        limit_ms=60,
        money=True,
    ),
    Task(
        "T11y",
        "the same, 12 months",
        None,
        lambda site, _sample, _number: lambda: site.overview("12m"),
        _shows_the_figures,
        limit_ms=60,
        money=True,
    ),
    Task(
        "T12",
        "adjust credits, with audit",
        None,
        lambda site, sample, number: (
            lambda: site.adjust(sample.holder, AMOUNT, _reason(site, number))
        ),
        _adjusted,
        money=True,
    ),
)
