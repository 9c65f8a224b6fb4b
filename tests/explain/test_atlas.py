"""The map keeps neighbours, is the same each time, and is refused where it would mean nothing."""

from __future__ import annotations

import numpy as np
import pytest

from cutis.explain.atlas import place_cases, settings_for
from cutis.vocabulary.errors import UserError


def _three_groups(*, each=20, features=16):
    random = np.random.default_rng(0)
    centres = 8 * random.normal(size=(3, features))
    return np.concatenate([centre + random.normal(size=(each, features)) for centre in centres]).astype(np.float32)


def test_groups_of_the_features_are_groups_on_the_map():
    """The nearest neighbour on the map is of the same group, and a second run gives the same map."""
    features = _three_groups()
    settings = settings_for(len(features))

    places = place_cases(features, settings)

    distances = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (distances.argmin(axis=1) // 20 == np.arange(60) // 20).all()
    np.testing.assert_array_equal(place_cases(features, settings), places)


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
        place_cases(features, settings_for(len(features)))
