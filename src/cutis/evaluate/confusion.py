"""The confusion matrix, as counts and as shares of the truth."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cutis.evaluate.figures import UNBROKEN, framed, weight_of
from cutis.vocabulary.taxonomy import Taxonomy

DARK_CELL = 0.55  # from this share on, white figures read better than black ones
UPRIGHT_LABELS = 10  # more of them would touch
SMALLEST_SHARE = 0.005  # that is rounded to a hundredth
LONGEST_NAME = 34  # letters in a line


def confusion_figure(confusion: NDArray[np.int64], taxonomy: Taxonomy, *, of_what: str) -> Figure:
    """Draw how many pictures (K, K) of each truth (row) got each answer, and which share of the row that is."""
    kinds, totals = range(len(taxonomy)), confusion.sum(axis=1)
    shares = confusion / np.maximum(totals, 1)[:, None]
    reading = (
        "Row: truth. Column: answer, the most probable diagnosis. Cell: pictures, and beneath them the share of the "
        "row, which is also the shade. Empty: none. Bold name: malignant."
    )
    with framed(_finding(confusion, taxonomy), of_what, reading, height=0.7 + 0.35 * len(taxonomy)) as figure:
        axes = figure.subplots()
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        for row, column in zip(*np.nonzero(confusion), strict=True):
            ink = "white" if shares[row, column] > DARK_CELL else "black"
            weight = "bold" if row == column else "normal"
            axes.text(column, row - 0.18, f"{confusion[row, column]:,}", **_centred(ink), weight=weight)
            axes.text(column, row + 0.24, _share(shares[row, column]), **_centred(ink), fontsize=7)
        axes.set_xticks(
            kinds,
            [disease.abbreviation for disease in taxonomy.diseases],
            rotation=45 if len(taxonomy) > UPRIGHT_LABELS else 0,
        )
        axes.set_yticks(kinds, [_named(disease.name, disease.abbreviation) for disease in taxonomy.diseases])
        for labels in (axes.get_xticklabels(), axes.get_yticklabels()):
            for label, malignant in zip(labels, taxonomy.malignant, strict=True):
                label.set_fontweight(weight_of(malignant))
        axes.set(xlabel="answer", ylabel="truth")
        right = axes.secondary_yaxis("right")
        right.set_yticks(kinds, [f"n = {total:,}" for total in totals])
        for side in (axes, right):
            side.tick_params(length=0)
            side.spines[:].set_visible(False)
    return figure


def _centred(ink: str) -> dict[str, Any]:
    return {"ha": "center", "va": "center", "color": ink}


def _share(share: float) -> str:
    return f"{share:.0%}" if share >= SMALLEST_SHARE else "<1%"


def _named(name: str, abbreviation: str) -> str:
    """Return a name with its abbreviation in two lines at most."""
    lines = textwrap.wrap(f"{name}{UNBROKEN}·{UNBROKEN}{abbreviation}", LONGEST_NAME)
    if len(lines) > 2:  # noqa: PLR2004  there is room for two
        lines = [textwrap.shorten(name, LONGEST_NAME, placeholder="…"), abbreviation]
    return "\n".join(lines)


def _finding(confusion: NDArray[np.int64], taxonomy: Taxonomy) -> str:
    said = f"Right in {np.trace(confusion):,} of {confusion.sum():,} pictures"
    wrong = confusion - np.diag(np.diag(confusion))
    if not wrong.any():
        return said
    truth, answer = np.unravel_index(wrong.argmax(), wrong.shape)
    names = [disease.abbreviation for disease in taxonomy.diseases]
    of_whom = f"{wrong[truth, answer]:,} of {confusion[truth].sum():,}"
    return f"{said}; most often wrong: {names[truth]} called {names[answer]} ({of_whom})"
