"""How fast all figures are under resampling, beside the same done by others. Writes statistics.md beside itself.

    .venv/bin/python benchmarks/statistics_speed.py            some minutes
    .venv/bin/python benchmarks/statistics_speed.py --quick    a look, of a minute and without worth; writes nothing

A module named like its page would hide the standard library's `statistics` from every script here. What is measured is
processor time of one process on one thread. Needs scikit-learn; without the package `confidenceinterval` its lines are
left out.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from intervals import study
from numpy.typing import NDArray

from cutis.stats.intervals import ROUNDS, clusters_in, quantiles, resample
from cutis.stats.metrics import Measuring, measuring
from cutis.vocabulary.chance import chance
from cutis.vocabulary.circumstances import circumstances
from cutis.vocabulary.predictions import Predictions

KINDS = 14
MALIGNANT = np.arange(KINDS) < 4  # noqa: PLR2004  four of fourteen, as in the paper's taxonomy
THRESHOLD, MALIGNANT_THRESHOLD = 0.2, 0.4
PICTURES = 2005
SIZES = (2005, 10_000, 100_000)
PICTURES_OF_A_PATIENT = 4 / 3
LOOPED, RESAMPLED = 10, 20  # rounds that are timed of scikit-learn, and of confidenceinterval
PAGE = Path(__file__).with_name("statistics.md")
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class Taken(NamedTuple):
    """What all figures of one study cost."""

    pictures: int
    figures: int
    prepared: float  # processor seconds, once
    answered: float  # processor seconds, all rounds with their intervals
    before: float  # MiB that the process held with the study alone
    peak: float  # MiB at most


class Offered(NamedTuple):
    """A figure of `confidenceinterval`."""

    name: str
    times: int  # as many figures of ours are of this kind
    figure: Callable[..., Any]


def invented(pictures: int) -> Predictions:
    """Return a study with the paper's number of diagnoses."""
    return study("statistics", patients=round(pictures / PICTURES_OF_A_PATIENT), kinds=KINDS, pictures=pictures)


def all_figures(predictions: Predictions) -> Measuring:
    """Return what answers weights with every figure."""
    assert predictions.truth is not None
    return measuring(
        predictions.probabilities,
        predictions.truth,
        codes=predictions.codes,
        thresholds=np.full(KINDS, THRESHOLD),
        malignant=MALIGNANT,
        malignant_threshold=MALIGNANT_THRESHOLD,
    )


def drawn_rounds(predictions: Predictions, rounds: int) -> Iterator[NDArray[np.float64]]:
    """Yield blocks of weights, always the same patients."""
    return resample(clusters_in(predictions), rounds=rounds, generator=chance("benchmark", "rounds"))


def take(pictures: int, rounds: int) -> Taken:
    """Measure all figures of a study, with their intervals, in this process."""
    all_figures(invented(100))  # imports what it needs, once
    predictions = invented(pictures)
    before, started = _held("VmRSS"), time.process_time()
    figures = all_figures(predictions)
    prepared = time.process_time()
    blocks = [figures(weights) for weights in drawn_rounds(predictions, rounds)]
    for measure in blocks[0]:
        quantiles(np.concatenate([block[measure] for block in blocks]), (0.025, 0.975))
    answered = time.process_time()
    return Taken(pictures, len(blocks[0]), prepared - started, answered - prepared, before, _held("VmHWM"))


def take_alone(pictures: int, rounds: int) -> Taken:
    """Measure in a process of its own, so that memory is that of this study alone."""
    command = [sys.executable, __file__, "--take", str(pictures), "--rounds", str(rounds)]
    environment = os.environ | ONE_THREAD
    told = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)  # noqa: S603  ourselves
    return Taken(**json.loads(told.stdout))


def by_scikit_learn(probabilities: NDArray[np.float64], truth: NDArray[np.int64]) -> dict[str, float]:
    """Return the same figures of the cases that a round drew; every diagnosis is among them."""
    from sklearn import metrics as oracle

    kinds = np.arange(KINDS)
    said, has = probabilities.argmax(axis=1), truth[:, None] == kinds
    score, malignant = probabilities[:, MALIGNANT].sum(axis=1), MALIGNANT[truth]
    flagged = {"argmax": said[:, None] == kinds, "one_vs_rest": probabilities >= THRESHOLD}
    both = {"argmax": MALIGNANT[said], "one_vs_rest": score >= MALIGNANT_THRESHOLD}
    share = has.mean(axis=0)
    found = {
        "argmax/accuracy": oracle.accuracy_score(truth, said),
        "argmax/balanced_accuracy": oracle.balanced_accuracy_score(truth, said),
        "argmax/cohen_kappa": oracle.cohen_kappa_score(truth, said),
        "argmax/matthews_correlation": oracle.matthews_corrcoef(truth, said),
        "log_loss": oracle.log_loss(truth, probabilities),
        "brier": oracle.brier_score_loss(truth, probabilities, scale_by_half=False),
        "top_2_accuracy": oracle.top_k_accuracy_score(truth, probabilities, k=2),
        "top_3_accuracy": oracle.top_k_accuracy_score(truth, probabilities, k=3),
        "malignant_auc": oracle.roc_auc_score(malignant, score),
        "malignant_average_precision": oracle.average_precision_score(malignant, score),
    }
    for what, area in (("auc", oracle.roc_auc_score), ("average_precision", oracle.average_precision_score)):
        each, pooled = area(has, probabilities, average=None), area(has, probabilities, average="micro")
        found |= _averaged("", what, each, pooled, share)
    for convention, yes in flagged.items():
        each, pooled = _rates(has, yes, None), _rates(has, yes, "micro")
        for what in each:
            found |= _averaged(f"{convention}/", what, each[what], pooled[what], share)
        of_malignant = _rates(malignant, both[convention], "binary")
        found |= {f"{convention}/malignant_{what}": figure for what, figure in of_malignant.items()}
    balanced = [oracle.balanced_accuracy_score(has[:, kind], flagged["one_vs_rest"][:, kind]) for kind in kinds]
    return found | {"one_vs_rest/macro_balanced_accuracy": np.mean(balanced)}


def loop(predictions: Predictions, rounds: int) -> tuple[float, float, int]:
    """Return the seconds of one round of a loop over scikit-learn, the largest difference to ours, and the figures.

    The rounds are those that we drew, their cases written out, repeated ones repeatedly.
    """
    assert predictions.truth is not None
    weights = np.concatenate(list(drawn_rounds(predictions, rounds)))
    ours = {str(measure): figure for measure, figure in all_figures(predictions)(weights).items()}
    by_scikit_learn(predictions.probabilities, predictions.truth)  # imports what it needs, once
    taken, largest = 0.0, 0.0
    for row, drawn in enumerate(weights):
        started = time.process_time()
        rows = np.repeat(np.arange(len(drawn)), drawn.astype(np.int64))
        found = by_scikit_learn(predictions.probabilities[rows], predictions.truth[rows])
        taken += time.process_time() - started
        assert found.keys() == ours.keys()
        theirs, here = np.array([(figure, ours[name][row]) for name, figure in found.items()]).T
        assert (np.isnan(theirs) == np.isnan(here)).all()
        largest = max(largest, float(np.nanmax(abs(theirs - here))))
    return taken / rounds, largest, len(ours)


def offered(predictions: Predictions) -> tuple[Offered, ...]:
    """Return what `confidenceinterval` has of our figures, each asked of one diagnosis by arg-max."""
    import confidenceinterval as package

    probabilities, truth = predictions.probabilities, predictions.truth
    said = probabilities.argmax(axis=1)
    of_one, all_of_it = (truth == 0, said == 0), (truth, said)
    yes_or_no = {
        "sensitivity": package.tpr_score,
        "specificity": package.tnr_score,
        "accuracy": package.accuracy_score,
        "PPV": package.ppv_score,
        "NPV": package.npv_score,
        "F1": lambda *cases, **how: package.f1_score(*cases, average="binary", **how),
    }
    asked: Sequence[tuple[str, int, Callable[..., Any], tuple[Any, Any]]] = (
        *((f"{name} of a diagnosis", 2 * KINDS, score, of_one) for name, score in yes_or_no.items()),
        ("AUC of a diagnosis", KINDS, package.roc_auc_score, (truth == 0, probabilities[:, 0])),
        ("macro F1", 1, lambda *cases, **how: package.f1_score(*cases, average="macro", **how), all_of_it),
        ("pooled PPV", 1, package.precision_score, all_of_it),
    )
    return tuple(
        Offered(name, times, lambda score=score, cases=cases, **how: score(*(1 * of for of in cases), **how))
        for name, times, score, cases in asked
    )


def seconds_of(figure: Callable[..., Any], samples: int) -> float:
    """Return the processor time of one resampled figure per round; it resamples pictures, not patients."""
    started = time.process_time()
    figure(method="bootstrap_percentile", n_resamples=samples, random_state=0)
    return (time.process_time() - started) / samples


def growth(takings: Sequence[Taken]) -> list[str]:
    """Return the lines of the page about time and memory by size."""
    page = [
        "## Growth",
        "",
        "Each size in a process of its own; memory beyond what the process held with the study alone.",
        "Growth is the exponent from one size to the next: 1 is in proportion.",
        "",
        "| pictures | set up once, s | rounds, s | growth | peak memory, MiB | of it beyond the study | growth |",
        "|---|---|---|---|---|---|---|",
    ]
    for smaller, taken in zip([None, *takings], takings, strict=False):
        time_grows, memory_grows = ("", "") if smaller is None else _exponents(smaller, taken)
        page.append(
            f"| {taken.pictures:,} | {taken.prepared:.2f} | {taken.answered:.2f} | {time_grows} "
            f"| {taken.peak:.0f} | {taken.peak - taken.before:.0f} | {memory_grows} |"
        )
    return page


def main() -> None:
    """Measure, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--take", type=int, metavar="PICTURES", help="measure one study in this process, and tell it")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    said = parser.parse_args()
    if said.take:
        print(json.dumps(take(said.take, said.rounds)._asdict()))
        return
    rounds, sizes = (100, SIZES[:2]) if said.quick else (said.rounds, SIZES)
    looped, samples = (1, 2) if said.quick else (LOOPED, RESAMPLED)
    takings = [take_alone(pictures, rounds) for pictures in sizes]
    page = [*_head(rounds), *_beside_others(takings[0], rounds, looped, samples), *growth(takings)]
    if not said.quick:
        PAGE.write_text("\n".join(page) + "\n", encoding="utf-8")
    print("\n".join(page))


def _averaged(
    prefix: str, what: str, each: NDArray[np.float64], pooled: float, share: NDArray[np.float64]
) -> dict[str, float]:
    return {
        f"{prefix}macro_{what}": each.mean(),
        f"{prefix}weighted_{what}": np.average(each, weights=share),
        f"{prefix}pooled_{what}": pooled,
    } | {f"{prefix}{what}/d{kind}": each[kind] for kind in range(KINDS)}


def _rates(has: NDArray[np.bool_], yes: NDArray[np.bool_], average: str | None) -> dict[str, Any]:
    """Return the rates of each question, or of all pooled, with as few calls of scikit-learn as it takes."""
    from sklearn.metrics import precision_recall_fscore_support

    ppv, sensitivity, f1, _ = precision_recall_fscore_support(has, yes, average=average, zero_division=np.nan)
    npv, specificity, _, _ = precision_recall_fscore_support(~has, ~yes, average=average, zero_division=np.nan)
    right = (has == yes).mean(axis=0 if average is None else None)
    return {
        "sensitivity": sensitivity,
        "specificity": specificity,
        "accuracy": right,
        "ppv": ppv,
        "npv": npv,
        "f1": f1,
    }


def _held(what: str) -> float:
    """Return a line of this process's memory in MiB: what it holds (VmRSS), or held at most (VmHWM)."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(what))


def _head(rounds: int) -> list[str]:
    about = circumstances()
    return [
        "# How fast all figures are, beside the same done by others",
        "",
        "Written by `benchmarks/statistics_speed.py`.",
        f"{about['processor']}, one thread, Python {about['python']}, cutis {about['cutis']}.",
        "All times are processor time.",
        "",
        f"{rounds:,} rounds of the bootstrap, {KINDS} diagnoses.",
        "The figures are all of `cutis.stats.metrics.measures`, *malignant or not* included, in one run.",
        "",
    ]


def _beside_others(taken: Taken, rounds: int, looped: int, samples: int) -> list[str]:
    predictions = invented(PICTURES)
    ours = taken.prepared + taken.answered
    in_loop, largest, figures = loop(predictions, looped)
    page = [
        f"## {PICTURES:,} pictures",
        "",
        "scikit-learn: the cases of a round written out, then every figure by as few calls as it takes.",
        f"Timed on {looped} of our rounds, {in_loop * 1000:.0f} ms each; what {rounds:,} would take is told.",
        f"The largest difference to ours in any figure of these rounds is {largest:.0e}.",
        "",
        "| by | figures | seconds | times ours |",
        "|---|---|---|---|",
        _line("cutis, resampling patients", taken.figures, ours, ours),
        _line("scikit-learn in a loop, the same patients", figures, in_loop * rounds, ours),
    ]
    if find_spec("confidenceinterval") is None:
        return [*page, ""]
    rows, total, count = [], 0.0, 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own, of what it divides by
        for each in offered(predictions):
            seconds = seconds_of(each.figure, samples) * rounds
            rows.append(f"| {each.name} | {each.times} | {seconds:.1f} |")
            total, count = total + seconds * each.times, count + each.times
    return [
        *page,
        _line("confidenceinterval, resampling pictures", count, total, ours),
        "",
        "confidenceinterval resamples pictures, one figure at a time, so that only its time compares.",
        "It has these of our figures.",
        f"One of each kind was timed with {samples} rounds; what {rounds:,} would take is told.",
        "",
        "| figure | of this kind | seconds for one |",
        "|---|---|---|",
        *rows,
        "",
    ]


def _line(who: str, figures: int, seconds: float, ours: float) -> str:
    return f"| {who} | {figures} | {seconds:.{0 if seconds > 10 * ours else 2}f} | {seconds / ours:.0f} |"


def _exponents(smaller: Taken, larger: Taken) -> tuple[str, str]:
    more = math.log(larger.pictures / smaller.pictures)
    time_grows = math.log((larger.prepared + larger.answered) / (smaller.prepared + smaller.answered)) / more
    memory_grows = math.log((larger.peak - larger.before) / (smaller.peak - smaller.before)) / more
    return f"{time_grows:.2f}", f"{memory_grows:.2f}"


if __name__ == "__main__":
    main()
