"""How much of a map lies inside, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from cutis.explain.sanity.pointing import blob, pointed

SEEN = np.ones((4, 4), bool)


def _mask():
    mask = np.zeros((4, 4), bool)
    mask[:2, :2] = True
    return mask


def test_share_hit_and_chance_are_those_by_hand():
    """What speaks against a diagnosis has no share."""
    saliency = np.full((4, 4), -1.0)
    saliency[0, 0], saliency[3, 3] = 3.0, 1.0

    found = pointed(saliency, _mask(), seen=SEEN)

    assert found == (pytest.approx(0.75), 1.0, pytest.approx(0.25))


def test_an_even_map_has_what_chance_has():
    """Both its share and its greatest point, which is everywhere."""
    assert pointed(np.ones((4, 4)), _mask(), seen=SEEN) == (0.25, 0.25, 0.25)


def test_a_map_that_speaks_for_nothing_points_nowhere():
    """It has no share, and no number is missing."""
    assert pointed(np.full((4, 4), -1.0), _mask(), seen=SEEN).share == 0


def test_what_the_network_did_not_see_counts_neither_way():
    """Beyond a crop there is neither mask nor map."""
    seen = SEEN.copy()
    seen[:, 2:] = False
    saliency = np.ones((4, 4))
    saliency[:, 3] = 100

    assert pointed(saliency, _mask(), seen=seen) == (0.5, 0.5, 0.5)


def test_a_blob_lies_in_the_middle_of_any_picture():
    """It is even on all four sides, and most of it in the middle quarter."""
    density = blob(30, 40)

    np.testing.assert_allclose(density, density[::-1, ::-1])
    middle = np.zeros((30, 40), bool)
    middle[8:22, 10:30] = True
    assert pointed(density, middle, seen=np.ones((30, 40), bool)).share > 0.6
