"""The map keeps neighbours, is the same each time, and is refused where it would mean nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cutis.explain.atlas import layout
from cutis.explain.atlas.layout import lay_out, principal_axes, settings_for
from cutis.explain.atlas.quality import quality_of
from cutis.vocabulary.errors import UserError


def _three_groups(*, each=20, features=16):
    random = np.random.default_rng(0)
    centres = 8 * random.normal(size=(3, features))
    return np.concatenate([centre + random.normal(size=(each, features)) for centre in centres]).astype(np.float32)


def test_groups_of_the_features_are_groups_on_the_map():
    """The nearest neighbour on the map is of the same group, and a second run gives the same map."""
    features = _three_groups()
    settings = settings_for(len(features))

    places = lay_out(features, settings).atlas.places

    distances = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (distances.argmin(axis=1) // 20 == np.arange(60) // 20).all()
    np.testing.assert_array_equal(lay_out(features, settings).atlas.places, places)


def test_few_cases_get_a_smaller_perplexity():
    """A case cannot have more neighbours than there are cases."""
    assert settings_for(10).perplexity == 3
    assert settings_for(2005).perplexity == 30


@pytest.mark.parametrize(
    ("features", "what"),
    [
        (_three_groups(each=3), "9 cases are too few"),
        (np.ones((40, 8), np.float32), "says the same of every case"),
        (np.full((40, 8), np.nan, np.float32), "nothing finite"),
    ],
)
def test_what_no_map_can_be_drawn_of_is_refused(features, what):
    """Too few cases, constant features or none: a clear error, never a picture of nothing."""
    with pytest.raises(UserError, match=what):
        lay_out(features, settings_for(len(features)))


def test_the_number_of_threads_does_not_change_the_map(monkeypatch):
    """A map that another machine draws otherwise could not be checked."""
    features = _three_groups(each=40)
    few_rounds = replace(settings_for(120), early_exaggeration_iterations=8, iterations=8)
    monkeypatch.setattr(layout, "WORTH_THREADS", 0)

    places = []
    for threads in (1, 2):
        monkeypatch.setattr(layout, "cores", lambda threads=threads: threads)
        places.append(lay_out(features, few_rounds).atlas.places)

    np.testing.assert_array_equal(*places)


@pytest.mark.parametrize("shape", [(200, 30), (40, 300)])
def test_principal_axes_are_those_of_the_singular_value_decomposition(shape):
    """From the smaller of the two products, whichever it is; they are at right angles and hold the same variance."""
    random = np.random.default_rng(0)
    features = (random.normal(size=shape) * np.linspace(3, 0.1, shape[1]) + 7).astype(np.float32)

    mean, axes, variance = principal_axes(features, 5)

    _, values, rows = np.linalg.svd(features - features.mean(axis=0), full_matrices=False)
    np.testing.assert_allclose(axes.T @ axes, np.eye(5), atol=1e-4)
    np.testing.assert_allclose(np.abs(np.einsum("fp,pf->p", axes, rows[:5])), 1, atol=1e-3)
    assert variance == pytest.approx((values[:5] ** 2).sum() / (values**2).sum(), rel=1e-4)
    np.testing.assert_allclose(mean, features.mean(axis=0), rtol=1e-5)


def test_features_in_one_direction_alone_are_laid_out():
    """Directions without spread are left out, and nothing is divided by them."""
    features = np.outer(np.linspace(0, 1, 40), np.ones(16)).astype(np.float32)

    laid_out = lay_out(features, settings_for(40)).atlas

    assert laid_out.axes.shape == (16, 1)
    assert np.isfinite(laid_out.places).all()


def test_fifty_components_lose_no_trust():
    """The map of the reduced features is held to the features themselves, and is as good as the map of all of them."""
    random = np.random.default_rng(0)
    hidden = 4 * random.normal(size=(6, 12))[np.arange(240) % 6] + random.normal(size=(240, 12))
    features = (hidden @ random.normal(size=(12, 200)) + random.normal(size=(240, 200))).astype(np.float32)

    reduced, whole = (
        lay_out(features, replace(settings_for(240), components=count)).atlas.places for count in (50, 200)
    )

    trust = [quality_of(features, places)[10].trustworthiness.mean() for places in (reduced, whole)]
    assert trust[0] > trust[1] - 0.005
