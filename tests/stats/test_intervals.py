"""Intervals resample patients, keep every diagnosis, and say where they are weak."""

from __future__ import annotations

import numpy as np
import pytest

from cutis.stats.intervals import bootstrap, estimate_mean, estimate_metrics
from cutis.stats.metrics import Measure, weighted_mean
from cutis.stats.proportions import wilson
from cutis.stats.resampling import clusters_of
from cutis.vocabulary.chance import chance
from factories import some_predictions

THRESHOLDS = np.array([0.3, 0.3, 0.3])
MALIGNANT = np.array([False, False, True])


def estimates_of(predictions, *, rounds=300, seed=0, **how):
    return estimate_metrics(predictions, thresholds=THRESHOLDS, generator=chance(seed, "test"), rounds=rounds, **how)


def test_more_pictures_of_the_same_patients_do_not_narrow_an_interval():
    """Every picture five times over is no more evidence than once."""
    once = some_predictions(cases=60)
    often = some_predictions(
        case_ids=tuple(f"case{n:04d}" for n in range(300)),
        cluster_ids=once.cluster_ids * 5,
        truth=np.tile(once.truth, 5),
        probabilities=np.tile(once.probabilities, (5, 1)),
    )

    narrow, wide = estimates_of(often), estimates_of(once)

    assert narrow.keys() == wide.keys()
    for name, estimate in wide.items():
        assert (narrow[name].value, narrow[name].low, narrow[name].high) == pytest.approx(
            (estimate.value, estimate.low, estimate.high), abs=1e-9
        )


def test_an_interval_covers_the_true_figure_about_as_often_as_it_says():
    """200 invented studies of 80 patients whose pictures agree: patients cover in 95 ± 5 %, pictures far less."""
    patients = np.repeat(np.arange(80), 4)

    def covered(cluster_ids, study):
        random = np.random.default_rng(study)
        right = (random.random(80) < 0.7)[patients] ^ (random.random(320) < 0.1)
        found = estimate_mean(
            right.astype(float), cluster_ids, cluster_kind="patient", generator=chance(study, "test"), rounds=200
        )
        return found.low <= 0.7 * 0.9 + 0.3 * 0.1 <= found.high

    by_patient = np.mean([covered(patients, study) for study in range(200)])
    by_picture = np.mean([covered(np.arange(320), study) for study in range(200)])

    assert 0.90 <= by_patient <= 0.99
    assert by_picture < 0.85


def test_every_figure_says_how_it_was_made_and_from_how_many_patients():
    """A sensitivity rests on patients with the diagnosis, a specificity on those without, an accuracy on all."""
    predictions = some_predictions(cases=60)

    found = estimates_of(predictions)

    having = {
        code: len({p for p, t in zip(predictions.cluster_ids, predictions.truth, strict=True) if t == kind})
        for kind, code in enumerate("abc")
    }
    assert found["argmax/sensitivity/a"].clusters == having["a"]
    assert found["argmax/accuracy"].clusters == 30
    assert found["auc/a"].clusters == 30
    assert found["macro_auc"].cluster_kind == "patient"
    assert found["macro_auc"].method == "cluster bootstrap, percentile, 300 rounds"
    assert found["macro_auc"].level == 0.95
    assert all(each.low <= each.value <= each.high for each in found.values())


def test_the_same_chance_gives_the_same_interval():
    """Chance is handed in; another seed draws other rounds."""
    predictions = some_predictions(cases=60)

    first, second, other = (estimates_of(predictions, seed=seed)["macro_auc"] for seed in (1, 1, 2))

    assert first == second
    assert first != other


def test_an_absent_diagnosis_has_no_figure_and_the_macro_names_it():
    """None with a reason, never a number."""
    predictions = some_predictions(cases=60, truth=np.arange(60) % 2)

    found = estimates_of(predictions)

    assert found["auc/c"].value is None
    assert str(found["auc/c"]) == "not available (no patients with c)"
    assert found["argmax/sensitivity/c"].low is None
    assert found["argmax/specificity/c"].value is not None
    assert "not in this test: c" in found["macro_auc"].note


def test_too_few_patients_are_named_beside_the_interval():
    """The figure still shows; the note says that too few patients carry it."""
    truth = np.where(np.arange(120) < 114, np.arange(120) % 2, 2)

    found = estimates_of(some_predictions(cases=120, truth=truth))

    assert found["auc/c"].value is not None
    assert found["auc/c"].note == "only 3 patients with c: too few to rely on the interval"
    assert found["argmax/sensitivity/c"].clusters == 3
    assert found["argmax/specificity/c"].note == ""
    assert found["macro_auc"].note == "fewer than 10 patients: c (3)"
    assert found["auc/a"].note == ""


def test_a_perfect_score_is_no_certainty():
    """Right in every round: a share gets Wilson's interval over patients, other figures none."""
    truth = np.arange(60) // 2 % 3
    probabilities = np.eye(3)[truth] * 0.9 + 0.1 / 3

    found = estimates_of(some_predictions(cases=60, truth=truth, probabilities=probabilities))

    sensitivity = found["argmax/sensitivity/a"]
    assert (sensitivity.value, sensitivity.low, sensitivity.high) == (1.0, pytest.approx(wilson(10, 10)[0]), 1.0)
    assert sensitivity.method.startswith("Wilson")
    assert found["argmax/accuracy"].low == pytest.approx(wilson(30, 30)[0])
    assert str(found["macro_auc"]) == "1.000 (no interval: all rounds of resampling agree)"


def test_a_mean_has_an_interval_by_patient_too():
    """Values of a case, such as the highest probability, are averaged and resampled by patient."""
    random = np.random.default_rng(0)
    values = random.random(40)
    ids = [str(n // 2) for n in range(40)]

    found = estimate_mean(values, ids, cluster_kind="patient", generator=chance(0, "test"))

    assert found.value == pytest.approx(values.mean())
    assert found.low < found.value < found.high
    assert found.clusters == 20
    few = estimate_mean(values[:4], ids[:4], cluster_kind="patient", generator=chance(0, "test"))
    assert few.note == "only 2 patients: too few to rely on the interval"


def test_a_predictive_value_rests_on_those_who_got_that_answer():
    """An answer given to few patients is carried by those few, however many the test has."""
    truth = np.arange(200) // 2 % 3
    probabilities = np.tile([0.6, 0.2, 0.2], (200, 1))
    probabilities[:7] = [0.1, 0.1, 0.8]

    found = estimates_of(some_predictions(cases=200, truth=truth, probabilities=probabilities), malignant=MALIGNANT)

    assert found["argmax/ppv/c"].clusters == 4
    assert "only 4 patients with such an answer" in found["argmax/ppv/c"].note
    assert found["argmax/malignant_ppv"].clusters == 4
    assert found["argmax/npv/c"].clusters == 97
    assert found["argmax/malignant_sensitivity"].clusters == 33
    assert found["argmax/ppv/b"].value is None
    assert found["argmax/ppv/b"].note == "no patients with such an answer"


def test_rounds_that_cannot_answer_are_counted():
    """Few of them are left out and named; with many there is no interval."""
    clusters = clusters_of([str(n) for n in range(200)], kind="patient")
    values = np.arange(200.0)

    def figures(weights):
        mean = weighted_mean(values, weights)
        low, high = np.quantile(mean, [0.02, 0.5])
        return {Measure(None, name): np.where(mean < end, np.nan, mean) for name, end in (("few", low), ("many", high))}

    few, many = bootstrap(figures, clusters, rounds=100, generator=chance(0, "test")).values()

    assert few.low is not None
    assert few.note == "2 of 100 rounds could not answer"
    assert many.value is not None
    assert (many.low, many.high) == (None, None)
    assert many.note == "50 of 100 rounds could not answer"


def test_bca_moves_both_ends_to_the_longer_tail():
    """A share near one has its long tail below, which percentiles reach for too little."""
    random = np.random.default_rng(5)
    values = (random.random(60) < 0.92).astype(float)
    ids = [f"{n:02}" for n in range(60)]

    percentile, bca = (
        estimate_mean(values, ids, cluster_kind="patient", generator=chance(0, "test"), interval=kind)
        for kind in ("percentile", "bca")
    )

    assert percentile.value == bca.value
    assert bca.low < percentile.low
    assert bca.high < percentile.high
    assert bca.method == "cluster bootstrap, BCa, 2000 rounds"


def test_rounds_on_one_side_of_the_value_give_no_bca_interval():
    """As where resampling makes a figure larger than it is."""
    clusters = clusters_of([str(n) for n in range(30)], kind="patient")

    def spread(weights):
        return {Measure(None, "distinct"): (weights > 0).sum(axis=1) / 30.0}

    (found,) = bootstrap(spread, clusters, rounds=100, generator=chance(0, "test"), interval="bca").values()

    assert (found.value, found.low, found.high) == (1.0, None, None)
    assert found.note == "all rounds lie on one side of the value"


def test_all_figures_have_a_bca_interval_that_differs_little():
    """The same figures and values, absent diagnoses and the notes included."""
    predictions = some_predictions(cases=120)

    percentile, bca = estimates_of(predictions), estimates_of(predictions, interval="bca")

    assert percentile.keys() == bca.keys()
    for name, estimate in bca.items():
        assert (estimate.value, estimate.note) == (percentile[name].value, percentile[name].note)
        if estimate.low is not None:
            width = percentile[name].high - percentile[name].low
            assert abs(estimate.low - percentile[name].low) < 0.5 * width, name


def test_an_unknown_kind_of_interval_is_refused():
    """It is our own mistake to ask."""
    with pytest.raises(ValueError, match="none of percentile, bca"):
        estimates_of(some_predictions(), interval="basic")


def test_predictions_without_truth_have_no_figures():
    """It is our own mistake to ask."""
    with pytest.raises(ValueError, match="truth"):
        estimates_of(some_predictions(truth=None))
