"""Rounds that are planned, and what people do in them: repeats, groups of acts, comments, items, discussions, gold with its round."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "20261126_rounds"
down_revision = "20261126_first_pass"
branch_labels = None
depends_on = None

Text, Time = sqlmodel.sql.sqltypes.AutoString, sqlmodel.sql.sqltypes.UTCDateTime

# New columns are added in place: with defaults in the database, and without foreign keys (see 20261126_first_pass).
COLUMNS = {
    "round": lambda: [
        sa.Column("instructions", Text(), nullable=False, server_default=""),
        sa.Column("plan", sa.JSON(), nullable=False, server_default="{}"),
    ],
    "decision": lambda: [
        sa.Column("group_key", Text(), nullable=True),
        sa.Column("reason", Text(), nullable=False, server_default=""),
    ],
    "gold": lambda: [
        sa.Column("round_id", sa.Integer(), nullable=True),
        sa.Column("reason", Text(), nullable=False, server_default=""),
        sa.Column("comment", Text(), nullable=False, server_default=""),
    ],
}
OF_ASSIGNMENTS = ("round_id", "conversation_id", "user_id")


def upgrade() -> None:
    for table, columns in COLUMNS.items():
        for column in columns():
            op.add_column(table, column)
    _rebuild_assignment([sa.Column("repeat", sa.Boolean(), nullable=False, server_default="0")])
    for table, columns, unique in _new_tables():
        references = [column.info["to"] and (name, column.info["to"]) for name, column in columns.items()]
        keys = [
            sa.ForeignKeyConstraint([name], [f"{to}.id"], name=op.f(f"fk_{table}_{name}_{to}"))
            for name, to in filter(None, references)
        ]
        constraint = [sa.UniqueConstraint(*unique, name=op.f(f"uq_{table}_{'_'.join(unique)}"))] if unique else []
        identity = sa.Column("id", sa.Integer(), nullable=False)
        op.create_table(table, identity, *columns.values(), *keys, sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")), *constraint)
    for table, *columns in INDEXES:
        op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, columns)


INDEXES = [
    ("discussion", "round_id"), ("discussion", "utterance_id"), ("comment", "assignment_id", "utterance_id"),
    ("reason_opened", "assignment_id"),
]  # fmt: skip


def _new_tables() -> list[tuple[str, dict[str, sa.Column], tuple[str, ...]]]:
    def column(name: str, kind: object, *, null: bool = False, to: str = "") -> sa.Column:
        return sa.Column(name, kind, nullable=null, info={"to": to})

    def number(name: str, to: str) -> sa.Column:
        return column(name, sa.Integer(), to=to)

    described = [
        ("discussion", (), number("round_id", "round"), number("utterance_id", "utterance"), number("user_id", "users"),
         column("note", Text()), column("opened_at", Time())),
        ("comment", ("assignment_id", "act_key"), number("assignment_id", "assignment"), number("utterance_id", "utterance"),
         number("user_id", "users"), column("body", Text()), column("resolves", sa.Boolean()),
         column("act_key", Text(), null=True), column("said_at", Time())),
        ("reason_opened", (), number("assignment_id", "assignment"), number("utterance_id", "utterance"), column("opened_at", Time())),
        ("item_decision", ("assignment_id", "act_key"), number("assignment_id", "assignment"), column("field", Text()),
         column("numbers", Text()), column("act_key", Text(), null=True), column("decided_at", Time())),
    ]  # fmt: skip
    return [(table, {one.name: one for one in columns}, unique) for table, unique, *columns in described]


def _rebuild_assignment(more: list[sa.Column]) -> None:
    """A unique constraint cannot be changed in SQLite, so the table is made anew."""
    unique = (*OF_ASSIGNMENTS, *(column.name for column in more))
    op.create_table(
        "assignment_new",
        sa.Column("id", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in OF_ASSIGNMENTS),
        *more,
        *(
            sa.ForeignKeyConstraint([name], [f"{to}.id"], name=op.f(f"fk_assignment_{name}_{to}"))
            for name, to in zip(OF_ASSIGNMENTS, ("round", "conversation", "users"), strict=True)
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignment")),
        sa.UniqueConstraint(*unique, name=op.f(f"uq_assignment_{'_'.join(unique)}")),
    )
    names = ", ".join(("id", *OF_ASSIGNMENTS))
    op.execute(f"insert into assignment_new ({names}) select {names} from assignment")
    op.drop_table("assignment")
    op.rename_table("assignment_new", "assignment")
    op.create_index(op.f("ix_assignment_conversation_id"), "assignment", ["conversation_id"])
    op.create_index(op.f("ix_assignment_user_id_conversation_id"), "assignment", ["user_id", "conversation_id"])


def downgrade() -> None:
    for table, *columns in INDEXES:
        op.drop_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table)
    for table in ("item_decision", "reason_opened", "comment", "discussion"):
        op.drop_table(table)
    for table in ("decision", "submission"):
        op.execute(f"delete from {table} where assignment_id in (select id from assignment where repeat)")
    op.execute("delete from assignment where repeat")
    _rebuild_assignment([])
    for table, columns in COLUMNS.items():
        for column in columns():
            op.drop_column(table, column.name)
