"""What is analysed: who read what, by which figure, and what is drawn from more of its kind; refused where unsound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cutis.stats.hypotheses import LEVELS, Hypothesis
from cutis.stats.mrmc.contrasts import BOTH, RANDOM, Random
from cutis.stats.mrmc.endpoints import AUC, ENDPOINTS, CovarianceMethod, Endpoint, cases_of
from cutis.stats.mrmc.one_shot import Weighting
from cutis.stats.resampling import Clusters
from cutis.vocabulary.errors import UserError

Method = Literal["obuchowski-rockette", "one-shot"]
Degrees = Literal["hillis", "readers and cases"]

WHERE = "readers and cases"
FEW_CASES = 50  # on the smaller side; fewer, and fewer than readers, and the cases count for the degrees of freedom too
FEWEST_CASES = 2
COVARIANCES: tuple[CovarianceMethod, ...] = ("jackknife", "delong")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """How a study is to be analysed; None where the data decide."""

    endpoint: Endpoint = AUC
    random: Random = BOTH
    hypothesis: Hypothesis = "superiority"
    margin: float = 0.0
    level: float | None = None  # of the interval; what the hypothesis asks for, if not given
    covariance: CovarianceMethod = "jackknife"
    method: Method | None = None  # Obuchowski and Rockette where readers share all their cases or none, else one-shot
    degrees: Degrees | None = None  # Hillis', but with few cases against many readers both count
    weighting: Weighting = "readings"  # of the one-shot method
    clusters: Clusters | None = None  # of the cases; each its own, if not given

    @property
    def interval_level(self) -> float:
        """The level of the interval."""
        return LEVELS[self.hypothesis] if self.level is None else self.level

    @property
    def of_case(self) -> NDArray[np.int64] | None:
        """The cluster (N,) of each case."""
        return None if self.clusters is None else self.clusters.of_case

    @property
    def unit(self) -> str:
        """What is drawn when cases are."""
        return "case" if self.clusters is None else self.clusters.kind


@dataclass(frozen=True, kw_only=True)
class Study:
    """T treatments, R readers, N cases, checked."""

    truth: NDArray[np.int64]  # (N,)
    scores: NDArray[np.float64]  # (T, R, N), NaN where not read
    asked: Asked

    @property
    def read(self) -> NDArray[np.bool_]:
        """Who read what (T, R, N)."""
        return ~np.isnan(self.scores)

    @property
    def units(self) -> tuple[int, ...]:
        """How many cases, or clusters, each part of the figure rests on."""
        if self.asked.of_case is None:
            return cases_of(self.truth, endpoint=self.asked.endpoint)
        firsts = np.unique(np.stack([self.asked.of_case, self.truth]), axis=1)[1]
        return cases_of(firsts, endpoint=self.asked.endpoint)

    @property
    def counts_cases(self) -> bool:
        """Whether the cases count for the degrees of freedom beside the readers."""
        if self.asked.degrees is not None:
            return self.asked.degrees == "readers and cases"
        fewest = min(self.units)
        return self.asked.random == BOTH and fewest < min(FEW_CASES, self.scores.shape[1])

    @property
    def is_in_blocks(self) -> bool:
        """Whether any two readers, of any treatment, share all their cases or none."""
        read = self.read.reshape(-1, len(self.truth)).astype(np.float64)
        shared, own = read @ read.T, read.sum(axis=1)
        together = (shared == own[:, None]) & (shared == own[None, :])
        return bool(((shared == 0) | together).all())


def checked(truth: NDArray[np.int64] | NDArray[np.bool_], scores: NDArray[np.float64], asked: Asked) -> Study:
    """Return the study, or say why there is no sound analysis of it.

    Args:
        truth: (N,) 0 or 1, or any diagnoses for "right" and "balanced_right".
        scores: (T, R, N), NaN where not read.
        asked: what is asked of it.

    Raises:
        UserError: something is unknown, or has no sound method; the reason is told.
    """
    require_known(asked)
    truth, scores = np.asarray(truth, dtype=np.int64), np.asarray(scores, dtype=np.float64)
    if scores.ndim != 3 or scores.shape[-1] != len(truth):  # noqa: PLR2004  treatments, readers, cases
        _refuse(f"readings of shape {scores.shape} do not fit {len(truth)} cases", "give treatments × readers × cases")
    if np.isinf(scores).any():
        _refuse("some ratings are infinite", "give finite ratings, and NaN where a case was not read")
    study = Study(truth=truth, scores=scores, asked=asked)
    _right_values(study)
    _enough(study)
    return study


def refuse_the_method(what: str, mend: str) -> None:
    """Raise the error of what has no sound method."""
    _refuse(what, mend)


def require_known(asked: Asked) -> None:
    """Refuse what is not known, or makes no sense whatever the data.

    Raises:
        UserError: an unknown word, or a margin of 0 where it says what is tolerated.
    """
    if asked.margin < 0 or (asked.margin == 0 and asked.hypothesis != "superiority"):
        _refuse(
            f"{asked.hypothesis} with a margin of {asked.margin:g}", "say how much worse is tolerated, such as 0.05"
        )
    for what, given, known in (
        ("endpoint", asked.endpoint, ENDPOINTS),
        ("covariance", asked.covariance, COVARIANCES),
        ("hypothesis", asked.hypothesis, tuple(LEVELS)),
        ("method", asked.method, (None, "obuchowski-rockette", "one-shot")),
        ("degrees", asked.degrees, (None, "hillis", "readers and cases")),
        ("weighting", asked.weighting, ("readings", "readers")),
    ):
        if given not in known:
            _refuse(f"unknown {what} {given!r}", f"use one of: {', '.join(str(each) for each in known if each)}")
    if asked.random not in RANDOM:
        _refuse(
            f"unknown random {asked.random!r}; with readers and cases both fixed, nothing would be uncertain",
            f"use one of: {', '.join(RANDOM)}",
        )


def _right_values(study: Study) -> None:
    scores, endpoint = study.scores, study.asked.endpoint
    flags = bool(np.isin(scores[study.read], (0, 1)).all())
    if not study.read.any():
        _refuse("nobody read anything", "give at least one reading")
    if endpoint == AUC and flags:
        _refuse(
            "one label per reader and case, yes or no, has no area under a ROC curve",
            "ask for sensitivity and specificity, or accuracy; an area needs ratings",
        )
    if endpoint != AUC and not flags:
        _refuse(
            f"{endpoint} is a share of answers of yes (1) or no (0), and some are neither",
            "turn ratings into answers by a threshold that was fixed beforehand",
        )
    if endpoint not in {"right", "balanced_right"} and not np.isin(study.truth, (0, 1)).all():
        _refuse(f"{endpoint} needs a truth of 0 or 1", "ask for one diagnosis against the rest")


def _enough(study: Study) -> None:
    asked, readers = study.asked, study.scores.shape[1]
    names = {
        "auc": ("without it", "with it"),
        "balanced_accuracy": ("without it", "with it"),
        "sensitivity": ("with it",),
        "specificity": ("without it",),
    }.get(asked.endpoint, ("in all",) * len(study.units))
    for count, name in zip(study.units, names, strict=True):
        if count < FEWEST_CASES and asked.random != "readers":
            held = "no" if count == 0 else "a single"
            _refuse(f"{held} {asked.unit} {name} shows no spread of {asked.endpoint}", "add cases")
    if not all(study.units):
        _refuse(f"there is no case to take the {asked.endpoint} of", "add cases")
    if readers < FEWEST_CASES and asked.random != "cases":
        _refuse(
            "a single reader says nothing of how readers differ",
            'ask about this reader: random="cases", the readers fixed',
        )


def _refuse(what: str, mend: str) -> None:
    raise UserError(what, where=WHERE, mend=mend)
