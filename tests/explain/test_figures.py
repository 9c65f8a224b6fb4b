"""A figure is the same file each time."""

from __future__ import annotations

from matplotlib.figure import Figure

from cutis.explain.figures import save_figure


def test_the_same_figure_is_the_same_file(tmp_path):
    """Neither date nor chance gets into a figure."""
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        figure = Figure()
        axes = figure.subplots()
        axes.scatter([0, 1, 2], [1, 0, 2], clip_on=True)
        axes.set_title("the same")
        for suffix in ("png", "svg"):
            save_figure(tmp_path / name / f"figure.{suffix}", figure)

    for suffix in ("png", "svg"):
        one, other = ((tmp_path / name / f"figure.{suffix}").read_bytes() for name in ("one", "other"))
        assert one == other
        assert b"format 1" in one
