"""The ledger: who acted and what is reversed, append-only by the database, days added up.

The one change the database takes is that of a deletion: the entries of a person who is gone
lose the reference to them. On SQLite the triggers also see INSERT OR REPLACE coming, whether
or not the connection switches recursive triggers on. A later migration that rebuilds the
table on SQLite (batch mode) has to make these triggers again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

REFUSAL = "credit_transactions is append-only"
KEPT = (
    "id",
    "user_email",
    "amount",
    "balance_after",
    "type",
    "reference_id",
    "idempotency_key",
    "description",
    "actor_id",
    "actor_email",
    "approved_by",
    "reverses_id",
    "created_at",
)
SUMS = (
    "sum(CASE WHEN amount > 0 THEN amount ELSE 0 END), "
    "sum(CASE WHEN amount < 0 THEN -amount ELSE 0 END), count(*)"
)
ADD_UP = (
    "ON CONFLICT (day, type) DO UPDATE SET added = credit_days.added + excluded.added, "
    "taken = credit_days.taken + excluded.taken, entries = credit_days.entries + excluded.entries"
)


def upgrade() -> None:
    op.add_column("credit_transactions", sa.Column("actor_email", sa.String(254), nullable=True))
    op.add_column("credit_transactions", sa.Column("approved_by", sa.String(254), nullable=True))
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("credit_transactions", sa.Column("reverses_id", big, nullable=True))
    op.create_index(
        "uq_credit_transactions_reverses_id", "credit_transactions", ["reverses_id"], unique=True
    )
    op.create_index("ix_credit_transactions_actor_id_id", "credit_transactions", ["actor_id", "id"])
    op.create_table(
        "credit_days",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("type", sa.String(length=20), nullable=False),
        sa.Column("added", sa.BigInteger(), nullable=False),
        sa.Column("taken", sa.BigInteger(), nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", "type", name=op.f("pk_credit_days")),
    )
    if op.get_bind().dialect.name == "sqlite":
        _upgrade_sqlite()
    else:
        _upgrade_postgresql()


def _upgrade_sqlite() -> None:
    op.execute(
        f"INSERT INTO credit_days SELECT substr(created_at, 1, 10), type, {SUMS} "
        "FROM credit_transactions GROUP BY 1, 2"
    )
    op.execute(
        "CREATE TRIGGER credit_transactions_days AFTER INSERT ON credit_transactions BEGIN "
        "INSERT INTO credit_days VALUES (substr(NEW.created_at, 1, 10), NEW.type, "
        f"max(NEW.amount, 0), max(-NEW.amount, 0), 1) {ADD_UP}; END"
    )
    refuse = f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
    same = " AND ".join(f"NEW.{name} IS OLD.{name}" for name in KEPT)
    op.execute(
        "CREATE TRIGGER credit_transactions_no_update BEFORE UPDATE ON credit_transactions "
        f"WHEN NOT (NEW.user_id IS NULL AND {same} "
        f"AND NOT EXISTS (SELECT 1 FROM users WHERE id = OLD.user_id)) {refuse}"
    )
    op.execute(
        "CREATE TRIGGER credit_transactions_no_delete BEFORE DELETE ON credit_transactions "
        f"{refuse}"
    )
    # one lookup for each unique index: an OR of them would read the whole ledger
    taken = " OR ".join(
        f"EXISTS (SELECT 1 FROM credit_transactions WHERE {name} = NEW.{name})"
        for name in ("id", "idempotency_key", "reverses_id")
    )
    op.execute(
        "CREATE TRIGGER credit_transactions_no_replace BEFORE INSERT ON credit_transactions "
        f"WHEN {taken} {refuse}"
    )


def _upgrade_postgresql() -> None:
    op.execute(
        "INSERT INTO credit_days SELECT (created_at AT TIME ZONE 'UTC')::date, type, "
        f"{SUMS} FROM credit_transactions GROUP BY 1, 2"
    )
    op.execute(
        "CREATE FUNCTION add_up_credit_days() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "INSERT INTO credit_days (day, type, added, taken, entries) "
        f"SELECT (created_at AT TIME ZONE 'UTC')::date, type, {SUMS} FROM written "
        f"GROUP BY 1, 2 ORDER BY 1, 2 {ADD_UP}; "  # in order: two writers must not deadlock
        "RETURN NULL; END $$"
    )
    op.execute(
        "CREATE TRIGGER credit_transactions_days AFTER INSERT ON credit_transactions "
        "REFERENCING NEW TABLE AS written FOR EACH STATEMENT "
        "EXECUTE FUNCTION add_up_credit_days()"
    )
    op.execute(
        "CREATE FUNCTION refuse_ledger_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF TG_OP = 'UPDATE' THEN "
        "IF NEW.user_id IS NULL AND to_jsonb(NEW) - 'user_id' = to_jsonb(OLD) - 'user_id' "
        "AND NOT EXISTS (SELECT 1 FROM users WHERE id = OLD.user_id) "
        "THEN RETURN NEW; END IF; END IF; "
        f"RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'restrict_violation'; END $$"
    )
    op.execute(
        "CREATE TRIGGER credit_transactions_no_update BEFORE UPDATE ON credit_transactions "
        "FOR EACH ROW EXECUTE FUNCTION refuse_ledger_change()"
    )
    op.execute(
        "CREATE TRIGGER credit_transactions_no_delete BEFORE DELETE OR TRUNCATE "
        "ON credit_transactions FOR EACH STATEMENT EXECUTE FUNCTION refuse_ledger_change()"
    )


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for name in ("days", "no_update", "no_delete", "no_replace"):
            op.execute(f"DROP TRIGGER credit_transactions_{name}")
    else:
        for name in ("days", "no_update", "no_delete"):
            op.execute(f"DROP TRIGGER credit_transactions_{name} ON credit_transactions")
        op.execute("DROP FUNCTION add_up_credit_days()")
        op.execute("DROP FUNCTION refuse_ledger_change()")
    op.drop_table("credit_days")
    op.drop_index("ix_credit_transactions_actor_id_id", "credit_transactions")
    op.drop_index("uq_credit_transactions_reverses_id", "credit_transactions")
    for name in ("reverses_id", "approved_by", "actor_email"):
        op.drop_column("credit_transactions", name)
