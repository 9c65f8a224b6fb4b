"""How often the tests of reader studies err, and how often their intervals hold the truth. Writes mrmc_error.md.

    .venv/bin/python benchmarks/mrmc_error.py

Studies are invented after Roe and Metz (`cutis.stats.mrmc.roe_metz`), by named structures of variances, without any
difference, so that each test that finds one errs; or with a difference that is known, for intervals.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.progress import say, track
from cutis.stats.mrmc.components import components_of
from cutis.stats.mrmc.contrasts import Contrast, between_treatments, of_one_mean
from cutis.stats.mrmc.endpoints import CovarianceMethod, measure_raters
from cutis.stats.mrmc.network import NetworkAgainstReaders, one_network
from cutis.stats.mrmc.roe_metz import (
    STRUCTURES,
    Structure,
    invent_network_and_readers,
    invent_ratings,
    variances_of,
)
from cutis.stats.mrmc.study import Asked
from cutis.vocabulary.chance import chance
from cutis.vocabulary.circumstances import circumstances

PAGE = Path(__file__).with_suffix(".md")
STUDIES, BLOCK = 2000, 100
ERROR = 0.05
TRUTH = np.repeat([1, 0], [50, 50])
AREAS = (0.702, 0.855, 0.961)
BOUNDS = {0.702: (0.035, 0.065), 0.855: (0.035, 0.065), 0.961: (0.02, 0.065)}
GAIN = 0.04
OF_THE_PAPER = 280  # readers
DIAGNOSES = 8
MARGIN = 0.1


class Erred(NamedTuple):
    """Shares of studies."""

    rejected: float
    covered: float  # with a difference


def two_treatments_at_once(structure: Structure, area: float, gain: float, method: CovarianceMethod) -> Contrast:
    """Analyse all studies of five readers and 50 + 50 cases with two treatments."""
    variances = variances_of(structure, area=area)
    means = np.array([variances.mean_for_area(each) for each in (area + gain, area)])
    parts = []
    for block in range(0, STUDIES, BLOCK):
        generator = chance("mrmc error", structure, str(area), str(gain), block)
        ratings = invent_ratings(TRUTH, means, variances, studies=BLOCK, readers=5, generator=generator)
        found = measure_raters(ratings.reshape(BLOCK, 10, -1), TRUTH, endpoint="auc", covariance=method)
        values = found.values.reshape(BLOCK, 2, 5)
        apart = values[:, 0].mean(axis=-1) - values[:, 1].mean(axis=-1)
        parts.append(between_treatments(apart, components_of(values, found.covariance)))
    return Contrast(*(np.concatenate(each) for each in zip(*parts, strict=True)))


def network_at_once(
    structure: Structure, area: float, readers: int, cases: NDArray[np.int64], *, counted: bool
) -> Contrast:
    """Analyse all studies of one network against readers by their areas."""
    variances = variances_of(structure, area=area)
    means = [variances.mean_for_area(area, is_network=own) * cases.astype(np.float64) for own in (True, False)]
    parts = []
    for start in range(0, STUDIES, BLOCK):
        generator = chance("mrmc error", "network", structure, str(area), readers, len(cases), start)
        network, theirs = invent_network_and_readers(
            cases, (means[0], means[1]), variances, studies=BLOCK, readers=readers, generator=generator
        )
        both = np.concatenate([network[:, None], theirs], axis=1)
        found = measure_raters(both, cases, endpoint="auc", covariance="delong")
        lead = np.concatenate([np.ones((readers, 1)), -np.eye(readers)], axis=1)
        apart = found.values @ lead.T
        fewest = int(min(cases.sum(), len(cases) - cases.sum()))
        parts.append(
            of_one_mean(
                apart.mean(axis=-1),
                components_of(apart[:, None], lead @ found.covariance @ lead.T),
                cases=fewest if counted else np.inf,
            )
        )
    return Contrast(*(np.concatenate(each) for each in zip(*parts, strict=True)))


def rejected(contrast: Contrast) -> float:
    """Return the share of studies in which a difference was found."""
    return float((contrast.p < ERROR).mean())


def covered(contrast: Contrast, truth: float) -> float:
    """Return the share of studies whose interval holds the truth."""
    return float((np.abs(contrast.difference - truth) <= contrast.half(0.95)).mean())


def hard_labels(
    structure: Structure,
    share: float,
    cases: int,
    *,
    readers: int,
    of: float = 1.0,
    gain: float = 0.0,
    diagnoses: int = 1,
) -> Iterator[NetworkAgainstReaders]:
    """Analyse studies of one network against readers by one label per case.

    Args:
        structure: of Roe and Metz.
        share: of the mean reader's right answers.
        cases: of each diagnosis.
        readers: how many.
        of: what share of the cases each reader reads.
        gain: how much more the network has.
        diagnoses: how many; with one it is a sensitivity, with several the mean of theirs.
    """
    truth = np.repeat(np.arange(diagnoses), cases)
    variances = variances_of(structure, area=0.855)
    means = [
        np.full(len(truth), variances.mean_for_share(each, is_network=own))
        for each, own in ((share + gain, True), (share, False))
    ]
    hypothesis = "non-inferiority" if gain < 0 else "superiority"
    asked = Asked(endpoint="right" if diagnoses == 1 else "balanced_right", hypothesis=hypothesis, margin=max(-gain, 0))
    for start in range(0, STUDIES, BLOCK):
        generator = chance("mrmc error", "labels", structure, str(share), cases, readers, str(of), str(gain), start)
        network, theirs = invent_network_and_readers(
            np.ones(len(truth), dtype=np.int64),
            (means[0], means[1]),
            variances,
            studies=BLOCK,
            readers=readers,
            generator=generator,
        )
        for own, each in zip(network > 0, theirs > 0, strict=True):
            said = each.astype(np.float64)
            if of < 1:
                order = np.argsort(generator.random(said.shape), axis=1)
                said[order >= round(of * len(truth))] = np.nan
            yield one_network(truth, own.astype(np.float64), said, asked=asked)


def counted_errors(found: Iterator[NetworkAgainstReaders], what: str, truth: float = 0.0) -> dict[str, float]:
    """Return how often either test errs, and whether its interval holds the truth."""
    sums = dict.fromkeys(("plain", "told", "plain held", "told held", "plain shown", "told shown"), 0)
    for each in track(found, what, total=STUDIES):
        for name, outcome in (("plain", each.classical), ("told", each.outcome)):
            low, high = outcome.difference.low, outcome.difference.high
            sums[name] += outcome.p is not None and outcome.p < ERROR
            sums[f"{name} held"] += low is not None and high is not None and low <= truth <= high
            sums[f"{name} shown"] += outcome.verdict.shown
    return {name: count / STUDIES for name, count in sums.items()}


def of_five_readers() -> list[str]:
    """The bounds of two treatments and of one network, five readers, 50 + 50 cases."""
    rows, outside = [], 0
    for structure, meaning in STRUCTURES.items():
        for area in AREAS:
            cells = []
            for method in ("jackknife", "delong"):
                error = rejected(two_treatments_at_once(structure, area, 0.0, method))
                low, high = BOUNDS[area]
                outside += not low <= error <= high
                cells.append(f"{error:.1%}")
            gain = GAIN if area < AREAS[-1] else 0.015
            truth = gain
            held = covered(two_treatments_at_once(structure, area, gain, "jackknife"), truth)
            alone = rejected(network_at_once(structure, area, 5, TRUTH, counted=False))
            rows.append(f"| {structure}, {meaning} | {area} | {' | '.join(cells)} | {held:.1%} | {alone:.1%} |")
            say(rows[-1])
    verdict = "all lie within." if not outside else f"{outside} lie outside."
    return [
        f"## Five readers, 50 + 50 cases, {STUDIES:,} studies, areas",
        "",
        (
            "Rejected at 5 % without a difference; covered by the interval of 95 % with a difference of "
            f"{GAIN:g} (.015 at .961)."
        ),
        f"3.5 to 6.5 % are asked for at .855 (2 to 6.5 % at .961, where the test is conservative): {verdict}",
        "",
        "| structure | area | rejected, jackknife | rejected, DeLong | covered | one network: rejected |",
        "|---|---|---|---|---|---|",
        *rows,
    ]


def of_many_readers() -> list[str]:
    """Areas of few cases against many readers."""
    rows = []
    for diseased, healthy in ((10, 50), (20, 20), (20, 100), (50, 50)):
        cases = np.repeat([1, 0], [diseased, healthy])
        for area in (0.855, 0.961):
            plain, told = (
                rejected(network_at_once("HL", area, 60, cases, counted=counted)) for counted in (False, True)
            )
            rows.append(f"| {diseased} + {healthy} | {area} | {plain:.1%} | {told:.1%} |")
            say(rows[-1])
    return [
        "## One network against 60 readers, areas of few cases",
        "",
        (
            "Hillis' degrees of freedom count readers; those that are used with fewer than 50 cases on a side, and "
            "fewer than readers, count the cases too."
        ),
        "Structure HL, rejected at 5 % without a difference.",
        "",
        "| cases | area | Hillis | readers and cases |",
        "|---|---|---|---|",
        *rows,
    ]


def of_the_paper() -> list[str]:
    """The paper's shape: hard labels of 280 readers."""
    rows, worse, taken = [], [], time.perf_counter()
    for share in (0.95, 0.80):
        for cases in (20, 50, 100):
            for structure in ("HL", "LH"):
                what = f"{share:g}, {cases} cases, {structure}"
                found = counted_errors(hard_labels(structure, share, cases, readers=OF_THE_PAPER), what)
                rows.append(
                    f"| {share:g} | {cases} | {structure} | {found['plain']:.1%} | {found['told']:.1%} "
                    f"| {found['told held']:.1%} |"
                )
                say(rows[-1])
    for share, cases in ((0.95, 20), (0.80, 20), (0.80, 100)):
        found = counted_errors(
            hard_labels("HL", share, cases, readers=OF_THE_PAPER, gain=-MARGIN), f"non-inferiority, {share:g}", -MARGIN
        )
        worse.append(f"| {share:g} | {cases} | {found['plain shown']:.1%} | {found['told shown']:.1%} |")
        say(worse[-1])
    whole = counted_errors(
        hard_labels("HL", 0.8, 400 // DIAGNOSES, readers=OF_THE_PAPER, diagnoses=DIAGNOSES), "balanced accuracy"
    )
    gaps = counted_errors(hard_labels("HL", 0.8, 200, readers=40, of=0.25), "readers of a quarter")
    return [
        f"## The paper's shape: one network, {OF_THE_PAPER} readers, one label per reader and case",
        "",
        f"A sensitivity, {STUDIES:,} studies; rejected at 5 % without a difference.",
        (
            "The plain test is Obuchowski and Rockette's with Hillis' degrees of freedom; what is told instead, where "
            "fewer than 20 cases are expected to go wrong, is put together from Wilson's intervals "
            "(`cutis.stats.mrmc.few_cases`)."
        ),
        "",
        "| sensitivity | cases | structure | plain test | what is told | its interval holds 0 |",
        "|---|---|---|---|---|---|",
        *rows,
        "",
        f"Non-inferiority within {MARGIN:g}, where the network is worse by just that: shown wrongly, at 2.5 %.",
        "",
        "| sensitivity of readers | cases | plain test | what is told |",
        "|---|---|---|---|",
        *worse,
        "",
        (
            f"Balanced accuracy over {DIAGNOSES} diagnoses of {400 // DIAGNOSES} cases each, .80: rejected "
            f"{whole['told']:.1%}."
        ),
        (
            f"40 readers of whom each read a quarter of 200 cases at random, one-shot method, .80: rejected "
            f"{gaps['told']:.1%}."
        ),
        f"These took {time.perf_counter() - taken:.0f} s.",
    ]


def main() -> None:
    """Simulate, and write the page."""
    about, started = circumstances(), time.perf_counter()
    first = of_five_readers()
    seconds = time.perf_counter() - started
    page = [
        "# How often the tests of reader studies err",
        "",
        "Written by `benchmarks/mrmc_error.py`.",
        f"{about['processor']}, Python {about['python']}, cutis {about['cutis']}.",
        f"{STUDIES:,} studies each: a share of 5 % has a standard error of half a point.",
        "",
        *first,
        "",
        f"{len(STRUCTURES) * len(AREAS) * 4 * STUDIES:,} studies in {seconds:.0f} s.",
        "",
        *of_many_readers(),
        "",
        *of_the_paper(),
    ]
    PAGE.write_text("\n".join(page) + "\n", encoding="utf-8")
    print("\n".join(page))


if __name__ == "__main__":
    main()
