"""The yardstick for saving: a FastAPI endpoint with nothing but one SELECT and one INSERT, in the same schema and as durable.

`sessions` goes through our `Database` as the product does; `plain` uses one sqlite3 connection and no SQLAlchemy at all.
"""

import os
import sqlite3
import sys
import threading
from typing import Annotated

import uvicorn
from fastapi import FastAPI, Form
from pydantic import BaseModel
from sqlalchemy import insert, select
from sqlmodel import col

from annotator.db import Database
from annotator.models import Condition, Decision, Kind, Utterance, now

app = FastAPI()


class Act(BaseModel):
    """The same fields as the product's form."""

    act: str
    codes: str
    act_key: str


@app.get("/sign-in")
def ready() -> dict[str, bool]:
    return {"ready": True}


def sessions(file: str) -> None:
    db = Database(f"sqlite:///{file}")

    @app.post("/{assignment_id}/{utterance_id}")
    def save(assignment_id: int, utterance_id: int, form: Annotated[Act, Form()]) -> dict[str, str]:
        with db.writing() as session:
            found = session.execute(select(col(Utterance.id), col(Utterance.role)).where(col(Utterance.id) == utterance_id)).one()
            made = {
                "assignment_id": assignment_id,
                "utterance_id": found.id,
                "kind": Kind.CHANGE,
                "codes": form.codes,
                "act_key": form.act_key,
                "taxonomy_version_id": 1,
                "condition": Condition.ASSISTED,
                "decided_at": now(),
            }
            session.connection().execute(insert(Decision), made)
        return {"saved": form.codes}


_INSERT = """INSERT INTO decision
(assignment_id, utterance_id, kind, codes, act_key, taxonomy_version_id, condition, decided_at) VALUES (?, ?, ?, ?, ?, 1, ?, ?)"""


def plain(file: str) -> None:
    connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}")
    turn = threading.Lock()

    @app.post("/{assignment_id}/{utterance_id}")
    def save(assignment_id: int, utterance_id: int, form: Annotated[Act, Form()]) -> dict[str, str]:
        with turn:
            connection.execute("BEGIN IMMEDIATE")
            (found, _) = connection.execute("SELECT id, role FROM utterance WHERE id = ?", (utterance_id,)).fetchone()
            time = now().strftime("%Y-%m-%d %H:%M:%S.%f")
            connection.execute(_INSERT, (assignment_id, found, "change", form.codes, form.act_key, "assisted", time))
            connection.execute("COMMIT")
        return {"saved": form.codes}


if __name__ == "__main__":
    {"sessions": sessions, "plain": plain}[sys.argv[1]](os.environ["BENCH_DATABASE"])
    uvicorn.run(app, port=int(sys.argv[3]), log_level="warning", access_log=False, server_header=False)
