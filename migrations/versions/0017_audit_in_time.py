"""Every filter of the audit's list finds its events in the order of time, without sorting.

The index on subject_type, subject_id and id stays: the events of one record are read in the
order they were chained.
"""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

BEFORE = {
    "ix_audit_events_action_id": ["action", "id"],
    "ix_audit_events_actor_id_id": ["actor_id", "id"],
}
NOW = {
    "ix_audit_events_action_at_id": ["action", "at", "id"],
    "ix_audit_events_actor_id_at_id": ["actor_id", "at", "id"],
    "ix_audit_events_subject_type_at_id": ["subject_type", "at", "id"],
    "ix_audit_events_request_id_at_id": ["request_id", "at", "id"],
}


def upgrade() -> None:
    _replace(BEFORE, NOW)


def downgrade() -> None:
    _replace(NOW, BEFORE)


def _replace(gone: dict[str, list[str]], made: dict[str, list[str]]) -> None:
    for name in gone:
        op.drop_index(name, table_name="audit_events")
    for name, columns in made.items():
        op.create_index(name, "audit_events", columns)
