"""The floor: every task as hand-written SQL over the application's own tables.

Keyset pages, no COUNT, a trigram index of its own for the search, no session, no permission,
no audit. What a page costs beyond this is the price of everything else it does.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import psycopg

from bench.database import libpq, sqlite_path, tune

PAGE_ROWS = 50
SEARCH_TABLE = "bench_search"
LEAVER = "leaver-"
LEAVER_LINKS = 10_000
NEWEST_FIRST = f"ORDER BY l.created_at DESC, l.id DESC LIMIT {PAGE_ROWS}"
LINK_COLUMNS = "l.id, l.slug, l.url, l.title, l.created_at"
DOCUMENTS = """
    SELECT l.id, l.slug || ' ' || l.url || ' ' || coalesce(l.title, '') || ' '
           || coalesce({names}, '') AS doc
    FROM links l
    LEFT JOIN link_owners o ON o.link_id = l.id LEFT JOIN users u ON u.id = o.user_id
    GROUP BY l.id
"""

Record = tuple[Any, ...]


class Overview(NamedTuple):
    """The figures of the first page.

    Attributes:
        counts: of users, links, keywords and subscriptions: all, of the period, of the one before.
        tiers: active subscriptions by plan.
    """

    counts: Record
    tiers: dict[str, int]
    issued: int
    used: int
    credit_days: list[Record]
    joined: list[Record]
    moves: list[Record]
    events: list[Record]


class Floor:
    """One connection to the database and one method per task.

    Attributes:
        statements: how many have been sent since the counter was last set to 0.
    """

    def __init__(self, url: str) -> None:
        self.on_sqlite = url.startswith("sqlite")
        self.statements = 0
        self._connection: sqlite3.Connection | psycopg.Connection[Record]
        if self.on_sqlite:
            self._connection = sqlite3.connect(
                sqlite_path(url), isolation_level=None, check_same_thread=False
            )
            tune(self._connection)
        else:
            self._connection = psycopg.connect(libpq(url), autocommit=True)

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[Record]:
        """All rows of one statement, whose placeholders are question marks."""
        return self._run(sql, values).fetchall()

    def links(self, after: tuple[object, object] | None = None) -> list[Record]:
        """The newest links, or those next after a (created_at, id)."""
        where = "WHERE (l.created_at, l.id) < (?, ?)" if after else ""
        found = self.rows(f"SELECT {LINK_COLUMNS} FROM links l {where} {NEWEST_FIRST}", after or ())
        return self._with_names(found)

    def search(self, term: str) -> list[Record]:
        """The newest links in which the term occurs."""
        if self.on_sqlite:
            hits = f"SELECT rowid FROM {SEARCH_TABLE} WHERE {SEARCH_TABLE} MATCH ?"
            value = '"' + term.replace('"', '""') + '"'
        else:
            hits = f"SELECT id FROM {SEARCH_TABLE} WHERE doc ILIKE ?"
            value = f"%{term}%"
        sql = f"SELECT {LINK_COLUMNS} FROM links l WHERE l.id IN ({hits}) {NEWEST_FIRST}"
        return self._with_names(self.rows(sql, [value]))

    def users(self) -> list[Record]:
        """The first people by e-mail."""
        return self.rows(
            "SELECT id, email, display_name, role, credits_balance, created_at FROM users "
            f"ORDER BY email_key LIMIT {PAGE_ROWS}"
        )

    def link(self, number: int) -> tuple[Record, list[Record], list[Record]]:
        """One link with its owners and tags, as the edit form needs them."""
        link = self.rows(
            "SELECT id, slug, url, title, description, version FROM links WHERE id = ?", [number]
        )
        owners = self.rows(
            "SELECT u.id, u.display_name FROM link_owners o JOIN users u ON u.id = o.user_id "
            "WHERE o.link_id = ?",
            [number],
        )
        tags = self.rows(
            "SELECT t.id, t.name FROM link_tags lt JOIN tags t ON t.id = lt.tag_id "
            "WHERE lt.link_id = ?",
            [number],
        )
        return link[0], owners, tags

    def rename(self, number: int, title: str) -> None:
        """Give one link a new title."""
        self._run(
            "UPDATE links SET title = ?, version = version + 1, updated_at = CURRENT_TIMESTAMP "
            "WHERE id = ?",
            [title, number],
        )

    def delete_user(self, person: str, link_action: str, heir: str) -> None:
        """Delete a user; what they are primary owner of goes to the heir, or goes."""
        self._run("BEGIN")
        if link_action == "reassign":
            self._run(
                "UPDATE link_owners SET user_id = ? WHERE user_id = ? AND is_primary",
                [heir, person],
            )
        else:
            self._run(
                "DELETE FROM links WHERE id IN (SELECT link_id FROM link_owners o WHERE "
                "user_id = ? AND is_primary AND NOT EXISTS (SELECT 1 FROM link_owners x "
                "WHERE x.link_id = o.link_id AND x.user_id <> o.user_id))",
                [person],
            )
        self._run("DELETE FROM users WHERE id = ?", [person])
        self._run("COMMIT")

    def overview(self, first: date, before: date) -> Overview:
        """What there is, what a period added next to the one before, and its days."""
        start, earlier = (f"{day} 00:00:00" for day in (first, before))
        made = ", ".join(
            f"(SELECT count(*) FROM {table}), "
            f"(SELECT count(*) FROM {table} WHERE created_at >= ?), "
            f"(SELECT count(*) FROM {table} WHERE created_at >= ? AND created_at < ?)"
            for table in ("users", "links", "keywords", "subscriptions")
        )
        counts = self.rows(f"SELECT {made}", [start, earlier, start] * 4)[0]
        tiers = self.rows(
            "SELECT tier, count(*) FROM subscriptions WHERE status = 'active' GROUP BY tier"
        )
        issued = self.rows("SELECT sum(added) FROM credit_days")[0][0] or 0
        used = self.rows("SELECT sum(taken - added) FROM credit_days WHERE type = 'usage'")
        days = self.rows(
            "SELECT day, sum(added), sum(CASE WHEN type = 'usage' THEN taken - added ELSE 0 END) "
            "FROM credit_days WHERE day >= ? GROUP BY day ORDER BY day",
            [str(before)],
        )
        day = "substr(created_at, 1, 10)" if self.on_sqlite else "created_at::date"
        joined = self.rows(
            f"SELECT {day}, count(*) FROM users WHERE created_at >= ? GROUP BY 1 ORDER BY 1",
            [start],
        )
        began = self.rows(
            f"SELECT {day}, tier, count(*) FROM subscriptions WHERE created_at >= ? "
            "AND status IN ('active', 'canceled') GROUP BY 1, 2",
            [start],
        )
        ended = self.rows(
            f"SELECT {day.replace('created_at', 'canceled_at')}, tier, count(*) "
            "FROM subscriptions WHERE canceled_at >= ? AND status = 'canceled' GROUP BY 1, 2",
            [start],
        )
        events = self.rows(
            "SELECT at, actor_email, action, subject_label FROM audit_events "
            "ORDER BY id DESC LIMIT 8"
        )
        return Overview(
            counts, dict(tiers), issued, used[0][0] or 0, days, joined, began + ended, events
        )

    def adjust(self, person: str, amount: int, reason: str) -> None:
        """Move a balance, and write the entry."""
        self._run("BEGIN")
        balance = self._run(
            "UPDATE users SET credits_balance = credits_balance + ?, version = version + 1 "
            "WHERE id = ? RETURNING credits_balance, email",
            [amount, person],
        ).fetchall()[0]
        self._run(
            "INSERT INTO credit_transactions (user_id, user_email, amount, balance_after, type, "
            "description, created_at) VALUES (?, ?, ?, ?, 'admin_adjustment', ?, "
            "CURRENT_TIMESTAMP)",
            [person, balance[1], amount, balance[0], reason],
        )
        self._run("COMMIT")

    def key(self, person: UUID) -> str:
        """A person's key as this database keeps it."""
        return person.hex if self.on_sqlite else str(person)

    def add_leaver(self) -> UUID:
        """A user who alone owns many links; those of the one before are removed."""
        person = uuid4()
        email = f"{LEAVER}{person.hex}@example.com"
        values = (self.key(person), email, email, LEAVER, "user", email, 1)
        self._run("BEGIN")
        self._run(f"DELETE FROM links WHERE substr(slug, 1, {len(LEAVER)}) = '{LEAVER}'")
        self._run(
            "INSERT INTO users (id, email, email_key, display_name, role, search_text, version, "
            "created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, CURRENT_TIMESTAMP, "
            "CURRENT_TIMESTAMP)",
            values,
        )
        self._run(
            "INSERT INTO links (slug, url, title, search_text, version, created_at, updated_at) "
            f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < "
            f"{LEAVER_LINKS}) SELECT '{LEAVER}' || i, 'https://example.com/' || i, 'Left ' || i, "
            f"'{LEAVER}' || i, 1, CURRENT_TIMESTAMP, CURRENT_TIMESTAMP FROM n"
        )
        self._run(
            "INSERT INTO link_owners (link_id, user_id, is_primary, created_at) "
            "SELECT id, ?, TRUE, CURRENT_TIMESTAMP FROM links "
            f"WHERE substr(slug, 1, {len(LEAVER)}) = '{LEAVER}'",
            [self.key(person)],
        )
        self._run("COMMIT")
        return person

    def build_search(self, table: str = SEARCH_TABLE) -> None:
        """Make the trigram index of slug, URL, title and owners' names."""
        if self.on_sqlite:
            documents = DOCUMENTS.format(names="group_concat(u.display_name, ' ')")
            statements = [
                f"CREATE VIRTUAL TABLE {table} USING fts5(doc, content='', tokenize='trigram')",
                f"INSERT INTO {table} (rowid, doc) {documents}",
            ]
        else:
            documents = DOCUMENTS.format(names="string_agg(u.display_name, ' ')")
            statements = [
                "CREATE EXTENSION IF NOT EXISTS pg_trgm",
                f"CREATE TABLE {table} AS {documents}",
                f"ALTER TABLE {table} ADD PRIMARY KEY (id)",
                f"CREATE INDEX {table}_doc ON {table} USING gin (doc gin_trgm_ops)",
                f"VACUUM ANALYZE {table}",
            ]
        for statement in statements:
            self._run(statement)

    def _with_names(self, links: list[Record]) -> list[Record]:
        numbers = [link[0] for link in links]
        if not numbers:
            return []
        marks = ", ".join("?" * len(numbers))
        owners = _joined(
            self.rows(
                "SELECT o.link_id, u.display_name FROM link_owners o "
                f"JOIN users u ON u.id = o.user_id WHERE o.link_id IN ({marks})",
                numbers,
            )
        )
        tags = _joined(
            self.rows(
                "SELECT lt.link_id, t.name FROM link_tags lt "
                f"JOIN tags t ON t.id = lt.tag_id WHERE lt.link_id IN ({marks})",
                numbers,
            )
        )
        return [(*link, owners.get(link[0], ""), tags.get(link[0], "")) for link in links]

    def _run(
        self, sql: str, values: Sequence[object] = ()
    ) -> sqlite3.Cursor | psycopg.Cursor[Record]:
        self.statements += sql not in {"BEGIN", "COMMIT"}  # nor are they in the project's
        if isinstance(self._connection, sqlite3.Connection):
            return self._connection.execute(sql, values)
        return self._connection.execute(sql.replace("?", "%s").encode(), values or None)


def _joined(pairs: Iterable[Record]) -> dict[int, str]:
    names: dict[int, list[str]] = {}
    for number, name in pairs:
        names.setdefault(number, []).append(name)
    return {number: ", ".join(found) for number, found in names.items()}
