"""Indexes that the lists of people are sorted and filtered by."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

INDEXES = (
    ("ix_admins_created_at_id", "admins", ["created_at", "id"]),
    ("ix_users_credits_balance_id", "users", ["credits_balance", "id"]),
    ("ix_users_subscription_status_id", "users", ["subscription_status", "id"]),
    ("ix_users_subscription_tier_id", "users", ["subscription_tier", "id"]),
)


def upgrade() -> None:
    for name, table, columns in INDEXES:
        op.create_index(name, table, columns)


def downgrade() -> None:
    for name, table, _columns in reversed(INDEXES):
        op.drop_index(name, table)
