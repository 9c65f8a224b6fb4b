"""How fast the intervals are, and how often they cover a known truth. Writes intervals.md beside itself."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from cutis.stats.calibration import softmax
from cutis.stats.intervals import ROUNDS, estimate_metrics
from cutis.stats.metrics import measures
from cutis.vocabulary.chance import chance
from cutis.vocabulary.circumstances import circumstances
from cutis.vocabulary.predictions import Predictions

SHARES = {5: (0.45, 0.25, 0.15, 0.10, 0.05), 14: (1 / 14,) * 14}
SIZES = ((1503, 1120, 5), (2005, 1500, 14), (20_000, 15_000, 14))  # pictures, clusters, diagnoses
STUDIES = ((120, 400), (600, 400))  # patients, how many studies
SHOWN = ("argmax/accuracy", "argmax/macro_sensitivity", "macro_auc", "argmax/sensitivity/d0", "argmax/sensitivity/d4")


def study(*keys: int | str, patients: int, kinds: int = 5, pictures: int | None = None) -> Predictions:
    """Invent a study: patients with one to four pictures of one or two diagnoses, all easier or all harder."""
    random = chance("benchmark", *keys)
    owner = np.repeat(np.arange(patients), random.integers(1, 5, patients))
    if pictures is not None:
        owner = random.integers(0, patients, pictures)
    diagnoses = random.choice(kinds, p=SHARES[kinds], size=(patients, 2))
    truth = diagnoses[owner, random.integers(0, 2, len(owner)) * random.integers(0, 2, patients)[owner]]
    logits = random.normal(size=(len(owner), kinds))
    logits[np.arange(len(owner)), truth] += 1.5 + random.normal(size=patients)[owner]
    return Predictions(
        case_ids=tuple(map(str, range(len(owner)))),
        cluster_ids=tuple(map(str, owner)),
        cluster_kind="patient",
        truth=truth,
        probabilities=softmax(logits),
        codes=tuple(f"d{kind}" for kind in range(kinds)),
        taxonomy_sha256="",
        split="test",
        rater="invented",
    )


def seconds(pictures: int, clusters: int, kinds: int) -> tuple[float, int]:
    """Return the processor time of all figures of one study, and how many they are."""
    predictions = study("speed", patients=clusters, kinds=kinds, pictures=pictures)
    started = time.process_time()
    found = estimate_metrics(predictions, thresholds=np.full(kinds, 0.2), generator=chance("benchmark"))
    return time.process_time() - started, len(found)


def coverage(patients: int, studies: int) -> dict[str, float]:
    """Return the share of studies whose interval holds the figure of a study of 60,000 patients."""
    thresholds = np.full(5, 0.2)
    large = study("truth", patients=60_000)
    assert large.truth is not None
    weights = np.ones((1, len(large)))
    true = measures(large.probabilities, large.truth, codes=large.codes, thresholds=thresholds, weights=weights)
    known = {str(measure): value[0] for measure, value in true.items()}
    held = dict.fromkeys(SHOWN, 0)
    for number in range(studies):
        found = estimate_metrics(
            study("coverage", patients, number, patients=patients),
            thresholds=thresholds,
            generator=chance("benchmark", number),
            rounds=500,
        )
        for name in SHOWN:
            low, high = found[name].low, found[name].high
            held[name] += low is not None and high is not None and low <= known[name] <= high
    return {name: count / studies for name, count in held.items()}


def main() -> None:
    """Measure, and write the tables."""
    about = circumstances()
    page = [
        "# How fast the intervals are, and how often they hold the truth",
        "",
        "Written by `benchmarks/intervals.py`.",
        f"{about['processor']}, Python {about['python']}, cutis {about['cutis']}.",
        "",
        f"All figures with {ROUNDS:,} rounds:",
        "",
        "| pictures | clusters | diagnoses | figures | processor seconds |",
        "|---|---|---|---|---|",
    ]
    for size in SIZES:
        taken, figures = seconds(*size)
        page.append(f"| {size[0]:,} | {size[1]:,} | {size[2]} | {figures} | {taken:.2f} |")
    columns = [coverage(patients, studies) for patients, studies in STUDIES]
    page += [
        "",
        "Share of invented studies whose 95 % interval holds the true figure (500 rounds each).",
        "Five diagnoses from 45 % (d0) to 5 % (d4).",
        "A patient has one to four pictures of one or two diagnoses, all of them easier or all of them harder.",
        "",
        "| figure | " + " | ".join(f"{patients} patients, {studies} studies" for patients, studies in STUDIES) + " |",
        "|---|" + "---|" * len(STUDIES),
        *(f"| `{name}` | " + " | ".join(f"{column[name]:.1%}" for column in columns) + " |" for name in SHOWN),
    ]
    Path(__file__).with_suffix(".md").write_text("\n".join(page) + "\n", encoding="utf-8")
    print("\n".join(page[5:]))


if __name__ == "__main__":
    main()
