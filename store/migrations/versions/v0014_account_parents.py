"""Finding what lies below an account."""

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """An index on the parent of accounts."""
    op.create_index(op.f("ix_account_parent_id"), "account", ["parent_id"])
