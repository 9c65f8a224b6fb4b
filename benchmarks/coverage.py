"""How often intervals hold the truth where patients have several pictures. Writes coverage.md.

    .venv/bin/python benchmarks/coverage.py --minutes 20     simulates for so long; the same line goes on
    .venv/bin/python benchmarks/coverage.py                  writes the table of what there is

A picture's score is `mean · diseased + what its patient shares + what it has alone`, both normal and of variance 1
together; the part that a patient shares is `agreement`. A patient has one to six pictures, equally likely, whatever the
scores. So a diseased picture scores above a healthy one of another patient in Φ(mean / √2), which is the area that is
to be covered; at the threshold half way, sensitivity and specificity are both Φ(mean / 2). Where patients have both
kinds, a few pairs in a thousand are of the same patient, and more often right: that moves the expected area by a
hundredth of its standard error.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from trials import Row, append_row, read_rows

from cutis.progress import track
from cutis.stats.areas import estimate_area
from cutis.stats.bca import accelerations
from cutis.stats.intervals import IntervalKind, RoundsKind, estimate_of_rounds, with_width
from cutis.stats.metrics import ONE_VS_REST, SHARES, Measure
from cutis.stats.proportions import estimate_share
from cutis.stats.ranking import areas, ranked
from cutis.stats.resampling import Clusters, Figures, clusters_of, gathered, resample
from cutis.stats.support import qualified
from cutis.stats.weights import Weights, ratio
from cutis.vocabulary.chance import chance
from cutis.vocabulary.circumstances import circumstances
from cutis.vocabulary.estimate import Estimate

BENCHMARKS = Path(__file__).resolve().parent
RESULTS = BENCHMARKS / "results" / "coverage.jsonl"
PAGE = BENCHMARKS / "coverage.md"
STUDIES, STUDIES_AT_ONCE = 2000, 200
ROUNDS = 500
WORTH_TELLING = 0.1  # fewer studies without a warning are those whose figure came out far from the truth
LEAST, MOST = 0.935, 0.965  # what an interval of 95 % must cover
CODES = ("healthy", "diseased")
AREA, SENSITIVITY, SPECIFICITY = "area", "sensitivity", "specificity"
MEASURES = {
    AREA: Measure(None, "auc", "diseased"),
    SENSITIVITY: Measure(ONE_VS_REST, "sensitivity", "diseased"),
    SPECIFICITY: Measure(ONE_VS_REST, "specificity", "diseased"),
}
NAMES: dict[IntervalKind, str] = {
    "percentile": "bootstrap of patients, percentile",
    "bca": "bootstrap of patients, BCa",
}
OBUCHOWSKI, OBUCHOWSKI_PLAIN = "Obuchowski, logit", "Obuchowski, plain"
WILSON = "Wilson, clustered"
DELONG, WILSON_PLAIN = "DeLong, as if pictures were patients", "Wilson, as if pictures were patients"
ROWS = "bootstrap of pictures, percentile"
BY_PATIENT = {AREA: (OBUCHOWSKI, *NAMES.values()), SENSITIVITY: (WILSON, *NAMES.values())}
BY_PATIENT[SPECIFICITY] = BY_PATIENT[SENSITIVITY]
BY_PICTURE = {AREA: (DELONG, ROWS), SENSITIVITY: (WILSON_PLAIN, ROWS), SPECIFICITY: (WILSON_PLAIN, ROWS)}

Found = dict[tuple[str, str], Estimate]  # by figure and method


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """How many patients a study has, and how their pictures score."""

    diseased: int  # patients
    healthy: int
    area: float
    both: float = 0.0  # how likely a further picture of a diseased patient is of something healthy
    agreement: float = 0.5

    def __str__(self) -> str:
        kinds = f", {self.both:.0%} of their further pictures healthy" * (self.both > 0)
        return f"{self.diseased} + {self.healthy} patients, AUC {self.area:g}{kinds}"

    @property
    def mean(self) -> float:
        """How much higher a diseased picture scores."""
        return NormalDist().inv_cdf(self.area) * 2**0.5

    @property
    def truth(self) -> dict[str, float]:
        """What is to be covered."""
        half = NormalDist().cdf(self.mean / 2)
        return {AREA: self.area, SENSITIVITY: half, SPECIFICITY: half}


MUST_HOLD = (
    *(Scenario(diseased=100, healthy=200, area=area) for area in (0.7, 0.8, 0.9)),
    *(Scenario(diseased=100, healthy=150, area=area, both=0.5) for area in (0.8, 0.9)),
)
SHOWN = (
    *(Scenario(diseased=diseased, healthy=100, area=area) for diseased in (15, 30) for area in (0.8, 0.9, 0.97)),
    *(Scenario(diseased=diseased, healthy=200, area=0.97) for diseased in (100, 200)),
)


class Study(NamedTuple):
    """One study of N pictures."""

    scores: NDArray[np.float64]  # (N,)
    diseased: NDArray[np.bool_]  # (N,)
    flagged: NDArray[np.bool_]  # (N,)
    patients: Clusters
    pictures: Clusters  # each its own


def study(scenario: Scenario, number: int) -> Study:
    """Invent a study; the same number gives the same one."""
    random = chance("coverage", str(scenario), number)
    patients = scenario.diseased + scenario.healthy
    sizes = random.integers(1, 7, patients)
    owner = np.repeat(np.arange(patients), sizes)
    is_first = np.diff(owner, prepend=-1) > 0
    diseased = (owner < scenario.diseased) & (is_first | (random.random(len(owner)) >= scenario.both))
    shared = random.normal(size=patients)[owner] * scenario.agreement**0.5
    scores = scenario.mean * diseased + shared + random.normal(size=len(owner)) * (1 - scenario.agreement) ** 0.5
    ids = [f"{number:05}" for number in range(max(len(owner), patients))]
    patient, picture = (
        clusters_of([ids[each] for each in of_case], diseased.astype(np.int64), kind=kind, diagnoses=2)
        for of_case, kind in ((owner, "patient"), (range(len(owner)), "picture"))
    )
    return Study(scores, diseased, scores >= scenario.mean / 2, patient, picture)


def by_formula(of: Study) -> Found:
    """Return the intervals that need no resampling."""
    found: Found = {
        (AREA, OBUCHOWSKI): estimate_area(of.scores, of.diseased, of.patients),
        (AREA, OBUCHOWSKI_PLAIN): estimate_area(of.scores, of.diseased, of.patients, scale="plain"),
        (AREA, DELONG): estimate_area(of.scores, of.diseased, of.pictures),
    }
    for method, clusters in ((WILSON, of.patients), (WILSON_PLAIN, of.pictures)):
        found[SENSITIVITY, method] = estimate_share(of.flagged, clusters, among=of.diseased)
        found[SPECIFICITY, method] = estimate_share(~of.flagged, clusters, among=~of.diseased)
    return found


def by_resampling(of: Study, generator: np.random.Generator, *, pictures: bool) -> Found:
    """Return the intervals of the bootstrap, both kinds from the same rounds; if asked, of resampled pictures too."""
    figures, found = figures_of(of), {}
    plain = figures(np.ones((1, len(of.scores))))
    for clusters, kinds in ((of.patients, NAMES), *([(of.pictures, {"percentile": ROWS})] if pictures else [])):
        drawn = gathered(figures(weights) for weights in resample(clusters, rounds=ROUNDS, generator=generator))
        pulls = accelerations(figures, clusters) if "bca" in kinds else dict.fromkeys(drawn, 0.0)
        for (figure, measure), (kind, method) in ((each, how) for each in MEASURES.items() for how in kinds.items()):
            value = float(plain[measure][0])
            estimate = estimate_of_rounds(
                value,
                drawn[measure],
                clusters=len(clusters),
                cluster_kind=clusters.kind,
                kind=RoundsKind(kind, pulls[measure]),
            )
            resting = qualified(measure, estimate, clusters, CODES, is_difference=False)
            found[figure, method] = with_width(resting, is_share=measure.what in SHARES)
    return found


def figures_of(of: Study) -> Figures:
    """Return what answers weights (R, N) with the three figures."""
    hits, passes = of.diseased & of.flagged, ~of.diseased & ~of.flagged
    counted = np.stack([hits, of.diseased, passes, ~of.diseased], axis=1).astype(np.float64)
    ranking = ranked(of.scores, of.diseased)

    def figures(weights: Weights) -> dict[Measure, NDArray[np.float64]]:
        hit, diseased, passed, healthy = (weights @ counted).T
        area = areas(ranking, weights, negative=healthy).auc
        return dict(zip(MEASURES.values(), (area, ratio(hit, diseased), ratio(passed, healthy)), strict=True))

    return figures


def counted(scenario: Scenario, numbers: Sequence[int], *, resampled: bool = True) -> dict[str, Counter[str]]:
    """Count over some studies, for each figure and method, what its intervals held."""
    counts: dict[str, Counter[str]] = {}
    for number in numbers:
        of = study(scenario, number)
        found = by_formula(of)
        if resampled:
            generator = chance("coverage rounds", str(scenario), number)
            found |= by_resampling(of, generator, pictures=scenario in MUST_HOLD)
        for (figure, method), estimate in found.items():
            count = counts.setdefault(f"{figure}/{method}", Counter())
            count.update(held(estimate, scenario.truth[figure]))
    return counts


def held(estimate: Estimate, truth: float) -> dict[str, float]:
    """Say what one interval held, as numbers to add up."""
    assert estimate.value is not None
    found = {"studies": 1, "values": estimate.value, "warned": float(bool(estimate.note))}
    if estimate.low is None or estimate.high is None:
        return found | {"without": 1}
    covers = estimate.low <= truth <= estimate.high
    found |= {"covered": covers, "too high": truth < estimate.low, "width": estimate.high - estimate.low}
    return found if estimate.note else found | {"unwarned": 1, "covered unwarned": covers}


def simulate(until: float) -> None:
    """Count what is not counted yet, a row for some studies of a scenario each."""
    rows = read_rows(RESULTS)
    missing = [block for block in blocks() if block[0] not in rows]
    for key, scenario, numbers in track(missing, "studies, in blocks", total=len(missing) + len(rows), done=len(rows)):
        if time.monotonic() > until:
            return
        started = time.process_time()
        counts = counted(scenario, numbers)
        about = circumstances()
        row = {
            "key": key,
            "counts": counts,
            "seconds": time.process_time() - started,
            "made_with": {"processor": about["processor"], "cutis": about["cutis"]},
        }
        append_row(RESULTS, row)


def blocks() -> Iterator[tuple[str, Scenario, range]]:
    """Return which studies belong to which row."""
    for scenario in (*MUST_HOLD, *SHOWN):
        for start in range(0, STUDIES, STUDIES_AT_ONCE):
            yield f"{scenario}, from {start}", scenario, range(start, start + STUDIES_AT_ONCE)


def totals(rows: Mapping[str, Row]) -> dict[Scenario, dict[str, Counter[str]]]:
    """Add up the rows of each scenario."""
    summed: dict[Scenario, dict[str, Counter[str]]] = {}
    for key, scenario, _ in blocks():
        for name, count in rows.get(key, {"counts": {}})["counts"].items():
            summed.setdefault(scenario, {}).setdefault(name, Counter()).update(count)
    return summed


def page_of(rows: Mapping[str, Row]) -> list[str]:
    """Return the lines of coverage.md."""
    summed = totals(rows)
    seconds = sum(row["seconds"] for row in rows.values())
    machines = sorted({f"{row['made_with']['processor']}, cutis {row['made_with']['cutis']}" for row in rows.values()})
    lines = [
        "# How often intervals hold the truth where patients have several pictures",
        "",
        "Written by `benchmarks/coverage.py`; the rows lie in `benchmarks/results/coverage.jsonl`.",
        "`.venv/bin/python benchmarks/coverage.py --minutes 20` goes on where it was left.",
        f"{len(rows)} of {len(list(blocks()))} blocks of {STUDIES_AT_ONCE} studies so far.",
        f"{seconds / 60:.0f} minutes of one core; {'; '.join(machines)}.",
        "",
        "Share of invented studies whose 95 % interval holds the truth, of those that have one.",
        f"{STUDIES:,} studies a scenario: a share of 95 % has a standard error of half a point.",
        f"{ROUNDS} rounds of resampling.",
        "A patient has one to six pictures; the scores of two of them correlate with .5, all else being equal.",
        "AUC is the area to be covered; sensitivity and specificity are those half way between diseased and healthy.",
        "",
        "## At least 100 diseased patients",
        "",
        *_must_hold(summed),
        "",
        "## Few patients, or an area near 1",
        "",
        "Beside each coverage: in how many studies the note warns, what the others covered (where they are a tenth or",
        "more), and in how many studies there is no interval, because all patients said the same.",
        "",
        *_shown(summed),
    ]
    return [*lines, ""]


def _must_hold(summed: Mapping[Scenario, Mapping[str, Counter[str]]]) -> Iterator[str]:
    scenarios = [each for each in MUST_HOLD if each in summed]
    yield "| figure | interval | " + " | ".join(map(str, scenarios)) + " |"
    yield "|---|---|" + "---|" * len(scenarios)
    outside, failing = [], True
    for figure in MEASURES:
        methods = [*BY_PATIENT[figure], *([OBUCHOWSKI_PLAIN] if figure == AREA else []), *BY_PICTURE[figure]]
        for method in methods:
            shares = [covered(summed[each][f"{figure}/{method}"]) for each in scenarios]
            yield f"| {figure} | {method} | " + " | ".join(f"{share:.1%}" for share in shares) + " |"
            if method in BY_PATIENT[figure]:
                outside += [
                    f"{figure}, {method}: {each}"
                    for each, share in zip(scenarios, shares, strict=True)
                    if not LEAST <= share <= MOST
                ]
            elif method in BY_PICTURE[figure]:
                failing &= all(share < LEAST for share in shares)
    yield ""
    yield f"By patient, {LEAST:.1%} to {MOST:.1%} are asked for: " + (
        f"outside are {'; '.join(outside)}." if outside else "all lie within."
    )
    yield "As if pictures were patients, " + (
        "every interval covers too seldom." if failing else "not every interval covers too seldom."
    )
    yield (
        "Mean of the areas beside the truth: "
        + ", ".join(
            f"{count['values'] / count['studies']:.4f} ({each.area:g})"
            for each in scenarios
            for count in (summed[each][f"{AREA}/{OBUCHOWSKI}"],)
        )
        + "."
    )


def _shown(summed: Mapping[Scenario, Mapping[str, Counter[str]]]) -> Iterator[str]:
    scenarios = [each for each in SHOWN if each in summed]
    yield "| figure | interval | " + " | ".join(map(str, scenarios)) + " |"
    yield "|---|---|" + "---|" * len(scenarios)
    for figure in MEASURES:
        for method in (*BY_PATIENT[figure], BY_PICTURE[figure][0]):
            counts = [summed[each][f"{figure}/{method}"] for each in scenarios]
            told = method in BY_PATIENT[figure]
            yield f"| {figure} | {method} | " + " | ".join(_said(count, told=told) for count in counts) + " |"


def _said(count: Counter[str], *, told: bool) -> str:
    """Write one cell."""
    share = f"{covered(count):.1%}"
    if not told:
        return share
    parts = [share, f"warned in {count['warned'] / count['studies']:.0%}"]
    if count["warned"] > 0 and count["unwarned"] >= WORTH_TELLING * count["studies"]:
        parts.append(f"others {count['covered unwarned'] / count['unwarned']:.1%}")
    if count["without"]:
        parts.append(f"none in {count['without'] / count['studies']:.0%}")
    return "; ".join(parts)


def covered(count: Counter[str]) -> float:
    """Return the share of intervals that hold the truth."""
    return count["covered"] / max(count["studies"] - count["without"], 1)


def main() -> None:
    """Simulate for a while, if asked, and write the table of what there is."""
    parser = argparse.ArgumentParser(description="Coverage by simulation; without --minutes only the table is written.")
    parser.add_argument("--minutes", type=float, help="begin blocks of studies for so long")
    asked = parser.parse_args()
    if asked.minutes:
        simulate(time.monotonic() + 60 * asked.minutes)
    lines = page_of(read_rows(RESULTS))
    PAGE.write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
