"""Value lists of fields that there are anyway (roles, segments, types, statuses), as the program has them.

What an opportunity's status was becomes the flag of its item; the items are the same three.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

# By list: code, French, English, flag, whether it is the default.
ITEMS: dict[str, list[tuple[str, str, str, str | None, bool]]] = {
    "contact_role": [
        ("management", "Direction", "Management", None, False),
        ("decision_maker", "Décideur", "Decision maker", None, False),
        ("buyer", "Acheteur", "Buyer", None, False),
        ("influencer", "Prescripteur", "Influencer", None, False),
        ("technical", "Technique", "Technical", None, False),
        ("accounting", "Comptabilité", "Accounting", None, False),
        ("assistant", "Assistant", "Assistant", None, False),
        ("user", "Utilisateur", "User", None, False),
        ("other", "Autre", "Other", None, False),
    ],
    "account_segment": [
        ("very_small", "Très petite entreprise", "Very small business", None, False),
        ("small", "Petite ou moyenne entreprise", "Small or medium business", None, False),
        ("medium", "Entreprise de taille intermédiaire", "Mid-size company", None, False),
        ("large", "Grand compte", "Large company", None, False),
        ("public", "Secteur public", "Public sector", None, False),
        ("association", "Association", "Non-profit", None, False),
    ],
    "opportunity_type": [
        ("new", "Nouvelle affaire", "New business", None, False),
        ("extension", "Vente complémentaire", "Additional sale", None, False),
        ("renewal", "Renouvellement", "Renewal", None, False),
        ("tender", "Appel d'offres", "Call for tenders", None, False),
    ],
    "opportunity_status": [
        ("open", "Ouverte", "Open", "open", True),
        ("won", "Gagnée", "Won", "won", False),
        ("lost", "Perdue", "Lost", "lost", False),
    ],
    "order_status": [
        ("received", "Reçue", "Received", None, True),
        ("in_preparation", "En préparation", "In preparation", None, False),
        ("delivered", "Livrée", "Delivered", None, False),
        ("invoiced", "Facturée", "Invoiced", None, False),
    ],
}
COLUMNS = {
    "contact": ("role_id",),
    "account": ("segment_id",),
    "opportunity": ("type_id", "status_id"),
    "sales_order": ("status_id",),
}


def upgrade() -> None:
    # New columns at the end of a table: neither database copies it for that.
    op.execute("ALTER TABLE value_list_item ADD COLUMN flag VARCHAR(24)")
    op.execute("ALTER TABLE value_list_item ADD COLUMN branch_ids JSON DEFAULT '[]' NOT NULL")
    for table, columns in COLUMNS.items():
        for column in columns:
            op.execute(
                f"ALTER TABLE {table} ADD COLUMN {column} INTEGER "
                f"CONSTRAINT fk_{table}_{column} REFERENCES value_list_item (id)"
            )
    # What lists of contacts in a role are sorted by.
    for name, sorted_by in (("", "last_name, first_name, id"), ("_updated_at", "updated_at, id")):
        columns_ = f"role_id, {sorted_by}"
        where = "deleted_at IS NULL AND role_id IS NOT NULL"
        op.execute(f"CREATE INDEX ix_contact_role_id{name} ON contact ({columns_}) WHERE {where}")
    op.create_index("ix_account_segment_id", "account", ["segment_id", "name"])
    op.create_index("ix_opportunity_type_id", "opportunity", ["type_id"])
    op.create_index("ix_opportunity_status_id", "opportunity", ["status_id"])
    op.create_index("ix_sales_order_status_id", "sales_order", ["status_id"])
    _seed()
    op.execute(
        "UPDATE opportunity SET status_id = (SELECT id FROM value_list_item "
        "WHERE list_code = 'opportunity_status' AND code = lower(opportunity.status))"
    )


def _seed() -> None:
    """The items of the lists. What a company had under one of these codes before stays as it is."""
    items = sa.table(
        "value_list_item",
        sa.column("list_code", sa.String), sa.column("code", sa.String), sa.column("label", sa.JSON),
        sa.column("order", sa.Integer), sa.column("active", sa.Boolean), sa.column("is_default", sa.Boolean),
        sa.column("flag", sa.String), sa.column("branch_ids", sa.JSON),
    )  # fmt: skip
    there = op.get_bind().execute(sa.select(items.c.list_code, items.c.code)).all()
    taken, own = {(row[0], row[1]) for row in there}, {row[0] for row in there}
    rows: list[dict[str, object]] = [
        {
            "list_code": list_code, "code": code, "label": {"en": english, "fr": french}, "order": place,
            "active": True, "is_default": default and list_code not in own, "flag": flag, "branch_ids": [],
        }
        for list_code, several in ITEMS.items()
        for place, (code, french, english, flag, default) in enumerate(several)
        if (list_code, code) not in taken
    ]  # fmt: skip
    op.bulk_insert(items, rows)
    for code, *_, flag, _default in ITEMS["opportunity_status"]:
        op.execute(
            items.update()
            .where(items.c.list_code == "opportunity_status", items.c.code == code)
            .values(flag=flag)
        )
