"""Viewing the site as somebody: an overlay on a session, told of by the audit."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sessions", sa.Column("viewing_as_id", sa.Uuid(), nullable=True))
    op.add_column("sessions", sa.Column("viewing_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("audit_events", sa.Column("viewing_as_id", sa.Uuid(), nullable=True))
    op.add_column("audit_events", sa.Column("viewing_as_email", sa.String(254), nullable=True))


def downgrade() -> None:
    op.drop_column("audit_events", "viewing_as_email")
    op.drop_column("audit_events", "viewing_as_id")
    op.drop_column("sessions", "viewing_until")
    op.drop_column("sessions", "viewing_as_id")
