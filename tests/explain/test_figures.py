"""A figure shows what was measured, where it was measured, and tells every diagnosis from every other."""

from __future__ import annotations

import numpy as np
import pytest

from cutis.explain.figures import atlas_figure, saliency_figure, save_figure
from cutis.explain.saliency import Look
from cutis.imaging.prepare import Preparation
from cutis.vocabulary.taxonomy import load_taxonomy
from factories import a_picture


@pytest.fixture
def seen():
    """An answer whose maps are strongest in the upper left."""
    gradient = np.zeros((32, 32), np.float32)
    gradient[:8, :8] = 0.02
    return Look(answer=0, probability=0.7, gradient=gradient, activation=np.array([[6, 1], [1, 0]], np.float32))


def _maps(figure):
    """The maps over the pictures: of each panel but the first the upper image."""
    return [axes.images[1].get_array() for axes in figure.axes if len(axes.images) == 2]


def test_maps_lie_over_the_picture_they_belong_to(seen):
    """They have its size and its up and left; the gradient's scale ends at its greatest value."""
    figure = saliency_figure(a_picture(width=120, height=90), seen, Preparation(32, (0.5,) * 3, (0.25,) * 3), title="")

    gradient, activation = _maps(figure)
    assert gradient.shape == activation.shape == (90, 120)
    assert gradient.max() == pytest.approx(1)
    assert gradient[:20, :25].mean() > 0.9
    assert gradient[45:, 60:].max() == 0
    assert activation[10, 10] == 6
    assert activation[80, 110] == 0


def test_what_the_network_did_not_see_has_no_value(seen):
    """Beyond a crop the picture stays bare, since zero would be a statement."""
    preparation = Preparation(32, (0.5,) * 3, (0.25,) * 3, resize="crop")

    _, activation = _maps(saliency_figure(a_picture(width=120, height=90), seen, preparation, title=""))

    assert np.ma.getmaskarray(activation)[:, :15].all()
    assert not np.ma.getmaskarray(activation)[:, 15:105].any()


def test_every_diagnosis_of_fourteen_has_a_mark_of_its_own():
    """Colour and shape together tell them apart; wrong answers have a ring, and none is lost."""
    taxonomy = load_taxonomy("zhu14")
    truth = np.arange(42) % 14
    answers = np.where(np.arange(42) < 14, (truth + 1) % 14, truth)

    figure = atlas_figure(np.random.default_rng(0).normal(size=(42, 2)), truth, answers, taxonomy, of_what="")

    drawn = figure.axes[0].collections
    marks = [
        (tuple(each.get_facecolor()[0][:3]), each.get_paths()[0].vertices.tobytes())
        for each in drawn
        if each.get_label() in {disease.name for disease in taxonomy.diseases}
    ]
    black, ringed = (0.0, 0.0, 0.0, 1.0), 0
    for each in drawn:
        edges = each.get_edgecolor()
        ringed += len(each.get_offsets()) * (len(edges) > 0 and each.get_zorder() == 3 and tuple(edges[0]) == black)
    assert len(set(marks)) == 14
    assert ringed == 14
    assert sum(len(each.get_offsets()) for each in drawn) == 42


def test_the_same_figure_is_the_same_file(seen, tmp_path):
    """Neither date nor chance gets into a figure."""
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        figure = saliency_figure(a_picture(), seen, Preparation(32, (0.5,) * 3, (0.25,) * 3), title="the same")
        for suffix in ("png", "svg"):
            save_figure(tmp_path / name / f"figure.{suffix}", figure)

    for suffix in ("png", "svg"):
        one, other = ((tmp_path / name / f"figure.{suffix}").read_bytes() for name in ("one", "other"))
        assert one == other
        assert b"format 1" in one
