"""Intervals resample patients, keep every diagnosis, and say where they are weak."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutis.stats.intervals import clusters_of, estimate_mean, estimate_metrics, resample, wilson
from cutis.vocabulary.chance import chance
from factories import some_predictions

THRESHOLDS = np.array([0.3, 0.3, 0.3])


def estimates_of(predictions, *, rounds=300, seed=0):
    return estimate_metrics(predictions, thresholds=THRESHOLDS, generator=chance(seed, "test"), rounds=rounds)


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"), [(38, 40, 0.835, 0.986), (46, 60, 0.646, 0.856), (0, 20, 0.0, 0.161)]
)
def test_wilson_gives_the_published_intervals(successes, trials, low, high):
    """38/40 and 46/60 as published in dermatology; they separate Wilson from Clopper–Pearson."""
    found = wilson(successes, trials)

    assert tuple(round(end, 3) for end in found) == (low, high)


@given(st.integers(1, 60), st.data())
def test_wilson_is_that_of_scipy(trials, data):
    """For every count, to 1e-9."""
    from scipy.stats import binomtest

    successes = data.draw(st.integers(0, trials))

    found = wilson(successes, trials)

    expected = binomtest(successes, trials).proportion_ci(method="wilson")
    assert found == pytest.approx((expected.low, expected.high), abs=1e-9)


@given(
    st.lists(st.tuples(st.integers(0, 11), st.integers(0, 5)), min_size=1, max_size=30),
    st.integers(0, 5),
)
def test_no_round_lacks_a_diagnosis_or_splits_a_patient(cases, seed):
    """Whatever patients have: all their cases are drawn alike, and every diagnosis of the test is in every round."""
    patients, truth = np.array(cases).T
    clusters = clusters_of([str(patient) for patient in patients], truth, kind="patient", diagnoses=6)

    weights = np.concatenate(list(resample(clusters, rounds=150, generator=chance(seed, "test"))))

    assert weights.shape == (150, len(cases))
    for patient in np.unique(patients):
        of_patient = weights[:, patients == patient]
        assert (of_patient == of_patient[:, :1]).all()
    for diagnosis in np.unique(truth):
        assert (weights[:, truth == diagnosis].sum(axis=1) > 0).all()


def test_a_patient_belongs_to_the_stratum_of_the_rarest_diagnosis():
    """Rarity is counted in patients; each stratum gives as many draws as it has patients."""
    ids = ("p1", "p1", "p2", "p2", "p3", "p4", "p5")
    truth = np.array([0, 1, 0, 0, 0, 1, 2])

    clusters = clusters_of(ids, truth, kind="patient", diagnoses=3)
    weights = np.concatenate(list(resample(clusters, rounds=200, generator=chance(0, "test"))))

    assert clusters.strata.tolist() == [1, 0, 0, 1, 2]
    np.testing.assert_array_equal(weights[:, [0, 5]].sum(axis=1), 2)
    np.testing.assert_array_equal(weights[:, [2, 4]].sum(axis=1), 2)
    np.testing.assert_array_equal(weights[:, 6], 1)


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
    assert by_picture < 0.80


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
    """The figure still shows; the note says that fewer than ten patients carry it."""
    truth = np.where(np.arange(60) < 54, np.arange(60) % 2, 2)

    found = estimates_of(some_predictions(cases=60, truth=truth))

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


def test_predictions_without_truth_have_no_figures():
    """It is our own mistake to ask."""
    with pytest.raises(ValueError, match="truth"):
        estimates_of(some_predictions(truth=None))
