"""Agreement: the reference vectors, published examples, scikit-learn as an oracle, and what holds for any labels."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from annotator.core.agreement import Judgement, agreement, cohen_kappa, one_vs_rest, stratified_kappa
from annotator.errors import BadInput

VECTORS = Path(__file__).parents[3] / "shared" / "agreement" / "vectors"
Pairs = dict[tuple[str, str], int]


def vector(name: str) -> dict[str, Any]:
    if not VECTORS.is_dir():
        pytest.skip(f"The reference vectors are not at {VECTORS}.")
    found: dict[str, Any] = json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))
    return found


def named(*coefficients: str) -> list[str]:
    """The vectors of these coefficients; one that is skipped where there are none."""
    files = sorted(VECTORS.glob("*.json"))
    return [path.stem for path in files if json.loads(path.read_text("utf-8"))["coefficient"] in coefficients] or ["absent"]


def pairs_of(table: list[list[int]], categories: Iterable[Any] | None = None) -> Pairs:
    names = [str(name) for name in categories or range(len(table))]
    return {(a, b): n for a, row in zip(names, table, strict=True) for b, n in zip(names, row, strict=True)}


def as_sets(pairs: Pairs) -> Counter[tuple[frozenset[str], frozenset[str]]]:
    return Counter({(frozenset({a}), frozenset({b})): n for (a, b), n in pairs.items() if n})


def judged(ratings: list[list[Any]], role: str = "Seeker") -> Iterator[Judgement]:
    """Judgements of A and B from two rows of labels; None is no label."""
    for who, row in zip("AB", ratings, strict=False):
        for at, label in enumerate(row):
            if label is not None:
                yield Judgement(who, "c1", str(at), role, frozenset(label if isinstance(label, list) else [str(label)]))


def only(figures: dict[str, Any], role: str = "Seeker") -> dict[str, Any]:
    (pair,) = figures["pairs"]
    block: dict[str, Any] = pair["roles"][role]
    return block


# The reference vectors


@pytest.mark.parametrize("name", named("cohen_kappa+two_rater_family"))
def test_kappa_of_a_table_is_that_of_the_reference(name: str) -> None:
    given_, wanted = vector(name)["data"], vector(name)["expected"]
    found = cohen_kappa(pairs_of(given_["table"], given_["categories"]))
    assert found.n == wanted["n"]
    assert [found.po, found.pe, found.kappa] == pytest.approx([wanted["po"], wanted["pe"], wanted["kappa"]], abs=1e-9)


@pytest.mark.parametrize("name", named("cohen_kappa+two_rater_family"))
def test_kappa_of_each_code_is_that_of_the_reference_one_against_the_rest(name: str) -> None:
    given_, wanted = vector(name)["data"], vector(name)["expected"].get("per_category")
    if wanted is None:
        return
    found = one_vs_rest(as_sets(pairs_of(given_["table"], given_["categories"])))
    assert {code: values["kappa"] for code, values in found.items()} == pytest.approx(wanted, abs=1e-9)


REASONS = {"no_pairs": "no utterance has a label of both annotators", "one_category": "both annotators used one label only"}


@pytest.mark.parametrize("name", [name for name in named("cohen_kappa") if name != "edge_empty"])
def test_kappa_of_ratings_is_that_of_the_reference_or_undefined_for_its_reason(name: str) -> None:
    wanted = vector(name)["expected"]
    block = only(agreement(judged(vector(name)["data"]["ratings"])))
    assert block["n_utterances"] == wanted["n"]
    assert block["kappa"] == (None if wanted["kappa"] is None else pytest.approx(wanted["kappa"], abs=1e-9))
    assert block["po"] == wanted.get("po", block["po"])
    assert block["undefined"].get("kappa", "").startswith(REASONS.get(wanted.get("undefined_reason"), ""))
    assert ("kappa" in block["undefined"]) == (wanted["kappa"] is None)


def test_kappa_of_nothing_is_undefined_as_in_the_reference() -> None:
    found = cohen_kappa({})
    assert vector("edge_empty")["expected"]["kappa"] is found.kappa is found.po is found.pe is None
    assert found.reason == REASONS["no_pairs"]


def test_a_code_one_never_used_has_kappa_zero_and_not_undefined() -> None:
    case = vector("edge_one_annotator_never_uses_code")
    codes = only(agreement(judged(case["data"]["ratings"])))["codes"]
    assert {code: values["kappa"] for code, values in codes.items()} == pytest.approx(case["expected"]["per_code"])
    assert (codes["C"]["n_a"], codes["C"]["n_b"]) == (2, 0)


@pytest.mark.parametrize("name", named("set_valued_alpha+per_label_kappa"))
def test_sets_agree_exactly_and_per_code_as_in_the_reference(name: str) -> None:
    case = vector(name)
    block = only(agreement(judged(case["data"]["ratings"])))
    assert block["po"] == pytest.approx(case["expected"]["exact_match"])
    assert {code: values["kappa"] for code, values in block["codes"].items()} == pytest.approx(case["expected"]["per_label_kappa"])


def test_roles_are_stratified_and_pooled_as_in_the_reference() -> None:
    case = vector("role_scoped_pooled_vs_stratified")
    (pair,) = agreement(by_role(case["data"]["roles"]))["pairs"]
    scopes = {**{f"_{role.lower()}": block for role, block in pair["roles"].items()}, "_stratified": pair["stratified"]}
    found = {f"kappa{scope}": block["kappa"] for scope, block in scopes.items()}
    found |= {f"pe{scope}": block["pe"] for scope, block in scopes.items() if scope != "_stratified"}
    found |= {"kappa_pooled_namespaced": pair["pooled"]["kappa"], "pe_pooled": pair["pooled"]["pe"]}
    found |= {f"kappa_RP_{role.lower()}": pair["roles"][role]["codes"]["RP"]["kappa"] for role in pair["roles"]}
    assert found == pytest.approx({name: case["expected"][name] for name in found}, abs=1e-9)


def by_role(roles: dict[str, Any]) -> Iterator[Judgement]:
    for role, data in roles.items():
        cells = Counter(pairs_of(data["table"], data["categories"])).elements()
        for at, labels in enumerate(cells):
            for who, code in zip("AB", labels, strict=True):
                yield Judgement(who, "c1", f"{role}-{at}", role, frozenset({code}))


def test_conversations_are_pooled_first_and_not_averaged() -> None:
    data = vector("clustered_by_conversation_40")["data"]
    together: Counter[tuple[str, str]] = Counter()
    for cluster in data["clusters"]:
        together.update(pairs_of(cluster, data["categories"]))
    found = cohen_kappa(together).kappa
    assert found == pytest.approx(vector("clustered_by_conversation_40")["expected"]["kappa"], abs=1e-9)
    assert found == pytest.approx(vector("trap_mean_of_per_conversation_kappas")["expected"]["pooled"], abs=1e-9)


def test_kappa_under_prevalence_and_bias_is_that_of_the_reference() -> None:
    case = vector("byrt1993_decomposition")
    found = [cohen_kappa(pairs_of(row["table"])).kappa for row in case["data"]["rows"]]
    assert found == pytest.approx(case["expected"]["kappas"], abs=1e-9)


def test_kappa_of_one_code_is_not_kappa_of_the_pairs_that_use_it() -> None:
    case = vector("trap_sklearn_labels_subset")
    block = only(agreement(judged(case["data"]["ratings"])))
    found = [block["kappa"], block["codes"]["A"]["kappa"]]
    assert found == pytest.approx([case["expected"]["kappa_all"], case["expected"]["kappa_one_vs_rest_A"]])


@pytest.mark.parametrize("arm", ["blind", "assisted"])
def test_kappa_of_either_arm_is_that_of_the_reference(arm: str) -> None:
    tables, paired = vector("anchoring_independent_kappas"), vector("anchoring_paired_adoption")
    assert cohen_kappa(pairs_of(tables["data"][arm])).kappa == pytest.approx(tables["expected"][f"kappa_{arm}"])
    block = only(agreement(judged([paired["data"]["llm"], paired["data"][arm]])))
    assert block["kappa"] == pytest.approx(paired["expected"][f"kappa_llm_{arm}"])


@pytest.mark.parametrize(
    ("name", "figure"), [("warrens2012_hubert", "pair_AB"), ("irr_anxiety_r2r3_unweighted", "kappa_w")]
)
def test_kappa_of_two_rows_of_ratings_is_that_of_the_reference(name: str, figure: str) -> None:
    case = vector(name)
    assert only(agreement(judged(case["data"]["ratings"][:2])))["kappa"] == pytest.approx(case["expected"][figure])


# Published examples, by hand


@pytest.mark.parametrize(
    ("table", "kappa"),
    [
        ([[88, 14, 18], [10, 40, 10], [2, 6, 12]], 0.492),  # Cohen (1960), p. 45
        ([[53, 5, 2], [11, 14, 5], [1, 6, 3]], 0.429),  # Fleiss, Cohen and Everitt (1969)
        ([[40, 9], [6, 45]], 0.70),  # Feinstein and Cicchetti (1990), balanced margins
        ([[80, 10], [5, 5]], 0.32),  # and skewed ones, at the same po
        ([[45, 15], [25, 15]], 0.13),
        ([[25, 35], [5, 35]], 0.26),
        ([[22, 2, 2, 0], [5, 7, 14, 0], [0, 2, 36, 0], [0, 1, 17, 10]], 0.493),  # Landis and Koch (1977)
        ([[118, 5], [2, 0]], -0.023),  # high agreement, kappa below zero
    ],
)
def test_published_kappas_are_reproduced(table: list[list[int]], kappa: float) -> None:
    assert cohen_kappa(pairs_of(table)).kappa == pytest.approx(kappa, abs=10 ** -len(str(abs(kappa)).split(".")[1]) / 2 + 1e-9)


# What holds for any labels

label = st.sampled_from(["ACK", "RP", "nan", "None"])
label_set = st.frozensets(label, max_size=3)
single = label.map(lambda code: frozenset({code}))


def both(labels: st.SearchStrategy[Any], least: int = 0) -> st.SearchStrategy[list[Any]]:
    """Rows of (role, label of A, label of B)."""
    return st.lists(st.tuples(st.sampled_from(["Seeker", "Assistant"]), labels, labels), min_size=least, max_size=30)


def told(rows: list[Any], names: tuple[str, str] = ("A", "B")) -> list[Judgement]:
    return [
        Judgement(who, f"c{at % 3}", str(at), role, codes)
        for at, (role, *labels) in enumerate(rows)
        for who, codes in zip(names, labels, strict=True)
    ]


def scopes(rows: list[Any], names: tuple[str, str] = ("A", "B")) -> dict[str, dict[str, Any]]:
    (pair,) = agreement(told(rows, names))["pairs"]
    return {**pair["roles"], "stratified": pair["stratified"], "pooled": pair["pooled"]}


@given(both(label_set, least=1))
def test_kappa_is_that_of_scikit_learn(rows: list[Any]) -> None:
    for role in {role for role, *_ in rows}:
        a, b = zip(*[["|".join(sorted(codes)) for codes in labels] for of, *labels in rows if of == role], strict=True)
        found = scopes(rows)[role]["kappa"]
        if len({*a, *b}) == 1:
            assert found is None
        else:
            assert found == pytest.approx(cohen_kappa_score(a, b), abs=1e-12)


@given(both(st.none() | label_set, least=1))
def test_it_does_not_matter_who_is_named_first(rows: list[Any]) -> None:
    there, back = scopes(rows), scopes(rows, ("Z", "Y"))
    for scope, block in there.items():
        for figure in ("kappa", "po", "pe", "n_utterances", "n_skipped", "n_conversations"):
            assert block[figure] == back[scope][figure]
        for code, values in block["codes"].items():
            assert (values["n_a"], values["n_b"], values["kappa"]) == (
                back[scope]["codes"][code]["n_b"], back[scope]["codes"][code]["n_a"], back[scope]["codes"][code]["kappa"],
            )  # fmt: skip


@given(both(st.none() | label_set, least=1), st.randoms(use_true_random=False))
def test_neither_names_of_codes_nor_order_of_rows_matter(rows: list[Any], random: Any) -> None:
    other = {"ACK": "x", "RP": "ACK", "nan": "RP", "None": "é"}
    renamed = told([(role, *(s and frozenset(map(other.__getitem__, s)) for s in labels)) for role, *labels in rows])
    random.shuffle(renamed)
    (pair,) = agreement(renamed)["pairs"]
    for scope, block in {**pair["roles"], "stratified": pair["stratified"], "pooled": pair["pooled"]}.items():
        before = scopes(rows)[scope]
        assert [block[name] for name in ("kappa", "po", "pe")] == [before[name] for name in ("kappa", "po", "pe")]
        assert sorted(str(v["kappa"]) for v in block["codes"].values()) == sorted(str(v["kappa"]) for v in before["codes"].values())


@given(st.lists(st.tuples(st.sampled_from(["Seeker", "Assistant"]), label_set.filter(bool)), min_size=1, max_size=20))
def test_the_same_labels_agree_fully_or_not_at_all_definably(said: list[Any]) -> None:
    for scope, block in scopes([(role, codes, codes) for role, codes in said]).items():
        used = {(role, codes) for role, codes in said if scope in (role, "pooled")}
        several = len(used) > 1 if scope != "stratified" else len(set(said)) > len({role for role, _ in said})
        assert block["kappa"] == (1 if several else None), scope
        assert block["po"] == 1


@given(both(single, least=1))
def test_kappa_is_the_mean_of_its_codes_weighted_by_their_chance_to_disagree(rows: list[Any]) -> None:
    for block in (scopes(rows)[role] for role in {role for role, *_ in rows}):
        assume(block["kappa"] is not None)
        n, parts = block["n_utterances"], []
        for values in block["codes"].values():
            r, c = values["n_a"] / n, values["n_b"] / n
            parts.append((r + c - 2 * r * c, values["kappa"] or 0))
        assert block["kappa"] == pytest.approx(sum(w * k for w, k in parts) / sum(w for w, _ in parts), abs=1e-9)


@given(both(label_set, least=1))
def test_the_stratified_kappa_lies_between_those_of_the_roles(rows: list[Any]) -> None:
    found = scopes(rows)
    roles = [found[role]["kappa"] for role in {role for role, *_ in rows} if found[role]["kappa"] is not None]
    if roles:
        assert min(roles) - 1e-9 <= found["stratified"]["kappa"] <= max(roles) + 1e-9
    else:
        assert found["stratified"]["kappa"] is None


@given(both(st.none() | label_set))
def test_what_is_undefined_has_a_reason_and_nothing_else_has(rows: list[Any]) -> None:
    figures = agreement(told(rows))
    json.dumps(figures, allow_nan=False)
    for pair in figures["pairs"]:
        for block in (*pair["roles"].values(), pair["stratified"], pair["pooled"]):
            missing = {name for name, value in block.items() if value is None}
            per_code = [(code, name, value) for code, values in block["codes"].items() for name, value in values.items()]
            missing |= {f"codes.{code}.{name}" for code, name, value in per_code if value is None}
            assert missing == set(block["undefined"])
            assert all(block["undefined"].values())


# What is counted


def test_every_pair_and_role_is_listed_even_without_overlap() -> None:
    roles = {"cem": "Seeker", "bob": "Assistant", "al": "Seeker"}
    said = [Judgement(who, f"c-{who}", "1", role, frozenset({"ACK"})) for who, role in roles.items()]
    pairs = agreement(said)["pairs"]
    assert [pair["annotators"] for pair in pairs] == [["al", "bob"], ["al", "cem"], ["bob", "cem"]]
    for pair in pairs:
        assert list(pair["roles"]) == ["Assistant", "Seeker"]
        for block in (*pair["roles"].values(), pair["stratified"], pair["pooled"]):
            assert (block["n_utterances"], block["kappa"], block["undefined"]["kappa"]) == (0, None, REASONS["no_pairs"])


def test_nobody_alone_makes_no_pair() -> None:
    assert agreement([]) == agreement(judged([["ACK"]])) == {"pairs": []}


def test_an_utterance_both_left_blank_is_not_counted_and_one_that_one_left_is() -> None:
    said = list(judged([["ACK", "ACK", None, None], ["ACK", None, "RP", None]]))
    said.append(Judgement("cem", "c1", "3", "Seeker", frozenset({"ACK"})))
    found = {tuple(pair["annotators"]): pair["roles"]["Seeker"] for pair in agreement(said)["pairs"]}
    assert (found["A", "B"]["n_utterances"], found["A", "B"]["n_blank"]) == (1, 2)
    assert (found["A", "cem"]["n_utterances"], found["A", "cem"]["n_blank"]) == (0, 3)


def test_a_conversation_only_one_worked_on_is_neither_counted_nor_blank() -> None:
    said = [*judged([["ACK"], ["ACK"]]), Judgement("A", "c2", "1", "Seeker", frozenset({"RP"}))]
    block = only(agreement(said))
    assert (block["n_utterances"], block["n_blank"], block["n_conversations"]) == (1, 0, 1)


def test_a_skip_is_counted_apart_and_is_in_no_figure() -> None:
    said = [*judged([["ACK", "RP"], ["ACK", "RP"]])]
    before = only(agreement(said))
    said += [Judgement("A", "c1", "9", "Seeker", None), Judgement("B", "c1", "9", "Seeker", frozenset({"RP"}))]
    assert only(agreement(said)) == before | {"n_skipped": 1}


def test_an_empty_label_is_a_label() -> None:
    block = only(agreement(judged([[[], ["ACK"], []], [[], ["ACK"], ["ACK"]]])))
    assert (block["n_utterances"], block["po"]) == (3, pytest.approx(2 / 3))
    assert block["confusions"] == [{"a": "", "b": "ACK", "n": 1}]


def test_codes_of_the_same_name_in_two_roles_are_never_compared() -> None:
    rp = frozenset({"RP"})
    (pair,) = agreement(told([("Seeker", rp, rp), ("Assistant", rp, frozenset({"RS"}))]))["pairs"]
    assert {code: values["n_both"] for code, values in pair["pooled"]["codes"].items()} == {
        "Assistant/RP": 0, "Assistant/RS": 0, "Seeker/RP": 1,
    }  # fmt: skip
    assert pair["pooled"]["confusions"] == [{"a": "Assistant/RP", "b": "Assistant/RS", "n": 1}]
    assert pair["stratified"]["codes"].keys() == pair["pooled"]["codes"].keys()


def test_pooling_flatters_and_says_so() -> None:
    a, b = frozenset({"ACK"}), frozenset({"RP"})
    found = scopes([(role, x, y) for role in ("Seeker", "Assistant") for x in (a, b) for y in (a, b)])
    assert [found[scope]["kappa"] for scope in ("Seeker", "Assistant", "stratified")] == [0, 0, 0]
    assert (found["pooled"]["kappa"], found["pooled"]["pooled"]) == (pytest.approx(1 / 3), True)


def test_confusions_are_listed_most_frequent_first() -> None:
    block = only(agreement(judged([["A", "A", "B", ["A", "B"]], ["B", "B", "C", "A"]])))
    assert [(row["a"], row["b"], row["n"]) for row in block["confusions"]] == [("A", "B", 2), ("A|B", "A", 1), ("B", "C", 1)]


def test_strata_without_a_kappa_count_with_what_they_agree() -> None:
    constant = cohen_kappa({("x", "x"): 10})
    mixed = cohen_kappa({("x", "x"): 5, ("y", "y"): 5, ("x", "y"): 2})
    assert stratified_kappa([constant, mixed]).kappa == pytest.approx(mixed.kappa)
    assert stratified_kappa([constant, constant]).kappa is None
    assert stratified_kappa([]).reason == REASONS["no_pairs"]


def test_two_labels_of_one_annotator_for_one_utterance_are_refused() -> None:
    said = [*judged([["ACK"], ["ACK"]]), Judgement("A", "c1", "0", "Seeker", frozenset({"RP"}))]
    with pytest.raises(BadInput, match=r"A labelled conversation c1, utterance 0 more than once\. .*--round NAME"):
        agreement(said)
