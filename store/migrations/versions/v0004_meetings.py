"""The tables of video meetings that are over, and their forms; and what is known of late creations."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

IS_VIDEO = sa.text("type = 'VIDEO_CALL' OR video_url <> ''")


def upgrade() -> None:
    # In words of SQL, since Alembic would copy the table on SQLite, and empty those that refer to it.
    op.execute(
        "ALTER TABLE activity ADD COLUMN event_id INTEGER "
        "CONSTRAINT fk_activity_event_id REFERENCES event (id) ON DELETE SET NULL"
    )
    op.add_column("activity", sa.Column("duration_min", sa.Integer(), nullable=True))
    op.add_column("activity", sa.Column("duration_source", sa.String(length=24), nullable=True))
    op.add_column("activity", sa.Column("call_direction", sa.String(length=24), nullable=True))
    op.add_column("activity", sa.Column("call_number", sa.Text(), nullable=True))
    op.create_index(op.f("ix_activity_event_id"), "activity", ["event_id"])
    op.add_column("intent", sa.Column("came_as", sa.Text(), nullable=False, server_default=""))
    op.add_column("task", sa.Column("block", sa.Text(), nullable=False, server_default=""))
    op.create_index(
        "ix_event_video", "event", ["series_id"], sqlite_where=IS_VIDEO, postgresql_where=IS_VIDEO
    )
    op.create_table(
        "activity_user",
        sa.Column("activity_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["activity_id"], ["activity.id"], name=op.f("fk_activity_user_activity_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_activity_user_user_id")),
        sa.PrimaryKeyConstraint("activity_id", "user_id", name=op.f("pk_activity_user")),
    )
    op.create_index(op.f("ix_activity_user_user_id"), "activity_user", ["user_id"])
    op.create_table(
        "meeting_watch",
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"], ["event.id"], name=op.f("fk_meeting_watch_event_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_meeting_watch")),
    )
    op.create_index(op.f("ix_meeting_watch_due_at"), "meeting_watch", ["due_at"])
    op.create_table(
        "meeting_record",
        sa.Column("activity_id", sa.Integer(), nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("recurrence_key", sa.Text(), nullable=False),
        sa.Column("scheduled_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("scheduled_end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["activity_id"], ["activity.id"], name=op.f("fk_meeting_record_activity_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("activity_id", name=op.f("pk_meeting_record")),
        sa.UniqueConstraint("uid", "recurrence_key", name=op.f("uq_meeting_record_uid_recurrence_key")),
    )
    op.create_index("ix_meeting_record_scheduled_start", "meeting_record", ["scheduled_start"])
    op.create_table(
        "meeting_evidence",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("recurrence_key", sa.Text(), nullable=False),
        sa.Column("grade", sa.String(length=24), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meeting_evidence")),
        sa.UniqueConstraint(
            "uid",
            "recurrence_key",
            "grade",
            "source",
            name=op.f("uq_meeting_evidence_uid_recurrence_key_grade_source"),
        ),
    )
    op.create_index("ix_meeting_evidence_source", "meeting_evidence", ["source"])
    _reports()
    _mails()


def _reports() -> None:
    op.create_table(
        "meeting_report",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("activity_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.Integer(), nullable=True),
        sa.Column("task_version", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("remind_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("comments", sa.Text(), nullable=False),
        sa.Column("outcome", sa.String(length=120), nullable=True),
        sa.Column("next_task_id", sa.Integer(), nullable=True),
        sa.Column("next_event_id", sa.Integer(), nullable=True),
        sa.Column("problems", sa.JSON(), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("submitted_by", sa.Integer(), nullable=True),
        sa.Column("channel", sa.String(length=24), nullable=True),
        sa.Column("token_hash", sa.String(length=64), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["activity_id"], ["activity.id"], name=op.f("fk_meeting_report_activity_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_meeting_report_user_id")),
        sa.ForeignKeyConstraint(
            ["task_id"], ["task.id"], name=op.f("fk_meeting_report_task_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["next_task_id"], ["task.id"], name=op.f("fk_meeting_report_next_task_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["next_event_id"], ["event.id"], name=op.f("fk_meeting_report_next_event_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["submitted_by"], ["user.id"], name=op.f("fk_meeting_report_submitted_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meeting_report")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_meeting_report_token_hash")),
    )
    op.create_index(op.f("ix_meeting_report_activity_id"), "meeting_report", ["activity_id"])
    op.create_index(op.f("ix_meeting_report_task_id"), "meeting_report", ["task_id"])
    op.create_index("ix_meeting_report_state", "meeting_report", ["state"])


def _mails() -> None:
    op.create_table(
        "report_mail",
        sa.Column("report_id", sa.Integer(), nullable=False),
        sa.Column("mailbox_id", sa.Integer(), nullable=False),
        sa.Column("announced", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["report_id"], ["meeting_report.id"], name=op.f("fk_report_mail_report_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["mailbox_id"], ["mailbox.id"], name=op.f("fk_report_mail_mailbox_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("report_id", name=op.f("pk_report_mail")),
    )
    op.create_index(op.f("ix_report_mail_mailbox_id"), "report_mail", ["mailbox_id"])
    op.create_table(
        "report_reply",
        sa.Column("report_id", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("came_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["report_id"], ["meeting_report.id"], name=op.f("fk_report_reply_report_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("report_id", "fingerprint", name=op.f("pk_report_reply")),
    )
