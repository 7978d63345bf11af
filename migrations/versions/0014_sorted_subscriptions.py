"""Subscriptions in the order they began in, page by page."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_subscriptions_created_at_id", "subscriptions", ["created_at", "id"], unique=False
    )


def downgrade() -> None:
    op.drop_index("ix_subscriptions_created_at_id", table_name="subscriptions")
