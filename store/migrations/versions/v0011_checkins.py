"""Where accounts are and users set out from, and check-ins on site."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    # New columns at the end of a table: neither database copies it for them.
    for column in ("latitude", "longitude"):
        op.add_column("account", sa.Column(column, sa.Numeric(precision=9, scale=6), nullable=True))
    op.add_column("account", sa.Column("geocode_accuracy_m", sa.Integer(), nullable=True))
    for column in ("base_lat", "base_lon"):
        op.add_column("user", sa.Column(column, sa.Numeric(precision=9, scale=6), nullable=True))
    op.create_table(
        "check_in",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ext_id", sa.String(length=120), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=True),
        sa.Column("occurrence_key", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lat", sa.Numeric(precision=9, scale=6), nullable=False),
        sa.Column("lon", sa.Numeric(precision=9, scale=6), nullable=False),
        sa.Column("accuracy_m", sa.Integer(), nullable=False),
        sa.Column("distance_m", sa.Integer(), nullable=True),
        sa.Column("flag", sa.String(length=24), nullable=False),
        sa.ForeignKeyConstraint(["created_by"], ["user.id"], name=op.f("fk_check_in_created_by")),
        sa.ForeignKeyConstraint(["updated_by"], ["user.id"], name=op.f("fk_check_in_updated_by")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_check_in_user_id")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_check_in_account_id")),
        sa.ForeignKeyConstraint(
            ["event_id"], ["event.id"], name=op.f("fk_check_in_event_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_check_in")),
        sa.UniqueConstraint("ext_id", name=op.f("uq_check_in_ext_id")),
        sa.UniqueConstraint(
            "event_id",
            "occurrence_key",
            "user_id",
            name=op.f("uq_check_in_event_id_occurrence_key_user_id"),
        ),
    )
    op.create_index("ix_check_in_account_id_at", "check_in", ["account_id", "at"])
    op.create_index("ix_check_in_user_id_at", "check_in", ["user_id", "at"])
    op.execute(
        "ALTER TABLE activity ADD COLUMN checkin_id INTEGER "
        "CONSTRAINT fk_activity_checkin_id REFERENCES check_in (id) ON DELETE SET NULL"
    )
    op.create_index(op.f("ix_activity_checkin_id"), "activity", ["checkin_id"])
