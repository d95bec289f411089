"""What must not come in again after a person was erased."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Makes the tables."""
    op.create_table(
        "erased_mail",
        sa.Column("key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_erased_mail")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "detached_record",
        sa.Column("entity", sa.String(length=24), nullable=False),
        sa.Column("record_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("entity", "record_id", name=op.f("pk_detached_record")),
    )
