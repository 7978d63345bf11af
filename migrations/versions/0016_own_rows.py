"""Row-level security on PostgreSQL: a member's request sees and changes that person's rows only.

Such a request takes on the role `adminsite_member` and says who it is of in `adminsite.member`.
The policies compare with that; whoever has not taken on the role sees what they always saw. They
name the role in their text and not by TO, so they hold before there is the role, after a restore
elsewhere, and for an application that does not own the tables. They are not forced: the owner of
the tables (staff, commands, imports) is exempt, since under a policy no LIKE uses an index.

The role has what a page reads or a member's own request writes, by column, and no more: entries of
the ledger and subscriptions are read, events of the audit are added in the person's own name.
Where it cannot be made here, `grant_member_rights()` is run once it was made. SQLite has no roles.
"""

import logging

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

ROLE = "adminsite_member"
ME = "(SELECT NULLIF(current_setting('adminsite.member', true), '')::uuid)"
OWN = {
    "users": f"id = {ME}",
    **dict.fromkeys(
        (
            "subscriptions",
            "credit_transactions",
            "pending_adjustments",
            "sessions",
            "api_tokens",
            "password_resets",
            "link_owners",
        ),
        f"user_id = {ME}",
    ),
    "links": f"id IN (SELECT link_id FROM link_owners WHERE user_id = {ME})",
    # what the person does, and what is refused to staff who view the site as the person
    "audit_events": f"actor_id = {ME} OR viewing_as_id = {ME}",
}
RIGHTS = (
    "SELECT ON users, subscriptions, credit_transactions, links, link_owners",
    "UPDATE (password_hash, search_text, updated_at, version) ON users",
    "SELECT, UPDATE (last_seen_at), DELETE ON sessions",
    "SELECT, INSERT, UPDATE (revoked_at) ON api_tokens",
    "USAGE ON SEQUENCE api_tokens_id_seq",
    "SELECT (user_id), DELETE ON password_resets",
    "INSERT ON audit_events",
    "SELECT, UPDATE (event_id, hash) ON audit_heads",
)
# Somebody else may make the role at the same moment, or only a DBA may.
MAKE_ROLE = f"""
    DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{ROLE}') THEN
        BEGIN CREATE ROLE {ROLE} NOLOGIN;
        EXCEPTION WHEN insufficient_privilege OR duplicate_object OR unique_violation THEN NULL;
        END;
    END IF;
    BEGIN GRANT {ROLE} TO CURRENT_USER;
    EXCEPTION WHEN insufficient_privilege OR undefined_object OR unique_violation THEN NULL;
    END;
    END $$"""
# Other databases of the cluster may need it.
DROP_ROLE = f"""
    DO $$ BEGIN DROP ROLE {ROLE};
    EXCEPTION WHEN insufficient_privilege OR dependent_objects_still_exist THEN NULL;
    END $$"""
MADE = f"SELECT oid FROM pg_roles WHERE rolname = '{ROLE}'"
TAKEN_ON = f"SELECT pg_has_role(oid, 'MEMBER') FROM pg_roles WHERE rolname = '{ROLE}'"
OFF = "row-level security is off: there is no role %s, or it is not ours; see the README"


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    for table, rule in OWN.items():
        op.execute(
            f"CREATE POLICY own_rows ON {table} USING (current_user <> '{ROLE}' OR ({rule}))"
        )
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    grants = "".join(f"GRANT {right} TO {ROLE}; " for right in RIGHTS)
    op.execute(
        "CREATE FUNCTION grant_member_rights() RETURNS void LANGUAGE plpgsql AS $$ BEGIN "
        f"EXECUTE format('GRANT USAGE ON SCHEMA %I TO {ROLE}', current_schema()); {grants}END $$"
    )
    op.execute(MAKE_ROLE)
    if connection.scalar(sa.text(MADE)):
        op.execute("SELECT grant_member_rights()")
    if not connection.scalar(sa.text(TAKEN_ON)):
        logging.getLogger("alembic.runtime.migration").warning(OFF, ROLE)


def downgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    if connection.scalar(sa.text(MADE)):
        for right in RIGHTS:
            _verbs, _on, things = right.partition(" ON ")
            op.execute(f"REVOKE ALL ON {things} FROM {ROLE}")
        op.execute(
            "DO $$ BEGIN EXECUTE "
            f"format('REVOKE USAGE ON SCHEMA %I FROM {ROLE}', current_schema()); END $$"
        )
    op.execute("DROP FUNCTION grant_member_rights()")
    for table in OWN:
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
        op.execute(f"DROP POLICY own_rows ON {table}")
    if connection.scalar(sa.text(MADE)):
        op.execute(DROP_ROLE)
