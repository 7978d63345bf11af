"""When subscriptions began and ended, read for the overview from the indexes alone."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

INDEXES = {
    "ix_subscriptions_began": ["created_at", "status", "tier", "canceled_at"],
    "ix_subscriptions_ended": ["canceled_at", "status", "tier", "created_at"],
}


def upgrade() -> None:
    for name, columns in INDEXES.items():
        op.create_index(name, "subscriptions", columns)


def downgrade() -> None:
    for name in INDEXES:
        op.drop_index(name, table_name="subscriptions")
