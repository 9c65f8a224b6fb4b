"""Two treatments in the hands of each reader by himself, as analyses of Obuchowski and Rockette print beside the test.

With one reader fixed, what varies are the cases: the variance is that of his own paired difference, by jackknife or
DeLong, and the distribution is normal. It says how this reader would do on other cases, and nothing of other readers.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.stats.mrmc.contrasts import Contrast
from cutis.stats.mrmc.endpoints import measure_raters
from cutis.stats.mrmc.outcome import estimate_of, figure_of
from cutis.stats.mrmc.study import Asked, Study, checked
from cutis.vocabulary.estimate import Estimate


class OneReader(NamedTuple):
    """What a single reader does with two treatments."""

    figures: tuple[Estimate, Estimate]
    difference: Estimate  # the first less the second
    p: float | None  # two-sided, not adjusted for the number of readers


def each_reader(
    truth: NDArray[np.int64] | NDArray[np.bool_],
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    *,
    asked: Asked | None = None,
) -> tuple[OneReader | None, ...]:
    """Return the two figures of each of R readers and their difference; None of a reader who lacks one of them.

    Args:
        truth: (N,) as of `two_treatments`.
        first: (R, N) what the readers said with a treatment, NaN where one did not read a case.
        second: (R, N) with its reference.
        asked: how; AUC, if not given. Readers are fixed, whatever it says.

    Raises:
        UserError: something is unknown, or there is no sound method for it.
    """
    asked = replace(asked or Asked(), random="cases")
    study = checked(truth, np.stack([np.atleast_2d(first), np.atleast_2d(second)]), asked)
    readers = study.scores.shape[1]
    return tuple(_one(study, study.scores[:, place]) for place in range(readers))


def _one(study: Study, scores: NDArray[np.float64]) -> OneReader | None:
    values, covariance = measure_raters(
        scores,
        study.truth,
        endpoint=study.asked.endpoint,
        covariance=study.asked.covariance,
        of_case=study.asked.of_case,
    )
    if not (np.isfinite(values).all() and np.isfinite(covariance).all()):
        return None
    method, units = f"{study.asked.covariance}, this reader on other cases", min(study.units)

    def contrast(lead: tuple[float, float]) -> Contrast:
        weights = np.array(lead)
        variance = max(float(weights @ covariance @ weights), 0.0)
        return Contrast(weights @ values, np.sqrt(np.asarray(variance)), np.asarray(np.inf))

    apart = contrast((1, -1))
    difference = estimate_of(apart, study.asked, method=method, units=units)
    first, second = (figure_of(contrast(lead), study.asked, method=method, units=units) for lead in ((1, 0), (0, 1)))
    return OneReader((first, second), difference, float(apart.p) if difference.low is not None else None)
