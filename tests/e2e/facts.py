"""What the database says, read with plain SQL and folded here once more, so that the product's own queries are not trusted."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

_DECISIONS = """
select d.id, d.kind, d.codes, d.act_key, d.group_key, d.retracts_id, d.assignment_id, d.seconds, d.reason,
u.name as who, c.key as conversation, t.position
from decision d join assignment a on a.id = d.assignment_id join users u on u.id = a.user_id
join conversation c on c.id = a.conversation_id join utterance t on t.id = d.utterance_id order by d.id
"""


def ask(project: Path, sql: str, *values: Any) -> list[sqlite3.Row]:
    """The rows of a statement; a change is committed."""
    with closing(sqlite3.connect(project / "annotator.db", timeout=30)) as connection, connection:
        connection.row_factory = sqlite3.Row
        return connection.execute(sql, values).fetchall()


def forget_all_acts(project: Path) -> None:
    """Back to the day the round was made: no labels, nothing handed in, proposals shown, one run."""
    for table in ("submission", "decision", "comment", "reason_opened", "item_decision", "discussion", "gold"):
        ask(project, f"delete from {table}")
    for table in ("call", "failure", "suggestion"):
        ask(project, f"delete from {table} where run_id > 1")
    ask(project, "delete from run where id > 1")
    ask(project, "update round_conversation set condition = 'assisted'")


def decisions(project: Path, who: str | None = None) -> list[sqlite3.Row]:
    """Every decision of one person or of all, in the order they were saved."""
    return [row for row in ask(project, _DECISIONS) if who in (None, row["who"])]


def standing(project: Path, who: str) -> dict[tuple[str, int], str]:
    """(conversation, position) → codes joined by `|`, or `skipped`: the newest labelling decision not taken back."""
    rows = _not_taken_back(project, who)
    said = {"confirm", "change", "skip"}
    return {_place(row): row["codes"] if row["kind"] != "skip" else "skipped" for row in rows if row["kind"] in said}


def flagged(project: Path, who: str) -> set[tuple[str, int]]:
    """Where a person's newest standing mark is a flag."""
    marks = {_place(row): row["kind"] for row in _not_taken_back(project, who) if row["kind"] in ("flag", "unflag")}
    return {place for place, kind in marks.items() if kind == "flag"}


def _not_taken_back(project: Path, who: str) -> list[sqlite3.Row]:
    rows = decisions(project, who)
    taken_back = {row["retracts_id"] for row in rows}
    return [row for row in rows if row["kind"] != "retract" and row["id"] not in taken_back]


def _place(row: sqlite3.Row) -> tuple[str, int]:
    return row["conversation"], row["position"]


def assignment(project: Path, who: str, conversation: str) -> int:
    """The number in the address of a person's desk."""
    sql = """select a.id from assignment a join users u on u.id = a.user_id join conversation c on c.id = a.conversation_id
             where u.name = ? and c.key = ?"""
    return int(ask(project, sql, who, conversation)[0]["id"])


def proposals(project: Path) -> dict[tuple[str, int], tuple[str, str]]:
    """(conversation, position) → (role, proposed codes joined by `|`), of the only run."""
    sql = """select c.key as conversation, t.position, t.role, coalesce(s.codes, '') as proposed from utterance t
             join conversation c on c.id = t.conversation_id left join suggestion s on s.utterance_id = t.id order by t.id"""
    return {_place(row): (row["role"], row["proposed"]) for row in ask(project, sql)}
