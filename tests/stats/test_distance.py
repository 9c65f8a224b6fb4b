"""Distances to what was learned from: what they must and must not depend on."""

from __future__ import annotations

import sys
from subprocess import run

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from cutis.stats.distance import (
    direction_and_length,
    fit_gaussian,
    mahalanobis,
    nearest_neighbours,
    relative_mahalanobis,
)


def some_features(*, pictures=120, width=12, kinds=3, seed=0):
    """Features around a mean for each diagnosis, wider in some directions than in others, and the diagnosis."""
    random = np.random.default_rng(seed)
    diagnosis = np.arange(pictures) % kinds
    means = random.normal(scale=2, size=(kinds, width))
    return means[diagnosis] + random.normal(size=(pictures, width)) * np.linspace(0.2, 2, width), diagnosis


def test_distances_come_without_scipy():
    """They stand on the way to an answer."""
    script = "import sys, cutis.stats.distance; sys.exit(any(n in sys.modules for n in ('scipy', 'sklearn')))"

    finished = run([sys.executable, "-c", script], check=False)

    assert finished.returncode == 0


def test_features_are_taken_apart_into_direction_and_length():
    """Of three, four: a length of five; of none at all no direction, and a length that is no infinity."""
    found = direction_and_length(np.array([[3.0, 4.0], [0.0, 0.0]]))

    assert_allclose(found[0], [0.6, 0.8, np.log(5)])
    assert_allclose(found[1, :2], 0)
    assert -np.inf < found[1, 2] < -700


def test_directions_that_are_left_out_count_as_equally_wide():
    """The distance with few directions is that of a covariance with the mean variance in all the others."""
    features, diagnosis = some_features()
    whole = fit_gaussian(features, diagnosis, kinds=3, directions=12)
    order = np.argsort(whole.deviations)
    variances = whole.deviations**2
    variances[order[:8]] = variances[order[:8]].mean()
    precision = whole.directions @ np.diag(1 / variances) @ whole.directions.T

    found = mahalanobis(features, fit_gaussian(features, diagnosis, kinds=3, directions=4))

    apart = features[:, None] - whole.means
    assert_allclose(found, np.einsum("nkf,fg,nkg->nk", apart, precision, apart).min(axis=1), rtol=1e-9)


def test_more_features_than_pictures_still_have_a_distance():
    """The covariance is shrunk; own pictures lie nearer than others."""
    features, diagnosis = some_features(pictures=30, width=80)
    gaussian = fit_gaussian(features[:24], diagnosis[:24], kinds=3)

    near, far = mahalanobis(features[24:], gaussian), mahalanobis(features[24:] + 50, gaussian)

    assert np.isfinite(near).all()
    assert near.max() < far.min()


def test_hardly_any_pictures_and_very_many_features_are_no_trouble():
    """Shrinking then makes nearly all directions alike, tiny as they may be."""
    features = np.random.default_rng(0).normal(scale=1e-4, size=(20, 600)).astype(np.float32)

    gaussian = fit_gaussian(features, np.arange(20) % 2, kinds=2)

    assert gaussian.directions.shape == (600, 256)
    assert np.isfinite(mahalanobis(features, gaussian)).all()


def test_features_that_never_vary_do_not_break_it():
    """A dead feature is no division by zero."""
    features, diagnosis = some_features()
    dead = np.zeros_like(features)

    found = mahalanobis(dead, fit_gaussian(dead, diagnosis, kinds=3))

    assert_allclose(found, 0)


def test_a_diagnosis_without_a_picture_is_refused():
    """Training has refused it long before."""
    features, diagnosis = some_features()

    with pytest.raises(ValueError, match="picture"):
        fit_gaussian(features, diagnosis, kinds=4)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 11), st.floats(1e4, 1e6), st.sampled_from([-1, 1]))
def test_what_is_far_away_in_any_direction_is_farther_than_all_that_was_learned(direction, far, sign):
    """Whether that direction tells diagnoses apart or not."""
    features, diagnosis = some_features()
    gaussian = fit_gaussian(features, diagnosis, kinds=3, directions=4)
    away = features[:1] + sign * far * np.eye(12)[direction]

    assert mahalanobis(away, gaussian)[0] > mahalanobis(features, gaussian).max()


def test_the_relative_distance_does_not_see_what_tells_no_diagnoses_apart():
    """Where both covariances are the same, a step of a hundred deviations cancels out."""
    random = np.random.default_rng(0)
    diagnosis = np.arange(4000) % 2
    features = random.normal(size=(4000, 2))
    features[:, 0] += 6 * diagnosis
    learned = fit_gaussian(features, diagnosis, kinds=2)
    background = fit_gaussian(features, np.zeros_like(diagnosis), kinds=1)
    away = np.array([[0.0, 100.0]])

    relative = [relative_mahalanobis(each, learned, background=background) for each in (features, away)]

    assert relative[1][0] < np.quantile(relative[0], 0.95) + 20
    assert mahalanobis(away, learned)[0] > 100 * mahalanobis(features, learned).max()


def test_the_nearest_neighbour_of_a_learned_picture_is_itself():
    """At a distance of zero, whatever its length; with fewer than k the farthest counts."""
    features, _ = some_features()

    assert_allclose(nearest_neighbours(3 * features, features, neighbours=1), 0, atol=1e-7)
    assert_allclose(
        nearest_neighbours(features, features[:5], neighbours=50),
        nearest_neighbours(features, features[:5], neighbours=5),
    )


@settings(max_examples=40, deadline=None)
@given(st.permutations(range(12)))
def test_a_distance_does_not_depend_on_the_other_pictures(order):
    """Each picture has its own, in any order."""
    features, diagnosis = some_features()
    gaussian = fit_gaussian(features, diagnosis, kinds=3)

    for distance in (
        lambda some: mahalanobis(some, gaussian),
        lambda some: nearest_neighbours(some, features[50:], neighbours=3),
    ):
        assert_allclose(distance(features[list(order)]), distance(features[:12])[list(order)], rtol=1e-9)
