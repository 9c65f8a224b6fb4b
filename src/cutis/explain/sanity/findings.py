"""What an examination found of each method, as estimates by patient."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cutis.explain.sanity.examined import Examined, PerCase, Redrawn
from cutis.stats.crossed import estimate_crossed_mean
from cutis.stats.intervals import estimate_mean
from cutis.vocabulary.chance import chance
from cutis.vocabulary.estimate import Estimate, plain

SEED = 0
NOTHING = "nothing of this kind is known of these cases"

Estimates: TypeAlias = dict[str, Estimate]


@dataclass(frozen=True, kw_only=True)
class ClusterIds:
    """Whose the cases are."""

    ids: tuple[str, ...]  # N
    kind: str


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What is known of one method."""

    cases: int
    weights: Estimates  # correlations with the map of untrained networks: `trained`, and among these: `null`
    cascade: Estimates  # by the last level that was drawn anew
    removal: Estimates  # areas, their gap, and what is gained over the same map elsewhere and over the middle first
    pointing: dict[str, Estimates]  # by target
    stability: Estimates
    curves: dict[str, list[float]]  # mean probability in each step

    def content(self) -> dict[str, Any]:
        """Return plain data."""
        groups = {name: plain(getattr(self, name)) for name in ("weights", "cascade", "removal", "stability")}
        by_target = {target: plain(found) for target, found in self.pointing.items()}
        return {"cases": self.cases, **groups, "pointing": by_target, "curves": self.curves}


def findings_of(examined: Examined, clusters: ClusterIds) -> Findings:
    """Return every measure of one method with its interval."""
    return Findings(
        cases=len(examined),
        weights=weights_estimates(examined.redrawn, clusters),
        cascade={level: _crossed(values, clusters) for level, values in examined.redrawn.cascade.items()},
        removal={name: mean_of(values, clusters) for name, values in _removal(examined).items()},
        pointing={target: pointing_estimates(found, clusters) for target, found in examined.pointing.items()},
        stability={name: mean_of(values, clusters) for name, values in examined.stability.items()},
        curves={
            f"{kind}{told}": getattr(removal, kind).mean(axis=0).round(4).tolist()
            for kind in ("deletion", "insertion")
            for told, removal in (("", examined.own), ("_elsewhere", examined.moved), ("_blob", examined.blob))
        },
    )


def paired(first: Examined, other: Examined, clusters: ClusterIds) -> Estimates:
    """Return how much more the first method has than another on the cases that both were asked of."""
    count = min(len(first), len(other))
    return {
        name: mean_of(read(first)[:count] - read(other)[:count], clusters) for name, read in _compared(first).items()
    }


def weights_estimates(redrawn: Redrawn, clusters: ClusterIds) -> Estimates:
    """Return what is left of a map when all weights are drawn anew, signed and not, beside two untrained networks."""
    drawn: Mapping[str, NDArray[np.float64]] = {
        "trained": redrawn.trained,
        "trained_absolute": np.abs(redrawn.trained),
        "null": redrawn.null,
        "null_absolute": np.abs(redrawn.null),
    }
    return {name: _crossed(values, clusters) for name, values in drawn.items()}


def pointing_estimates(found: Mapping[str, PerCase], clusters: ClusterIds) -> Estimates:
    """Return what lies inside a mask, and what the map has over all that does not look at the picture."""
    over = {name: found["share"] - found[name] for name in ("chance", "blob", "others")}
    values = {**found, **{f"over_{name}": difference for name, difference in over.items()}}
    return {name: mean_of(each, clusters) for name, each in values.items()}


def mean_of(values: PerCase, clusters: ClusterIds) -> Estimate:
    """Return the mean of what is known of some of the first cases (N',), with its interval."""
    known = np.flatnonzero(~np.isnan(values))
    if not known.size:
        return Estimate(
            value=None, low=None, high=None, method="none", clusters=0, cluster_kind=clusters.kind, note=NOTHING
        )
    ids = [clusters.ids[at] for at in known]
    return estimate_mean(values[known], ids, cluster_kind=clusters.kind, generator=chance(SEED, "sanity", len(known)))


def _compared(of: Examined) -> dict[str, Callable[[Examined], PerCase]]:
    def share(target: str) -> Callable[[Examined], PerCase]:
        return lambda examined: examined.pointing[target]["share"]

    by_target = {f"{target}/share": share(target) for target in of.pointing}
    return {
        "gap": lambda examined: examined.own.areas["gap"],
        **by_target,
        "shift": lambda examined: examined.stability["shift"],
    }


def _removal(examined: Examined) -> dict[str, PerCase]:
    own, moved, blob = (each.areas for each in (examined.own, examined.moved, examined.blob))
    return {
        **own,
        "deletion_gained": moved["deletion"] - own["deletion"],
        "insertion_gained": own["insertion"] - moved["insertion"],
        "gained": own["gap"] - moved["gap"],
        "over_blob": own["gap"] - blob["gap"],
    }


def _crossed(values: NDArray[np.float64], clusters: ClusterIds) -> Estimate:
    return estimate_crossed_mean(
        values,
        clusters.ids[: values.shape[1]],
        cluster_kind=clusters.kind,
        generator=chance(SEED, "sanity", "seeds", *values.shape),
    )
