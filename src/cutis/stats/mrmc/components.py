"""Mean squares and covariances of T treatments × R readers, after Obuchowski and Rockette.

The figure of reader j with treatment i is a mean, an effect of the reader, one of the reader with this treatment, and
an error from the cases. The errors have four (co)variances: of one figure; of one reader's with two treatments (1); of
two readers' with one treatment (2); of two readers' with two treatments (3). Each is a mean over all pairs of its kind,
pairs without a case in common counting as 0, which makes the formulas below hold for split-plot designs and for cases
nested within readers or within treatments too (Hillis, Statistics in Medicine 33:330, 2014).

Obuchowski and Rockette, Communications in Statistics – Simulation and Computation 24:285 (1995).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

ROUNDING = 1e-9


class Components(NamedTuple):
    """Of any number of studies (…) at once; what needs two treatments or two readers is 0 where there is one."""

    treatments: int
    readers: int  # of each treatment
    ms_treatment: NDArray[np.float64]  # (…)
    ms_reader: NDArray[np.float64]
    ms_interaction: NDArray[np.float64]
    variance: NDArray[np.float64]
    covariance_1: NDArray[np.float64]
    covariance_2: NDArray[np.float64]
    covariance_3: NDArray[np.float64]

    @property
    def between_readers(self) -> NDArray[np.float64]:
        """By how much two readers vary together more with the same treatment than with two; never below 0."""
        return np.maximum(self.covariance_2 - self.covariance_3, 0.0)

    @property
    def is_constrained(self) -> bool:
        """Whether that came out below 0, by more than rounding."""
        return bool(np.any(self.covariance_2 - self.covariance_3 < -ROUNDING * self.variance))


def components_of(values: NDArray[np.float64], covariance: NDArray[np.float64]) -> Components:
    """Return the components of figures (…, T, R) with their covariance (…, T · R, T · R)."""
    treatments, readers = values.shape[-2:]
    cells = covariance.reshape(*covariance.shape[:-2], treatments, readers, treatments, readers)
    alone = np.einsum("...ijij->...", cells)
    same_reader = np.einsum("...ijkj->...", cells) - alone
    same_treatment = np.einsum("...ijil->...", cells) - alone
    neither = cells.sum(axis=(-4, -3, -2, -1)) - same_reader - same_treatment - alone
    pairs_of_treatments, pairs_of_readers = treatments * (treatments - 1), readers * (readers - 1)
    by_treatment, by_reader = values.mean(axis=-1), values.mean(axis=-2)
    middle = values.mean(axis=(-1, -2))
    rest = values - by_treatment[..., None] - by_reader[..., None, :] + middle[..., None, None]
    return Components(
        treatments=treatments,
        readers=readers,
        ms_treatment=_per(readers * _squares(by_treatment - middle[..., None], 1), treatments - 1),
        ms_reader=_per(treatments * _squares(by_reader - middle[..., None], 1), readers - 1),
        ms_interaction=_per(_squares(rest, 2), (treatments - 1) * (readers - 1)),
        variance=alone / (treatments * readers),
        covariance_1=_per(same_reader, pairs_of_treatments * readers),
        covariance_2=_per(same_treatment, treatments * pairs_of_readers),
        covariance_3=_per(neither, pairs_of_treatments * pairs_of_readers),
    )


def _squares(values: NDArray[np.float64], axes: int) -> NDArray[np.float64]:
    squared: NDArray[np.float64] = np.square(values).sum(axis=tuple(range(-axes, 0)))
    return squared


def _per(total: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    return total / count if count else np.zeros_like(total)
