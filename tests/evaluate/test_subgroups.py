"""The same figures for each group, each with its gap to the others, from the rounds of the whole test."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cutis.evaluate.groups import UNKNOWN
from cutis.evaluate.sides import FIGURES
from cutis.evaluate.subgroups import subgroups_of
from cutis.stats.intervals import estimate_metrics
from cutis.vocabulary.chance import chance
from factories import a_case, a_manifest, some_predictions

ROUNDS = 100


def recorded(predictions, **columns):
    """A manifest of the predicted cases with these columns."""
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    cases = [
        replace(a_case(number, **row), case_id=name)
        for number, (name, row) in enumerate(zip(predictions.case_ids, rows, strict=True))
    ]
    return a_manifest(cases)


def examined(predictions, rounds=ROUNDS, **columns):
    """Every subgroup by its attribute and name."""
    found = subgroups_of(predictions, recorded(predictions, **columns), generator=chance(0, "test"), rounds=rounds)
    return found, {(each.attribute, each.group): each for each in found.groups}


def halves(count):
    return ["female" if patient % 2 else "male" for patient in np.arange(count) // 2]


def test_a_group_that_is_the_whole_test_has_the_figures_of_the_whole():
    """Value and interval, since the rounds are the same."""
    predictions = some_predictions(cases=200)

    _, groups = examined(predictions, sex=["female"] * 200)
    whole = estimate_metrics(predictions, thresholds=np.full(3, 0.3), generator=chance(0, "test"), rounds=ROUNDS)

    found = groups["sex", "female"]
    for figure in ("macro_auc", "argmax/accuracy", "argmax/balanced_accuracy", "log_loss"):
        assert found.estimates[figure].value == pytest.approx(whole[figure].value)
    assert found.estimates["argmax/accuracy"].low < found.estimates["argmax/accuracy"].high
    assert (found.cases, found.clusters) == (200, 100)


def test_malignant_is_told_from_benign_by_the_most_probable_diagnosis():
    """The malignant one is c; overconfidence is what the answers claim beyond what they are worth."""
    predictions = some_predictions(cases=200)

    _, groups = examined(predictions, sex=["female"] * 200)

    said, truth = predictions.probabilities.argmax(axis=1), predictions.truth
    found = groups["sex", "female"].estimates
    assert found["argmax/malignant_sensitivity"].value == pytest.approx((said[truth == 2] == 2).mean())
    assert found["argmax/malignant_specificity"].value == pytest.approx((said[truth != 2] != 2).mean())
    claimed = predictions.probabilities.max(axis=1).mean()
    assert found["overconfidence"].value == pytest.approx(claimed - (said == truth).mean())


def test_a_gap_is_the_group_less_all_others_that_are_known():
    """Cases of unknown sex are held against the known, and are nobody's others."""
    predictions = some_predictions(cases=300)
    sexes = np.array([*halves(200), *[None] * 100])
    right = predictions.probabilities.argmax(axis=1) == predictions.truth

    _, groups = examined(predictions, sex=sexes)

    female, male, unknown = (right[sexes == sex].mean() for sex in ("female", "male", None))
    assert groups["sex", "female"].gaps["argmax/accuracy"].value == pytest.approx(female - male)
    known = right[:200].mean()
    assert groups["sex", UNKNOWN].gaps["argmax/accuracy"].value == pytest.approx(unknown - known)


def test_a_cell_that_is_too_small_is_named_with_its_count_and_no_number():
    """Four patients on the sole: their number and the reason, in every figure and every gap."""
    predictions = some_predictions(cases=200)

    _, groups = examined(predictions, site=["sole"] * 8 + ["back"] * 192)

    sole = groups["body site", "sole"]
    assert (sole.cases, sole.clusters) == (8, 4)
    assert all(estimate.value is estimate.low is None for estimate in (*sole.estimates.values(), *sole.gaps.values()))
    assert sole.estimates["argmax/accuracy"].note == "only 4 patients: too few to speak"
    assert sole.gaps["log_loss"].note == "only 4 patients in this group: too few to speak"
    assert groups["body site", "back"].gaps["log_loss"].note == "only 4 patients among the others: too few to speak"
    assert groups["body site", "back"].estimates["log_loss"].value > 0


def test_a_diagnosis_that_is_too_rare_in_a_group_is_left_out_of_its_mean_and_named():
    """Women here have hardly any c, so theirs is a mean over a and b, and so are both sides of the gap."""
    predictions = some_predictions(cases=400)
    truth = predictions.truth.copy()
    sexes = np.array(halves(400))
    of_women = np.flatnonzero((sexes == "female") & (truth == 2))
    truth[of_women[3:]] = 0
    probabilities = np.full((400, 3), 0.2) + 0.4 * np.eye(3)[truth]
    probabilities[truth == 2] = (0.6, 0.2, 0.2)  # every c is missed
    predictions = replace(predictions, truth=truth, probabilities=probabilities)

    _, groups = examined(predictions, sex=sexes)

    women, men = groups["sex", "female"], groups["sex", "male"]
    assert women.estimates["argmax/balanced_accuracy"].value == 1.0
    assert women.estimates["argmax/balanced_accuracy"].note.startswith("all rounds of resampling agree; mean over a, b")
    assert "fewer than 10 patients with it: c (" in women.estimates["argmax/balanced_accuracy"].note
    assert men.estimates["argmax/balanced_accuracy"].value == pytest.approx(2 / 3)
    assert men.gaps["argmax/balanced_accuracy"].value == 0.0
    assert "mean over a, b on both sides" in men.gaps["argmax/balanced_accuracy"].note


def test_without_a_malignant_case_there_is_no_sensitivity():
    """A diagnosis that the figure needs is absent, and that is said."""
    predictions = some_predictions(cases=200)
    predictions = replace(predictions, truth=predictions.truth % 2)

    _, groups = examined(predictions, sex=halves(200))

    found = groups["sex", "male"].estimates
    assert found["argmax/malignant_sensitivity"].value is None
    assert found["argmax/malignant_sensitivity"].note == "no patients with a malignant diagnosis"
    assert found["argmax/malignant_specificity"].value is not None
    assert "absent: c" in found["macro_auc"].note


def test_the_number_of_gaps_that_were_examined_is_told():
    """Two groups that are each other's rest are one gap for each figure; what does not speak was not examined."""
    predictions = some_predictions(cases=300)

    two, _ = examined(predictions, sex=halves(300))
    three, _ = examined(predictions, device=[f"device {patient % 3}" for patient in np.arange(300) // 2])
    small, _ = examined(predictions, site=["sole"] * 4 + ["back"] * 296)

    assert two.gaps_examined == len(FIGURES)
    assert three.gaps_examined == 3 * len(FIGURES)
    assert small.gaps_examined == 0
    assert two.unrecorded == (
        *("age", "body site", "skin tone", "device", "confirmation"),
        *("marks of the picture", "sharpness of the picture"),
    )


def test_a_group_for_which_the_network_fails_lies_apart():
    """Its gap is large in every figure, and no interval of them reaches 0."""
    predictions = some_predictions(cases=300)
    sexes = np.array(halves(300))
    turned = np.where((sexes == "female")[:, None], predictions.probabilities[:, [1, 2, 0]], predictions.probabilities)
    predictions = replace(predictions, probabilities=turned)

    found, groups = examined(predictions, sex=sexes)

    gaps = groups["sex", "female"].gaps
    assert found.gaps_apart == found.gaps_examined == len(FIGURES)
    assert gaps["argmax/accuracy"].high < 0 < gaps["log_loss"].low
    assert gaps["macro_auc"].high < 0 < gaps["overconfidence"].low


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 1000), cut=st.integers(10, 90))
def test_the_gaps_of_two_groups_are_each_others_mirror(seed, cut):
    """What one group has more the other has less, with the same interval turned about."""
    predictions = some_predictions(cases=200, seed=seed)

    _, groups = examined(predictions, rounds=20, sex=["female"] * 2 * cut + ["male"] * (200 - 2 * cut))

    for figure in FIGURES:
        one, other = (groups["sex", sex].gaps[figure] for sex in ("female", "male"))
        assert (one.value is None) == (other.value is None)
        if one.low is not None:
            assert (one.value, one.low, one.high) == pytest.approx((-other.value, -other.high, -other.low))


def test_the_result_is_plain_data_for_json():
    """Names, counts, estimates and gaps; no NaN."""
    found, _ = examined(some_predictions(cases=100), sex=halves(100), age=[None] * 50 + [40] * 50)

    said = json.loads(json.dumps(found.content(), allow_nan=False))

    assert said["groups"][0]["attribute"] == "age"
    assert set(said["groups"][0]["gaps"]) == set(FIGURES)


def test_other_cases_or_none_with_a_truth_are_a_mistake_of_the_caller():
    """Never a figure of the wrong rows."""
    predictions = some_predictions(cases=40)
    cases = recorded(predictions, sex=halves(40))

    with pytest.raises(ValueError, match="not the cases"):
        subgroups_of(predictions, replace(cases, cases=cases.cases[::-1]), generator=chance(0))
    with pytest.raises(ValueError, match="need a truth"):
        subgroups_of(replace(predictions, truth=None), cases, generator=chance(0))
