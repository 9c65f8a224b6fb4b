"""Pictures are disturbed in a known way, the same way each time, and the more the stronger."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cutis.imaging.disturbances import DISTURBANCES, KINDS, Disturbance, disturbed
from cutis.imaging.quality import measure_quality
from factories import a_picture, a_scene

SCENE = a_scene(width=240, height=180)
NAMES = [kind.name for kind in KINDS]
BY_NAME = {each.name: each for each in DISTURBANCES}


def pixels(picture):
    return np.asarray(picture).astype(np.float64)


def distance(disturbance, seed="one", scene=SCENE):
    return np.abs(pixels(disturbed(scene, disturbance, seed=seed)) - pixels(scene)).mean()


@pytest.mark.parametrize("disturbance", DISTURBANCES, ids=lambda each: each.name)
@pytest.mark.parametrize("size", [(240, 180), (180, 240), (64, 64), (200, 3)])
def test_a_disturbed_picture_is_an_rgb_picture_of_the_same_size(disturbance, size):
    """Broad, tall, small and extreme; only a quarter turn exchanges width and height."""
    scene = a_picture(width=size[0], height=size[1])

    found = disturbed(scene, disturbance, seed="one")

    turned = disturbance.name == "rotation 3"
    assert found.mode == "RGB"
    assert found.size == (size[::-1] if turned else size)


@pytest.mark.parametrize("disturbance", DISTURBANCES, ids=lambda each: each.name)
def test_the_same_picture_is_always_disturbed_alike(disturbance):
    """Its seed alone decides, and the picture itself is left as it was."""
    scene = SCENE.copy()

    first, second = (disturbed(scene, disturbance, seed="one") for _ in range(2))

    assert first.tobytes() == second.tobytes()
    assert scene.tobytes() == SCENE.tobytes()
    assert first.tobytes() != SCENE.tobytes()


@pytest.mark.parametrize("name", [name for name in NAMES if name != "rotation"])
def test_each_strength_changes_more_than_the_one_below(name):
    """Mean distance of the pixels; turned pictures have nothing to be compared pixel by pixel."""
    weak, middle, strong = (distance(BY_NAME[f"{name} {strength}"]) for strength in (1, 2, 3))

    assert 0 < weak < middle < strong


@pytest.mark.parametrize("name", ["hairs", "ruler", "hue", "white balance"])
def test_chance_belongs_to_the_picture(name):
    """Another picture gets other hairs; over many, both ways are gone."""
    found = {disturbed(SCENE, BY_NAME[f"{name} 2"], seed=str(seed)).tobytes() for seed in range(12)}

    assert len(found) >= 2


def test_more_hairs_are_those_of_before_and_others():
    """Wherever a weaker strength has a hair, the stronger one has it, too."""
    dark = [
        np.abs(pixels(disturbed(SCENE, BY_NAME[f"hairs {s}"], seed="x")) - pixels(SCENE)).sum(axis=2) > 60
        for s in (1, 3)
    ]

    assert dark[0].any()
    assert (dark[1] | ~dark[0]).mean() > 0.999
    assert dark[1].sum() > 3 * dark[0].sum()


@pytest.mark.parametrize("name", ["blur 2", "hairs 2", "ruler 2", "hue 2", "darker 2"])
def test_the_size_of_a_picture_does_not_matter(name):
    """Twice the picture, disturbed and then halved, is about the picture disturbed."""
    large = SCENE.resize((480, 360), Image.Resampling.BICUBIC)

    halved = disturbed(large, BY_NAME[name], seed="one").resize(SCENE.size, Image.Resampling.BOX)

    apart = np.abs(pixels(halved) - pixels(disturbed(SCENE, BY_NAME[name], seed="one"))).mean()
    assert apart < max(0.25 * distance(BY_NAME[name]), 1.2)


def test_a_turned_picture_has_no_black_corner():
    """What comes into view is mirrored skin."""
    white = Image.new("RGB", (120, 80), (250, 250, 250))

    for name in ("rotation 1", "rotation 2"):
        assert pixels(disturbed(white, BY_NAME[name], seed="one")).min() >= 249


def test_a_quarter_turn_moves_every_pixel_and_changes_none():
    """Either way, without any resampling."""
    found = pixels(disturbed(SCENE, BY_NAME["rotation 3"], seed="one"))

    assert any(np.array_equal(found, np.rot90(pixels(SCENE), turns)) for turns in (1, 3))


def test_hue_leaves_grey_and_the_sum_of_the_channels():
    """Colours are turned about the grey axis."""
    grey, skin = Image.new("RGB", (8, 8), (120, 120, 120)), Image.new("RGB", (8, 8), (180, 140, 120))

    turned = pixels(disturbed(skin, BY_NAME["hue 3"], seed="one"))[0, 0]

    assert np.abs(pixels(disturbed(grey, BY_NAME["hue 3"], seed="one")) - 120).max() <= 1
    assert turned.sum() == pytest.approx(440, abs=2)
    assert np.abs(turned - [180, 140, 120]).max() > 5


def test_light_is_what_it_says():
    """Every value times the level; gamma leaves black and white."""
    steps = Image.fromarray(np.repeat(np.array([[0, 50, 100, 255]], np.uint8)[..., None], 3, axis=2))

    darker = pixels(disturbed(steps, BY_NAME["darker 3"], seed="one"))[0, :, 0]
    brighter = pixels(disturbed(steps, BY_NAME["brighter 3"], seed="one"))[0, :, 0]
    gamma = pixels(disturbed(steps, BY_NAME["gamma 3"], seed="one"))[0, :, 0]

    np.testing.assert_allclose(darker, [0, 20, 40, 102], atol=1)
    np.testing.assert_allclose(brighter, [0, 80, 160, 255], atol=1)
    np.testing.assert_allclose(gamma, [0, 255 * (50 / 255) ** 2, 255 * (100 / 255) ** 2, 255], atol=1)


def test_blur_takes_sharpness_by_our_own_measure():
    """The strongest is far less sharp than the picture."""
    before, after = (measure_quality(each).sharpness for each in (SCENE, disturbed(SCENE, BY_NAME["blur 3"], seed="x")))

    assert after < before


def test_a_ruler_stays_at_its_edge():
    """The middle of the picture is as it was."""
    found = pixels(disturbed(SCENE, BY_NAME["ruler 3"], seed="one"))

    changed = np.abs(found - pixels(SCENE)).sum(axis=2) > 0
    edges = (changed[:22].any(), changed[-22:].any(), changed[:, :22].any(), changed[:, -22:].any())
    assert not changed[30:-30, 30:-30].any()
    assert any(edges)


def test_every_disturbance_says_what_it_does():
    """By a short name and in words, each its own."""
    assert len({each.name for each in DISTURBANCES}) == len({str(each) for each in DISTURBANCES}) == 3 * len(KINDS)
    assert str(BY_NAME["JPEG 3"]) == "saved as JPEG of quality 20"
    assert isinstance(BY_NAME["JPEG 3"], Disturbance)
