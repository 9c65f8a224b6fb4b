"""Curves are drawn where the numbers lie, and pictures become data."""

from __future__ import annotations

import base64
import io

from PIL import Image

from cutis.report.figures import inline_picture, inline_svg, training_curves
from factories import a_picture


def _history(*areas):
    return [
        {
            "epoch": epoch,
            "loss": 3.0 - epoch,
            "tune_macro_auc": area,
            "tune_log_loss": 1.0,
            "tune_macro_auc_auxiliary": [0.5] * 7,
        }
        for epoch, area in enumerate(areas, start=1)
    ]


def test_a_curve_runs_from_the_first_epoch_to_the_last_and_marks_the_chosen_one():
    """High numbers are high on the page; a flat line lies in the middle."""
    loss, flat, areas = training_curves(_history(0.5, 0.9, 0.7), best_epoch=2)

    assert areas.points == "0.0,120.0 150.0,0.0 300.0,60.0"
    assert areas.best == (150.0, 0.0)
    assert areas.others == ("0.0,120.0 150.0,120.0 300.0,120.0",) * 7
    assert (areas.lowest, areas.highest) == ("0.500", "0.900")
    assert loss.points == "0.0,0.0 150.0,60.0 300.0,120.0"
    assert flat.points == "0.0,60.0 150.0,60.0 300.0,60.0"


def test_one_epoch_makes_no_curve():
    """A line needs two points."""
    assert training_curves(_history(0.5), best_epoch=1) == ()


def test_pictures_are_inside_the_page(tmp_path):
    """An SVG goes in as it is, a photograph smaller than it was."""
    (tmp_path / "drawing.svg").write_text("<svg/>")
    a_picture(width=400, height=300).save(tmp_path / "photograph.png")

    drawing = inline_svg(tmp_path / "drawing.svg", alt="a drawing")
    photograph = inline_picture(tmp_path / "photograph.png", alt="a photograph")

    assert base64.b64decode(drawing.source.removeprefix("data:image/svg+xml;base64,")) == b"<svg/>"
    squeezed = base64.b64decode(photograph.source.removeprefix("data:image/webp;base64,"))
    assert Image.open(io.BytesIO(squeezed)).size == (400, 300)
    assert len(squeezed) < (tmp_path / "photograph.png").stat().st_size / 2
