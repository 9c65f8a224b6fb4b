"""What a release reached, by lesion: held against other counts of the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from cutis.serve.acceptance.figures import Scored, estimates_of
from cutis.serve.acceptance.limits import plan_from
from cutis.serve.acceptance.verdict import judged, passed
from cutis.stats.proportions import estimate_shares
from cutis.vocabulary.predictions import Predictions


def scored_at_random(*, cases=240, lesions=150, seed=0, **fields):
    """Answers of three diagnoses, the last malignant, that are right more often than not."""
    chance = np.random.default_rng(seed)
    truth = chance.integers(0, 3, cases)
    probabilities = chance.dirichlet([1.0, 1.0, 1.0], cases)
    probabilities = 0.7 * probabilities + 0.3 * np.eye(3)[truth]
    of = [f"lesion{each}" for each in chance.integers(0, lesions, cases)]
    plain = {
        "codes": ("a", "b", "c"),
        "case_ids": tuple(of),
        "probabilities": probabilities,
        "truth": truth,
        "is_malignant": truth == 2,
        "in_set": chance.random(cases) < 0.9,
        "malignant": np.array([False, False, True]),
        "thresholds": np.array([0.3, 0.4, 0.5]),
        "malignant_threshold": 0.45,
        "has_sets": True,
        "asked_cases": (*of, "other1", "other2"),
        "unanswered": np.array([False] * cases + [True, True]),
    }
    return Scored(**plain | fields)


def test_shares_are_those_of_the_evaluation():
    """Sensitivity at each operating point, malignant or not, right at first place: value, interval, clusters."""
    scored = scored_at_random()
    predictions = Predictions(
        case_ids=tuple(map(str, range(len(scored)))),
        cluster_ids=scored.case_ids,
        cluster_kind="lesion",
        truth=scored.truth,
        probabilities=scored.probabilities,
        codes=scored.codes,
        taxonomy_sha256="",
        split="test",
        rater="network",
    )
    theirs = estimate_shares(
        predictions, thresholds=scored.thresholds, malignant=scored.malignant, malignant_threshold=0.45
    )

    ours = estimates_of(scored, seed="x")

    pairs = {
        "accuracy": "argmax/accuracy",
        "sensitivity/a": "one_vs_rest/sensitivity/a",
        "sensitivity/c": "one_vs_rest/sensitivity/c",
        "malignant_sensitivity": "one_vs_rest/malignant_sensitivity",
        "malignant_specificity": "one_vs_rest/malignant_specificity",
    }
    for mine, their in pairs.items():
        assert replace(ours[mine], note="") == replace(theirs[their], note="")


def test_the_mean_sensitivity_is_that_of_another_library():
    """With an interval around it."""
    scored = scored_at_random()

    found = estimates_of(scored, seed="x")["balanced_accuracy"]

    assert found.value == pytest.approx(balanced_accuracy_score(scored.truth, scored.probabilities.argmax(axis=1)))
    assert found.low < found.value < found.high
    assert "cluster bootstrap" in found.method


def test_the_same_plan_gives_the_same_intervals():
    """Chance is drawn by the hash of the plan, so that nobody can try again for a better one."""
    scored = scored_at_random()

    assert estimates_of(scored, seed="x") == estimates_of(scored, seed="x")
    assert estimates_of(scored, seed="x")["balanced_accuracy"] != estimates_of(scored, seed="y")["balanced_accuracy"]


def test_a_truth_that_the_release_does_not_know_is_a_wrong_answer():
    """It counts for malignant or not as the curator said."""
    known = scored_at_random(cases=60, lesions=60)
    truth, is_malignant = known.truth.copy(), known.is_malignant.copy()
    truth[:10], is_malignant[:10] = 3, True
    right = (known.probabilities.argmax(axis=1) == truth).mean()

    found = estimates_of(scored_at_random(cases=60, lesions=60, truth=truth, is_malignant=is_malignant), seed="x")

    assert found["accuracy"].value == pytest.approx(right)
    flagged = known.probabilities[:, 2] >= 0.45
    assert found["malignant_sensitivity"].value == pytest.approx(flagged[is_malignant].mean())


def test_pictures_of_one_lesion_make_no_interval_narrower():
    """Each lesion three times over: the same share, from as many lesions, with the same width or more."""
    once = scored_at_random(cases=80, lesions=10_000)
    thrice = {
        name: np.repeat(getattr(once, name), 3, axis=0) for name in ("probabilities", "truth", "is_malignant", "in_set")
    }
    of = tuple(np.repeat(once.case_ids, 3).tolist())
    again = scored_at_random(
        cases=80, lesions=10_000, case_ids=of, asked_cases=(), unanswered=np.zeros(0, bool), **thrice
    )

    one, three = estimates_of(once, seed="x")["accuracy"], estimates_of(again, seed="x")["accuracy"]

    assert three.value == pytest.approx(one.value)
    assert three.high - three.low >= 0.99 * (one.high - one.low)


def test_what_was_not_answered_is_a_share_of_everything_that_was_asked():
    """Whether or not its truth came back."""
    assert estimates_of(scored_at_random(), seed="x")["unanswered"].value == pytest.approx(2 / 242)


def test_a_figure_without_cases_does_not_clear_its_limit():
    """Nor does one for which the release brings no operating point."""
    nobody = {"asked_cases": (), "unanswered": np.zeros(0, bool)}
    empty = scored_at_random(cases=0, probabilities=np.zeros((0, 3)), truth=np.zeros(0, np.int64), **nobody)
    content = {"cases": 10, "limits": [{"figure": "accuracy", "limit": 0.0, "side": "value"}]}
    plan = plan_from(content, where="here", figures=("accuracy",))

    assert not passed(judged(plan, estimates_of(empty, seed="x")))
    assert estimates_of(scored_at_random(malignant_threshold=None), seed="x")["malignant_sensitivity"].value is None


@pytest.mark.parametrize(("side", "clears"), [("value", True), ("low", False)])
def test_the_side_that_was_asked_for_must_clear_the_limit(side, clears):
    """A figure just above it is not enough where the lower end is asked for; nor is one that only touches it."""
    scored = scored_at_random()
    reached = estimates_of(scored, seed="x")
    content = {
        "cases": 10,
        "limits": [{"figure": "accuracy", "limit": reached["accuracy"].value - 1e-6, "side": side}],
    }
    plan = plan_from(content, where="here", figures=("accuracy",))

    assert passed(judged(plan, reached)) is clears


def test_more_must_not_be_unanswered_than_the_limit_says():
    """There the upper end counts."""
    reached = estimates_of(scored_at_random(), seed="x")
    high = reached["unanswered"].high

    for limit, clears in ((high, True), (high - 1e-6, False)):
        content = {"cases": 10, "limits": [{"figure": "unanswered", "limit": limit, "side": "high"}]}
        assert passed(judged(plan_from(content, where="here", figures=("unanswered",)), reached)) is clears
