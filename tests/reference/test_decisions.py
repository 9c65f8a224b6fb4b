"""Decisions against scikit-learn and published tables."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.metrics import confusion_matrix, precision_score

from cutis.stats.decisions import decision_curve, predictive_values
from cutis.stats.operating_points import rule_of
from factories import some_predictions


def cases_of(sensitivity, false_alarms):
    """Thousand ill and thousand well, flagged by a probability of 1 as often as stated."""
    flagged = [np.arange(1000) < round(1000 * share) for share in (sensitivity, false_alarms)]
    return np.concatenate(flagged).astype(float), np.arange(2000) < 1000


@pytest.mark.parametrize(
    ("threshold", "sensitivity", "false_alarms", "net_benefit"),
    [
        (0.10, 1.000, 1.000, 0.313),
        (0.15, 1.000, 0.969, 0.276),
        (0.20, 0.990, 0.921, 0.236),
        (0.10, 0.970, 0.739, 0.320),
        (0.15, 0.960, 0.620, 0.299),
        (0.20, 0.890, 0.460, 0.269),
    ],
)
def test_net_benefit_is_that_of_a_published_table(threshold, sensitivity, false_alarms, net_benefit):
    """Two models of prostate cancer by Mehralivand et al., as in World Journal of Urology 38:517 (2020), table 4.

    Where everybody is flagged, net benefit gives the prevalence away: 0.382.
    """
    said, ill = cases_of(sensitivity, false_alarms)
    at = np.array([threshold])

    found = decision_curve(said, ill, thresholds=at, weights=np.ones((1, 2000)), prevalence=0.382)

    assert found.by_network[0, 0] == pytest.approx(net_benefit, abs=0.001)


def test_treating_all_is_that_of_a_published_table():
    """Liver cancer with a prevalence of 30 % (PMC6993280, table 4): from 0.278 at 3 % to −16.5 at 96 %."""
    at = np.array([0.03, 0.05, 0.08, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.96])
    said, ill = cases_of(1, 1)

    found = decision_curve(said, ill, thresholds=at, weights=np.ones((1, 2000)), prevalence=0.3)

    published = [0.278, 0.263, 0.239, 0.222, 0.125, 0, -0.167, -0.4, -0.75, -1.333, -2.5, -6, -16.5]
    assert_allclose(found.treat_all[0], published, atol=0.0006)


def test_net_benefit_is_counted_from_the_confusion_matrix_of_scikit_learn():
    """True positives less false positives at their price, per case, at every threshold probability."""
    predictions = some_predictions(cases=200)
    said, has = predictions.probabilities[:, 2], predictions.truth == 2
    at = np.linspace(0.02, 0.9, 12)

    found = decision_curve(said, has, thresholds=at, weights=np.ones((1, 200)))

    for place, threshold in enumerate(at):
        _, alarmed, _, hit = confusion_matrix(has, said >= threshold).ravel()
        expected = hit / 200 - alarmed / 200 * threshold / (1 - threshold)
        assert found.by_network[0, place] == pytest.approx(expected, abs=1e-12)


def test_predictive_values_are_the_precisions_of_scikit_learn():
    """At the prevalence of the cases themselves, at Youden's threshold."""
    predictions = some_predictions(cases=200)
    said, has = predictions.probabilities[:, 1], predictions.truth == 1
    flagged = said >= rule_of("youden")(said, has)

    found = predictive_values(flagged[has].mean(), (~flagged[~has]).mean(), prevalence=has.mean())

    assert found.positive == pytest.approx(precision_score(has, flagged), abs=1e-12)
    assert found.negative == pytest.approx(precision_score(~has, ~flagged), abs=1e-12)
