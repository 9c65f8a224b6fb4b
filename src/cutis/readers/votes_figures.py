"""What counted votes show: the network beside every group of readers."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cutis.readers.drawing import BLUE, DASHED, GREY, SMALL, VERMILION, draw_row, framed, name_rows, spoken
from cutis.readers.scoring.questions import ACCURACY, BALANCED, SENSITIVITY, SPECIFICITY
from cutis.readers.scoring.votes import DIFFERENCE, Group, Scored

# Colours that stay apart in every kind of colour blindness (Okabe and Ito 2008), each with a shape of its own.
LOOKS = ((BLUE, "o"), (VERMILION, "s"), ("#009e73", "^"), ("#cc79a7", "D"), ("#000000", "v"))
ROW = 0.13  # inches of a group within a row
STRIP = 0.26  # inches of the legend
LONGEST = 24  # letters of a diagnosis in one line


def groups_figure(scored: Scored, names: Mapping[str, str], *, of_what: str) -> Figure:
    """Draw how far the network lies from each group of voters, by diagnosis."""
    groups, codes = scored.groups, tuple(names)
    said = [f"{group.name} {spoken(group.estimates[f'{DIFFERENCE}/{BALANCED}'], signed=True)}" for group in groups]
    title = f"Balanced accuracy of the network less that of {'; '.join(said)}"
    reading = (
        "Points: the network's figure less that of the votes, each image counting the same; bars: 95% intervals over "
        "images that belong together, for these readers. Right of the line: the network is better. Groups overlap, so "
        "that their points are not independent."
    )
    height = 1.1 + ROW * (len(groups) + 1) * (len(codes) + 2)
    with framed(title, of_what, reading, height=height) as figure:
        parts: Any = figure.subfigures(2, 1, height_ratios=(STRIP, height))  # matplotlib types it as one part
        left, right = parts[1].subplots(1, 2, sharey=True).ravel()
        _draw_panel(left, groups, [ACCURACY, BALANCED, *(f"{SENSITIVITY}/{code}" for code in codes)])
        _draw_panel(right, groups, ["", "", *(f"{SPECIFICITY}/{code}" for code in codes)])
        rows = ["accuracy", "balanced accuracy", *(textwrap.fill(names[code], LONGEST) for code in codes)]
        for axes in (right, left):
            name_rows(axes, rows)
        right.tick_params(labelleft=False)
        left.set_xlabel("sensitivity, network − readers")
        right.set_xlabel("specificity, network − readers")
        handles = [
            left.plot([], [], marker, color=colour, label=group.name)[0]
            for group, (colour, marker) in zip(groups, LOOKS, strict=False)
        ]
        parts[0].legend(handles=handles, loc="center left", ncols=5, frameon=False, fontsize=SMALL)
    return figure


def _draw_panel(axes: Axes, groups: Sequence[Group], rows: Sequence[str]) -> None:
    axes.axvline(0, color=GREY, linewidth=0.8, linestyle=DASHED)
    for row, name in enumerate(rows):
        for place, (group, (colour, marker)) in enumerate(zip(groups, LOOKS, strict=False)):
            at = row + (place - (len(groups) - 1) / 2) * 0.8 / len(groups)
            estimate = group.estimates.get(f"{DIFFERENCE}/{name}")
            if estimate is not None:
                draw_row(axes, at, estimate, colour=colour, marker=marker)
