"""Import: VOGUE in full, what its labels count, the same thing twice, and files that are refused as a whole."""

import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import SHARED
from sqlalchemy import func, select
from sqlmodel import col

from annotator.db import Database
from annotator.errors import AnnotatorError, BadInput, Conflict
from annotator.flow.access import EVERYTHING
from annotator.flow.agreement import report as agreement_report
from annotator.flow.export import export_to
from annotator.flow.intake import import_paths
from annotator.flow.intake_facts import Options, Report
from annotator.flow.stats import count_all
from annotator.models import Conversation, Gold, Item, ItemRating, Scenario, Submission, User, Utterance
from annotator.paths import shipped
from flow.steps import dump

Empty = Callable[[], Database]

STRAYS = [("c16_b_4", "50", "Assistant", "<no tag available>"), ("c20_a_2", "41", "Assistant", "AR"), ("c36_c_6", "23", "Assistant", "RE")]

# As counted in the corpus' own README.
ASSISTANT = {
    "EAI": 268, "ACK": 246, "EP": 196, "RS": 143, "ANS": 79, "A": 70, "PCN": 64, "PCM": 59, "RTI": 55,
    "OTH": 53, "IP": 47, "PER": 47, "RP": 39, "CQ": 38, "RC": 31, "EF": 14, "REC": 2, "PEX": 2,
}  # fmt: skip
SEEKER = {
    "PCT": 135, "PEP": 123, "ACT": 87, "IF": 77, "OTH": 77, "ANS": 76, "ACK": 73, "CF": 51, "INT": 44, "RP": 43,
    "IQ": 40, "EXP": 38, "CON": 25, "NR": 25, "IA": 20, "PIP": 17, "RJT": 14, "AC": 14, "CC": 10,
}  # fmt: skip


def take_in(db: Database, *paths: Path, **options: Any) -> Report:
    with db.writing() as session:
        return import_paths(session, paths, None, Options(**options))


def refused(db: Database, kind: type[AnnotatorError], *paths: Path, **options: Any) -> str:
    """The sentence of an import that is refused and leaves every table as it was."""
    with db.reading() as session:
        before = dump(session)
    with pytest.raises(kind) as caught:
        take_in(db, *paths, **options)
    with db.reading() as session:
        assert dump(session) == before
    return str(caught.value)


def transcript_file(folder: Path, name: str, tags: Any = (), text: str = "Hello.", role: str = "Assistant") -> Path:
    content = {"utterances": [text], "role": role, "tags": [list(tags)]}
    path = folder / f"{name}.json"
    path.write_text(json.dumps({"conversation_content": [{"turn": 1, "timestamp": "00:00:01", "content": content}]}))
    return path


def csv_file(path: Path, *rows: str) -> Path:
    path.write_text("\n".join(["conversation,utterance,role,annotator,codes,text", *rows]) + "\n")
    return path


@pytest.fixture
def transcripts(vogue: Path) -> Path:
    return vogue / "data" / "conversation_trials" / "transcripts"


# The whole of VOGUE


def test_vogue_has_the_published_size(vogue_db: Database) -> None:
    with vogue_db.reading() as session:
        found = count_all(session)
    assert (found["conversations"], found["turns"], found["utterances"], found["tokens"]) == (60, 899, 2106, 22707)
    assert {role: counts["turns"] for role, counts in found["roles"].items()} == {"Assistant": 471, "Seeker": 428}


def test_its_labels_belong_to_final_and_hold_one_to_three_codes(vogue_db: Database) -> None:
    with vogue_db.reading() as session:
        final = count_all(session)["annotators"]["final"]
    assert final["by_number_of_codes"] == {"1": 1780, "2": 307, "3": 16}
    assert (final["labels"], final["skipped"]) == (2103, 0)


def test_every_code_is_counted_as_in_the_corpus(vogue_db: Database) -> None:
    with vogue_db.reading() as session:
        assert count_all(session)["annotators"]["final"]["codes"] == {"Assistant": ASSISTANT, "Seeker": SEEKER}


def test_codes_outside_the_taxonomy_are_named_with_conversation_and_utterance(empty: Empty, vogue: Path) -> None:
    report = take_in(empty(), vogue, as_name="final")
    assert [tuple(one) for one in report.unknown] == STRAYS
    for conversation, utterance, role, code in STRAYS:
        sentence = f"Unknown code {code!r} for {role} left out: conversation {conversation}, utterance {utterance}."
        assert sentence in report.sentences()


def test_scenarios_and_ratings_come_along(vogue_db: Database, vogue: Path) -> None:
    with vogue_db.reading() as session:
        assert [session.scalar(select(func.count()).select_from(table)) for table in (Scenario, ItemRating, Item)] == [6, 120, 0]
        bodies = dict(session.execute(select(col(Scenario.key), col(Scenario.body))).all())
    original = json.loads((vogue / "data" / "conversation_trials" / "scenarios.json").read_text())
    assert bodies == {str(one["Scenario"]): one["Body"] for one in original}


def test_the_sample_brings_its_catalogue_with_pictures(empty: Empty) -> None:
    db = empty()
    report = take_in(db, shipped("sample"))
    with db.reading() as session:
        pictures = session.scalars(select(Item.picture)).all()
    assert report.items == len(pictures) > 0
    assert all(pictures)


def test_a_stray_code_may_be_renamed(empty: Empty, transcripts: Path) -> None:
    db = empty()
    report = take_in(db, transcripts, as_name="final", renamed={"AR": "A", "Assistant/RE": "RC", "Seeker/EP": "ACK"})
    with db.reading() as session:
        codes = count_all(session)["annotators"]["final"]["codes"]
    assert codes == {"Assistant": ASSISTANT | {"A": 71, "RC": 32}, "Seeker": SEEKER}
    assert [one.code for one in report.unknown] == ["<no tag available>"]


def test_an_unknown_code_may_be_an_error_that_imports_nothing(empty: Empty, transcripts: Path) -> None:
    said = refused(empty(), BadInput, transcripts, as_name="final", unknown_is_error=True)
    assert said.startswith("c16_b_4.json: conversation c16_b_4, utterance 50: the taxonomy has no code '<no tag available>' for Assistant")
    assert "--map" in said


def test_labels_of_nobody_are_left_out_and_the_message_says_so(empty: Empty, transcripts: Path) -> None:
    db = empty()
    report = take_in(db, transcripts)
    assert (report.labels, report.unnamed_labels, report.unknown) == (0, 2106, [])
    assert any("2106 labels were left out" in line and "--as NAME" in line for line in report.sentences())
    with db.reading() as session:
        assert session.scalars(select(User)).all() == []


def test_importing_twice_changes_nothing(vogue_db: Database, vogue: Path) -> None:
    with vogue_db.reading() as session:
        before = dump(session)
    report = take_in(vogue_db, vogue, as_name="final")
    with vogue_db.reading() as session:
        assert dump(session) == before
    assert (report.conversations, report.known_conversations, report.known_labels, report.labels) == (0, 60, 2103, 0)


def test_vogue_comes_out_byte_for_byte_but_for_its_stray_codes(vogue_db: Database, transcripts: Path, tmp_path: Path) -> None:
    with vogue_db.reading() as session:
        export_to(session, EVERYTHING, tmp_path / "out", format_name="vogue")
    strays = {conversation: code for conversation, _, _, code in STRAYS}
    for original in sorted(transcripts.glob("*.json")):
        wanted = original.read_text(encoding="utf-8")
        if original.stem in strays:
            lines = f'[\n            "{strays[original.stem]}"\n          ]'
            assert wanted.count(lines) == 1
            wanted = wanted.replace(lines, "[]")
        made = tmp_path / "out" / "conversation_trials" / "transcripts" / original.name
        assert made.read_bytes() == wanted.encode(), original.name


@pytest.mark.parametrize(("path", "gold", "labels"), [("vogue/dialogues.jsonl", 2103, 0), ("convokit_vogue", 0, 2103)])
def test_the_same_conversations_in_another_format_add_their_labels(
    empty: Empty, transcripts: Path, path: str, gold: int, labels: int
) -> None:
    db = empty()
    take_in(db, transcripts)
    with db.reading() as session:
        before = session.execute(select(Utterance.key, Utterance.text)).all()
    report = take_in(db, SHARED / path, as_name="other")
    assert (report.conversations, report.known_conversations, report.gold, report.labels) == (0, 60, gold, labels)
    with db.reading() as session:
        assert session.execute(select(Utterance.key, Utterance.text)).all() == before


def test_two_versions_of_the_labels_are_two_annotators_that_can_be_compared(empty: Empty, transcripts: Path) -> None:
    db = empty()
    take_in(db, transcripts)
    take_in(db, SHARED / "vogue" / "dialogues_two_versions.jsonl")
    with db.reading() as session:
        (pair,) = agreement_report(session, EVERYTHING)["pairs"]
    assert pair["annotators"] == ["final_review", "prompt_example"]
    # 76 and 73 in the corpus' README; one of the older labels is only a code that the taxonomy has no more.
    assert (pair["pooled"]["n_utterances"], pair["pooled"]["po"]) == (75, 73 / 75)


# The same id again


def test_the_same_id_with_another_text_is_refused(empty: Empty, tmp_path: Path) -> None:
    db = empty()
    take_in(db, transcript_file(tmp_path, "c1"))
    said = refused(db, Conflict, transcript_file(tmp_path, "c1", text="Hello!"))
    assert "conversation c1 is in this project with a different text (see utterance 1)" in said


def test_the_same_words_of_another_role_are_another_text(empty: Empty, tmp_path: Path) -> None:
    db = empty()
    take_in(db, transcript_file(tmp_path, "c1"))
    assert "different text" in refused(db, Conflict, transcript_file(tmp_path, "c1", role="Seeker"))


def test_labels_that_differ_from_those_here_are_refused_with_their_place(empty: Empty, tmp_path: Path) -> None:
    db = empty()
    take_in(db, transcript_file(tmp_path, "c1", ["ACK"]), as_name="final")
    said = refused(db, Conflict, transcript_file(tmp_path, "c1", ["RTI"]), as_name="final")
    assert "final labelled conversation c1, utterance 1 with ACK where the file says RTI" in said
    assert take_in(db, tmp_path / "c1.json", as_name="other").labels == 1


def test_the_order_of_codes_makes_no_other_label(empty: Empty, tmp_path: Path) -> None:
    db = empty()
    take_in(db, transcript_file(tmp_path, "c1", ["ACK", "RTI"]), as_name="final")
    assert take_in(db, transcript_file(tmp_path, "c1", ["RTI", "ACK"]), as_name="final").known_labels == 1


def test_a_table_of_labels_without_text_finds_its_conversation(empty: Empty, tmp_path: Path) -> None:
    db = empty()
    take_in(db, transcript_file(tmp_path, "c1"))
    assert take_in(db, csv_file(tmp_path / "l.csv", "c1,1,Assistant,ana,ACK,", "c1,1,Assistant,ben,RTI,")).labels == 2


def test_a_table_of_labels_for_a_conversation_that_is_not_here_is_refused(empty: Empty, tmp_path: Path) -> None:
    said = refused(empty(), BadInput, csv_file(tmp_path / "l.csv", "c1,1,Assistant,ana,ACK,"))
    assert "conversation c1 is not in this project and its text is not in the file" in said


def test_labels_that_arrive_in_two_files_are_all_submitted(empty: Empty, tmp_path: Path) -> None:
    db = empty()
    texts = ("c1,1,Assistant,ana,ACK,Hi", "c1,2,Assistant,ana,RTI,Ho", "c1,1,Assistant,ben,ACK,Hi")
    take_in(db, csv_file(tmp_path / "a.csv", *texts))
    take_in(db, csv_file(tmp_path / "b.csv", "c1,2,Assistant,ben,RTI,"))
    with db.reading() as session:
        assert agreement_report(session, EVERYTHING)["pairs"][0]["roles"]["Assistant"]["n_utterances"] == 2


def test_imported_labels_count_as_submitted(vogue_db: Database) -> None:
    with vogue_db.reading() as session:
        assert session.scalar(select(func.count()).where(col(Submission.handed_in))) == 60


# All or nothing


def broken(folder: Path) -> Path:
    (folder / "x.json").write_text('{"conversation_content": [')
    return folder / "x.json"


def mismatched(folder: Path) -> Path:
    path = transcript_file(folder, "x", ["ACK"])
    path.write_text(path.read_text().replace('[["ACK"]]', "[]"))
    return path


def nothing(folder: Path) -> Path:
    (folder / "x.json").write_text("")
    return folder / "x.json"


@pytest.mark.parametrize("bad", [broken, mismatched, nothing, lambda folder: folder / "missing.json"])
def test_one_bad_file_among_good_ones_imports_nothing(vogue_db: Database, tmp_path: Path, bad: Callable[[Path], Path]) -> None:
    good = [transcript_file(tmp_path, f"good{number}", ["ACK"]) for number in range(2)]
    worse = bad(tmp_path)
    assert worse.name in refused(vogue_db, BadInput, good[0], worse, good[1], as_name="final")


def test_a_bad_file_inside_a_folder_imports_nothing(empty: Empty, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    transcript_file(tmp_path / "in", "a")
    broken(tmp_path / "in")
    assert "x.json" in refused(empty(), BadInput, tmp_path / "in")


def test_a_conflict_in_the_last_of_many_files_imports_nothing(vogue_db: Database, transcripts: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(transcripts, tmp_path / "in"))
    for name in list(folder.iterdir()):
        name.chmod(0o644)
    transcript_file(folder, "c0_new", ["ACK"])
    transcript_file(folder, "c60_x", ["ACK"])
    last = sorted(folder.glob("c60_*.json"))[0]
    last.write_text(last.read_text().replace('"utterances": [', '"utterances": [\n"One more.",', 1).replace('"tags": [', '"tags": [[],', 1))
    assert "c60" in refused(vogue_db, Conflict, folder, as_name="final")


def test_two_files_of_one_command_with_the_same_id_and_text_are_one_conversation(empty: Empty, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    db = empty()
    report = take_in(db, transcript_file(tmp_path, "c1"), transcript_file(tmp_path / "b", "c1"))
    assert (report.conversations, report.known_conversations) == (1, 1)


def test_a_folder_of_nothing_is_refused(empty: Empty, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    assert "in" in refused(empty(), BadInput, tmp_path / "in")


# What else comes along


def test_an_empty_label_is_a_skip_where_the_taxonomy_wants_a_code(empty: Empty, tmp_path: Path) -> None:
    db = empty()
    take_in(db, csv_file(tmp_path / "l.csv", "c1,1,Assistant,ana,,Hi", "c1,1,Assistant,ben,ACK,Hi"))
    with db.reading() as session:
        block = agreement_report(session, EVERYTHING)["pairs"][0]["roles"]["Assistant"]
        assert count_all(session)["annotators"]["ana"]["skipped"] == 1
    assert (block["n_utterances"], block["n_skipped"]) == (0, 1)


def test_more_codes_than_allowed_are_kept_and_said(empty: Empty, tmp_path: Path) -> None:
    db = empty()
    report = take_in(db, transcript_file(tmp_path, "c1", ["ACK", "RTI", "RP", "EP"]), as_name="final")
    assert "1 labels hold more codes than the taxonomy allows; they are kept as they are." in report.sentences()
    with db.reading() as session:
        assert count_all(session)["annotators"]["final"]["by_number_of_codes"] == {"4": 1}


def test_gold_in_a_file_is_gold_once_and_no_ones_label(empty: Empty, tmp_path: Path) -> None:
    db = empty()
    path = tmp_path / "g.jsonl"
    path.write_text(json.dumps({"id": "c1", "utterances": [{"role": "Seeker", "text": "Hi", "labels": {"gold": ["ACK"]}}]}))
    reports = [take_in(db, path, as_name="final") for _ in range(2)]
    with db.reading() as session:
        assert [(one.codes, one.rule) for one in session.scalars(select(Gold))] == [("ACK", "imported")]
        assert session.scalars(select(User)).all() == []
    assert [one.gold for one in reports] == [1, 0]


def test_what_the_text_of_a_conversation_was_never_changes(vogue_db: Database, transcripts: Path) -> None:
    texts = Counter[str]()
    for path in transcripts.glob("*.json"):
        for turn in json.loads(path.read_text())["conversation_content"]:
            texts.update(turn["content"]["utterances"])
    with vogue_db.reading() as session:
        assert Counter(session.scalars(select(Utterance.text))) == texts
        assert set(session.scalars(select(Conversation.key))) == {path.stem for path in transcripts.glob("*.json")}


def test_names_that_exports_use_themselves_cannot_be_given_labels(empty: Empty, tmp_path: Path) -> None:
    for name in ("gold", "ALL", "a|b", ""):
        assert "cannot be a name" in refused(empty(), BadInput, transcript_file(tmp_path, "c1", ["ACK"]), as_name=name)


def test_progress_reaches_the_end_of_every_file(empty: Empty, transcripts: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    with empty().writing() as session:
        import_paths(session, [transcripts], None, Options(), lambda source, _: seen.append((source.done, source.total)))
    assert seen[-1][0] == seen[-1][1] > 0


