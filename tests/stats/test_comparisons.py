"""Two raters on the same cases: the same patients are drawn for both, and what is hard for both cancels out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, log_loss, roc_auc_score

from cutis.stats.comparisons import compare_figures, compare_shares, holm, inverted_p, require_the_same_cases
from cutis.stats.intervals import estimate_metrics, figures_of
from cutis.stats.mcnemar import mcnemar
from cutis.stats.resampling import clusters_in, resample
from cutis.vocabulary.chance import chance
from cutis.vocabulary.errors import UserError
from factories import some_predictions

THRESHOLDS = np.array([0.3, 0.3, 0.3])


def compared(reference, other, *, rounds=200, seed=0, thresholds=(THRESHOLDS, THRESHOLDS)):
    """Every figure of two raters, each by its own thresholds, from the same rounds."""
    figures = [figures_of(each, thresholds=own) for each, own in zip((reference, other), thresholds, strict=True)]
    return compare_figures(
        *figures,
        clusters=clusters_in(reference),
        codes=reference.codes,
        generator=chance(seed, "test"),
        rounds=rounds,
    )


def nearly(predictions, *, seed=1, noise=0.05):
    """A rater who says almost the same."""
    shaken = predictions.probabilities * np.exp(
        np.random.default_rng(seed).normal(scale=noise, size=(len(predictions), len(predictions.codes)))
    )
    return replace(predictions, probabilities=shaken / shaken.sum(axis=1, keepdims=True), rater="other")


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.integers(12, 60))
def test_a_copy_of_itself_is_no_different(seed, cases):
    """Exactly 0, not nearly; and since every round agrees, no interval is claimed."""
    predictions = some_predictions(seed=seed, cases=cases)

    for name, found in compared(predictions, replace(predictions, rater="copy"), rounds=50).items():
        assert found.reference == found.other
        assert found.difference.value == (None if found.reference is None else 0.0), name
        assert (found.difference.low, found.difference.high, found.p) == (None, None, None)


def test_both_values_and_their_difference_are_those_of_each_rater_alone():
    """Other − reference, each by its own thresholds; turned round it changes its sign."""
    reference, other, lower = some_predictions(), some_predictions(seed=9), np.array([0.1, 0.2, 0.1])
    other = replace(other, truth=reference.truth)

    found = compared(reference, other, thresholds=(THRESHOLDS, lower))
    back = compared(other, reference, thresholds=(lower, THRESHOLDS))

    alone = [
        estimate_metrics(each, thresholds=thresholds, generator=chance(0, "test"), rounds=200)
        for each, thresholds in ((reference, THRESHOLDS), (other, lower))
    ]
    assert found.keys() == alone[0].keys()
    for name, each in found.items():
        assert (each.reference, each.other) == (alone[0][name].value, alone[1][name].value)
        assert each.difference.value == each.other - each.reference
        assert back[name].difference.value == -each.difference.value
        assert (back[name].difference.low, back[name].difference.high) == (
            pytest.approx(-each.difference.high, abs=1e-12),
            pytest.approx(-each.difference.low, abs=1e-12),
        )


def test_the_interval_is_that_of_a_loop_over_the_same_draws():
    """200 rounds written out, each with its cases as often as they were drawn, measured by scikit-learn."""
    reference = some_predictions(cases=60)
    other = nearly(reference, noise=1.0)
    clusters = clusters_in(reference)

    found = compared(reference, other, rounds=200, seed=3)

    spread = {"macro_auc": [], "argmax/balanced_accuracy": [], "log_loss": [], "auc/b": []}
    for block in resample(clusters, rounds=200, generator=chance(3, "test")):
        for weights in block:
            drawn = np.repeat(np.arange(60), weights.astype(int))
            truth = reference.truth[drawn]
            measured = []
            for said in (reference.probabilities[drawn], other.probabilities[drawn]):
                areas = [roc_auc_score(truth == kind, said[:, kind]) for kind in range(3)]
                balanced = balanced_accuracy_score(truth, said.argmax(axis=1))
                measured.append([np.mean(areas), balanced, log_loss(truth, said, labels=[0, 1, 2]), areas[1]])
            for name, before, after in zip(spread, *measured, strict=True):
                spread[name].append(after - before)
    for name, differences in spread.items():
        ends = np.quantile(differences, [0.025, 0.975], method="weibull")
        assert (found[name].difference.low, found[name].difference.high) == pytest.approx(tuple(ends), abs=1e-9), name
        beyond = min(sum(each <= 0 for each in differences), sum(each >= 0 for each in differences))
        assert found[name].p == pytest.approx(min(1, 2 * (beyond + 1) / 201), abs=1e-12), name


def test_pairing_narrows_the_interval_of_two_that_err_alike():
    """Unpaired, the doubt about each rater adds up; paired, their common part is gone."""
    reference = some_predictions(cases=120)
    other = nearly(reference, noise=0.15)

    found = compared(reference, other, rounds=400)

    for name in ("macro_auc", "argmax/balanced_accuracy", "log_loss"):
        spreads = []
        for each, seed in ((reference, 1), (other, 2)):
            blocks = resample(clusters_in(each), rounds=400, generator=chance(seed, "test"))
            spreads.append(np.concatenate([_figure(name, each, weights) for weights in blocks]))
        low, high = np.quantile(spreads[1] - spreads[0], [0.025, 0.975], method="weibull")
        paired = found[name].difference
        assert paired.high - paired.low < (high - low) / 2


def _figure(name, predictions, weights):
    figures = figures_of(predictions, thresholds=THRESHOLDS)(weights)
    return {str(measure): drawn for measure, drawn in figures.items()}[name]


def test_a_difference_says_how_it_was_made_and_from_how_many_patients():
    """As the figure itself: with the diagnosis for a sensitivity, and a note where they are too few."""
    truth = np.where(np.arange(60) < 54, np.arange(60) % 2, 2)
    reference = some_predictions(cases=60, truth=truth)

    found = compared(reference, nearly(reference, noise=1.0))

    assert found["macro_auc"].difference.method == "paired cluster bootstrap, percentile, 200 rounds"
    assert found["macro_auc"].difference.note == "fewer than 10 patients: c (3)"
    assert found["argmax/sensitivity/c"].difference.clusters == 3
    assert "only 3 patients with c" in found["auc/c"].difference.note


def test_a_difference_of_shares_gets_no_interval_of_a_share():
    """Both right in every round: the difference 0 is no certainty, and Wilson has no answer to it."""
    truth = np.arange(120) // 2 % 3
    perfect = some_predictions(cases=120, truth=truth, probabilities=np.eye(3)[truth] * 0.9 + 0.1 / 3)

    found = compared(perfect, nearly(perfect))["argmax/accuracy"].difference

    assert str(found) == "0.000 (no interval: all rounds of resampling agree)"


def test_an_absent_diagnosis_has_no_difference():
    """None for both, and why."""
    reference = some_predictions(truth=np.arange(60) % 2)

    found = compared(reference, nearly(reference))["auc/c"]

    assert (found.reference, found.other, found.difference.value) == (None, None, None)
    assert found.difference.note == "no patients with c"


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"case_ids": tuple(f"case{n:04d}" for n in range(1, 61))}, "cases"),
        ({"cluster_ids": tuple(f"patient{n:04d}" for n in range(60))}, "clusters"),
        ({"cluster_kind": "lesion"}, "clusters"),
        ({"codes": ("a", "c", "b")}, "diagnoses"),
        ({"truth": np.zeros(60, np.int64)}, "truth"),
        ({"truth": None}, "truth"),
    ],
)
def test_other_cases_cannot_be_paired(change, what):
    """Whatever differs is named."""
    reference = some_predictions()

    with pytest.raises(UserError, match=f"cannot be compared in pairs: they differ in {what}") as refusal:
        require_the_same_cases(reference, replace(reference, rater="other", **change))

    assert refusal.value.where == "predictions of other"


def test_predictions_without_truth_cannot_be_compared():
    """It is our own mistake to ask."""
    unsettled = some_predictions(truth=None)

    with pytest.raises(ValueError, match="truth"):
        compared(unsettled, unsettled)


@settings(deadline=None)
@given(st.integers(0, 10_000), st.integers(20, 400), st.sampled_from([-4, -1.5, 0, 1.5, 4]), st.floats(0.01, 0.5))
def test_the_p_of_the_rounds_never_contradicts_their_percentile_interval(seed, rounds, shift, error):
    """Where p is below an error, the percentile interval of that error leaves 0 out; p is never 0."""
    drawn = np.round(np.random.default_rng(seed).normal(shift, size=rounds), 1)

    p = inverted_p(drawn)

    low, high = np.quantile(drawn, [error / 2, 1 - error / 2], method="weibull")
    assert 2 / (len(drawn) + 1) <= p <= 1
    if p < error:
        assert low > 0 or high < 0
    if low > 0 or high < 0:
        assert p < error + 4 / len(drawn)


def test_a_level_of_90_percent_is_narrower_than_one_of_95():
    """What a test of equivalence asks for; value and p are the same."""
    reference = some_predictions(cases=90)
    figures = [figures_of(each, thresholds=THRESHOLDS) for each in (reference, nearly(reference, noise=1.0))]

    wide, narrow = (
        compare_figures(
            *figures,
            clusters=clusters_in(reference),
            codes=reference.codes,
            generator=chance(0, "test"),
            rounds=200,
            level=level,
        )["macro_auc"]
        for level in (0.95, 0.90)
    )

    assert (wide.difference.level, narrow.difference.level) == (0.95, 0.90)
    assert wide.difference.low < narrow.difference.low < narrow.difference.high < wide.difference.high
    assert (wide.difference.value, wide.p) == (narrow.difference.value, narrow.p)


def test_each_share_has_its_mcnemar_among_the_cases_that_it_is_a_share_of():
    """A sensitivity of those with the diagnosis; under the names of the figures, whose difference has the same sign."""
    reference = some_predictions(cases=90)
    other = nearly(reference, noise=1.0)
    answering = {"reference_thresholds": THRESHOLDS, "other_thresholds": THRESHOLDS}

    found = compare_shares(reference, other, **answering, malignant=np.array([False, False, True]))

    has, clusters = reference.truth == 1, clusters_in(reference)
    yes = [each.probabilities[:, 1] >= 0.3 for each in (reference, other)]
    assert found["one_vs_rest/sensitivity/b"] == mcnemar(*yes, clusters=clusters, among=has)
    assert found["one_vs_rest/specificity/b"] == mcnemar(~yes[0], ~yes[1], clusters=clusters, among=~has)
    assert "argmax/malignant_sensitivity" in found
    for name, difference in compared(reference, other, rounds=2).items():
        if name in found:
            assert np.sign(difference.difference.value) == np.sign(
                found[name].only_other - found[name].only_reference
            ), name
    assert {"argmax/accuracy", "one_vs_rest/accuracy/a", "argmax/specificity/c"} <= found.keys()


def test_shares_of_other_cases_cannot_be_paired():
    """The same refusal as for every other figure."""
    reference = some_predictions()
    other = replace(reference, case_ids=reference.case_ids[::-1], rater="other")

    with pytest.raises(UserError, match="they differ in cases"):
        compare_shares(reference, other, reference_thresholds=THRESHOLDS, other_thresholds=THRESHOLDS)


def test_one_patient_gives_a_difference_and_no_certainty():
    """No interval, no p and no test, each with its reason."""
    reference = some_predictions(cases=4, cluster_ids=("patient",) * 4, truth=np.array([0, 1, 2, 0]))
    other = nearly(reference, noise=2.0)

    difference = compared(reference, other, rounds=50)["log_loss"]
    test = compare_shares(reference, other, reference_thresholds=THRESHOLDS, other_thresholds=THRESHOLDS)

    assert difference.difference.value is not None
    assert (difference.difference.low, difference.p) == (None, None)
    assert "all rounds of resampling agree" in difference.difference.note
    assert (test["argmax/accuracy"].p, test["argmax/accuracy"].note) == (None, "only one patient")


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=3), st.none() | st.floats(0, 1)))
def test_holm_never_finds_more_than_each_test_alone(p_values):
    """Adjusted p are never smaller, keep their order, and what was not tested stays so and is not counted."""
    adjusted = holm(p_values)

    assert adjusted.keys() == p_values.keys()
    tested = {name: p for name, p in p_values.items() if p is not None}
    assert all(adjusted[name] is None for name in p_values.keys() - tested.keys())
    assert holm(tested) == {name: adjusted[name] for name in tested}
    for name, p in tested.items():
        assert p <= adjusted[name] <= min(1, p * len(tested)) + 1e-12
        assert all(adjusted[name] <= adjusted[other] for other in tested if p <= tested[other])


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_a_p_that_is_no_probability_is_our_own_mistake(p):
    """None says that there is none."""
    with pytest.raises(ValueError, match="between 0 and 1"):
        holm({"a": 0.5, "b": p})
