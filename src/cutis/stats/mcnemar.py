"""Whether two raters are right equally often on the same cases: McNemar's test, also by patient.

Only discordant cases speak, on which one rater is right and the other is wrong. Images of one patient are no
independent witnesses, so that a patient speaks once, by the *surplus*: the cases that only the other rater has right
less those that only the reference has right. What is tested how follows from the data alone:

- fewer than 25 patients with a surplus: exactly. How often would a surplus as large come about, if in each patient a
  coin had said which rater is which (Fisher's randomisation)? With one case per patient, this is the binomial test.
- 25 or more, one case per patient: McNemar's chi-square, without a correction for continuity. The correction is there
  to be asked for; it makes the test too careful (Fagerland et al., BMC Medical Research Methodology 13:91, 2013).
- 25 or more, several cases of a patient: Obuchowski's chi-square (Statistics in Medicine 17:1495, 1998).

Three tests of clustered pairs need no model of how a patient's images depend on each other. Obuchowski's is the most
careful of them, and is about the accuracy that is reported. The modified one of Yang, Sun and Hardin (Biometrical
Journal 52:638, 2010) finds more, but where patients have unequally many images it is advised from 50 patients on alone.
That of Durkalski et al. (2003) lets each patient count the same, and so is about another accuracy. With one case per
patient, Obuchowski's statistic is McNemar's times (C − 1) / C, of C patients; the plain one is used there.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cutis.stats.resampling import Clusters

Test = Literal["exact", "chi-square", "chi-square, corrected"]

FEWEST_DISCORDANT = 25  # clusters with a surplus, from which on a chi-square distribution is near enough


@dataclass(frozen=True, kw_only=True)
class McNemar:
    """Who is right where the other is wrong, and how probable so much of it is if both are right equally often."""

    only_reference: int  # cases that the reference alone has right
    only_other: int
    statistic: float | None  # chi-square with one degree of freedom; None where the test is exact
    p: float | None  # two-sided; None where nothing can be tested, and the note says why
    method: str
    clusters: int
    cluster_kind: str
    note: str = ""


def mcnemar(
    reference_right: NDArray[np.bool_],
    other_right: NDArray[np.bool_],
    *,
    clusters: Clusters,
    among: NDArray[np.bool_] | None = None,
    test: Test | None = None,
) -> McNemar:
    """Test whether two raters are right equally often.

    Args:
        reference_right: (N,) whether the reference is right.
        other_right: (N,) whether the other is, on the same cases in the same order.
        clusters: which of the N cases belong together.
        among: (N,) the cases that count, such as those with a diagnosis for its sensitivity; all, if not given.
        test: another than the one that follows from the rule at the top of this file.

    Raises:
        ValueError: the lengths differ, or a correction is asked for where a patient has several cases.
    """
    counted = np.ones(len(reference_right), dtype=np.bool_) if among is None else among
    if not len(reference_right) == len(other_right) == len(counted) == len(clusters.of_case):
        raise ValueError("two raters are compared on the same cases")
    lead = (other_right.astype(np.int64) - reference_right)[counted]
    _, cluster, cases = np.unique(clusters.of_case[counted], return_inverse=True, return_counts=True)
    surplus = np.bincount(cluster, weights=lead, minlength=len(cases)).astype(np.int64)
    note = _nothing_to_test(lead, surplus, clusters.kind)
    statistic, p, method = (None, None, "none") if note else _tested(surplus, test, several=bool((cases > 1).any()))
    return McNemar(
        only_reference=int(np.count_nonzero(lead < 0)),
        only_other=int(np.count_nonzero(lead > 0)),
        statistic=statistic,
        p=p,
        method=method,
        clusters=len(surplus),
        cluster_kind=clusters.kind,
        note=note,
    )


def exact_p(surplus: NDArray[np.int64]) -> float:
    """Return how probable a sum at least as far from 0 is, if each surplus (C,) has either sign with probability ½."""
    sizes = np.abs(surplus[surplus != 0])
    chances = np.ones(1)  # of each sum of the sizes so far, from the lowest up in steps of one
    for size in sizes.tolist():
        longer = np.zeros(len(chances) + 2 * size)
        longer[: len(chances)] += chances / 2
        longer[2 * size :] += chances / 2
        chances = longer
    sums = np.arange(len(chances)) - sizes.sum()
    return min(1.0, float(chances[np.abs(sums) >= abs(surplus.sum())].sum()))


def chi_square(surplus: NDArray[np.int64], *, corrected: bool = False) -> float:
    """Return McNemar's statistic of surpluses (C,) that are each of one case (Psychometrika 12:153, 1947)."""
    far = max(abs(int(surplus.sum())) - corrected, 0)
    return float(far**2 / np.square(surplus).sum())


def clustered_chi_square(surplus: NDArray[np.int64]) -> float:
    """Return Obuchowski's statistic of surpluses (C,) (1998, in the short form that Yang et al. give, 2010)."""
    return (len(surplus) - 1) / len(surplus) * chi_square(surplus)


def _nothing_to_test(lead: NDArray[np.int64], surplus: NDArray[np.int64], kind: str) -> str:
    """Say why there is no test, if there is none."""
    if len(surplus) <= 1:
        return f"only one {kind}" if len(surplus) else "no case of this kind"
    if surplus.any():
        return ""
    return (
        f"within each {kind}, the cases that only one has right even out" if lead.any() else "right on the same cases"
    )


def _tested(surplus: NDArray[np.int64], test: Test | None, *, several: bool) -> tuple[float | None, float, str]:
    """Return statistic, p and what the test is called."""
    exact = "exact" if np.count_nonzero(surplus) < FEWEST_DISCORDANT else "chi-square"
    match test or exact, several:
        case "exact", False:
            return None, exact_p(surplus), "McNemar, exact binomial"
        case "exact", True:
            return None, exact_p(surplus), "McNemar by cluster, exact, raters exchanged"
        case "chi-square", True:
            return _by_distribution(clustered_chi_square(surplus), "McNemar by cluster, Obuchowski, chi-square")
        case "chi-square", False:
            return _by_distribution(chi_square(surplus), "McNemar, chi-square")
        case _, False:
            corrected = chi_square(surplus, corrected=True)
            return _by_distribution(corrected, "McNemar, chi-square, corrected for continuity")
    raise ValueError("the correction for continuity is one of single cases")


def _by_distribution(statistic: float, method: str) -> tuple[float, float, str]:
    return statistic, 2 * NormalDist().cdf(-(statistic**0.5)), method
