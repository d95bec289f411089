"""The tables of messages on servers that have no numbers for them."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "numbered_folder",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("mailbox_id", sa.Integer(), nullable=False),
        sa.Column("remote_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["mailbox_id"], ["mailbox.id"], name=op.f("fk_numbered_folder_mailbox_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_numbered_folder")),
        sa.UniqueConstraint("mailbox_id", "remote_id", name=op.f("uq_numbered_folder_mailbox_id_remote_id")),
    )
    op.create_table(
        "numbered_item",
        sa.Column("folder_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("remote_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["folder_id"],
            ["numbered_folder.id"],
            name=op.f("fk_numbered_item_folder_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("folder_id", "number", name=op.f("pk_numbered_item")),
        sa.UniqueConstraint("folder_id", "remote_id", name=op.f("uq_numbered_item_folder_id_remote_id")),
        sqlite_with_rowid=False,
    )
