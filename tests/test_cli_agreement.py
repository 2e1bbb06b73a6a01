"""`annotator agree FILE --json` on every reference vector that a long CSV can carry. Skipped where the vectors are not."""

import csv
import json
from collections.abc import Iterable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from terminal import Run

VECTORS = Path(__file__).parents[2] / "shared" / "agreement" / "vectors"
CASES = [json.loads(path.read_text("utf-8")) for path in sorted(VECTORS.glob("*.json"))]
Rows = Iterable[tuple[str, str, str, str, str]]


def cases(*coefficients: str) -> pytest.MarkDecorator:
    found = [pytest.param(case, id=case["name"]) for case in CASES if case["coefficient"] in coefficients]
    absent = [pytest.param({}, id="absent", marks=pytest.mark.skip(f"the reference vectors are not at {VECTORS}"))]
    return pytest.mark.parametrize("case", found or absent)


@pytest.fixture
def agree(run: Run, tmp_path: Path) -> Any:
    """The figures of rows (conversation, utterance, role, annotator, codes), through a file and the command."""

    def figures(rows: Rows) -> dict[str, Any]:
        path = tmp_path / "labels.csv"
        with path.open("w", encoding="utf-8", newline="") as out:
            csv.writer(out).writerows([("conversation", "utterance", "role", "annotator", "codes"), *rows])
        done = run("agree", path, "--json")
        assert done.code == 0, done.err
        return dict(json.loads(done.out))

    return figures


def of_table(table: list[list[float]], categories: list[Any] | None = None, conversation: str = "c1", role: str = "Seeker") -> Rows:
    names, at = [str(name) for name in categories or range(len(table))], count(1)
    for a, row in zip(names, table, strict=True):
        for b, n in zip(names, row, strict=True):
            for _ in range(int(n)):
                utterance = f"{role}-{next(at)}"
                yield from ((conversation, utterance, role, who, code) for who, code in (("A", a), ("B", b)))


def of_ratings(ratings: list[list[Any]]) -> Rows:
    for who, row in zip("ABCDEFGH", ratings, strict=False):
        for at, label in enumerate(row):
            if label is not None:
                yield "c1", str(at), "Seeker", who, "|".join(label) if isinstance(label, list) else str(label)


def only(figures: dict[str, Any]) -> dict[str, Any]:
    (pair,) = figures["pairs"]
    (block,) = pair["roles"].values()
    return dict(block)


def same(found: dict[str, Any], case: dict[str, Any], names: dict[str, str]) -> None:
    wanted = {name: case["expected"][key] for name, key in names.items() if key in case["expected"]}
    assert wanted, f"{case['name']} says nothing of {', '.join(names)}"
    assert {name: found[name] for name in wanted} == {
        name: None if value is None else pytest.approx(value, abs=case["tolerance"]) for name, value in wanted.items()
    }


FAMILY = {name: name for name in ("po", "pe", "kappa", "kappa_max", "pi", "s", "ac1", "alpha")} | {"n_utterances": "n", "se_iid": "se"}
SETS = {"alpha": "alpha_nominal_set", "kappa_macro": "macro_label_kappa", "mean_jaccard": "mean_jaccard_similarity"}
SETS |= {name: name for name in ("alpha_jaccard", "alpha_masi", "exact_match")}


@cases("cohen_kappa+two_rater_family")
def test_a_table(case: dict[str, Any], agree: Any) -> None:
    if case["expected"]["n"] > 10_000:
        pytest.skip("too long a file for a test of the command")
    block = only(agree(of_table(case["data"]["table"], case["data"]["categories"])))
    same(block, case, FAMILY)
    found = {code: values["kappa"] for code, values in block["codes"].items()}
    assert found == pytest.approx(case["expected"].get("per_category", found), abs=case["tolerance"])


@cases("cohen_kappa")
def test_an_edge_case_or_null_with_a_reason(case: dict[str, Any], agree: Any) -> None:
    figures = agree(of_ratings(case["data"]["ratings"]))
    if case["name"] == "edge_empty":
        assert figures["pairs"] == []
        return
    block = only(figures)
    same(block, case, {"kappa": "kappa", "po": "po", "n_utterances": "n"})
    assert bool(block["undefined"].get("kappa")) == (case["expected"]["kappa"] is None)


@cases("krippendorff_alpha")
def test_alpha_of_all_annotators_with_labels_missing_and_of_two_without(case: dict[str, Any], agree: Any) -> None:
    ratings = case["data"]["ratings"]
    figures = agree(of_ratings(ratings))
    (together,) = figures["all"].values()
    same(together, case, {"alpha": "alpha_nominal"})
    if len(ratings) == 2 and None not in ratings[0] + ratings[1]:
        same(only(figures), case, {"alpha": "alpha_nominal"})


@cases("set_valued_alpha+per_label_kappa")
def test_sets_of_codes(case: dict[str, Any], agree: Any) -> None:
    block = only(agree(of_ratings(case["data"]["ratings"])))
    same(block, case, SETS)
    found = {code: values["kappa"] for code, values in block["codes"].items()}
    assert found == pytest.approx(case["expected"]["per_label_kappa"], abs=case["tolerance"])
    assert block["s"] is block["ac1"] is None


@cases("cohen_kappa_cluster_se")
def test_conversations_as_clusters(case: dict[str, Any], agree: Any) -> None:
    data = case["data"]
    rows = [row for at, table in enumerate(data["clusters"]) for row in of_table(table, data["categories"], conversation=f"c{at}")]
    block = only(agree(rows))
    same(block, case, {"kappa": "kappa", "se": "se_cluster_linearised", "se_iid": "se_iid", "design_effect": "design_effect"})
    assert block["ci95"] == pytest.approx([0.681187, 0.798059], abs=1e-6)  # ± t(39) se


@cases("role_scoped_kappa")
def test_roles_stratified_and_pooled(case: dict[str, Any], agree: Any) -> None:
    rows = [row for role, data in case["data"]["roles"].items() for row in of_table(data["table"], data["categories"], role=role)]
    (pair,) = agree(rows)["pairs"]
    same(pair["stratified"], case, {"kappa": "kappa_stratified"})
    same(pair["pooled"], case, {"kappa": "kappa_pooled_namespaced", "pe": "pe_pooled"})
    for role in ("Seeker", "Assistant"):
        same(pair["roles"][role], case, {"kappa": f"kappa_{role.lower()}", "pe": f"pe_{role.lower()}"})
        same(pair["stratified"]["codes"][f"{role}/RP"], case, {"kappa": f"kappa_RP_{role.lower()}"})


def test_two_versions_of_vogue_in_a_long_csv(data: Path, agree: Any) -> None:
    rows = []
    for line in (data / "vogue" / "dialogues_two_versions.jsonl").read_text("utf-8").splitlines():
        conversation = json.loads(line)
        for turn in conversation["turns"]:
            for at, utterance in enumerate(turn["utterances"]):
                for who, codes in utterance["labels"].items():
                    rows.append((conversation["id"], f"{turn['turn']}.{at}", turn["role"], who, "|".join(codes)))
    (pair,) = agree(rows)["pairs"]
    assert pair["annotators"] == ["final_review", "prompt_example"]
    scopes = {**pair["roles"], "stratified": pair["stratified"], "pooled": pair["pooled"]}
    found = {name: round(block["kappa"], 3) for name, block in scopes.items()}
    assert found == {"Seeker": 0.963, "Assistant": 0.953, "stratified": 0.956, "pooled": 0.958}
    assert (round(pair["stratified"]["kappa_macro"], 3), len(pair["stratified"]["codes"])) == (0.9, 29)
