"""How every figure of this room looks and is saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from cutis.vocabulary.files import stamp, written_aside

WIDTH = 640 / 96  # inches, as a browser counts pixels
STYLE: Any = {  # matplotlib types its keys one by one
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial"],
    "font.size": 8,
    "svg.fonttype": "none",
}
GREY = "#666666"
# Seven colours that stay apart in every kind of colour blindness (Okabe and Ito 2008), eight markers: 56 pairs.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
UNWANTED = {".svg": "Date", ".png": "Software"}


def save_figure(path: Path, figure: Figure) -> None:
    """Write a figure as SVG or PNG by its suffix, without a date, so that the same figure is the same file."""
    kind = stamp("figure")
    about = {"Description": f"cutis {kind['kind']}, format {kind['format']}", UNWANTED[path.suffix]: None}
    with mpl.rc_context(STYLE | {"svg.hashsalt": path.name}), written_aside(path) as aside:
        figure.savefig(aside, format=path.suffix[1:], metadata=about, dpi=192)
