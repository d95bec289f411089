"""Projects and deals, and the status of accounts with its history."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.schema import SchemaItem

revision = "0005"
down_revision = "0004"


def _entity() -> list[sa.Column[object]]:
    return [
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ext_id", sa.String(length=120), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
    ]


def _entity_constraints(table: str) -> list[SchemaItem]:
    return [
        sa.ForeignKeyConstraint(["created_by"], ["user.id"], name=op.f(f"fk_{table}_created_by")),
        sa.ForeignKeyConstraint(["updated_by"], ["user.id"], name=op.f(f"fk_{table}_updated_by")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("ext_id", name=op.f(f"uq_{table}_ext_id")),
        sa.UniqueConstraint("reference", name=op.f(f"uq_{table}_reference")),
    ]


def upgrade() -> None:
    # New columns at the end of a table: neither database copies it for them.
    op.execute("ALTER TABLE account ADD COLUMN status VARCHAR(24)")
    op.execute("ALTER TABLE account ADD COLUMN status_since DATE")
    op.create_index("ix_account_status", "account", ["status", "name"])
    op.create_table(
        "project",
        *_entity(),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("reference", sa.String(length=40), nullable=True),
        sa.Column("start_date", sa.Date(), nullable=True),
        sa.Column("end_date", sa.Date(), nullable=True),
        sa.Column("status", sa.String(length=24), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_project_account_id")),
        *_entity_constraints("project"),
    )
    op.create_index("ix_project_name", "project", ["name"])
    op.create_index(op.f("ix_project_account_id"), "project", ["account_id"])
    op.create_table(
        "deal",
        *_entity(),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(length=40), nullable=True),
        sa.Column("title", sa.String(length=255), nullable=False),
        sa.Column("start_date", sa.Date(), nullable=True),
        sa.Column("end_date", sa.Date(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("status", sa.String(length=24), nullable=False),
        sa.Column("amount", sa.Numeric(precision=14, scale=2), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("billable", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "status <> 'CANCELLED' OR closed_on IS NOT NULL", name=op.f("ck_deal_cancelled_has_date")
        ),
        sa.CheckConstraint(
            "status <> 'ENDED' OR end_date IS NOT NULL OR closed_on IS NOT NULL",
            name=op.f("ck_deal_ended_has_date"),
        ),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_deal_project_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["user.id"], name=op.f("fk_deal_owner_id")),
        *_entity_constraints("deal"),
    )
    op.create_index(op.f("ix_deal_project_id"), "deal", ["project_id"])
    op.create_table(
        "account_status_history",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("from", sa.String(length=24), nullable=True),
        sa.Column("to", sa.String(length=24), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("reason", sa.SmallInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
            name=op.f("fk_account_status_history_account_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_status_history")),
    )
    op.create_index(op.f("ix_account_status_history_account_id"), "account_status_history", ["account_id"])
    op.create_table(
        "account_status_pass",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_status_pass")),
    )
    # The one row of this table used to be made at first use, by two processes at once perhaps.
    op.execute(
        "INSERT INTO directory_state (id, version, matched_version, policy, key_check) "
        "SELECT 1, 1, 0, '', '' WHERE NOT EXISTS (SELECT 1 FROM directory_state)"
    )
