"""A map lies over the picture that it belongs to, where the network saw what it saw."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from cutis.explain.figures import save_figure
from cutis.explain.saliency.drawing import TITLES, depth_overlays, large_overlays, saliency_figure
from cutis.explain.saliency.look import Look
from cutis.explain.saliency.methods import METHODS
from cutis.imaging.decode import decode
from cutis.imaging.prepare import Preparation, prepare
from cutis.runtime.maps import Question, in_pass_maps
from cutis.vocabulary.outputs import Outputs
from factories import a_picture, a_taxonomy

PREPARATION = Preparation(32, (0.5,) * 3, (0.25,) * 3)
LARGE = ("all depths joined", "gradient saliency", "class activation", "class activation, rather than C")


def _look(*, sides=(16, 8, 4, 2, 2, 2, 2, 2), corner=(0, 0)):
    """An answer whose maps are strongest in one corner, and which speaks against the third diagnosis there."""
    maps = []
    for side in sides:
        each = np.zeros((1, 3, side, side), np.float32)
        half = max(1, side // 4)
        rows, columns = (slice(0, half) if first == 0 else slice(-half, None) for first in corner)
        each[0, 0, rows, columns], each[0, 2, rows, columns] = 6, -3
        maps.append(each)
    logits = maps[-1].mean(axis=(2, 3))
    outputs = Outputs(logits=logits, auxiliary_logits=(), features=logits, maps=tuple(maps))
    gradient = np.zeros((32, 32), np.float32)
    gradient[:8, :8] = 0.02
    return Look(
        answer=0,
        probabilities=np.array([0.7, 0.2, 0.1]),
        question=Question(0, 2),
        gradient=gradient,
        maps=in_pass_maps(outputs, Question(0)),
        contrast=in_pass_maps(outputs, Question(0, 2)),
        outputs=outputs,
        asked={},
    )


def _overlays(picture, seen, preparation=PREPARATION):
    return {each.title: each for each in large_overlays(picture, seen, preparation, a_taxonomy())}


def test_maps_lie_over_the_picture_they_belong_to():
    """They have its size and its up and left; relative scales end at the greatest value."""
    overlays = _overlays(a_picture(width=120, height=90), _look())

    assert tuple(overlays) == (*LARGE, "all depths, rather than C")
    for overlay in overlays.values():
        assert overlay.values.shape == (90, 120)
        assert overlay.values[8, 8] == pytest.approx(overlay.values.max(), rel=0.05)
        assert overlay.values[80, 110] < 0.1 * overlay.values[8, 8]
    for title in ("all depths joined", "gradient saliency"):
        assert overlays[title].values.max() == pytest.approx(1)
        assert overlays[title].limits == (0, 1)


def test_scales_say_what_a_map_adds_up_to():
    """Class activation in logits; a comparison with its zero in the middle, in colours that the colour-blind read."""
    overlays = _overlays(a_picture(), _look())

    activation, rather = (overlays[title] for title in LARGE[2:])
    assert activation.label == "2 × 2 places; mean: the logit, 1.50"
    assert rather.label == "red for it, blue for C; mean +2.25"
    assert rather.limits == (-9, 9)
    assert (activation.colours, rather.colours) == ("viridis", "RdBu_r")


def test_every_depth_is_drawn_small_with_its_logit_and_its_places():
    """Shallow to deep, each around its own zero."""
    depths = depth_overlays(a_picture(), _look(), PREPARATION)

    assert [each.title for each in depths] == [*(f"stage {number}" for number in range(1, 8)), "final"]
    assert depths[0].label == "+0.4  (16 × 16)"
    assert all(each.limits[0] == -each.limits[1] for each in depths)


def test_a_network_without_auxiliary_classifiers_has_its_final_map_first_and_no_stack():
    """Nothing is drawn that it does not have."""
    seen = _look(sides=(4,))

    assert tuple(_overlays(a_picture(), seen)) == ("class activation", "gradient saliency", LARGE[3])
    assert depth_overlays(a_picture(), seen, PREPARATION) == ()
    figure = saliency_figure(a_picture(), seen, PREPARATION, taxonomy=a_taxonomy(), title="")
    assert len(figure.subfigs) == 1


@pytest.mark.parametrize(
    ("resize", "width", "height", "unseen"),
    [("crop", 120, 90, np.s_[:, :15]), ("crop", 90, 120, np.s_[:15, :]), ("pad", 120, 90, None)],
)
def test_what_the_network_did_not_see_has_no_value(resize, width, height, unseen):
    """Beyond a crop the picture stays bare, since zero would be a statement; what pads a picture is not drawn."""
    preparation = replace(PREPARATION, resize=resize)

    for overlay in _overlays(a_picture(width=width, height=height), _look(), preparation).values():
        bare = np.isnan(overlay.values)
        assert overlay.values.shape == (height, width)
        assert bare.sum() == (0 if unseen is None else 2 * bare[unseen].size)
        assert unseen is None or bare[unseen].all()


@pytest.mark.parametrize("resize", ["squash", "crop", "pad"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_maps_are_upright_whatever_the_originals_orientation(tmp_path, resize, orientation):
    """A mark that lies in one corner of the upright picture lies under the map of that corner, however it was saved."""
    picture = Image.new("RGB", (120, 90), "white")
    picture.paste("black", (0, 0, 30, 22))
    _save_turned(tmp_path / "turned.png", picture, orientation)
    preparation = replace(PREPARATION, resize=resize)

    upright = decode(tmp_path / "turned.png")

    darkest = prepare(upright, preparation).mean(axis=2)
    seen = _look()._replace(gradient=(darkest < 64).astype(np.float32))
    over = _overlays(upright, seen, preparation)["gradient saliency"].values
    dark = np.asarray(upright.convert("L")) < 64
    assert upright.size == (120, 90)
    assert dark[:20, 20:28].all()
    assert np.nanmean(over[:18, 16:26]) > 0.9
    assert np.nanmax(over[30:, 40:]) == 0


def _save_turned(path, upright, orientation):
    """Save a picture on its side or mirrored, with the tag that says how to right it."""
    ways = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    turned = upright.transpose(ways[orientation]) if orientation in ways else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned.save(path, exif=exif)


def test_methods_that_were_asked_for_come_last_on_scales_of_their_own():
    """What has a sign is red and blue around zero; what failed its examination is not among them."""
    signed = np.zeros((32, 32), np.float32)
    signed[:8, :8], signed[-8:, -8:] = 4, -2
    seen = _look()._replace(asked={"occlusion": signed, "smoothgrad": np.abs(signed)})

    *_, occlusion, smoothgrad = large_overlays(a_picture(), seen, PREPARATION, a_taxonomy())
    figure = saliency_figure(
        a_picture(), seen, PREPARATION, taxonomy=a_taxonomy(), title="", offered=("fused", "occlusion")
    )

    assert (occlusion.title, occlusion.limits, occlusion.colours) == ("occlusion", (-1, 1), "RdBu_r")
    assert occlusion.values[0, 0] == pytest.approx(1)
    assert occlusion.values[-1, -1] == pytest.approx(-0.5)
    assert (smoothgrad.title, smoothgrad.limits, smoothgrad.colours) == ("SmoothGrad", (0, 1), "viridis")
    drawn = {axes.get_title(loc="left") for axes in figure.subfigs[0].axes}
    assert "occlusion" in drawn
    assert "SmoothGrad" not in drawn


def test_every_method_that_can_be_asked_for_has_a_title():
    """A new one cannot be forgotten."""
    can_be_asked_for = {name for name, method in METHODS.items() if not method.in_pass} - {"gradient"}

    assert set(TITLES) == can_be_asked_for


def test_the_strongest_tenth_is_outlined_on_the_picture_in_its_colours():
    """A light line on a dark one; where a map has no strongest part there is none."""
    drawn = saliency_figure(a_picture(), _look(), PREPARATION, taxonomy=a_taxonomy(), title="").subfigs[0].axes[0]
    flat = _look()
    flat.maps["fused"][:] = 1

    bare = saliency_figure(a_picture(), flat, PREPARATION, taxonomy=a_taxonomy(), title="").subfigs[0].axes[0]

    assert len(drawn.images) == len(bare.images) == 1
    assert [each.get_edgecolor()[0].tolist() for each in drawn.collections] == [[0, 0, 0, 1], [1, 1, 1, 1]]
    assert not bare.collections


def test_the_same_figure_is_the_same_file(tmp_path):
    """Neither date nor chance gets into a figure."""
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        figure = saliency_figure(a_picture(), _look(), PREPARATION, taxonomy=a_taxonomy(), title="the same")
        save_figure(tmp_path / name / "figure.png", figure)

    one, other = ((tmp_path / name / "figure.png").read_bytes() for name in ("one", "other"))
    assert one == other
    assert b"format 1" in one
