"""A space is fitted on what was learned, and two pictures are alike in it by their cosine."""

from __future__ import annotations

import numpy as np
import pytest

from cutis.stats.spaces import SPACES, fit_space, placed

RANDOM = np.random.default_rng(0)
DIAGNOSIS = np.arange(400) % 3
FEATURES = RANDOM.normal(size=(400, 10)) @ RANDOM.normal(size=(10, 10)) + 5 + np.eye(3, 10)[DIAGNOSIS] * 4


@pytest.mark.parametrize("kind", SPACES)
def test_every_place_has_length_one(kind):
    """So that a product of two is their cosine."""
    places = placed(FEATURES, fit_space(kind, FEATURES, DIAGNOSIS))

    assert places.dtype == np.float32
    assert np.linalg.norm(places, axis=1) == pytest.approx(1, abs=1e-5)


def test_raw_is_the_cosine_of_the_features_as_they_are():
    """No more and no less."""
    places = placed(FEATURES, fit_space("raw", FEATURES, DIAGNOSIS))
    lengths = np.linalg.norm(FEATURES, axis=1)

    assert places @ places.T == pytest.approx(FEATURES @ FEATURES.T / np.outer(lengths, lengths), abs=1e-5)


def test_whitened_features_vary_alike_in_every_direction():
    """Of all pictures; and within a diagnosis where that is asked."""
    diagnosis = np.arange(4000) % 3
    features = np.random.default_rng(0).normal(size=(4000, 10)) * np.linspace(1, 3, 10)
    features += 5 * np.eye(3, 10)[diagnosis]
    whitened, within = (fit_space(kind, features, diagnosis) for kind in ("whitened", "within"))
    centred = features - np.stack([features[kind == diagnosis].mean(axis=0) for kind in range(3)])[diagnosis]

    for moved in ((features - whitened.centre) @ whitened.axes, centred @ within.axes):
        assert np.cov(moved, rowvar=False) == pytest.approx(np.eye(10), abs=0.05)
    assert np.cov((features - within.centre) @ within.axes, rowvar=False) != pytest.approx(np.eye(10), abs=1)


def test_whitened_does_not_care_about_the_scale_of_a_feature():
    """Raw cosine does."""
    scaled = FEATURES * np.where(np.arange(10) == 0, 100, 1)

    def cosines(kind, features):
        places = placed(features, fit_space(kind, features, DIAGNOSIS))
        return places[:50] @ places[:50].T

    assert np.abs(cosines("standardised", scaled) - cosines("standardised", FEATURES)).max() < 1e-3
    assert np.abs(cosines("raw", scaled) - cosines("raw", FEATURES)).max() > 0.1


@pytest.mark.parametrize("kind", SPACES)
def test_features_that_never_vary_give_numbers(kind):
    """A dead feature, or a network that says the same of all, is no reason for NaN."""
    dead = FEATURES.copy()
    dead[:, 3] = 7
    for features in (dead, np.ones((6, 4))):
        places = placed(features, fit_space(kind, features, DIAGNOSIS[: len(features)]))

        assert np.isfinite(places).all()


def test_an_unknown_space_is_refused():
    """With the known ones named."""
    with pytest.raises(ValueError, match="no such space: 'outer'; known are raw, centred"):
        fit_space("outer", FEATURES, DIAGNOSIS)
