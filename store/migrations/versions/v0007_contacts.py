"""Telephone numbers of contacts in one form, contacts to be completed, and which contacts were merged."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

STALE = sa.text(
    "phone_landline IS NOT NULL AND phone_landline_e164 IS NULL "
    "OR phone_mobile IS NOT NULL AND phone_mobile_e164 IS NULL"
)


def upgrade() -> None:
    # New columns at the end of a table: neither database copies it for them. What they hold follows from the
    # config, which a migration does not know: `syncd db upgrade` works it out afterwards, or who needs it.
    op.execute("ALTER TABLE contact ADD COLUMN phone_landline_e164 VARCHAR(20)")
    op.execute("ALTER TABLE contact ADD COLUMN phone_mobile_e164 VARCHAR(20)")
    op.create_index("ix_contact_phone_landline_e164", "contact", ["phone_landline_e164"])
    op.create_index("ix_contact_phone_mobile_e164", "contact", ["phone_mobile_e164"])
    op.create_index("ix_contact_phone_stale", "contact", ["id"], sqlite_where=STALE, postgresql_where=STALE)
    op.create_table(
        "phone_form",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("method", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phone_form")),
    )
    op.execute("INSERT INTO phone_form (id, country, method) VALUES (1, '', 0)")
    op.create_table(
        "contact_draft",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=24), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("parsed", sa.JSON(), nullable=False),
        sa.Column("confidence", sa.JSON(), nullable=False),
        sa.Column("missing", sa.JSON(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("contact_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_contact_draft_user_id")),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_contact_draft_contact_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_draft")),
    )
    op.create_index("ix_contact_draft_state_id", "contact_draft", ["state", "id"])
    op.create_index(op.f("ix_contact_draft_digest"), "contact_draft", ["digest"])
    op.create_index(op.f("ix_contact_draft_contact_id"), "contact_draft", ["contact_id"])
    op.create_table(
        "contact_merge",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("keep_id", sa.Integer(), nullable=False),
        sa.Column("other_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["keep_id"], ["contact.id"], name=op.f("fk_contact_merge_keep_id")),
        sa.ForeignKeyConstraint(["other_id"], ["contact.id"], name=op.f("fk_contact_merge_other_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_merge")),
    )
    op.create_index(op.f("ix_contact_merge_keep_id"), "contact_merge", ["keep_id"])
    op.create_index(op.f("ix_contact_merge_other_id"), "contact_merge", ["other_id"])
