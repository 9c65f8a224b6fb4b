"""What probabilities and prediction sets keep of their word, held against plain loops."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from scipy.optimize import brentq
from sklearn.linear_model import LogisticRegression

from cutis.evaluate.calibration import NO_LINE, RAISED, bins_of, calibration_of, sets_of
from cutis.stats.conformal import ALL, NONE, OWN, SetThresholds, fit_set_thresholds, prediction_sets
from cutis.stats.intervals import clusters_in, resample
from cutis.stats.reliability import logistic_fit
from cutis.vocabulary.chance import chance
from factories import some_predictions

MALIGNANT = np.array([False, False, True])
ROUNDS = 40


def calibrated(predictions, *, malignant=MALIGNANT, rounds=ROUNDS):
    return calibration_of(predictions, malignant=malignant, generator=chance(0, "test"), rounds=rounds)


def some_sets(predictions, *, level=0.8, method="LAC", abstained=None, prevalences=None):
    """Sets of the first half of the cases' thresholds, and what they hold on all of them."""
    fitted = fit_set_thresholds(
        predictions.probabilities,
        predictions.truth,
        of_case=clusters_in(predictions).of_case,
        method=method,
        level=level,
    )
    sets = prediction_sets(predictions.probabilities, fitted)
    nobody = np.zeros(len(predictions), dtype=bool)
    found = sets_of(
        predictions,
        sets,
        fitted,
        abstained=nobody if abstained is None else abstained,
        prevalences=prevalences or {},
        generator=chance(0, "test"),
        rounds=ROUNDS,
    )
    return sets, found


def rounds_of(predictions):
    """How often each case is drawn in the same rounds."""
    clusters = clusters_in(predictions)
    return np.concatenate(list(resample(clusters, rounds=ROUNDS, generator=chance(0, "test"))))


def bins_by_hand(said):
    """The cases of each of ten bins, by rising probability."""
    return np.array_split(sorted(range(len(said)), key=lambda case: (said[case], case)), min(10, len(said)))


def expected_error_by_hand(said, so):
    return sum(abs(sum(said[case] - so[case] for case in members)) for members in bins_by_hand(said)) / len(said)


def debiased_error_by_hand(said, so, clusters):
    """The squared distance of each bin less the variance of that distance by cluster."""
    left = 0.0
    for members in bins_by_hand(said):
        by_cluster = {}
        for case in members:
            by_cluster.setdefault(clusters[case], []).append(said[case] - so[case])
        distance = sum(map(sum, by_cluster.values())) / len(members)
        apart = sum((sum(each) - distance * len(each)) ** 2 for each in by_cluster.values())
        variance = apart / len(members) ** 2 * len(by_cluster) / (len(by_cluster) - 1)
        left += len(members) / len(said) * (distance**2 - variance)
    return math.sqrt(max(left, 0.0))


def events_of(predictions):
    """Probability and truth of *malignant or not* and of each diagnosis, by the prefix and suffix of their figures."""
    chances, truth = predictions.probabilities, predictions.truth
    yield "malignant_{}", chances[:, MALIGNANT].sum(axis=1), MALIGNANT[truth]
    for kind, code in enumerate(predictions.codes):
        yield f"{{}}/{code}", chances[:, kind], truth == kind


def test_errors_are_those_of_a_loop_over_bins():
    """Of the answer, of *malignant or not*, of each diagnosis, and the mean over diagnoses."""
    predictions = some_predictions(cases=157)

    found = calibrated(predictions).estimates

    chances, truth = predictions.probabilities, predictions.truth
    right = chances.argmax(axis=1) == truth
    for what, by_hand in (
        ("expected_calibration_error", expected_error_by_hand),
        ("debiased_calibration_error", lambda *event: debiased_error_by_hand(*event, predictions.cluster_ids)),
    ):
        assert found[what].value == pytest.approx(by_hand(chances.max(axis=1), right), abs=1e-12)
        for called, said, so in events_of(predictions):
            assert found[called.format(what)].value == pytest.approx(by_hand(said, so), abs=1e-12)
        mean = np.mean([by_hand(chances[:, kind], truth == kind) for kind in range(3)])
        assert found[f"classwise_{what}"].value == pytest.approx(mean, abs=1e-12)


def test_slopes_and_intercepts_are_those_of_logistic_regression():
    """Of scikit-learn without a penalty; in the large, of the root of the plain sum of surpluses."""
    predictions = some_predictions(cases=157)

    found = calibrated(predictions).estimates

    for called, said, so in events_of(predictions):
        log_odds = np.log(said / (1 - said))
        line = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(log_odds[:, None], so)

        def surplus(intercept, log_odds=log_odds, so=so):
            return (1 / (1 + np.exp(-intercept - log_odds)) - so).sum()

        assert found[called.format("calibration_slope")].value == pytest.approx(line.coef_[0, 0], abs=1e-4)
        assert found[called.format("calibration_intercept")].value == pytest.approx(line.intercept_[0], abs=1e-4)
        assert found[called.format("calibration_in_the_large")].value == pytest.approx(brentq(surplus, -9, 9), abs=1e-6)


def test_the_interval_of_a_slope_holds_the_rounds_that_drew_whole_patients():
    """A round is the same as a table in which each case stands as often as it was drawn."""
    predictions = some_predictions(cases=90)

    found = calibrated(predictions).estimates["malignant_calibration_slope"]

    said, so = predictions.probabilities[:, 2], predictions.truth == 2
    slopes = []
    for drawn in rounds_of(predictions).astype(int):
        once = np.ones((1, drawn.sum()))
        slopes.append(logistic_fit(np.repeat(said, drawn), np.repeat(so, drawn), once).slope[0])
    assert (found.low, found.high) == pytest.approx(
        tuple(np.quantile(slopes, [0.025, 0.975], method="weibull")), abs=1e-6
    )
    assert found.method == f"cluster bootstrap, percentile, {ROUNDS} rounds"


def test_errors_have_no_interval_and_say_why():
    """Each round would raise them once more; no number is reported bare, and no interval invented."""
    found = calibrated(some_predictions()).estimates

    errors = [estimate for name, estimate in found.items() if "calibration_error" in name]
    assert len(errors) == 2 * 6
    assert all(estimate.low is None and estimate.note.startswith(RAISED) for estimate in errors)


def test_bins_hold_every_case_once():
    """Mean probability and share of each, of the answer, of *malignant or not* and of each diagnosis."""
    predictions = some_predictions(cases=157)

    found = calibrated(predictions).reliability

    assert list(found) == ["answer", "malignant", "a", "b", "c"]
    said, so = predictions.probabilities[:, 1], predictions.truth == 1
    for each, members in zip(found["b"], bins_by_hand(said), strict=True):
        assert each.cases == len(members)
        assert each.predicted == pytest.approx(said[members].mean(), abs=1e-12)
        assert each.observed.value == pytest.approx(so[members].mean(), abs=1e-12)
        assert each.observed.clusters == len({predictions.cluster_ids[case] for case in members})
        assert each.observed.low < each.observed.value < each.observed.high or each.observed.value in {0, 1}
    answers = found["answer"]
    right = predictions.probabilities.argmax(axis=1) == predictions.truth
    assert sum(each.cases * each.observed.value for each in answers) == pytest.approx(right.sum())


def test_few_cases_have_fewer_bins_and_each_says_how_few():
    """Seven cases, seven bins of one patient: a share, and that it cannot be relied on."""
    predictions = some_predictions(cases=7)

    bins = bins_of(predictions.probabilities[:, 0], predictions.truth == 0, predictions=predictions)

    assert [each.cases for each in bins] == [1] * 7
    assert all("only 1 patient in this bin: too few" in each.observed.note for each in bins)


def test_without_malignancy_nothing_is_said_of_it():
    """Where all diagnoses are alike in it."""
    found = calibrated(some_predictions(), malignant=None)

    assert "malignant" not in found.reliability
    assert not any(name.startswith("malignant") for name in found.estimates)


def test_an_absent_diagnosis_has_no_slope_and_is_named():
    """Nor does it count in the mean over diagnoses."""
    predictions = some_predictions(cases=60, codes=("a", "b"))
    wider = some_predictions(
        cases=60,
        truth=predictions.truth,
        probabilities=np.column_stack([predictions.probabilities * 0.9, np.full(60, 0.1)]),
    )

    found = calibrated(wider).estimates

    assert found["calibration_slope/c"].value is None
    assert "no patients with c" in found["calibration_slope/c"].note
    assert found["malignant_calibration_in_the_large"].value is None
    assert "no patients with a malignant diagnosis" in found["malignant_calibration_in_the_large"].note
    mean = np.mean([found[f"expected_calibration_error/{code}"].value for code in "ab"])
    assert found["classwise_expected_calibration_error"].value == pytest.approx(mean)
    assert "not in this test: c" in found["classwise_expected_calibration_error"].note


def test_what_tells_all_cases_apart_has_no_line_through_it_and_says_so():
    """A network that is always right, and never quite sure."""
    predictions = some_predictions(cases=90)
    perfect = some_predictions(cases=90, probabilities=0.1 + 0.7 * np.eye(3)[predictions.truth])

    found = calibrated(perfect).estimates

    assert found["calibration_slope/b"].value is None
    assert found["calibration_slope/b"].note == NO_LINE
    assert found["calibration_in_the_large/b"].value > 0


def test_one_patient_alone_gives_no_interval():
    """All rounds are the same, and no certainty."""
    found = calibrated(some_predictions(cases=30, cluster_ids=("patient",) * 30))

    for estimate in found.estimates.values():
        assert (estimate.low, estimate.high) == (None, None)
        assert estimate.note
    assert all(each.observed.low is None for bins in found.reliability.values() for each in bins)
    assert found.estimates["debiased_calibration_error"].value is None


def test_without_a_truth_nothing_is_measured():
    """A mistake of the caller."""
    with pytest.raises(ValueError, match="need a truth"):
        calibrated(some_predictions(truth=None))


def test_coverage_is_counted_over_all_and_by_diagnosis():
    """And the size of the sets, and how many hold one diagnosis alone."""
    predictions = some_predictions(cases=157)

    sets, found = some_sets(predictions)

    covered = [bool(sets[case, truth]) for case, truth in enumerate(predictions.truth)]
    estimates = found.estimates
    assert estimates["coverage"].value == pytest.approx(np.mean(covered))
    for kind, code in enumerate(predictions.codes):
        mine = [each for each, truth in zip(covered, predictions.truth, strict=True) if truth == kind]
        assert estimates[f"coverage/{code}"].value == pytest.approx(np.mean(mine))
    assert estimates["set_size"].value == pytest.approx(np.mean([row.sum() for row in sets]))
    assert estimates["singletons"].value == pytest.approx(np.mean([row.sum() == 1 for row in sets]))
    sizes = rounds_of(predictions) @ sets.sum(axis=1) / rounds_of(predictions).sum(axis=1)
    ends = estimates["set_size"].low, estimates["set_size"].high
    assert ends == pytest.approx(tuple(np.quantile(sizes, [0.025, 0.975], method="weibull")))


def test_the_coverage_of_one_picture_lets_all_patients_count_alike():
    """One patient has nine pictures of ten, none of which is covered; of the promise that is one patient."""
    predictions = some_predictions(cases=20, cluster_ids=("many",) * 18 + ("one", "two"))
    sets = np.eye(3, dtype=bool)[predictions.truth]
    sets[:18] = ~sets[:18]
    fitted = SetThresholds(method="LAC", level=0.9, values=(0.5,) * 3, basis=(ALL,) * 3, clusters=(3, 3, 3))

    found = sets_of(
        predictions,
        sets,
        fitted,
        abstained=np.zeros(20, dtype=bool),
        prevalences={},
        generator=chance(0),
        rounds=ROUNDS,
    ).estimates

    assert found["coverage"].value == pytest.approx(0.1)
    assert found["coverage_of_one_picture"].value == pytest.approx(2 / 3)


def test_at_another_prevalence_coverage_is_that_of_the_diagnoses_mixed_anew():
    """In every round, too."""
    predictions = some_predictions(cases=157)
    mix = np.array([0.7, 0.2, 0.1])

    sets, found = some_sets(predictions, prevalences={"there": mix})

    covered = sets[np.arange(157), predictions.truth]
    drawn = rounds_of(predictions)
    rounds = [
        sum(share * np.average(covered[mine], weights=weights[mine]) for share, mine in zip(mix, by_kind, strict=True))
        for by_kind in [[predictions.truth == kind for kind in range(3)]]
        for weights in drawn
    ]
    estimate = found.estimates["coverage_at_there"]
    by_hand = sum(share * covered[predictions.truth == kind].mean() for kind, share in enumerate(mix))
    assert estimate.value == pytest.approx(by_hand)
    assert (estimate.low, estimate.high) == pytest.approx(tuple(np.quantile(rounds, [0.025, 0.975], method="weibull")))


def test_a_rare_diagnosis_that_weighs_much_makes_no_certainty():
    """All sets hold the truth, and a third of the mix rests on one patient: no interval, and the diagnosis is named."""
    truth = np.array([0] * 60 + [1] * 58 + [2] * 2)
    predictions = some_predictions(cases=120, truth=truth)
    fitted = SetThresholds(method="LAC", level=0.9, values=(1.0,) * 3, basis=(ALL,) * 3, clusters=(30, 29, 1))

    found = sets_of(
        predictions,
        np.ones((120, 3), dtype=bool),
        fitted,
        abstained=np.zeros(120, dtype=bool),
        prevalences={"equal_prevalences": np.full(3, 1 / 3)},
        generator=chance(0),
        rounds=ROUNDS,
    ).estimates["coverage_at_equal_prevalences"]

    assert found.value == 1.0
    assert (found.low, found.high) == (None, None)
    assert "fewer than 10 patients: c (1)" in found.note


@pytest.mark.parametrize(("everybody", "empty", "whom"), [(False, "abstained", "not answered"), (True, "answered", "")])
def test_coverage_among_nobody_is_none_and_says_of_whom(everybody, empty, whom):
    """Where nothing watches, where nobody is abstained from, and where everybody is."""
    predictions = some_predictions()

    _, found = some_sets(predictions, abstained=np.full(60, everybody))

    none = found.estimates[f"coverage_where_{empty}"]
    other = found.estimates[f"coverage_where_{'answered' if empty == 'abstained' else 'abstained'}"]
    assert none.value is None
    assert none.note == f"no patients that are {whom or 'answered'}"
    assert other.value == found.estimates["coverage"].value


def test_coverage_where_it_abstains_is_that_of_these_cases():
    """Counted by hand."""
    predictions = some_predictions()
    abstained = np.arange(60) % 7 == 0

    sets, found = some_sets(predictions, abstained=abstained)

    covered = sets[np.arange(60), predictions.truth]
    assert found.estimates["coverage_where_abstained"].value == pytest.approx(covered[abstained].mean())
    assert found.estimates["coverage_where_answered"].value == pytest.approx(covered[~abstained].mean())


def test_an_absent_diagnosis_has_no_coverage():
    """Nor a mix in which it occurs."""
    predictions = some_predictions(truth=np.arange(60) % 2)

    _, found = some_sets(predictions, prevalences={"there": np.array([0.5, 0.4, 0.1])})

    assert found.estimates["coverage/c"].note == "no patients with c"
    assert found.estimates["coverage_at_there"].value is None
    assert "not in this test: c" in found.estimates["coverage_at_there"].note


def test_what_is_promised_stands_beside_what_came_of_it():
    """By diagnosis: threshold, what it was fitted on, and which diagnoses are in every set and so say nothing."""
    fitted = SetThresholds(
        method="LAC", level=0.95, values=(0.4, 1.0, 1.0), basis=(OWN, NONE, OWN), clusters=(40, 2, 19)
    )
    predictions = some_predictions()

    found = sets_of(
        predictions,
        prediction_sets(predictions.probabilities, fitted),
        fitted,
        abstained=np.zeros(60, dtype=bool),
        prevalences={},
        generator=chance(0),
        rounds=ROUNDS,
    )

    said = json.loads(json.dumps(found.content(predictions.codes), allow_nan=False))
    assert (said["method"], said["promised"]) == ("LAC", 0.95)
    assert said["says_nothing_of"] == ["b", "c"]
    assert said["by_diagnosis"]["b"] == {"threshold": 1.0, "fitted_on": NONE, "clusters": 2}
    assert said["estimates"]["coverage/b"]["value"] == 1.0
