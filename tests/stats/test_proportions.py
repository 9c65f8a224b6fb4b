"""Shares by formula: Wilson's interval, and wider where cases of one patient agree."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cutis.stats.metrics import SHARES, Measure, measures
from cutis.stats.proportions import clustered_wilson, effective_trials, estimate_share, estimate_shares, wilson
from cutis.stats.resampling import clusters_of
from factories import some_predictions

THRESHOLDS = np.array([0.3, 0.3, 0.3])
MALIGNANT = np.array([False, False, True])


def shares_of(predictions, **fields):
    return estimate_shares(predictions, thresholds=THRESHOLDS, malignant=MALIGNANT, malignant_threshold=0.3, **fields)


def of_patients(*answers):
    """Right (1) or wrong (0) by patient, such as "11 10"."""
    ids = [str(patient) for patient, of_patient in enumerate(answers) for _ in of_patient]
    return np.array([answer == "1" for each in answers for answer in each]), clusters_of(ids, kind="patient")


@settings(deadline=None)
@given(st.integers(1, 60), st.data())
def test_wilson_holds_the_share_and_stays_within_bounds(trials, data):
    """Also at none and at all."""
    successes = data.draw(st.integers(0, trials))

    low, high = wilson(successes, trials)

    assert 0 <= low <= successes / trials <= high <= 1
    assert low < high


def test_one_case_per_patient_is_the_plain_interval():
    """The plain form is used there, and nowhere else."""
    right, clusters = of_patients(*("1" * 38 + "0" * 2))

    found = estimate_share(right, clusters)

    assert (found.value, found.low, found.high) == (0.95, *wilson(38, 40))
    assert (found.method, found.clusters, found.note) == ("Wilson, one case per patient", 40, "")


def test_patients_whose_cases_agree_count_once():
    """Every picture four times over: about the interval of one picture each, by t for the normal quantile."""
    right, clusters = of_patients(*["1111"] * 38, *["0000"] * 12)

    found = estimate_share(right, clusters)

    assert found.method == "Wilson, clustered by patient"
    assert effective_trials(np.array([4.0] * 38 + [0.0] * 12), np.full(50, 4.0)) == pytest.approx(49)
    narrow, wide = wilson(38, 50), wilson(38 * 45 / 50, 45)
    assert wide.low < found.low < narrow.low
    assert narrow.high < found.high < wide.high


def test_patients_who_differ_less_than_chance_are_worth_no_more_than_their_cases():
    """Each patient right in exactly one of two: chance, and no reason for a narrower interval."""
    trials = effective_trials(np.ones(20), np.full(20, 2.0))

    assert trials == 40


def test_where_all_cases_are_alike_each_patient_speaks_with_one_voice():
    """Nothing is seen of how cases agree; the largest patients then count for most of what there is."""
    even, uneven = (
        effective_trials(np.full(12, 3.0), np.full(12, 3.0)),
        effective_trials(*[np.array([9.0, 1, 1, 1])] * 2),
    )

    assert even == pytest.approx(12)
    assert uneven == pytest.approx(12**2 / 84)
    low, high = clustered_wilson(np.full(12, 3.0), np.full(12, 3.0))
    assert high == 1
    assert low < wilson(12, 12).low  # Student's t


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 6), st.integers(0, 6)), min_size=2, max_size=40))
def test_a_clustered_interval_is_never_narrower_than_wilsons(clusters):
    """It holds the share, whatever the clusters are."""
    trials = np.array([n for n, _ in clusters], dtype=float)
    successes = np.minimum(trials, [hits for _, hits in clusters])

    low, high = clustered_wilson(successes, trials)
    plain = wilson(successes.sum(), trials.sum())

    assert 0 <= low <= successes.sum() / trials.sum() <= high <= 1
    assert low <= plain.low + 1e-12
    assert high >= plain.high - 1e-12


def test_one_patient_with_several_cases_has_no_interval():
    """Nothing is known of how patients differ."""
    found = estimate_share(*of_patients("110"))

    assert found.value == pytest.approx(2 / 3)
    assert (found.low, found.high) == (None, None)
    assert found.note == "only 1 patient: too few to rely on the interval"


def test_a_share_of_nobody_is_none():
    """With the reason."""
    right, clusters = of_patients("11", "0")

    found = estimate_share(right, clusters, among=np.zeros(3, dtype=bool), of_whom="with c")

    assert str(found) == "not available (no patients with c)"
    assert found.clusters == 0


def test_every_share_of_the_measures_has_its_formula():
    """The same names and values; each says on how many patients it rests."""
    predictions = some_predictions(cases=60)
    known = measures(
        predictions.probabilities,
        predictions.truth,
        codes=predictions.codes,
        thresholds=THRESHOLDS,
        weights=np.ones((1, 60)),
        malignant=MALIGNANT,
        malignant_threshold=0.3,
    )

    found = shares_of(predictions)

    assert found.keys() == {str(measure) for measure in known if measure.what in SHARES}
    for measure, value in known.items():
        if measure.what in SHARES:
            assert found[str(measure)].value == pytest.approx(value[0]), measure
            assert found[str(measure)].low <= value[0] <= found[str(measure)].high
    flagged = predictions.probabilities[:, 0] >= 0.3
    patients = np.array(predictions.cluster_ids)
    assert found["one_vs_rest/ppv/a"].clusters == len(set(patients[flagged]))
    assert found["argmax/sensitivity/c"].clusters == len(set(patients[predictions.truth == 2]))
    assert found["argmax/malignant_sensitivity"].clusters == found["argmax/sensitivity/c"].clusters
    assert found[str(Measure("argmax", "accuracy"))].clusters == 30


def test_a_share_that_nobody_can_give_names_the_reason():
    """A predictive value of an answer that was never given, a sensitivity of a diagnosis that nobody has."""
    predictions = some_predictions(cases=60, truth=np.arange(60) % 2, probabilities=np.tile([0.9, 0.1, 0.0], (60, 1)))

    found = shares_of(predictions)

    assert found["argmax/ppv/b"].note == "no patients with such an answer"
    assert found["argmax/sensitivity/c"].note == "no patients with c"
    assert found["argmax/malignant_sensitivity"].note == "no patients with a malignant diagnosis"


def test_shares_need_a_truth():
    """It is our own mistake to ask."""
    with pytest.raises(ValueError, match="truth"):
        shares_of(replace(some_predictions(), truth=None))
