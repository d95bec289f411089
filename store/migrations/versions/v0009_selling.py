"""Products, sales orders with their lines, what became of an opportunity; imports and their rows."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.schema import SchemaItem

revision = "0009"
down_revision = "0008"

DISCOUNTS = ("discount1", "discount2", "discount3", "discount4")


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
    ]


def _discounts(table: str) -> list[SchemaItem]:
    columns = [sa.Column(one, sa.Numeric(precision=7, scale=4), nullable=True) for one in DISCOUNTS]
    checks = [
        sa.CheckConstraint(f"{one} IS NULL OR {one} BETWEEN 0 AND 100", name=op.f(f"ck_{table}_{one}"))
        for one in DISCOUNTS
    ]
    return [*columns, *checks]


def _refers(table: str, column: str, to: str) -> SchemaItem:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}"))


def _lists() -> None:
    """What lists of contacts are sorted by and searched in."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    # SQLite adds only columns that are not stored, PostgreSQL knows only those that are.
    kind = "" if sqlite else " STORED"
    op.execute(
        "ALTER TABLE contact ADD COLUMN search TEXT GENERATED ALWAYS AS (lower(last_name || ' ' "
        "|| first_name || ' ' || coalesce(email, '') || ' ' || coalesce(email2, '') || ' ' "
        "|| coalesce(email3, '') || ' ' || coalesce(ext_id, '') || ' ' || coalesce(phone_landline, '') "
        f"|| ' ' || coalesce(phone_mobile, ''))){kind}"
    )
    indexes = {"name": "last_name, first_name, id", "updated_at": "updated_at, id", "owner_id": "owner_id"}
    if sqlite:
        indexes["search"] = "search, account_id, owner_id"
    for name, columns in indexes.items():
        op.execute(f"CREATE INDEX ix_contact_{name} ON contact ({columns}) WHERE deleted_at IS NULL")


def upgrade() -> None:
    # A new column at the end of a table: neither database copies it for that.
    op.execute(
        "ALTER TABLE opportunity ADD COLUMN converted_deal_id INTEGER "
        "CONSTRAINT fk_opportunity_converted_deal_id REFERENCES deal (id)"
    )
    op.create_index(op.f("ix_opportunity_converted_deal_id"), "opportunity", ["converted_deal_id"])
    _lists()
    op.create_table(
        "product",
        *_entity(),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("price", sa.Numeric(precision=14, scale=4), nullable=True),
        sa.Column("unit", sa.String(length=20), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        *_entity_constraints("product"),
        sa.UniqueConstraint("code", name=op.f("uq_product_code")),
    )
    op.create_index("ix_product_name", "product", ["name"])
    op.create_table(
        "sales_order",
        *_entity(),
        *_discounts("sales_order"),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=True),
        sa.Column("opportunity_id", sa.Integer(), nullable=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(length=40), nullable=True),
        sa.Column("total", sa.Numeric(precision=14, scale=2), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("expected_date", sa.Date(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("internal_comment", sa.Text(), nullable=True),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=24), nullable=False),
        _refers("sales_order", "account_id", "account"),
        _refers("sales_order", "contact_id", "contact"),
        _refers("sales_order", "opportunity_id", "opportunity"),
        _refers("sales_order", "owner_id", "user"),
        sa.UniqueConstraint("year", "number", name=op.f("uq_sales_order_year_number")),
        *_entity_constraints("sales_order"),
    )
    op.create_index(op.f("ix_sales_order_account_id"), "sales_order", ["account_id"])
    op.create_table(
        "sales_order_line",
        *_entity(),
        *_discounts("sales_order_line"),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=True),
        sa.Column("description", sa.String(length=255), nullable=True),
        sa.Column("quantity", sa.Numeric(precision=14, scale=4), nullable=False),
        sa.Column("price", sa.Numeric(precision=14, scale=4), nullable=False),
        sa.Column("total", sa.Numeric(precision=14, scale=2), nullable=False),
        _refers("sales_order_line", "order_id", "sales_order"),
        _refers("sales_order_line", "product_id", "product"),
        *_entity_constraints("sales_order_line"),
    )
    op.create_index(op.f("ix_sales_order_line_order_id"), "sales_order_line", ["order_id"])
    op.create_table(
        "import_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("entity", sa.String(length=40), nullable=False),
        sa.Column("mode", sa.String(length=24), nullable=False),
        sa.Column("file", sa.String(length=255), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("created", sa.Integer(), nullable=False),
        sa.Column("updated", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_run")),
    )
    op.create_table(
        "import_row",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("row_no", sa.Integer(), nullable=False),
        sa.Column("result", sa.SmallInteger(), nullable=False),
        sa.Column("record_id", sa.Integer(), nullable=True),
        sa.Column("message", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_id"], ["import_run.id"], name=op.f("fk_import_row_run_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "row_no", name=op.f("pk_import_row")),
    )
    op.create_index("ix_import_row_run_id_result", "import_row", ["run_id", "result"])
