"""Is it better, no worse, or as good? A difference held against a margin that was named beforehand.

The answer is read from an interval. Each end of a two-sided interval of 95 % is passed by chance in 2.5 %, so that

- *superiority* and *non-inferiority*, one test each at 2.5 %, ask for an interval of 95 %: it is better if all of it
  lies above the margin (0, unless more is wanted), and no worse if all of it lies above −margin;
- *equivalence*, two one-sided tests at 5 %, asks for an interval of 90 %, all of it between −margin and margin
  (Schuirmann, Journal of Pharmacokinetics and Biopharmaceutics 15:657, 1987).

An interval of a higher level than is asked for makes the answer more careful; it is used as it is, and said. Where
non-inferiority is shown, superiority may be read from the same interval at no price (EMA, Points to consider on
switching between superiority and non-inferiority, 2000). What is not shown is not thereby shown to be untrue.

A p-value is recovered from the interval: its half on the side of the margin, over the normal quantile, stands for the
standard error (Zou and Donner, Statistics in Medicine 27:1693, 2008; Altman and Bland, British Medical Journal
343:d2304, 2011). So p and interval never contradict each other, not even where the interval is lopsided, and with an
interval of value ± z · standard error, p is that of the z-test.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Literal, NamedTuple

from cutis.stats.comparisons import holm
from cutis.vocabulary.estimate import Estimate

Hypothesis = Literal["superiority", "non-inferiority", "equivalence"]

LEVELS: dict[Hypothesis, float] = {"superiority": 0.95, "non-inferiority": 0.95, "equivalence": 0.90}
LOWER_IS_BETTER = {"log_loss", "brier", "expected_calibration_error"}
NOT_TESTABLE = "not_testable"
EQUAL_LEVELS = 1e-9


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether a hypothesis was shown; a gain is a difference to the reference, above 0 where it is for the better."""

    hypothesis: Hypothesis
    margin: float
    outcome: str  # superior, non_inferior, equivalent, inferior, different, …_not_shown, or not_testable
    shown: bool
    gain: float | None
    low: float | None
    high: float | None
    level: float  # of this two-sided interval
    error: float  # how often each one-sided test errs at most: (1 − level) / 2
    p: float | None  # one-sided; of equivalence, the larger of the two
    p_adjusted: float | None = None  # by Holm, where it is one of several
    lower_is_better: bool
    words: str


class _Answer(NamedTuple):
    """What an interval says of a hypothesis."""

    outcome: str
    shown: bool
    words: str


def judge(
    difference: Estimate,
    *,
    hypothesis: Hypothesis,
    margin: float = 0.0,
    level: float | None = None,
    lower_is_better: bool = False,
) -> Verdict:
    """Hold a difference, a network's figure − its reference's, against a margin.

    Args:
        difference: with an interval.
        hypothesis: what is to be shown.
        margin: how much better it must be at least; how much worse, or how far off, it may be at most.
        level: the two-sided level that the interval must have at least; if not given, `LEVELS` of the hypothesis.
        lower_is_better: whether the figure falls where it gets better, as a log loss does.

    Raises:
        ValueError: a margin below 0, or one of 0 where it says what is tolerated.
    """
    if margin < 0 or (margin == 0 and hypothesis != "superiority"):
        raise ValueError(f"{hypothesis} with a margin of {margin}")
    gain = _moved(negated(difference) if lower_is_better else difference, float)  # plain numbers, for plain words
    asked = LEVELS[hypothesis] if level is None else level
    verdict = Verdict(
        hypothesis=hypothesis,
        margin=margin,
        outcome=NOT_TESTABLE,
        shown=False,
        gain=gain.value,
        low=gain.low,
        high=gain.high,
        level=gain.level,
        error=(1 - gain.level) / 2,
        p=None,
        lower_is_better=lower_is_better,
        words="",
    )
    if gain.value is None or gain.low is None or gain.high is None:
        return replace(verdict, words=f"{_named(hypothesis)} could not be tested: {gain.note or 'no interval'}.")
    if gain.level < asked - EQUAL_LEVELS:
        why = f"the interval is one of {gain.level:.0%}, and {asked:.0%} were asked for"
        return replace(verdict, words=f"{_named(hypothesis)} could not be tested: {why}.")
    answer = ANSWERS[hypothesis](gain.low, gain.high, margin)
    return replace(
        verdict,
        outcome=answer.outcome,
        shown=answer.shown,
        p=_p_of(gain, hypothesis=hypothesis, margin=margin),
        words=f"{_told(gain, lower_is_better=lower_is_better)} {_named(hypothesis)} was {answer.words}",
    )


def with_holm(verdicts: Mapping[str, Verdict]) -> dict[str, Verdict]:
    """Take back what does not stand when each verdict is one of several, by Holm's correction.

    All are held to the smallest error that one of them is tested at. What cannot be tested is one of them all the same:
    how many were asked for does not hang on what could be answered.
    """
    adjusted = holm({name: 1.0 if verdict.p is None else verdict.p for name, verdict in verdicts.items()})
    error = min((verdict.error for verdict in verdicts.values() if verdict.p is not None), default=0.0)
    return {
        name: _corrected(verdict, None if verdict.p is None else adjusted[name], error=error, family=len(verdicts))
        for name, verdict in verdicts.items()
    }


def falls_when_better(measure: str) -> bool:
    """Return whether a figure of this name, such as ``by_lesion/brier``, is the better the lower it is."""
    return not LOWER_IS_BETTER.isdisjoint(measure.split("/"))


def against_number(estimate: Estimate, number: float) -> Estimate:
    """Return how far a figure lies from a number that has no uncertainty of its own."""
    return _moved(estimate, lambda end: end - number)


def negated(estimate: Estimate) -> Estimate:
    """Return the same difference, seen from the other side."""
    turned = _moved(estimate, lambda end: 0.0 - end)
    return replace(turned, low=turned.high, high=turned.low)


def _superiority(low: float, high: float, margin: float) -> _Answer:
    if low > margin:
        return _Answer("superior", shown=True, words=f"shown: all of the interval lies above {_bound(margin)}.")
    if high < 0:
        return _Answer("inferior", shown=False, words="not shown: all of the interval lies below 0, it does worse.")
    words = f"not shown: the interval does not lie above {_bound(margin)}. That is no proof that it is no better."
    return _Answer("superiority_not_shown", shown=False, words=words)


def _non_inferiority(low: float, high: float, margin: float) -> _Answer:
    if low > -margin:
        beyond = " All of it lies above 0: it even does better." * (low > 0)
        within = " All of it lies below 0: it does worse, but by less than that." * (high < 0)
        words = f"shown: all of the interval lies above {_bound(-margin)}.{beyond}{within}"
        return _Answer("non_inferior", shown=True, words=words)
    if high < -margin:
        words = f"not shown: all of the interval lies below {_bound(-margin)}, it does worse by more than the margin."
        return _Answer("inferior", shown=False, words=words)
    words = f"not shown: the interval does not lie above {_bound(-margin)}. That is no proof that it is worse."
    return _Answer("non_inferiority_not_shown", shown=False, words=words)


def _equivalence(low: float, high: float, margin: float) -> _Answer:
    between = f"between {_bound(-margin)} and {_bound(margin)}"
    if -margin < low and high < margin:
        return _Answer("equivalent", shown=True, words=f"shown: all of the interval lies {between}.")
    if low > margin or high < -margin:
        words = f"not shown: none of the interval lies {between}, they differ by more than the margin."
        return _Answer("different", shown=False, words=words)
    words = f"not shown: the interval does not lie {between}. That is no proof of a difference."
    return _Answer("equivalence_not_shown", shown=False, words=words)


ANSWERS: dict[Hypothesis, Callable[[float, float, float], _Answer]] = {
    "superiority": _superiority,
    "non-inferiority": _non_inferiority,
    "equivalence": _equivalence,
}


def _corrected(verdict: Verdict, p_adjusted: float | None, *, error: float, family: int) -> Verdict:
    if p_adjusted is None or not verdict.shown or p_adjusted <= error:
        return replace(verdict, p_adjusted=p_adjusted)
    lost = f" As one of {family} it does not stand: p {p_adjusted:.3f} by Holm's correction, above {error:g}."
    outcome = f"{verdict.hypothesis.replace('-', '_')}_not_shown"
    return replace(verdict, p_adjusted=p_adjusted, shown=False, outcome=outcome, words=verdict.words + lost)


def _p_of(gain: Estimate, *, hypothesis: Hypothesis, margin: float) -> float | None:
    """Return the p of the one-sided test, or the larger of the two; None where a half of the interval is empty."""
    above = _p_above(gain, margin if hypothesis == "superiority" else -margin)
    if hypothesis != "equivalence" or above is None:
        return above
    below = _p_above(negated(gain), -margin)
    return None if below is None else max(above, below)


def _p_above(gain: Estimate, bound: float) -> float | None:
    """Return the p of the test that a gain is no larger than the bound."""
    value, low, high = (float("nan") if end is None else end for end in (gain.value, gain.low, gain.high))
    half = value - low if value > bound else high - value
    if not half > 0:
        return None
    normal = NormalDist()
    return normal.cdf((bound - value) / half * normal.inv_cdf((1 + gain.level) / 2))


def _moved(estimate: Estimate, move: Callable[[float], float]) -> Estimate:
    value, low, high = (None if end is None else move(end) for end in (estimate.value, estimate.low, estimate.high))
    return replace(estimate, value=value, low=low, high=high)


def _told(gain: Estimate, *, lower_is_better: bool) -> str:
    falls = ", lower is better and counts as a gain" * lower_is_better
    return f"Gain {gain.value:+.4f} ({100 * gain.level:g}% CI {gain.low:+.4f} to {gain.high:+.4f}{falls})."


def _named(hypothesis: Hypothesis) -> str:
    return hypothesis.capitalize()


def _bound(bound: float) -> str:
    return f"{bound:+g}" if bound else "0"
