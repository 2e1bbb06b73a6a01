"""The first pass by a provider at scale: the whole command against the stand-in of the tests, beside what could not be beaten.

The ideal is calls × latency ÷ concurrency: what waiting alone takes. Tokens stand beside those of asking about one utterance
at a time with the same prompt and the whole conversation as context, measured on some conversations.
"""

import os
import sqlite3
import sys
from pathlib import Path

from annotator.db import Database
from annotator.flow.cases import Loader
from annotator.flow.corpus import read_transcripts
from annotator.flow.runs import Order
from annotator.flow.tagging import prepare
from annotator.flow.taxonomy import current
from annotator.models import Run
from annotator.taggers.inquiry import Inquiry
from annotator.taggers.provider import Provider
from bench.children import ANNOTATOR, ROOT, run
from bench.corpus import write_corpus
from bench.measures import Row, Size
from bench.stage import new_project

LATENCY, CONCURRENCY = 0.5, 16
_SAMPLE = 15

sys.path.insert(0, str(ROOT / "tests"))


def first_pass(work: Path, size: Size, seed: int) -> list[Row]:
    """Tag a corpus of the size of Muse and look at time, memory, tokens and what is in the database."""
    from standin import StandIn  # beside the tests, so found only now

    project = new_project(work / "first-pass")
    write_corpus(work / "first-pass.jsonl", size.conversations, size.utterances, seed=seed)
    run(*ANNOTATOR, "import", str(work / "first-pass.jsonl"), "--project", str(project), cwd=work)
    with StandIn.start(latency=LATENCY) as standin:
        reach = {"GEMINI_API_KEY": "test-key", "GOOGLE_GEMINI_BASE_URL": standin.url, "NO_PROXY": "127.0.0.1"}
        options = ("--tagger", "gemini", "--concurrency", str(CONCURRENCY), "--project", str(project))
        took = run(*ANNOTATOR, "tag", *options, cwd=work, **reach)
        stats = standin.stats()
    ideal = stats["calls"] * LATENCY / CONCURRENCY
    tokens = (stats["tokens_in"] + stats["tokens_out"]) / size.utterances
    with StandIn.start() as standin:
        one_by_one = _one_by_one(project, standin.url)
    wrong, without = _state(project)
    waiting = f"{stats['calls']:,} calls of {LATENCY} s, {CONCURRENCY} at once: {ideal:.0f} s of waiting"
    return [
        Row("first pass", "wall time beside the ideal", round(took.seconds / ideal, 3), "", "≤ 1.2", f"{took.seconds:.0f} s; {waiting}"),
        Row("first pass", "processor time of a call", round(1000 * took.cpu / stats["calls"], 1), "ms", note="client, parsing and storing"),
        Row("first pass", "peak memory", round(took.peak, 1), "MB", "≤ 200"),
        Row("first pass", "tokens per utterance", round(tokens, 1), "", note=f"of {stats['tokens_out'] / size.utterances:.1f} out"),
        Row("first pass", "tokens per utterance, one call each", round(one_by_one, 1), "", note=f"measured on {_SAMPLE} conversations"),
        Row("first pass", "the former as a share of the latter", round(tokens / one_by_one, 4), "", "≤ 0.1667"),
        Row("first pass", "calls repeated", stats["bodies_clean_again"], "", "≤ 0"),
        Row("first pass", "utterances with neither suggestion nor reason", without, "", "≤ 0"),
        Row("first pass", "suggestions beside the ones asked for", wrong, "", "≤ 0"),
    ]


def _one_by_one(project: Path, url: str) -> float:
    """Tokens per utterance when each is asked for in a call of its own."""
    os.environ |= {"GEMINI_API_KEY": "test-key", "GOOGLE_GEMINI_BASE_URL": url, "NO_PROXY": "127.0.0.1"}
    db = Database(f"sqlite:///{project / 'annotator.db'}")
    tokens = asked = 0
    with db.reading() as session:
        maker = prepare(session, Order("gemini"), current(session)[1])
        loader = Loader(session, Run(tagger="", version="", threshold=0.5, taxonomy_version_id=0, known=""), maker.taxonomy, maker.known)
        assert isinstance(maker.tagger, Provider)
        for transcript in read_transcripts(session, range(1, _SAMPLE + 1)):
            case = loader.case(transcript)
            for line in case.lines:
                question = Inquiry(case, [line.id]).question()
                assert question is not None
                answer = maker.tagger.ask(question)
                tokens, asked = tokens + answer.tokens_in + answer.tokens_out, asked + 1
        maker.tagger.close()
    db.close()
    return tokens / asked


def _state(project: Path) -> tuple[int, int]:
    """Of the newest run: outcomes too many, and utterances without one."""
    connection = sqlite3.connect(project / "annotator.db")
    count = "select count(*) from {} where run_id = (select max(id) from run)"
    utterances = connection.execute("select count(*) from utterance").fetchone()[0]
    outcomes = sum(connection.execute(count.format(table)).fetchone()[0] for table in ("suggestion", "failure"))
    connection.close()
    return max(0, outcomes - utterances), max(0, utterances - outcomes)
