"""An atlas on paper tells every diagnosis from every other, and stays a small file."""

from __future__ import annotations

import numpy as np
import pytest

from cutis.explain.atlas.figures import Called, Panel, atlas_figure, depths_figure
from cutis.explain.figures import save_figure
from cutis.vocabulary.taxonomy import load_taxonomy
from factories import a_taxonomy


def test_every_diagnosis_of_fourteen_has_a_mark_of_its_own():
    """Colour and shape together tell them apart; wrong answers have a ring, and none is lost."""
    taxonomy = load_taxonomy("zhu14")
    truth = np.arange(42) % 14
    answers = np.where(np.arange(42) < 14, (truth + 1) % 14, truth)

    figure = atlas_figure(np.random.default_rng(0).normal(size=(42, 2)), Called(truth, answers), taxonomy, of_what="")

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


def test_a_case_that_was_asked_for_is_pointed_at_by_its_name():
    """With a ring of its own, also where nobody knows what it is."""
    places, called = np.eye(12)[:, :2], Called(np.array([*[0] * 11, -1]), np.zeros(12, int))

    figure = atlas_figure(places, called, a_taxonomy(), of_what="", marked=[("case0011", places[11])])

    assert [text.get_text() for text in figure.axes[0].texts] == ["case0011"]


@pytest.mark.parametrize(("cases", "pictures"), [(300, 0), (5000, 1)])
def test_many_points_are_one_picture_within_the_figure(cases, pictures, tmp_path):
    """Thirteen thousand drawn one by one would be a file of many megabytes; letters stay letters."""
    places = np.random.default_rng(0).normal(size=(cases, 2))
    figure = atlas_figure(places, Called(*[np.arange(cases) % 3] * 2), a_taxonomy(), of_what="beneath")

    save_figure(tmp_path / "atlas.svg", figure)

    drawn = (tmp_path / "atlas.svg").read_text()
    assert (drawn.count("<image") > 0) == bool(pictures)
    assert "disease a</text>" in drawn
    assert len(drawn) < 1_500_000


def test_small_maps_stand_in_the_order_of_the_depths():
    """Each with its name and how far it can be trusted; an empty place stays empty."""
    places, called = np.eye(12)[:, :2], Called(np.arange(12) % 3, np.arange(12) % 3)
    names = [*(f"stage {number}" for number in range(1, 7)), "last hidden layer"]

    figure = depths_figure([Panel(name, places, "0.9") for name in names], called, a_taxonomy(), of_what="")

    assert [axes.get_title(loc="left") for axes in figure.axes] == [*names, ""]
    assert not figure.axes[-1].axison
