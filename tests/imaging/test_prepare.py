from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from cutis.imaging.prepare import Preparation, normalise, preparation_from, prepare, spread_back
from cutis.vocabulary.errors import UserError
from factories import a_picture

MEAN, STD = (0.7, 0.5, 0.5), (0.2, 0.1, 0.25)


def preparation(size=32, resize="squash"):
    return Preparation(size, MEAN, STD, resize)


def disc(width, height, centre, radius):
    """A black picture with one white disc."""
    y, x = np.mgrid[:height, :width]
    inside = (x - centre[0]) ** 2 + (y - centre[1]) ** 2 < radius**2
    return Image.fromarray(np.where(inside[..., None], 255, 0).astype(np.uint8).repeat(3, axis=2))


def centre_of(values):
    y, x = np.mgrid[: values.shape[0], : values.shape[1]]
    return (x * values).sum() / values.sum(), (y * values).sum() / values.sum()


def test_a_preparation_survives_the_way_through_json():
    """What a bundle writes it reads back equal, tuples and all."""
    before = preparation(380, "pad")

    after = preparation_from(json.loads(json.dumps(before.to_dict())), where="bundle.json")

    assert after == before


@pytest.mark.parametrize(
    "change",
    [
        {"size": 0},
        {"size": 12.5},
        {"size": "big"},
        {"resize": "stretch"},
        {"resize": ["crop"]},
        {"mean": [0.5, 0.5]},
        {"mean": 3},
        {"mean": ["a", "b", "c"]},
        {"std": [0.1, 0.0, 0.1]},
        {"std": [0.1, float("nan"), 0.1]},
        {"colour": "warm"},
    ],
    ids=str,
)
def test_an_impossible_preparation_is_one_error_that_names_the_file(change):
    """Nothing is guessed from a bundle that says nonsense."""
    data = preparation().to_dict() | change

    with pytest.raises(UserError, match=r"bundle\.json"):
        preparation_from(data, where="bundle.json")


def test_a_preparation_without_its_mean_is_refused():
    data = preparation().to_dict()
    del data["mean"]

    with pytest.raises(UserError, match="mean"):
        preparation_from(data, where="bundle.json")


@pytest.mark.parametrize("resize", ["squash", "crop", "pad"])
@pytest.mark.parametrize(("width", "height"), [(90, 60), (60, 90), (20, 20), (7, 5), (300, 2)])
def test_every_rule_makes_a_square_of_the_asked_size(resize, width, height):
    """Shape and type hold for broad, tall, small and extreme pictures, shrunk or enlarged."""
    prepared = prepare(a_picture(width=width, height=height), preparation(32, resize))

    assert prepared.shape == (32, 32, 3)
    assert prepared.dtype == np.uint8


def test_shrinking_is_antialiased():
    """A fine checkerboard becomes even grey, not a pattern that was never there."""
    board = np.indices((256, 256)).sum(axis=0) % 2 * 255
    picture = Image.fromarray(board.astype(np.uint8)[..., None].repeat(3, axis=2))

    prepared = prepare(picture, preparation(37))

    assert np.abs(prepared.astype(int) - 127).max() <= 6


def test_crop_sees_the_middle_square_only():
    """What lies beyond the square does not touch the prepared picture."""
    pixels = np.full((40, 100, 3), 255, np.uint8)
    pixels[:, 30:70] = (10, 20, 30)

    prepared = prepare(Image.fromarray(pixels), preparation(40, "crop"))

    assert (prepared == (10, 20, 30)).all()


def test_pad_keeps_the_aspect_on_a_ground_that_normalises_to_nothing():
    """A disc stays round, and the padding is the mean colour, near 0 for the network."""
    picture = disc(120, 60, centre=(60, 30), radius=25)

    prepared = prepare(picture, preparation(64, "pad"))

    ground = normalise(prepared[None, :10], preparation(64, "pad"))
    columns, rows = (prepared[16:48, :, 0] > 128).any(axis=0).sum(), (prepared[16:48, :, 0] > 128).any(axis=1).sum()
    assert abs(int(columns) - int(rows)) <= 1
    assert np.abs(ground).max() < 0.5 / 255 / min(STD) + 1e-6


def test_normalise_is_less_mean_divided_by_std_channel_by_channel():
    """Equal to the plain formula, float32, channels first and contiguous for the network."""
    pictures = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), dtype=np.uint8)

    normalised = normalise(pictures, preparation(8))

    plain = ((pictures / 255 - np.array(MEAN)) / np.array(STD)).transpose(0, 3, 1, 2)
    assert normalised.dtype == np.float32
    assert normalised.flags.c_contiguous
    np.testing.assert_allclose(normalised, plain, atol=1e-5)


@pytest.mark.parametrize("resize", ["squash", "crop", "pad"])
@pytest.mark.parametrize(("width", "height"), [(150, 100), (100, 150), (101, 100)])
def test_a_map_comes_back_to_where_its_sign_was(resize, width, height):
    """The centre of a disc, seen in the prepared picture and spread back, is the centre of the disc."""
    picture = disc(width, height, centre=(width / 2 + 15, height / 2 - 20), radius=12)
    seen = prepare(picture, preparation(64, resize))[..., 0].astype(np.float32)
    seen = np.where(seen > 200, seen, 0)  # without the ground of the padding

    spread = spread_back(seen, picture.size, preparation(64, resize))

    assert spread.shape == (height, width)
    assert spread.dtype == np.float32
    assert np.hypot(*np.subtract(centre_of(spread), (width / 2 + 15, height / 2 - 20))) < 1.5


def test_a_coarse_map_spreads_over_the_picture_and_not_beyond_the_crop():
    """A 4 × 4 activation map covers what was seen; what was cut off stays 0; its values stay in their range."""
    coarse = np.random.default_rng(1).uniform(0.5, 1, (4, 4))

    spread = spread_back(coarse, (120, 80), preparation(64, "crop"))

    assert (spread[:, :20] == 0).all()
    assert (spread[:, 100:] == 0).all()
    assert spread[:, 20:100].min() >= 0.5 - 1e-6
    assert spread.max() <= 1 + 1e-6


def test_the_padding_of_a_map_is_left_out():
    """Activation over the padding belongs to no place in the picture."""
    over_padding = np.zeros((64, 64))
    over_padding[:10] = 1

    spread = spread_back(over_padding, (120, 60), preparation(64, "pad"))

    assert (spread == 0).all()
