"""By which rules a method is offered to clinicians, each with its reason: all in one place.

A rule that cannot be told, for want of an interval, is not passed. What nothing is known of is not asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from cutis.explain.sanity.findings import Findings
from cutis.explain.sanity.masks import INSIDE, SIGNS
from cutis.explain.sanity.stability import SHIFT
from cutis.vocabulary.estimate import Estimate

MOST_KEPT = 0.2
LEAST_STABLE = 0.5


class Limit(NamedTuple):
    """An interval, and the limit that it must lie beyond."""

    estimate: Estimate
    limit: float
    must_be_above: bool

    @property
    def is_passed(self) -> bool:
        """Whether the whole interval lies on the right side."""
        low, high = self.estimate.low, self.estimate.high
        if low is None or high is None:
            return False
        return low > self.limit if self.must_be_above else high < self.limit


class Rule(NamedTuple):
    """What a method must pass."""

    asks: str
    why: str
    tested: Callable[[Findings], tuple[Limit, ...]]  # all must be passed; none: not asked


def _weights(found: Findings) -> tuple[Limit, ...]:
    return (Limit(found.weights["trained"], MOST_KEPT, must_be_above=False),)


def _removal(found: Findings) -> tuple[Limit, ...]:
    return (Limit(found.removal["gained"], 0, must_be_above=True),)


def _pointing(found: Findings) -> tuple[Limit, ...]:
    target = next((target for target in (SIGNS, INSIDE) if target in found.pointing), None)
    if target is None:
        return ()
    return tuple(Limit(found.pointing[target][name], 0, must_be_above=True) for name in ("over_chance", "over_others"))


def _stability(found: Findings) -> tuple[Limit, ...]:
    return tuple(Limit(found.stability[name], LEAST_STABLE, must_be_above=True) for name in ("shift", "noise"))


RULES: dict[str, Rule] = {
    "weights": Rule(
        asks=f"its rank correlation with the map of an untrained network is less than {MOST_KEPT}",
        why=(
            "a map that stays without what was learned shows the picture, not the network; two maps of 5 × 5 places "
            "agree by 0.2 in one direction or the other by chance alone"
        ),
        tested=_weights,
    ),
    "removal": Rule(
        asks="its places matter more to the answer than the same map elsewhere in the picture",
        why="what an answer rests on takes the answer with it when it is taken away, and brings it when it is shown",
        tested=_removal,
    ),
    "pointing": Rule(
        asks="more of it lies where something is known to be than of an even map, and than of other pictures' maps",
        why=(
            "an even map has as much inside a mask as the mask is large; and of maps that show the middle of every "
            "picture, where lesions are, those of other pictures have as much inside"
        ),
        tested=_pointing,
    ),
    "stability": Rule(
        asks=f"a shift by {SHIFT:.0%} and noise that nobody sees keep a rank correlation of more than {LEAST_STABLE}",
        why="below one half more of the map is the camera's doing than the lesion's",
        tested=_stability,
    ),
}


class Verdict(NamedTuple):
    """Whether a method passed a rule; None where it was not asked."""

    is_passed: bool | None
    tests: tuple[Limit, ...]


def verdicts_of(found: Findings) -> dict[str, Verdict]:
    """Return the verdict of every rule on one method."""
    tested = {name: rule.tested(found) for name, rule in RULES.items()}
    return {
        name: Verdict(all(test.is_passed for test in tests) if tests else None, tests) for name, tests in tested.items()
    }


def offered(findings: Mapping[str, Findings]) -> tuple[str, ...]:
    """Return the methods that failed no rule, in their order."""
    return tuple(
        name
        for name, found in findings.items()
        if all(verdict.is_passed is not False for verdict in verdicts_of(found).values())
    )


def rules_in_words() -> dict[str, dict[str, Any]]:
    """Return every rule with its reason, for a file."""
    return {name: {"asks": rule.asks, "why": rule.why} for name, rule in RULES.items()}
