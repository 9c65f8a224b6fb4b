"""Which figures an evaluation has, by the names of their files."""

from __future__ import annotations

from matplotlib.figure import Figure

from cutis.evaluate.figures import confusion_figure, reliability_figure, roc_figure
from cutis.evaluate.findings import Measured
from cutis.evaluate.robustness import Robustness
from cutis.vocabulary.predictions import Predictions
from cutis.vocabulary.taxonomy import Taxonomy


def figures_of(settled: Predictions, measured: Measured, taxonomy: Taxonomy, *, of_what: str) -> dict[str, Figure]:
    """Draw everything that was measured of settled cases; what there is not has no figure."""
    evidence = measured.evidence
    return {
        "confusion": confusion_figure(evidence.confusion, taxonomy, of_what=of_what),
        "roc": roc_figure(settled, evidence.estimates, taxonomy, of_what=of_what),
        "reliability": reliability_figure(measured.calibration, settled.probabilities.max(axis=1), of_what=of_what),
    }


def robustness_figure(robustness: Robustness, *, of_what: str) -> Figure:
    """Draw what is left under each disturbance."""
    raise NotImplementedError
