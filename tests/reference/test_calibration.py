"""Calibration against scikit-learn, scipy and statsmodels, and against the published formula of the debiased error."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import minimize
from scipy.special import log_softmax, logit
from sklearn.calibration import calibration_curve
from sklearn.isotonic import IsotonicRegression
from statsmodels.api import GLM, families

from cutis.stats.calibration import fit_temperature, log_probabilities, softmax
from cutis.stats.recalibration import RIDGE, fit_recalibration, recalibrated
from cutis.stats.reliability import calibration_errors, logistic_fit, reliability
from factories import some_predictions

EXACT = {"rtol": 0, "atol": 1e-6}


def some_weights(rounds, cases):
    """Rounds of a bootstrap, some cases drawn never, and a row of uneven fractions."""
    random = np.random.default_rng(7)
    drawn = random.multinomial(cases, np.full(cases, 1 / cases), size=rounds - 1).astype(float)
    return np.vstack([drawn, random.uniform(0.1, 3, cases)])


@pytest.mark.parametrize("decimals", [16, 1])
def test_isotonic_curves_are_those_of_scikit_learn(decimals):
    """Each diagnosis against the rest, equal probabilities and weights included, read off between the corners too."""
    predictions = some_predictions(cases=300)
    said, truth = predictions.probabilities.round(decimals), predictions.truth
    weights = np.random.default_rng(1).uniform(0.5, 2, 300)
    asked = np.random.default_rng(2).dirichlet(np.ones(3), size=100)

    found = recalibrated(asked, fit_recalibration("isotonic", said, truth=truth, weights=weights))

    curves = [
        IsotonicRegression(y_min=1 / 302, out_of_bounds="clip").fit(said[:, kind], truth == kind, weights)
        for kind in range(3)
    ]
    expected = np.column_stack([curve.predict(asked[:, kind]) for kind, curve in enumerate(curves)])
    assert_allclose(found, expected / expected.sum(axis=1, keepdims=True), **EXACT)


def test_vector_scaling_is_where_a_search_without_slopes_ends():
    """Scipy's BFGS with numerical slopes on the same loss, written with its own softmax."""
    predictions = some_predictions(cases=120)
    logs, truth = np.log(predictions.probabilities), predictions.truth
    start = np.array([1.0, 1, 1, 0, 0, 0])

    found = fit_recalibration("vector", predictions.probabilities, truth=truth)

    def loss(parameters):
        said = log_softmax(logs * parameters[:3] + parameters[3:], axis=1)
        return -said[np.arange(120), truth].sum() + RIDGE / 2 * ((parameters - start) ** 2).sum()

    searched = minimize(loss, start + 0.3, method="BFGS", jac="3-point", options={"gtol": 1e-7})
    assert_allclose(np.concatenate(found.values), searched.x, rtol=0, atol=1e-5)
    assert loss(np.concatenate(found.values)) <= searched.fun + 1e-9


def test_a_temperature_of_probabilities_is_that_of_their_logits():
    """The ln of a softmax differs from the logits by a constant in each row."""
    random = np.random.default_rng(0)
    logits, truth = random.normal(scale=2, size=(200, 4)), random.integers(0, 4, 200)

    ((found,),) = fit_recalibration("temperature", softmax(logits), truth=truth).values

    assert found == pytest.approx(fit_temperature(logits, truth), abs=1e-6)
    assert_allclose(softmax(log_probabilities(softmax(logits)), found), softmax(logits, found), **EXACT)


def test_bins_are_the_quantile_bins_of_scikit_learn():
    """Predicted mean and observed share of `calibration_curve(strategy="quantile")`."""
    predictions = some_predictions(cases=200)

    for kind in range(3):
        said, so = predictions.probabilities[:, kind], predictions.truth == kind
        found = reliability(said, so, of_case=np.arange(200) // 2, bins=10)

        observed, predicted = calibration_curve(so, said, n_bins=10, strategy="quantile")
        assert_allclose(found.predicted, predicted, **EXACT)
        assert_allclose(found.observed, observed, **EXACT)


def test_slope_and_intercepts_are_those_of_statsmodels_in_every_round():
    """A binomial GLM on the log-odds, and one with the log-odds as offset; weights as frequencies."""
    predictions = some_predictions(cases=150)
    weights = some_weights(5, 150)

    for kind in range(3):
        said, so = predictions.probabilities[:, kind], predictions.truth == kind
        found = logistic_fit(said, so, weights)

        for row, weight in enumerate(weights):
            arguments = {"family": families.Binomial(), "freq_weights": weight}
            columns = np.column_stack([np.ones(150), logit(said)])
            line = GLM(so.astype(float), columns, **arguments).fit(tol=1e-12)
            level = GLM(so.astype(float), columns[:, :1], offset=logit(said), **arguments).fit(tol=1e-12)
            assert_allclose((found.intercept[row], found.slope[row]), line.params, **EXACT)
            assert_allclose(found.in_the_large[row], level.params[0], **EXACT)


def test_the_debiased_error_is_that_of_the_published_formula():
    """One case per patient and one probability per bin: Σ n/N ((p − y)² − y(1 − y)/(n − 1)), Kumar et al. 2019."""
    random = np.random.default_rng(3)
    said = np.repeat([0.1, 0.4, 0.8], 50)
    so = random.random(150) < np.repeat([0.3, 0.45, 0.6], 50)

    found = calibration_errors(said, so, of_case=random.permutation(150), weights=np.ones((1, 150)), bins=3)

    shares = so.reshape(3, 50).mean(axis=1)
    squares = (np.array([0.1, 0.4, 0.8]) - shares) ** 2 - shares * (1 - shares) / 49
    assert found.debiased[0] == pytest.approx(np.sqrt(squares.mean()), abs=1e-12)
    assert found.expected[0] == pytest.approx(np.abs(np.array([0.1, 0.4, 0.8]) - shares).mean(), abs=1e-12)
