"""Labels at the first submission, kept side by side; the program fills it from the decisions when it opens the project."""

import sqlalchemy as sa
from alembic import op

revision = "20261127_first_labels"
down_revision = "20261126_rounds"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "first_labels",
        sa.Column("assignment_id", sa.Integer(), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("taxonomy_version_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["assignment_id"], ["assignment.id"], name=op.f("fk_first_labels_assignment_id_assignment")),
        sa.PrimaryKeyConstraint("assignment_id", name=op.f("pk_first_labels")),
    )


def downgrade() -> None:
    op.drop_table("first_labels")
