"""A group's figures and gaps against scikit-learn, round by round."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, log_loss, recall_score, roc_auc_score

from cutis.evaluate.subgroups import subgroups_of
from cutis.stats.intervals import clusters_in, resample
from cutis.vocabulary.chance import chance
from factories import a_case, a_manifest, some_predictions

ROUNDS = 8


def by_sklearn(predictions, weights, members):
    """The figures of some cases by scikit-learn."""
    truth, probabilities, weight = predictions.truth[members], predictions.probabilities[members], weights[members]
    said = probabilities.argmax(axis=1)
    return {
        "macro_auc": np.mean([roc_auc_score(truth == k, probabilities[:, k], sample_weight=weight) for k in range(3)]),
        "argmax/balanced_accuracy": recall_score(truth, said, average="macro", sample_weight=weight),
        "argmax/accuracy": accuracy_score(truth, said, sample_weight=weight),
        "argmax/malignant_sensitivity": recall_score(truth == 2, said == 2, sample_weight=weight),
        "argmax/malignant_specificity": recall_score(truth != 2, said != 2, sample_weight=weight),
        "log_loss": log_loss(truth, probabilities, sample_weight=weight),
    }


def test_every_figure_and_gap_is_that_of_scikit_learn_in_every_round():
    """Values and percentile intervals, for patients with cases on both sides."""
    predictions = some_predictions(cases=240)
    sites = ["back" if case % 5 else "leg" for case in range(240)]
    cases = a_manifest(
        [
            replace(a_case(n, site=site), case_id=name)
            for n, (site, name) in enumerate(zip(sites, predictions.case_ids, strict=True))
        ]
    )
    leg = np.array(sites) == "leg"

    groups = subgroups_of(predictions, cases, generator=chance(1, "test"), rounds=ROUNDS).groups

    found = next(group for group in groups if group.group == "leg")
    drawn = np.concatenate(list(resample(clusters_in(predictions), rounds=ROUNDS, generator=chance(1, "test"))))
    plain = [by_sklearn(predictions, np.ones(240), side) for side in (leg, ~leg)]
    rounds = [[by_sklearn(predictions, weights, side) for weights in drawn] for side in (leg, ~leg)]
    for figure, value in plain[0].items():
        own, others = (np.array([each[figure] for each in side]) for side in rounds)
        estimate, gap = found.estimates[figure], found.gaps[figure]
        expected = (value, *np.quantile(own, [0.025, 0.975], method="weibull"))
        assert (estimate.value, estimate.low, estimate.high) == pytest.approx(expected, abs=1e-6), figure
        expected = (value - plain[1][figure], *np.quantile(own - others, [0.025, 0.975], method="weibull"))
        assert (gap.value, gap.low, gap.high) == pytest.approx(expected, abs=1e-6), figure
