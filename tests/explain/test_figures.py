"""The atlas tells every diagnosis from every other, and a figure is the same file each time."""

from __future__ import annotations

import numpy as np

from cutis.explain.figures import atlas_figure, save_figure
from cutis.vocabulary.taxonomy import load_taxonomy
from factories import a_taxonomy


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


def test_the_same_figure_is_the_same_file(tmp_path):
    """Neither date nor chance gets into a figure."""
    places, kinds = np.random.default_rng(0).normal(size=(12, 2)), np.arange(12) % 3
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        figure = atlas_figure(places, kinds, kinds, a_taxonomy(), of_what="the same")
        for suffix in ("png", "svg"):
            save_figure(tmp_path / name / f"figure.{suffix}", figure)

    for suffix in ("png", "svg"):
        one, other = ((tmp_path / name / f"figure.{suffix}").read_bytes() for name in ("one", "other"))
        assert one == other
        assert b"format 1" in one
