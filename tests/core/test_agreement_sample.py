"""Labels as one sample, however they are read, and what is counted from it without counting twice."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotator.core.agreement import Handed, cohen_kappa, sample_of, sample_of_rows, summary_of
from annotator.core.agreement.counts import cells_of, numbered, used
from annotator.core.agreement.intervals import kappa_of
from annotator.core.agreement.joint import figures, figures_of, strata_of
from annotator.core.agreement.overview import overview_of, pool_of
from annotator.core.agreement.sample import Sample, table_of_rows
from annotator.core.agreement.what_if import merged, what_if
from annotator.core.labelled import Labelled, split_codes

LABELS = st.lists(st.sampled_from(("IQ", "RP", "ACK", "IQ|RP", "", None)), min_size=3, max_size=3)


@st.composite
def handed(draw: st.DrawFn) -> list[Handed]:
    """What some annotators said of some conversations, two roles each."""
    places = [(f"c{at}", name) for at in range(draw(st.integers(1, 4))) for name in draw(st.sets(st.sampled_from("abc"), min_size=1))]
    return [Handed(name, conversation, role, draw(LABELS), "r1", "blind") for conversation, name in places for role in ("As", "Se")]


def rows(said: list[Handed]) -> Iterator[Labelled]:
    """The same as a long table, with a row of nobody for every utterance, so that places are the same."""
    for one in said:
        for at, label in enumerate(one.labels):
            yield Labelled(one.conversation, str(at), one.role, "", ())
            if label is not None:
                row = Labelled(one.conversation, str(at), one.role, one.annotator, split_codes(str(label)))
                yield row._replace(round=one.round, condition=one.condition)


def told(sample: Sample) -> set[tuple[Any, ...]]:
    ratings = sample.ratings
    columns = zip(ratings.annotator, ratings.role, ratings.conversation, sample.place, ratings.label, sample.round, strict=True)
    return {
        (ratings.annotators[a], ratings.roles[r], sample.conversations[c], int(place), ratings.labels[label], sample.rounds[in_round])
        for a, r, c, place, label, in_round in columns
    }


@settings(max_examples=60)
@given(handed())
def test_a_table_and_what_was_handed_in_are_one_sample(said: list[Handed]) -> None:
    sample, corpus = table_of_rows(rows(said))
    assert told(sample) == told(sample_of(said))
    assert len(set(sample.ratings.unit.tolist())) == len({one[1:4] for one in told(sample)})
    assert corpus.n_conversations == len({one.conversation for one in said})
    assert corpus.utterances == dict.fromkeys(("As", "Se"), 3 * corpus.n_conversations)


def test_many_are_numbered_as_few_are() -> None:
    said = [Handed(name, f"c{at}", "Se", ("IQ", "RP")) for at in range(700) for name in ("ana", "ben")]
    sample = sample_of(iter(said))
    assert (len(sample.conversations), len(sample.ratings.label)) == (700, 2800)
    assert told(sample) == told(sample_of_rows(rows(said)))  # rounds are empty in both
    assert len(set(sample.ratings.unit.tolist())) == 1400


@settings(max_examples=60)
@given(handed())
def test_an_empty_sample_and_any_other_have_all_keys(said: list[Handed]) -> None:
    assert summary_of(sample_of(said)).keys() == summary_of(sample_of([])).keys()


@given(st.lists(st.integers(0, 50), max_size=30), st.integers(51, 100_000))
def test_numbering_is_that_of_unique(keys: list[int], size: int) -> None:
    key = np.array(keys, dtype=np.int64)
    there, place = numbered(key, size)
    assert there.tolist() == sorted(set(keys)) == used(key).tolist()
    assert there[place].tolist() == keys


@settings(max_examples=60)
@given(handed())
def test_the_figures_of_all_roles_and_of_each_are_counted_at_once(said: list[Handed]) -> None:
    met = pool_of(sample_of(said).ratings).met
    strata = strata_of(met)
    at_once = figures_of(strata, np.stack((np.zeros_like(strata.role), strata.role + 1)), 3)
    alone = [figures(met, np.zeros(len(met.a), dtype=np.int64), 1)[0], *figures(met, met.role, 2)]
    for here, there in zip(at_once, alone, strict=True):
        assert (here.n, here.n_conversations) == (there.n, there.n_conversations)
        assert here.kappa == pytest.approx(there.kappa, abs=1e-9)
        assert here.errors.se == pytest.approx(there.errors.se, abs=1e-9)
        assert here.errors.se_iid == pytest.approx(there.errors.se_iid, abs=1e-9)


def settled(said: list[Handed], role: str, first: str, codes: set[str]) -> list[Handed]:
    """As if the others had said what the first did wherever these two codes alone stand against each other."""
    by = {(one.conversation, one.role): one.labels for one in said if one.annotator == first}

    def label(here: Any, there: Any) -> Any:
        apart = None not in (here, there) and set(split_codes(str(here))) ^ set(split_codes(str(there))) == codes
        return here if apart and len(set(split_codes(str(here))) & codes) == 1 else there

    return [
        one._replace(labels=[label(a, b) for a, b in zip(by.get((one.conversation, role), one.labels), one.labels, strict=True)])
        if one.role == role else one
        for one in said
    ]  # fmt: skip


@settings(max_examples=60)
@given(handed(), st.sampled_from(("kappa", "kappa_macro")))
def test_what_if_is_what_the_labels_give_when_they_are_so(said: list[Handed], headline: str) -> None:
    said = [one for one in said if one.annotator != "c"]
    ratings = sample_of(said).ratings
    for role, found in what_if(pool_of(ratings), headline).items():
        at = ratings.roles.index(role)
        for row in found:
            x, y = row["codes"]
            after = overview_of(pool_of(merged(ratings, {f"{role}/{x}": y})))
            assert row["merged"] == pytest.approx(after["roles"][role][headline], abs=1e-9)
            assert row["overall_merged"] == pytest.approx(after["stratified"][headline], abs=1e-9)
            agreed = overview_of(pool_of(sample_of(settled(said, ratings.roles[at], "a", {x, y})).ratings))
            assert row["settled"] == pytest.approx(agreed["roles"][role][headline], abs=1e-9)
            assert row["overall_settled"] == pytest.approx(agreed["stratified"][headline], abs=1e-9)


@given(st.lists(st.tuples(st.sampled_from("xyz"), st.sampled_from("xyz"), st.integers(0, 3)), max_size=9))
def test_kappa_of_cells_is_that_of_their_table(met: list[tuple[str, str, int]]) -> None:
    cells = cells_of([{(frozenset(a), frozenset(b)): n} for a, b, n in met])
    found, of_table = kappa_of([cells]), cohen_kappa(cells.table())
    assert (found.n, found.reason, found.kappa is None) == (of_table.n, of_table.reason, of_table.kappa is None)
    assert [found.po, found.pe, found.kappa] == pytest.approx([of_table.po, of_table.pe, of_table.kappa])
