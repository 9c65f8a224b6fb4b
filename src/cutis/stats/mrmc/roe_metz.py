"""Invented reader studies, after Roe and Metz: how a rating comes about, and how much of it is whose.

A rating is a mean, that depends on treatment and truth, and six normal parts: of the reader, of the reader with this
treatment, of the case, of the case with this treatment, of the case with this reader, and of this one rating. The last
four have a variance of 1 together. Readers differ for diseased and for healthy cases independently.

Four structures of variances carry names in the literature: data that correlate highly (H) or little (L), with readers
who differ much (H) or little (L). How much readers differ is given for areas of .702, .855 and .961, that is for means
of .75, 1.5 and 2.5; between them it is interpolated. Roe and Metz, Academic Radiology 4:298 (1997), table 1.

An answer of yes or no is a rating cut at a threshold. So a share of right answers is simulated by the same structures.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Structure = Literal["HL", "LL", "HH", "LH"]

MEANS = (0.75, 1.5, 2.5)
STRUCTURES: dict[Structure, str] = {
    "HL": "high data correlation, low reader variance",
    "LL": "low data correlation, low reader variance",
    "HH": "high data correlation, high reader variance",
    "LH": "low data correlation, high reader variance",
}
_OF_READERS = {"L": (0.0055, 0.0055, 0.0055), "H": (0.011, 0.03, 0.056)}  # at each of the means
_OF_CASES = {"H": (0.3, 0.3, 0.2, 0.2), "L": (0.1, 0.1, 0.2, 0.6)}


@dataclass(frozen=True, kw_only=True)
class Variances:
    """Of each part of a rating."""

    reader: float
    treatment_reader: float
    case: float
    treatment_case: float
    reader_case: float
    error: float

    @property
    def of_reader(self) -> float:
        """What readers add to the variance of a rating."""
        return self.reader + self.treatment_reader

    def mean_for_area(self, area: float, *, is_network: bool = False) -> float:
        """Return how much higher a diseased case is rated, so that the expected area is this one."""
        own = 0.0 if is_network else self.of_reader
        return NormalDist().inv_cdf(area) * math.sqrt(2 * (1 + own))

    def mean_for_share(self, share: float, *, is_network: bool = False) -> float:
        """Return how far a case is rated above the threshold, so that the expected share of right answers is this."""
        own = 0.0 if is_network else self.of_reader
        return NormalDist().inv_cdf(share) * math.sqrt(1 + own)


def variances_of(structure: Structure, *, area: float) -> Variances:
    """Return the variances of a named structure, at an area of the mean reader."""
    cases, readers = structure[0], structure[1]
    mean = NormalDist().inv_cdf(area) * math.sqrt(2)
    own = float(np.interp(mean, MEANS, _OF_READERS[readers]))
    case, treatment_case, reader_case, error = _OF_CASES[cases]
    return Variances(
        reader=own,
        treatment_reader=own,
        case=case,
        treatment_case=treatment_case,
        reader_case=reader_case,
        error=error,
    )


def invent_ratings(
    truth: NDArray[np.int64],
    means: NDArray[np.float64],
    variances: Variances,
    *,
    studies: int,
    readers: int,
    generator: np.random.Generator,
) -> NDArray[np.float64]:
    """Return the ratings (S, T, R, N) of studies, all readers with all treatments and cases.

    Args:
        truth: (N,) 0 or 1.
        means: (T,) or (T, N) what is added to the ratings of a treatment, of diseased cases or of each case.
        variances: of the parts.
        studies: how many.
        readers: how many in each.
        generator: the chance that draws.
    """
    treatments, cases = len(means), len(truth)
    expected = means if means.ndim > 1 else means[:, None] * truth
    parts = (
        (variances.reader, (studies, 1, readers, 2)),
        (variances.treatment_reader, (studies, treatments, readers, 2)),
    )
    by_reader = sum(math.sqrt(part) * generator.standard_normal(shape) for part, shape in parts)
    ratings: NDArray[np.float64] = expected[:, None, :] + np.asarray(by_reader)[..., truth]
    for part, shape in (
        (variances.case, (studies, 1, 1, cases)),
        (variances.treatment_case, (studies, treatments, 1, cases)),
        (variances.reader_case, (studies, 1, readers, cases)),
        (variances.error, (studies, treatments, readers, cases)),
    ):
        ratings = ratings + math.sqrt(part) * generator.standard_normal(shape)
    return ratings


def invent_network_and_readers(
    truth: NDArray[np.int64],
    means: tuple[NDArray[np.float64], NDArray[np.float64]],
    variances: Variances,
    *,
    studies: int,
    readers: int,
    generator: np.random.Generator,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the ratings of a network (S, N) and of readers (S, R, N), who find the same cases hard.

    The network is one, and not one of many: nothing of it is drawn but its cases. It shares with the readers what is
    the case's, has the case's with its own treatment for itself, and nobody's is the rest of its rating.

    Args:
        truth: (N,) 0 or 1.
        means: of each case (N,), for the network and for the readers.
        variances: of the parts.
        studies: how many.
        readers: how many in each.
        generator: the chance that draws.
    """
    cases = len(truth)
    shared = math.sqrt(variances.case) * generator.standard_normal((studies, cases))
    alone = Variances(
        reader=variances.of_reader,
        treatment_reader=0.0,
        case=0.0,
        treatment_case=variances.treatment_case,
        reader_case=0.0,
        error=variances.reader_case + variances.error,
    )
    theirs = invent_ratings(truth, means[1][None], alone, studies=studies, readers=readers, generator=generator)[:, 0]
    own = math.sqrt(1 - variances.case) * generator.standard_normal((studies, cases))
    return means[0] + shared + own, theirs + shared[:, None, :]
