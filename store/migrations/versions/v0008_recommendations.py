"""Recommendations of accounts, what rules write them from; fields of the company's own."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "account_recommendation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ext_id", sa.String(length=120), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.Integer(), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("category", sa.String(length=24), nullable=False),
        sa.Column("severity", sa.String(length=24), nullable=False),
        sa.Column("source", sa.String(length=24), nullable=False),
        sa.Column("author", sa.String(length=80), nullable=False),
        sa.Column("rule", sa.String(length=80), nullable=True),
        sa.Column("clears", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("deleted_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
            name=op.f("fk_account_recommendation_account_id"),
            ondelete="CASCADE",
        ),
        *(
            sa.ForeignKeyConstraint([who], ["user.id"], name=op.f(f"fk_account_recommendation_{who}"))
            for who in ("created_by", "updated_by", "deleted_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_recommendation")),
        sa.UniqueConstraint("ext_id", name=op.f("uq_account_recommendation_ext_id")),
    )
    op.create_index(op.f("ix_account_recommendation_account_id"), "account_recommendation", ["account_id"])
    op.create_index(
        "uq_account_recommendation_active",
        "account_recommendation",
        ["account_id"],
        unique=True,
        sqlite_where=sa.text("active"),
        postgresql_where=sa.text("active"),
    )
    op.create_table(
        "recommendation_declined",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
            name=op.f("fk_recommendation_declined_account_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recommendation_declined")),
    )
    op.create_index(op.f("ix_recommendation_declined_account_id"), "recommendation_declined", ["account_id"])
    op.create_table(
        "recommendation_import",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("file", sa.String(length=255), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("errors", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recommendation_import")),
    )
    op.create_index(op.f("ix_recommendation_import_sha256"), "recommendation_import", ["sha256"])
    op.create_table(
        "recommendation_file",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("category", sa.String(length=24), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_recommendation_file_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["import_id"], ["recommendation_import.id"], name=op.f("fk_recommendation_file_import_id")
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_recommendation_file")),
    )
    op.create_table(
        "recommendation_pass",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("rules", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recommendation_pass")),
    )
    op.create_table(
        "value_list_item",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("list_code", sa.String(length=40), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("label", sa.JSON(), nullable=False),
        sa.Column("order", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_value_list_item")),
        sa.UniqueConstraint("list_code", "code", name=op.f("uq_value_list_item_list_code_code")),
    )
    op.create_table(
        "custom_field_def",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entity", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("type", sa.String(length=24), nullable=False),
        sa.Column("label", sa.JSON(), nullable=False),
        sa.Column("list_code", sa.String(length=40), nullable=True),
        sa.Column("required", sa.Boolean(), nullable=False),
        sa.Column("order", sa.Integer(), nullable=False),
        sa.Column("tab", sa.String(length=80), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_custom_field_def")),
        sa.UniqueConstraint("entity", "key", name=op.f("uq_custom_field_def_entity_key")),
    )
    op.create_table(
        "custom_field_value",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("def_id", sa.Integer(), nullable=False),
        sa.Column("record_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(length=500), nullable=True),
        sa.Column("number", sa.BigInteger(), nullable=True),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("flag", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(
            ["def_id"], ["custom_field_def.id"], name=op.f("fk_custom_field_value_def_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_custom_field_value")),
    )
    op.create_index("ix_custom_field_value_record", "custom_field_value", ["record_id", "def_id"])
    for column in ("text", "number", "day", "flag"):
        op.create_index(
            f"ix_custom_field_value_{column}", "custom_field_value", ["def_id", column, "record_id"]
        )
    op.create_table(
        "field_setting",
        sa.Column("entity", sa.String(length=40), nullable=False),
        sa.Column("field", sa.String(length=40), nullable=False),
        sa.Column("label", sa.JSON(), nullable=False),
        sa.Column("hidden", sa.Boolean(), nullable=False),
        sa.Column("required", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("entity", "field", name=op.f("pk_field_setting")),
    )
