"""First pass by a provider: its answers, failures, calibration; runs that pause; uploads.

Rules: one change per file, named YYYYMMDD_slug; a downgrade that works; about 45 lines; no imports from annotator.
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "20261126_first_pass"
down_revision = "20261123_start"
branch_labels = None
depends_on = None

Text, Time = sqlmodel.sql.sqltypes.AutoString, sqlmodel.sql.sqltypes.UTCDateTime

# Columns are made anew each time: one belongs to one table. They are added in place: with defaults in the
# database, and without a foreign key, for which SQLite would copy the table.


def run_columns() -> list[sa.Column]:
    return [
        sa.Column("train_on", sa.JSON(), nullable=False, server_default="[]"),
        sa.Column("selection", sa.JSON(), nullable=False, server_default="{}"),
        sa.Column("on_server", sa.Boolean(), nullable=False, server_default="0"),
        sa.Column("paused_at", Time(), nullable=True),
        sa.Column("stopped", Text(), nullable=False, server_default=""),
        sa.Column("manner", sa.JSON(), nullable=False, server_default="{}"),
        sa.Column("retries", sa.Integer(), nullable=False, server_default="0"),
    ]


def suggestion_columns() -> list[sa.Column]:
    return [
        sa.Column("second", Text(), nullable=False, server_default=""),
        sa.Column("note", Text(), nullable=False, server_default=""),
        sa.Column("call_id", sa.Integer(), nullable=True),
        sa.Column("cost", sa.Float(), nullable=True),
    ]


def upgrade() -> None:
    op.create_table(
        "call",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("conversation_id", sa.Integer(), nullable=True),
        sa.Column("taxonomy_version_id", sa.Integer(), nullable=False),
        sa.Column("key", Text(), nullable=False),
        sa.Column("prompt_hash", Text(), nullable=False),
        sa.Column("model_version", Text(), nullable=False),
        sa.Column("finish", Text(), nullable=False),
        sa.Column("raw", Text(), nullable=False),
        sa.Column("note", Text(), nullable=False),
        sa.Column("tokens_in", sa.Integer(), nullable=False),
        sa.Column("tokens_cached", sa.Integer(), nullable=False),
        sa.Column("tokens_out", sa.Integer(), nullable=False),
        sa.Column("cost", sa.Float(), nullable=True),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("answered_at", Time(), nullable=False),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversation.id"], name=op.f("fk_call_conversation_id_conversation")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_call_run_id_run")),
        sa.ForeignKeyConstraint(
            ["taxonomy_version_id"], ["taxonomy_version.id"], name=op.f("fk_call_taxonomy_version_id_taxonomy_version")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call")),
    )
    op.create_index(op.f("ix_call_run_id"), "call", ["run_id"])
    op.create_index(op.f("ix_call_conversation_id"), "call", ["conversation_id"])
    op.create_table(
        "failure",
        sa.Column("utterance_id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("reason", Text(), nullable=False),
        sa.Column("failed_at", Time(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_failure_run_id_run")),
        sa.ForeignKeyConstraint(["utterance_id"], ["utterance.id"], name=op.f("fk_failure_utterance_id_utterance")),
        sa.PrimaryKeyConstraint("utterance_id", "run_id", name=op.f("pk_failure")),
    )
    op.create_table(
        "calibration",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("knots", sa.JSON(), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("made_at", Time(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_calibration_run_id_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calibration")),
    )
    op.create_index(op.f("ix_calibration_run_id"), "calibration", ["run_id"])
    op.create_table(
        "upload",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", Text(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("sent_at", Time(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_upload_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload")),
    )
    op.create_index(op.f("ix_upload_key"), "upload", ["key"])
    for column in run_columns():
        op.add_column("run", column)
    for column in suggestion_columns():
        op.add_column("suggestion", column)


def downgrade() -> None:
    for column in suggestion_columns():
        op.drop_column("suggestion", column.name)
    for column in run_columns():
        op.drop_column("run", column.name)
    for table in ("upload", "calibration", "failure", "call"):
        op.drop_table(table)
