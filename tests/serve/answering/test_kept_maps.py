"""The maps that came with an answer, kept small and shown over the picture."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from cutis.imaging.prepare import Preparation
from cutis.runtime.maps import Question, in_pass_maps
from cutis.serve.answering.kept_maps import kept_maps, overlay, strength_of
from cutis.vocabulary.outputs import Outputs

CODES = ("a", "b", "c")


def preparation(resize="squash"):
    return Preparation(size=32, mean=(0.5,) * 3, std=(0.25,) * 3, resize=resize)


def outputs(*, seed=0, grids=(8, 8, 8, 4)):
    random = np.random.default_rng(seed)
    maps = tuple(random.normal(size=(1, 3, grid, grid)).astype(np.float32) for grid in grids)
    logits = np.zeros((1, 3), np.float32)
    return Outputs(logits=logits, auxiliary_logits=(logits,) * (len(grids) - 1), features=logits, maps=maps)


def one_bright_place(row, column, *, grid=8):
    """One depth that speaks for "b" at a single place."""
    maps = np.zeros((1, 3, grid, grid), np.float32)
    maps[0, 1, row, column] = 5
    logits = np.zeros((1, 3), np.float32)
    return Outputs(logits=logits, auxiliary_logits=(), features=logits, maps=(maps,))


def layer(maps, **fields):
    plain = {"diagnosis": "b", "depth": "final", "size": (160, 80)}
    return np.asarray(Image.open(io.BytesIO(overlay(maps, **plain | fields))))


@pytest.mark.parametrize("depth", ["fused", "final", "stage_1", "stage_3"])
def test_a_kept_map_is_the_one_that_came_with_the_answer(depth):
    """But for the third digit; its greatest place is 1."""
    said = outputs()
    expected = in_pass_maps(said, Question(2))[depth]
    above = expected if depth == "fused" else np.maximum(expected - expected.mean(), 0)

    kept = kept_maps([said], codes=CODES, preparation=preparation())
    found = strength_of(kept, diagnosis="c", depth=depth, size=above.shape[::-1], picture=0)

    np.testing.assert_allclose(found, above / above.max(), atol=3e-3)


def test_a_map_is_a_layer_of_one_colour_in_the_size_that_is_asked_for():
    """The stronger a place, the less is seen through it."""
    found = layer(kept_maps([one_bright_place(2, 6)], codes=CODES, preparation=preparation()))

    assert found.shape == (80, 160, 4)
    assert np.ptp(found[..., :3], axis=(0, 1)).max() == 0
    assert found[..., 3].max() == 255
    assert found[25, 130, 3] == 255  # row 2 of 8, column 6 of 8
    assert found[70, 10, 3] == 0


def test_a_map_finds_its_way_back_onto_a_cropped_picture():
    """The middle square was seen; beyond it nothing is claimed."""
    found = layer(kept_maps([one_bright_place(2, 7)], codes=CODES, preparation=preparation("crop")))

    assert found[25, 115, 3] == 255  # the square lies at columns 40 to 119
    assert found[:, :40, 3].max() == 0
    assert found[:, 120:, 3].max() == 0


def test_a_map_finds_its_way_back_onto_a_padded_picture():
    """What was seen beside the picture is left out."""
    found = layer(kept_maps([one_bright_place(2, 6)], codes=CODES, preparation=preparation("pad")))

    assert found[10, 130, 3] == 255  # the picture lay in rows 2 to 5 of 8


def test_a_map_that_is_the_same_everywhere_shows_nothing():
    """No place is stronger than another."""
    flat = one_bright_place(0, 0)
    flat.maps[0][:] = 1

    assert layer(kept_maps([flat], codes=CODES, preparation=preparation()))[..., 3].max() == 0


def test_each_picture_has_its_own_maps_and_one_that_was_not_judged_has_none():
    """By the picture's number."""
    kept = kept_maps([one_bright_place(0, 0), None, one_bright_place(7, 7)], codes=CODES, preparation=preparation())

    assert layer(kept, picture=0)[0, 0, 3] == 255
    assert layer(kept, picture=2)[-1, -1, 3] == 255
    with pytest.raises(LookupError):
        layer(kept, picture=1)


@pytest.mark.parametrize("wrong", [{"diagnosis": "mel"}, {"depth": "stage_9"}, {"picture": 1}])
def test_what_was_not_kept_is_an_error_of_looking_it_up(wrong):
    """A page makes a 404 of it."""
    with pytest.raises(LookupError):
        layer(kept_maps([outputs()], codes=CODES, preparation=preparation()), **wrong)


def test_maps_are_kept_small_and_hold_nothing_that_runs():
    """Half precision; read without pickle."""
    kept = kept_maps([outputs(grids=(48, 48, 48, 12))], codes=CODES, preparation=preparation())

    assert len(kept) < 3 * 2 * (3 * 48 * 48 + 12 * 12) * 1.05 + 2_000
    with np.load(io.BytesIO(kept), allow_pickle=False) as file:
        assert {file[name].dtype.name for name in file.files} == {"uint8", "float16"}
