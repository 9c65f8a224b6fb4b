"""Views of a picture are itself, turned and mirrored, for numpy and torch alike."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cutis.runtime.views import views_of


@pytest.mark.parametrize("count", [1, 2, 4, 8])
def test_views_are_as_many_and_all_different(count):
    """The first is the picture itself."""
    picture = np.random.default_rng(0).normal(size=(2, 3, 4, 4))

    views = list(views_of(picture, count))

    assert np.array_equal(views[0], picture)
    assert len({view.tobytes() for view in views}) == count


def test_eight_views_are_closed_under_turning():
    """A quarter turn of the picture has the same eight views in another order."""
    picture = np.random.default_rng(0).normal(size=(1, 3, 4, 4))
    turned = np.rot90(picture, axes=(2, 3))

    one, other = ({np.ascontiguousarray(view).tobytes() for view in views_of(each, 8)} for each in (picture, turned))

    assert one == other


def test_tensors_and_arrays_are_seen_alike():
    """Training chooses by the same views that serve."""
    picture = np.random.default_rng(0).normal(size=(2, 3, 4, 4))

    for array, tensor in zip(views_of(picture, 8), views_of(torch.from_numpy(picture), 8), strict=True):
        assert np.array_equal(array, tensor.numpy())
