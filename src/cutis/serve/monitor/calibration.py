"""Whether probabilities keep their word, on examinations whose truth came back; and whose truth came back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.runtime.bundle import Bundle
from cutis.serve.acceptance.figures import UNIT
from cutis.serve.acceptance.material import is_malignant
from cutis.serve.answer import State
from cutis.serve.labels.truths import HISTOLOGY, Known, Settled, settled
from cutis.serve.monitor.past import Seen
from cutis.vocabulary.estimate import Estimate

RATERS = 2  # who must have spoken blind, where histology did not
FEWEST = 20  # examinations of an event, for bins to be told
IN_A_BIN = 10  # at least
MOST_BINS = 10


class Bin(NamedTuple):
    """Examinations of about the same probability."""

    predicted: float  # mean probability
    observed: Estimate  # share for which it was so
    examinations: int


class Event(NamedTuple):
    """One question with its bins; none where there are too few."""

    name: str  # "first": the most probable diagnosis is right; "malignant"
    examinations: int
    expected: float  # the probabilities, summed
    came_true: int
    bins: tuple[Bin, ...]


class Verified(NamedTuple):
    """Of how many answers the truth is known, by what was answered first."""

    code: str
    answered: int
    by_histology: int
    by_raters: int

    @property
    def share(self) -> float:
        """Of the answers, how many."""
        return (self.by_histology + self.by_raters) / self.answered


class Calibration(NamedTuple):
    """What is known."""

    events: tuple[Event, ...]
    verified: tuple[Verified, ...]
    answered: int
    with_truth: int


def calibration_of(
    seen: Sequence[Seen], known: Mapping[str, Known], *, bundle: Bundle, release_sha256: str
) -> Calibration:
    """Hold the answers of a release against the truth that came back."""
    answered = [
        each for each in seen if each.answer and each.state is State.ANSWERED and each.release_sha256 == release_sha256
    ]
    truths = {each.id: settled(known[each.id], raters=RATERS) for each in answered if each.id in known}
    pairs = [(each, truth) for each in answered if (truth := truths.get(each.id)) is not None]
    codes = bundle.taxonomy.codes
    return Calibration(
        events=tuple(_events(pairs, bundle)) if pairs else (),
        verified=tuple(_verified(code, answered, truths) for code in codes if any(e.first == code for e in answered)),
        answered=len(answered),
        with_truth=len(pairs),
    )


def _events(pairs: Sequence[tuple[Seen, Settled]], bundle: Bundle) -> Sequence[Event]:
    cases = [each.case_id for each, _ in pairs]
    first = np.array([each.answer.findings[0].probability for each, _ in pairs if each.answer])
    right = np.array([each.first == truth.said.code for each, truth in pairs], np.bool_)
    found = [_event("first", first, right, cases)]
    if any(bundle.taxonomy.malignant):
        summed = [
            sum(finding.probability for finding in each.answer.findings if finding.malignant)
            for each, _ in pairs
            if each.answer
        ]
        is_so = np.array([is_malignant(truth.said, bundle) for _, truth in pairs], np.bool_)
        found.append(_event("malignant", np.array(summed), is_so, cases))
    return found


def _event(name: str, probabilities: NDArray[np.float64], is_so: NDArray[np.bool_], case_ids: Sequence[str]) -> Event:
    return Event(
        name,
        len(is_so),
        float(probabilities.sum()),
        int(is_so.sum()),
        tuple(_bins(probabilities, is_so, case_ids)) if len(is_so) >= FEWEST else (),
    )


def _bins(probabilities: NDArray[np.float64], is_so: NDArray[np.bool_], case_ids: Sequence[str]) -> Sequence[Bin]:
    from cutis.stats.calibration import equal_bins
    from cutis.stats.proportions import estimate_share
    from cutis.stats.resampling import clusters_of

    bins = equal_bins(probabilities, bins=min(MOST_BINS, len(is_so) // IN_A_BIN))
    found = []
    for inside in bins:
        clusters = clusters_of([case_ids[place] for place in inside], kind=UNIT)
        observed = estimate_share(is_so[inside], clusters)
        found.append(Bin(float(probabilities[inside].mean()), observed, len(inside)))
    return found


def _verified(code: str, answered: Sequence[Seen], truths: Mapping[str, Settled | None]) -> Verified:
    own = [each for each in answered if each.first == code]
    by = [truth.by for each in own if (truth := truths.get(each.id)) is not None]
    histology = by.count(HISTOLOGY)
    return Verified(code, len(own), histology, len(by) - histology)
