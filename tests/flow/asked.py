"""Steps of tests that ask a provider: small projects, what a run holds beside what is right, a wire that keeps what is sent."""

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

import pytest
from sqlalchemy import func, select
from sqlmodel import Session, col
from standin import StandIn, truth

from annotator.core.taxonomy import Taxonomy
from annotator.db import Database
from annotator.flow import runs, tagging
from annotator.flow.asking import Watch
from annotator.flow.failures import Missing, failures
from annotator.flow.intake import import_paths
from annotator.flow.intake_facts import Options
from annotator.flow.outcomes import chosen
from annotator.flow.project import open_project
from annotator.flow.runs import Order, any_run
from annotator.flow.taxonomy import current
from annotator.models import Call, Failure, Run, Suggestion, Utterance
from annotator.settings import Settings
from annotator.taggers.prompt import LONGEST_TEXT

KEY = "test-key"
CODE = "    - {{code: {0}, category: c, name: {0}, definition: d, use_when: u, avoid_when: a}}\n"
CODES = {"Seeker": ("ASK", "MORE", "LIKE", "NO", "YES", "RP"), "Assistant": ("SHOW", "WHY", "PRICE", "CHAT", "RP")}
SMALL = "name: small\nlabels_per_utterance: {min: 1, max: 2}\nroles:\n" + "".join(
    f"  {role}:\n" + "".join(map(CODE.format, codes)) for role, codes in CODES.items()
)


def use_standin(monkeypatch: pytest.MonkeyPatch, standin: StandIn) -> None:
    """Let the real client find the stand-in, with its key and no proxy between."""
    for name in ("GOOGLE_API_KEY", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GEMINI_API_KEY", KEY)
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", standin.url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def talk(key: str, size: int = 6, **meta: Any) -> dict[str, Any]:
    """A conversation of so many utterances, whose texts are found nowhere else."""
    said = [{"role": ("Seeker", "Assistant")[at % 2], "text": f"This is what {key} says in place {at}."} for at in range(size)]
    return {"id": key, "utterances": said, **meta}


def talks(number: int, size: int = 6) -> list[dict[str, Any]]:
    return [talk(f"t{at}", size) for at in range(number)]


def make_project(folder: Path, conversations: Iterable[Mapping[str, Any]], taxonomy: str = SMALL) -> Database:
    """A project of its own with these conversations."""
    folder.mkdir(parents=True)
    (folder / "taxonomy.yaml").write_text(taxonomy, encoding="utf-8")
    path = folder / "talks.jsonl"
    path.write_text("\n".join(map(json.dumps, conversations)), encoding="utf-8")
    db = open_project(Settings(project=folder))
    with db.writing() as session:
        import_paths(session, [path], None, Options())
    return db


def gemini(fresh: str = "", *, model: str = "", selection: dict[str, list[str]] | None = None, **manner: str) -> Order:
    """An order whose back-off is quick; `fresh` keeps it apart from others."""
    settings = {"fresh": fresh, **({"model": model} if model else {})}
    return Order("gemini", settings, selection=selection or {}, manner={"wait": "0.01", "timeout": "20", **manner})


def halting(when: Callable[[int], bool]) -> Watch:
    """A watch that asks the run to stop once so many conversations are done."""
    halt = threading.Event()
    return Watch(lambda done, total, note: halt.set() if when(done) else None, halt=halt)


def retry(db: Database, run: Run) -> Run:
    """Ask a run again about what failed, if anything did."""
    with db.writing() as session:
        failed = runs.retry_failed(session, any_run(session, run.id))
    return tagging.work(db, run.id or 0) if failed else run


# What there is now


def stored(db: Database, run: Run | None = None) -> Run:
    """A run as its row is now; by default the newest."""
    with db.reading() as session:
        return any_run(session, run.id if run else None)


def calls(db: Database, run: Run | None = None) -> list[Call]:
    with db.reading() as session:
        found = session.scalars(select(Call).order_by(col(Call.id)))
        return [call for call in found if run is None or call.run_id == run.id]


def suggestions(db: Database, run: Run) -> list[Suggestion]:
    with db.reading() as session:
        statement = select(Suggestion).where(col(Suggestion.run_id) == run.id)
        return list(session.scalars(statement.order_by(col(Suggestion.utterance_id))))


def missing(db: Database, run: Run) -> list[Missing]:
    """Every chosen utterance without a suggestion, with its reason."""
    with db.reading() as session:
        return failures(session, any_run(session, run.id))


def labelled(db: Database, run: Run) -> int:
    """How many utterances have a suggestion, once it is certain that all is well: none is wrong, and each has one outcome."""
    assert wrong(db, run) == []
    return with_label(db, run)


def with_label(db: Database, run: Run) -> int:
    """The same where labels may be wrong."""
    with db.reading() as session:
        run = any_run(session, run.id)
        utterances = _outcomes(session, run)
        assert [row for row in utterances if row.codes is not None and row.reason is not None] == []
        assert [row for row in utterances if row.reason == ""] == []
        if run.finished_at is not None:
            assert [row for row in utterances if row.codes is None and row.reason is None] == []
        found = session.scalar(select(func.count()).select_from(Suggestion).where(col(Suggestion.run_id) == run.id))
        assert found == sum(row.codes is not None for row in utterances)
        return int(found or 0)


def wrong(db: Database, run: Run) -> list[Any]:
    """Utterances whose stored label is not the right one."""
    with db.reading() as session:
        taxonomy = current(session)[1]
        stored = [row for row in _outcomes(session, any_run(session, run.id)) if row.codes is not None]
        return [row for row in stored if not is_right(taxonomy, row.role, row.text, row.codes)]


def _outcomes(session: Session, run: Run) -> Sequence[Any]:
    columns: tuple[Any, ...] = (col(Utterance.role), col(Utterance.text), col(Suggestion.codes), col(Failure.reason))
    statement = (
        select(*columns)
        .select_from(Utterance)
        .outerjoin(Suggestion, (col(Suggestion.utterance_id) == col(Utterance.id)) & (col(Suggestion.run_id) == run.id))
        .outerjoin(Failure, (col(Failure.utterance_id) == col(Utterance.id)) & (col(Failure.run_id) == run.id))
        .where(col(Utterance.conversation_id).in_(chosen(session, run.selection)))
    )
    return session.execute(statement).all()


def is_right(taxonomy: Taxonomy, role: str, text: str, codes: str) -> bool:
    """Whether these are the codes that the stand-in holds to be right; it sees a long text cut."""
    shown = text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]} […]"
    return sorted(codes.split("|")) == truth(role, shown, taxonomy.by_role[role])


# The wire


@contextmanager
def wire(standin: StandIn) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """An address that passes everything on to the stand-in, and the bodies that went through it."""
    bodies: list[dict[str, Any]] = []
    opener = build_opener(ProxyHandler({}))

    class Passing(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["content-length"]))
            bodies.append(json.loads(raw))
            headers = {name: self.headers[name] for name in ("x-goog-api-key", "content-type")}
            with opener.open(Request(standin.url + self.path, raw, headers)) as answer:
                body = answer.read()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Passing)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", bodies
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def message(body: Mapping[str, Any]) -> dict[str, Any]:
    """What a request says beside its rules: one JSON object."""
    ((part,),) = (content["parts"] for content in body["contents"])
    said: dict[str, Any] = json.loads(part["text"])
    return said
