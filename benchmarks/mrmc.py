"""How long the analysis of a reader study takes, and how it grows. Writes mrmc.md.

    .venv/bin/python benchmarks/mrmc.py

The paper's shape first: 280 readers, 8 diagnoses, 400 cases, one label per reader and case. Then readers, cases and
diagnoses by themselves.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.stats.mrmc.network import one_network
from cutis.stats.mrmc.study import Asked
from cutis.stats.mrmc.treatments import two_treatments
from cutis.stats.rater_agreement import estimate_agreement, estimate_mean_kappa
from cutis.stats.resampling import clusters_of
from cutis.vocabulary.chance import chance
from cutis.vocabulary.circumstances import circumstances

PAGE = Path(__file__).with_suffix(".md")
PAPER = (280, 400, 8)
REPEATS = 3  # the fastest counts
GROWTH = ((70, 400, 8), (140, 400, 8), (560, 400, 8), (280, 200, 8), (280, 800, 8), (280, 400, 4), (280, 400, 16))


class Invented(NamedTuple):
    """A study of R readers, N cases and K diagnoses."""

    truth: NDArray[np.int64]  # (N,)
    network: NDArray[np.int64]  # (N,)
    readers: NDArray[np.int64]  # (R, N)
    aided: NDArray[np.int64]  # (R, N)
    ratings: NDArray[np.float64]  # (R + 1, N) of the first diagnosis, the network's first


def invented(readers: int, cases: int, kinds: int) -> Invented:
    """Invent readers who are right in four of five cases, by skill and by hardness."""
    random = chance("mrmc speed", readers, cases, kinds)
    truth = np.arange(cases) % kinds
    hard = random.normal(size=cases)

    def said(raters: int) -> NDArray[np.int64]:
        skill = random.normal(size=(raters, 1)) * 0.3
        right = skill + hard + random.normal(size=(raters, cases)) > -1.2  # noqa: PLR2004  about four in five
        return np.where(right, truth, random.integers(0, kinds, (raters, cases)))

    ratings = (truth == 0) * 1.5 + 0.5 * hard + random.normal(size=(readers + 1, cases))
    return Invented(truth, said(1)[0], said(readers), said(readers), ratings)


def shares(study: Invented) -> int:
    """Test network against readers by accuracy, balanced accuracy, and both shares of each diagnosis."""
    right, own = (study.readers == study.truth).astype(float), (study.network == study.truth).astype(float)
    one_network(study.truth, own, right, asked=Asked(endpoint="right"))
    one_network(study.truth, own, right, asked=Asked(endpoint="balanced_right"))
    kinds = np.unique(study.truth)
    for kind in kinds:
        flags, of_network = (study.readers == kind).astype(float), (study.network == kind).astype(float)
        for endpoint in ("sensitivity", "specificity"):
            has = (study.truth == kind).astype(np.int64)
            one_network(has, of_network, flags, asked=Asked(endpoint=endpoint))
    return 2 + 2 * len(kinds)


def aided(study: Invented) -> int:
    """Test aided against unaided readers by the same figures."""
    both = [(said == study.truth).astype(float) for said in (study.aided, study.readers)]
    two_treatments(study.truth, *both, asked=Asked(endpoint="right"))
    two_treatments(study.truth, *both, asked=Asked(endpoint="balanced_right"))
    kinds = np.unique(study.truth)
    for kind in kinds:
        has = (study.truth == kind).astype(np.int64)
        flags = [(said == kind).astype(float) for said in (study.aided, study.readers)]
        for endpoint in ("sensitivity", "specificity"):
            two_treatments(has, *flags, asked=Asked(endpoint=endpoint))
    return 2 + 2 * len(kinds)


def area(study: Invented) -> int:
    """Test the area of one diagnosis, where ratings were collected."""
    one_network((study.truth == 0).astype(np.int64), study.ratings[0], study.ratings[1:])
    return 1


def parts(study: Invented) -> int:
    """Test sensitivities and specificities where each reader read a quarter of the cases, by the one-shot method."""
    order = np.argsort(chance("mrmc speed", "gaps").random(study.readers.shape), axis=1)
    gaps = order >= study.readers.shape[1] // 4
    kinds = np.unique(study.truth)
    for kind in kinds:
        flags, of_network = (study.readers == kind).astype(float), (study.network == kind).astype(float)
        flags[gaps] = np.nan
        for endpoint in ("sensitivity", "specificity"):
            has = (study.truth == kind).astype(np.int64)
            one_network(has, of_network, flags, asked=Asked(endpoint=endpoint))
    return 2 * len(kinds)


def agreement(study: Invented) -> int:
    """Measure agreement between readers, and with the network, over readers and cases."""
    kinds = int(study.truth.max()) + 1
    cases = clusters_of([f"{number:06}" for number in range(len(study.truth))], kind="case")
    for coefficient in ("fleiss_kappa", "gwet_ac1", "krippendorff_nominal"):
        estimate_agreement(study.readers, cases, kinds=kinds, coefficient=coefficient)
    estimate_mean_kappa(study.network, study.readers, cases, kinds=kinds)
    return 4


ANALYSES = {
    "network, shares": shares,
    "aided, shares": aided,
    "network, one area": area,
    "network, readers of a quarter": parts,
    "agreement": agreement,
}


def seconds(size: tuple[int, int, int]) -> dict[str, tuple[float, int]]:
    """Return processor seconds and number of figures of each analysis."""
    study, found = invented(*size), {}
    for name, analyse in ANALYSES.items():
        taken = []
        for _ in range(REPEATS):
            started = time.process_time()
            figures = analyse(study)
            taken.append(time.process_time() - started)
        found[name] = (min(taken), figures)
    return found


def main() -> None:
    """Measure, and write the page."""
    about, paper = circumstances(), seconds(PAPER)
    rows = {size: seconds(size) for size in GROWTH}
    page = [
        "# How long the analysis of a reader study takes",
        "",
        "Written by `benchmarks/mrmc.py`.",
        f"{about['processor']}, Python {about['python']}, cutis {about['cutis']}, one core; processor seconds.",
        "",
        "280 readers × 8 diagnoses × 400 cases, one label per reader and case:",
        "",
        "| analysis | tests or figures | seconds |",
        "|---|---|---|",
        *(f"| {name} | {figures} | {taken:.2f} |" for name, (taken, figures) in paper.items()),
        f"| all | {sum(each[1] for each in paper.values())} | {sum(each[0] for each in paper.values()):.2f} |",
        "",
        "Growth, as a multiple of the times above:",
        "",
        f"| readers × cases × diagnoses | {' | '.join(ANALYSES)} |",
        "|---|" + "---|" * len(ANALYSES),
        *(
            f"| {' × '.join(map(str, size))} | "
            + " | ".join(f"{row[name][0] / max(paper[name][0], 1e-9):.2f}" for name in ANALYSES)
            + " |"
            for size, row in rows.items()
        ),
    ]
    PAGE.write_text("\n".join(page) + "\n", encoding="utf-8")
    print("\n".join(page))


if __name__ == "__main__":
    main()
