"""Value lists of activities, reports, actions and dossiers, as the program has them; who is told distances;
positions of check-ins can be erased; drafts wait where nobody can tell whether they are there.

The type of an event or activity stays the word that it is; only an item of the company's own is referred to.
An outcome stays the text that it is: which item it names is told for new reports.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

# By list: code, French, English, flag, whether it is the default.
ITEMS: dict[str, list[tuple[str, str, str, str | None, bool]]] = {
    "activity_type": [
        ("visit", "Visite", "Visit", "visit", False),
        ("meeting", "Réunion", "Meeting", "meeting", True),
        ("call", "Appel", "Call", "call", False),
        ("email", "E-mail", "Email", "email", False),
        ("comment", "Commentaire", "Comment", "comment", False),
        ("video_call", "Visioconférence", "Video call", "video_call", False),
    ],
    "report_outcome": [
        ("positive", "Positif", "Positive", None, False),
        ("neutral", "Neutre", "Neutral", None, False),
        ("negative", "Négatif", "Negative", None, False),
        ("follow_up", "À relancer", "To follow up", None, False),
        ("not_held", "N'a pas eu lieu", "Did not take place", None, False),
    ],
    "action_type": [
        ("call", "Appel", "Call", None, False),
        ("visit", "Visite", "Visit", None, False),
        ("mail", "Courrier", "Letter or e-mail", None, False),
        ("quote", "Offre", "Quote", None, False),
        ("other", "Autre", "Other", None, False),
    ],
    "action_status": [
        ("to_do", "À faire", "To do", None, True),
        ("in_progress", "En cours", "In progress", None, False),
        ("done", "Terminée", "Done", None, False),
        ("cancelled", "Annulée", "Cancelled", None, False),
    ],
    "case_file_type": [
        ("sale", "Vente", "Sale", None, False),
        ("project", "Projet", "Project", None, False),
        ("service", "Service après-vente", "Service", None, False),
        ("dispute", "Litige", "Dispute", None, False),
        ("other", "Autre", "Other", None, False),
    ],
    "case_file_status": [
        ("open", "Ouvert", "Open", None, True),
        ("won", "Gagné", "Won", None, False),
        ("lost", "Perdu", "Lost", None, False),
        ("on_hold", "En attente", "On hold", None, False),
    ],
}
COLUMNS = (
    ("case_file", "type_id", ""),
    ("case_file", "status_id", ""),
    ("meeting_report", "outcome_id", ""),
    ("activity", "type_id", " WHERE type_id IS NOT NULL"),
    ("event", "type_id", " WHERE type_id IS NOT NULL"),
)


def upgrade() -> None:
    # New columns at the end of a table: neither database copies it for that.
    for table, column, where in COLUMNS:
        op.execute(
            f"ALTER TABLE {table} ADD COLUMN {column} INTEGER "
            f"CONSTRAINT fk_{table}_{column} REFERENCES value_list_item (id)"
        )
        op.execute(f"CREATE INDEX ix_{table}_{column} ON {table} ({column}){where}")
    op.add_column("user", sa.Column("show_distance", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("outbound_message", sa.Column("error", sa.Text(), nullable=False, server_default=""))
    op.add_column("outbound_message", sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True))
    for column in ("lat", "lon"):
        _may_be_empty("check_in", column)
    items = sa.table(
        "value_list_item",
        sa.column("list_code", sa.String), sa.column("code", sa.String), sa.column("label", sa.JSON),
        sa.column("order", sa.Integer), sa.column("active", sa.Boolean), sa.column("is_default", sa.Boolean),
        sa.column("flag", sa.String), sa.column("branch_ids", sa.JSON),
    )  # fmt: skip
    # A list that a company has under one of these codes already is its own.
    own = set(op.get_bind().execute(sa.select(items.c.list_code)).scalars())
    rows: list[dict[str, object]] = [
        {
            "list_code": list_code, "code": code, "label": {"en": english, "fr": french}, "order": place,
            "active": True, "is_default": default, "flag": flag, "branch_ids": [],
        }
        for list_code, several in ITEMS.items()
        if list_code not in own
        for place, (code, french, english, flag, default) in enumerate(several)
    ]  # fmt: skip
    if rows:
        op.bulk_insert(items, rows)


def _may_be_empty(table: str, column: str) -> None:
    if op.get_bind().dialect.name != "sqlite":
        op.alter_column(table, column, nullable=True)
        return
    # Without making the table anew, which would empty the references to it.
    op.execute(f"ALTER TABLE {table} ADD COLUMN {column}_ NUMERIC(9, 6)")
    op.execute(f"UPDATE {table} SET {column}_ = {column}")
    op.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
    op.execute(f"ALTER TABLE {table} RENAME COLUMN {column}_ TO {column}")
