"""Every reference vector of a coefficient, through the functions of `import annotator`. Skipped where the vectors are not."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

import annotator as an

VECTORS = Path(__file__).parents[3] / "shared" / "agreement" / "vectors"
CASES = [json.loads(path.read_text("utf-8")) for path in sorted(VECTORS.glob("*.json"))]


def cases(*coefficients: str) -> pytest.MarkDecorator:
    """The vectors of these coefficients, by name; one skip where there are none."""
    found = [pytest.param(case, id=case["name"]) for case in CASES if case["coefficient"] in coefficients]
    absent = [pytest.param({}, id="absent", marks=pytest.mark.skip(f"the reference vectors are not at {VECTORS}"))]
    return pytest.mark.parametrize("case", found or absent)


def close(wanted: Any, case: dict[str, Any]) -> Any:
    return pytest.approx(wanted, abs=case["tolerance"])


def table(data: dict[str, Any]) -> dict[tuple[Any, Any], int]:
    return an.table_of(data["table"], data.get("categories"))


def pairs(ratings: Sequence[Sequence[Any]]) -> Counter[tuple[Any, Any]]:
    return Counter((a, b) for a, b in zip(*ratings, strict=True) if None not in (a, b))


def sets(case: dict[str, Any]) -> Counter[tuple[frozenset[str], frozenset[str]]]:
    return Counter((frozenset(a), frozenset(b)) for a, b in zip(*case["data"]["ratings"], strict=True))


@cases("cohen_kappa+two_rater_family")
def test_the_two_annotator_family(case: dict[str, Any]) -> None:
    cells, wanted, k = table(case["data"]), case["expected"], len(case["data"]["categories"])
    kappa, errors = an.cohen_kappa(cells), an.standard_errors(cells)
    found = {
        "n": kappa.n, "po": kappa.po, "pe": kappa.pe, "kappa": kappa.kappa, "kappa_max": an.kappa_max(cells).kappa,
        "pi": an.scott_pi(cells).kappa, "s": an.bennett_s(cells, k).kappa, "ac1": an.gwet_ac1(cells, k).kappa,
        "alpha": an.alpha(cells).kappa, "se": errors.se, "se0": errors.se0,
        "ci95": [kappa.kappa + side * 1.959963984540054 * errors.se for side in (-1, 1)],
    }  # fmt: skip
    assert found == {name: close(wanted[name], case) for name in found}


@cases("cohen_kappa+two_rater_family")
def test_figures_per_category_in_both_definitions(case: dict[str, Any]) -> None:
    wanted = case["expected"]
    n = wanted["n"]
    codes = an.one_vs_rest({(frozenset({a}), frozenset({b})): count for (a, b), count in table(case["data"]).items()})
    uses = {code: (values["n_a"], values["n_b"], values["n_both"]) for code, values in codes.items()}
    if "per_category" in wanted:
        assert {code: values["kappa"] for code, values in codes.items()} == close(wanted["per_category"], case)
        assert {code: an.pooled_kappa(n, *used) for code, used in uses.items()} == close(wanted["per_category_pooled"], case)
        assert {code: an.specific_agreement(*used) for code, used in uses.items()} == close(wanted["specific_agreement"], case)
        weights = {code: (a + b) / n - 2 * a * b / n**2 for code, (a, b, _) in uses.items()}
        mean = sum(weights[code] * values["kappa"] for code, values in codes.items()) / sum(weights.values())
        assert mean == close(wanted["decomposition_check"], case)


@cases("cohen_kappa+two_rater_family")
def test_prevalence_and_bias(case: dict[str, Any]) -> None:
    wanted = case["expected"]
    if "pabak" in wanted:
        assert an.pabak(table(case["data"])) == {name: close(wanted[name], case) for name in ("pabak", "prevalence_index", "bias_index")}
        ((a, b), (c, d)) = case["data"]["table"]
        found = [an.specific_agreement(a + b, a + c, a), an.specific_agreement(c + d, b + d, d)]
        assert found == close([wanted["p_pos"], wanted["p_neg"]], case)


@cases("pabak")
def test_kappa_is_put_together_from_pabak_prevalence_and_bias(case: dict[str, Any]) -> None:
    built = []
    for row in case["data"]["rows"]:
        found = an.pabak(an.table_of(row["table"]))
        assert found == {name: close(row[name], case) for name in found}
        p, b = found["prevalence_index"] ** 2, found["bias_index"] ** 2
        built.append((found["pabak"] - p + b) / (1 - p + b))
    assert built == close(case["expected"]["kappas"], case)


@cases("cohen_kappa")
def test_edge_cases_and_what_is_undefined(case: dict[str, Any]) -> None:
    found, wanted = an.cohen_kappa(pairs(case["data"]["ratings"])), case["expected"]
    assert (found.n, found.kappa) == (wanted["n"], wanted["kappa"] if wanted["kappa"] is None else close(wanted["kappa"], case))
    assert found.po == wanted.get("po", found.po)
    assert bool(found.reason) == (wanted["kappa"] is None)


def weight(case: dict[str, Any]) -> Any:
    data = case["data"]
    if "agreement_weights" in data:
        weights = an.table_of(data["agreement_weights"], data["categories"])
        return lambda a, b: weights[a, b]
    power = {"squared": 2, "quadratic": 2, "linear": 1}.get(case["params"]["weights"])
    levels = case["expected"].get("levels_used", data.get("categories"))
    return an.ordered_weight(levels, power) if power else lambda a, b: float(a == b)


@cases("weighted_kappa")
def test_weighted_kappa(case: dict[str, Any]) -> None:
    data, wanted = case["data"], case["expected"]
    cells = table(data) if "table" in data else pairs(data["ratings"])
    found, errors = an.weighted_kappa(cells, weight(case)), an.standard_errors(cells, weight(case))
    assert found.kappa == close(wanted["kappa_w"], case)
    got = {"se": errors.se, "se0": errors.se0, "z": found.kappa / errors.se0}
    assert {name: got[name] for name in got if name in wanted} == close({name: wanted[name] for name in got if name in wanted}, case)


@cases("gwet_ac2")
def test_ac2(case: dict[str, Any]) -> None:
    found = an.gwet_ac2(table(case["data"]), case["data"]["categories"], weight(case)).kappa
    assert found == close(case["expected"]["ac2"], case)


def squared(a: float, b: float) -> float:
    return (a - b) ** 2


def relative(a: float, b: float) -> float:
    return ((a - b) / (a + b)) ** 2


@cases("krippendorff_alpha")
def test_alpha_with_missing_labels_and_other_distances(case: dict[str, Any]) -> None:
    units, wanted = an.units_of_ratings(case["data"]["ratings"]), case["expected"]
    distances = {"alpha_nominal": None, "alpha_interval": squared, "alpha_ratio": relative}
    found = {name: an.krippendorff_alpha(units, distance).kappa for name, distance in distances.items() if name in wanted}
    assert found == {name: close(wanted[name], case) for name in found}


@cases("fleiss_kappa")
def test_fleiss_kappa(case: dict[str, Any]) -> None:
    data, wanted = case["data"], case["expected"]
    units = an.units_of_counts(dict(zip(data["categories"], row, strict=True)) for row in data["counts"])
    found, error = an.fleiss_kappa(units), an.fleiss_error(units)
    figures = {
        "n_units": found.n, "po": found.po, "pe": found.pe, "fleiss_kappa": found.kappa, "se0_fleiss1979": error, "z": found.kappa / error,
        "randolph_kappa": an.randolph_kappa(units, len(data["categories"])).kappa, "alpha": an.krippendorff_alpha(units).kappa,
    }  # fmt: skip
    assert figures == {name: close(wanted[name], case) for name in figures}
    assert [per_category(data["counts"], at) for at in range(len(data["categories"]))] == close(wanted["per_category"], case)


def per_category(counts: list[list[int]], at: int) -> float | None:
    return an.fleiss_kappa(an.units_of_counts({True: row[at], False: sum(row) - row[at]} for row in counts)).kappa


@cases("gwet_ac1+multi_rater_family")
def test_several_annotators_with_missing_labels(case: dict[str, Any]) -> None:
    units = an.units_of_ratings(case["data"]["ratings"])
    found = {
        "ac1": an.gwet_ac1_of_several(units).kappa, "fleiss": an.fleiss_kappa(units).kappa,
        "alpha": an.krippendorff_alpha(units).kappa, "bp": an.randolph_kappa(units).kappa,
    }  # fmt: skip
    assert found == {name: close(case["expected"][name], case) for name in found}


@cases("set_valued_alpha+per_label_kappa")
def test_sets_of_codes(case: dict[str, Any]) -> None:
    cells, wanted = sets(case), case["expected"]
    units = an.units_of_ratings([[frozenset(label) for label in row] for row in case["data"]["ratings"]])
    codes = {code: values["kappa"] for code, values in an.one_vs_rest(cells).items()}
    found = {
        "alpha_nominal_set": an.krippendorff_alpha(units).kappa,
        "alpha_jaccard": an.krippendorff_alpha(units, an.jaccard_distance).kappa,
        "alpha_masi": an.krippendorff_alpha(units, an.masi_distance).kappa,
        "per_label_kappa": codes,
        "macro_label_kappa": sum(codes.values()) / len(codes),
        "exact_match": an.exact_match(cells),
        "mean_jaccard_similarity": an.mean_jaccard(cells),
    }
    assert found == {name: close(wanted[name], case) for name in found}
    assert found["alpha_nominal_set"] == pytest.approx(an.alpha(cells).kappa)


@cases("set_valued_alpha+per_label_kappa")
def test_sets_of_codes_in_a_report(case: dict[str, Any]) -> None:
    block = report(case["data"]["ratings"])
    names = {"alpha_masi": "alpha_masi", "alpha_jaccard": "alpha_jaccard", "kappa_macro": "macro_label_kappa", "alpha": "alpha_nominal_set"}
    names |= {"exact_match": "exact_match", "mean_jaccard": "mean_jaccard_similarity", "po": "exact_match"}
    assert {name: block[name] for name in names} == {name: close(case["expected"][key], case) for name, key in names.items()}
    assert block["s"] is block["ac1"] is None
    assert block["undefined"]["s"].startswith("labels are sets of codes")
    assert block["headline"] == "kappa_macro"


def report(ratings: list[list[Any]]) -> dict[str, Any]:
    labels = [[frozenset(label if isinstance(label, list) else [label]) for label in row] for row in ratings]
    told = [(who, str(at), label) for who, row in zip("AB", labels, strict=True) for at, label in enumerate(row)]
    said = [an.Judgement(who, "c1", at, "Seeker", label) for who, at, label in told]
    block: dict[str, Any] = an.agreement(said)["pairs"][0]["roles"]["Seeker"]
    return block


@cases("masi_distance")
def test_distances_between_sets(case: dict[str, Any]) -> None:
    a, b = frozenset(case["data"]["a"]), frozenset(case["data"]["b"])
    found = {"masi_distance": an.masi_distance(a, b), "jaccard_distance": an.jaccard_distance(a, b)}
    assert found == close(case["expected"], case)


def clusters(case: dict[str, Any]) -> Iterable[dict[tuple[frozenset[str], frozenset[str]], int]]:
    names = [frozenset({name}) for name in case["data"]["categories"]]
    return [an.table_of(rows, names) for rows in case["data"]["clusters"]]


@cases("cohen_kappa_cluster_se")
def test_errors_clustered_by_conversation(case: dict[str, Any]) -> None:
    cells, wanted = an.cells_of(clusters(case)), case["expected"]
    found, drawn = an.cluster_errors([cells]), an.bootstrap([cells], draws=20_000)
    figures = {
        "se_iid": found.se_iid, "se_cluster_linearised": found.se, "design_effect": found.design_effect,
        "se_cluster_jackknife": an.jackknife_error([cells]),
    }  # fmt: skip
    assert figures == {name: close(wanted[name], case) for name in figures}
    assert [drawn.se, *drawn.ci95] == pytest.approx([wanted["se_cluster_bootstrap"], *wanted["bootstrap_ci95"]], abs=0.003)


@pytest.mark.skipif(not CASES, reason="no reference vectors")
def test_weights_follow_the_order_given_and_never_the_alphabet() -> None:
    case = next(case for case in CASES if case["name"] == "trap_weighted_alphabetical_order")
    cells = pairs(case["data"]["ratings"])
    found = {name: an.weighted_kappa(cells, an.ordered_weight(levels)).kappa for name, levels in
             {"ordered": ["low", "mid", "high"], "alphabetical": ["high", "low", "mid"]}.items()}  # fmt: skip
    assert found == close(case["expected"], case)


@pytest.mark.skipif(not CASES, reason="no reference vectors")
def test_the_interval_of_a_rare_code_is_the_inverse_of_its_sample_size() -> None:
    case = next(case for case in CASES if case["name"] == "plan_kappasize_cibinary")
    n, p, kappa = case["expected"]["n_exact"], case["data"]["prevalence"], case["data"]["kappa0"]
    low, _ = an.goodness_of_fit(n, used=2 * n * p, differ=2 * n * p * (1 - p) * (1 - kappa))
    assert low == pytest.approx(case["data"]["kappaL"], abs=1e-6)
