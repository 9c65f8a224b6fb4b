"""Which figures an evaluation has, by the names of their files."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from cutis.evaluate.confusion import confusion_figure
from cutis.evaluate.curves import ROUNDS, curves_of
from cutis.evaluate.findings import Measured
from cutis.evaluate.forests import forest_figure, subgroups_figure
from cutis.evaluate.lines import decision_curve_figure, risk_coverage_figure
from cutis.evaluate.panels import precision_recall_figure, roc_figure
from cutis.evaluate.reliability import reliability_by_diagnosis_figure, reliability_figure
from cutis.vocabulary.predictions import Predictions
from cutis.vocabulary.taxonomy import Taxonomy


def figures_of(
    settled: Predictions,
    measured: Measured,
    taxonomy: Taxonomy,
    *,
    of_what: str,
    generator: np.random.Generator,
    rounds: int = ROUNDS,
) -> dict[str, Figure]:
    """Draw everything that was measured of settled cases; what there is not has no figure.

    Args:
        settled: with truth.
        measured: of the same.
        taxonomy: names the diagnoses.
        of_what: which network on which pictures; stands beneath every figure.
        generator: the chance that draws the rounds of the bands.
        rounds: how many.
    """
    evidence, calibration = measured.evidence, measured.calibration
    curves = curves_of(settled, generator=generator, rounds=rounds)
    figures = {
        "confusion": confusion_figure(evidence.confusion, taxonomy, of_what=of_what),
        "roc": roc_figure(curves, evidence, taxonomy, of_what=of_what),
        "precision_recall": precision_recall_figure(curves, evidence, taxonomy, of_what=of_what),
        "forest": forest_figure(evidence, taxonomy, of_what=of_what),
        "reliability": reliability_figure(calibration, settled, of_what=of_what),
        "reliability_by_diagnosis": reliability_by_diagnosis_figure(calibration, settled, taxonomy, of_what=of_what),
    }
    if measured.abstention is not None:
        figures["risk_coverage"] = risk_coverage_figure(measured.abstention, of_what=of_what)
    if measured.decisions is not None:
        figures["decision_curve"] = decision_curve_figure(measured.decisions, of_what=of_what)
    if measured.subgroups.groups:
        figures["subgroups"] = subgroups_figure(measured.subgroups, evidence, of_what=of_what)
    return figures
