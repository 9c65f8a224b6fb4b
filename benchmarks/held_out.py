"""Whether a disease that was never shown is recognised as foreign, one class left out at a time. Writes held_out.md.

    .venv/bin/python benchmarks/held_out.py --minutes 60     begins trainings for an hour; the same line goes on
    .venv/bin/python benchmarks/held_out.py                  says what is left, and writes the table of what there is

Needs `ham10000` in the data folder, and the ImageNet weights of mobilenetv2_100. A training is about 39,000 pictures of
64 pixels: two to five minutes of two cores; measuring it takes another minute.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from no_dermoscopy import FAMILIES, no_dermoscopy
from numpy.typing import NDArray
from trials import (
    HAM10000,
    IMAGENET_FILE,
    Bench,
    Row,
    Trial,
    append_row,
    conclude,
    key_of,
    open_bench,
    plain,
    read_rows,
    run_trials,
    write_dataset,
    write_page,
)

from cutis.progress import say
from cutis.runtime.bundle import Bundle, read_bundle
from cutis.runtime.engines import Engine, open_engine
from cutis.runtime.predict import outputs_of, probabilities
from cutis.runtime.trust import (
    ACCEPTED,
    Acceptance,
    Signals,
    TrustReference,
    abstentions,
    combined,
    signals_of,
)
from cutis.stats.distance import Gaussian, fit_gaussian, mahalanobis, nearest_neighbours, relative_mahalanobis
from cutis.stats.foreign import estimate_foreign
from cutis.stats.intervals import bootstrap, clusters_of, estimate_mean
from cutis.stats.metrics import Measure, Weights
from cutis.stats.selective import excess_aurc
from cutis.stats.tails import most_unusual
from cutis.vocabulary.case import Case, Manifest, read_manifest
from cutis.vocabulary.chance import chance
from cutis.vocabulary.estimate import Estimate
from cutis.vocabulary.files import sha256_of
from cutis.vocabulary.outputs import Outputs
from cutis.vocabulary.taxonomy import load_taxonomy
from cutis.workspace import Workspace

TAXONOMY = load_taxonomy("ham7")
LEFT_OUT = (*((code,) for code in TAXONOMY.codes), ("mel", "akiec"))
SETTINGS: dict[str, Any] = {
    "network": "mobilenetv2_100",
    "weights": IMAGENET_FILE,
    "size": 64,
    "batch_size": 64,
    "epochs": 6,
    "warmup_epochs": 1.0,
    "learning_rate": 1e-3,
    "weight_decay": 0.05,
    "auxiliary_weight": 0.3,
    "precision": "fp32",
    "seed": 1,
}
OF_EACH_FAMILY = 40
SHOWN = {**{name: name for name in Signals._fields}, "combined": "combined"}
BESIDE = {
    "plain": "distance, lengths and all",
    "relative": "relative distance",
    "neighbours": "distance to neighbours",
    **{f"without {name}": f"combined without {name}" for name in Signals._fields},
}
DISEASE, NO_DERMOSCOPY = "left out", "no dermoscopy"


class Judged(NamedTuple):
    """What is said of N pictures of one origin."""

    signals: dict[str, NDArray[np.float64]]  # (N,) by the names of `SHOWN` and `BESIDE`
    called: NDArray[np.int64]  # (N,) the most probable diagnosis
    answered: NDArray[np.bool_]  # (N,) by the acceptance that was fitted on calibrate
    cluster_ids: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Judge:
    """A trained network with what was fitted on train and calibrate, none of which holds what was left out."""

    bundle: Bundle
    engine: Engine
    reference: TrustReference
    plain: Gaussian  # of the features as they are, a mean for each diagnosis
    background: Gaussian  # and one mean of everything
    learned: NDArray[np.float32]  # (M, F) features of the training pictures
    acceptance: Acceptance

    def heard(self, paths: Sequence[Path], what: str) -> Outputs[NDArray[np.float32]]:
        """Return what the network says of pictures."""
        return outputs_of(self.engine, self.bundle, paths, what=what)

    def judge(self, paths: Sequence[Path], cluster_ids: Sequence[str], *, what: str) -> Judged:
        """Return everything that is compared."""
        outputs = self.heard(paths, what)
        said, features = probabilities(self.bundle, outputs), outputs.features
        signals = signals_of(outputs, self.reference, probabilities=said, temperatures=self.bundle.temperatures)
        tails = self.acceptance.tails
        fewer = {
            f"without {name}": most_unusual([*signals[:at], *signals[at + 1 :]], [*tails[:at], *tails[at + 1 :]])
            for at, name in enumerate(Signals._fields)
        }
        return Judged(
            signals={
                **signals._asdict(),
                "combined": combined(signals, self.acceptance),
                "plain": mahalanobis(features, self.plain),
                "relative": relative_mahalanobis(features, self.plain, background=self.background),
                "neighbours": nearest_neighbours(features, self.learned),
                **fewer,
            },
            called=said.argmax(axis=1),
            answered=~abstentions(signals, self.acceptance).abstained,
            cluster_ids=tuple(cluster_ids),
        )


def without(bench: Bench, target: Workspace, *, codes: Sequence[str]) -> None:
    """Write HAM10000 without these diagnoses: no lesion that has one, and no word of them in the taxonomy."""
    dataset = bench.workspace("ham10000").dataset.resolve()
    whole = read_manifest(dataset / "manifest.parquet")
    names = tuple(disease.name for disease in whole.taxonomy.diseases if disease.code in codes)
    taxonomy = replace(
        whole.taxonomy,
        name=f"{whole.taxonomy.name}-without-{'-'.join(codes)}",
        diseases=tuple(disease for disease in whole.taxonomy.diseases if disease.code not in codes),
        cannot_say=(*whole.taxonomy.cannot_say, *names),
    )
    foreign = {case.cluster_id for case in whole.cases if case.diagnosis in codes}
    kept = replace(whole.where(lambda case: case.cluster_id not in foreign), taxonomy=taxonomy)
    write_dataset(
        target, kept, images=dataset / "images", made_from={"manifest": sha256_of(dataset / "manifest.parquet")}
    )


def name_of(codes: Sequence[str]) -> str:
    """Return the name of the dataset without these diagnoses."""
    return f"ham10000-without-{'-'.join(codes)}"


def trial_of(bench: Bench, codes: Sequence[str]) -> Trial:
    """Return the training without these diagnoses."""
    return Trial(kind="held out", dataset=name_of(codes), settings=SETTINGS | dict(bench.extra))


def judge_of(workspace: Workspace, bundle: Bundle) -> Judge:
    """Return a bundle with what it was trained to abstain by, and what other distances are measured from."""
    if bundle.reference is None or bundle.acceptance is None:
        raise ValueError("this bundle abstains from nothing")
    dataset = workspace.dataset.resolve()
    manifest = read_manifest(dataset / "manifest.parquet")
    learned, engine = manifest.of_split("train"), open_engine(bundle)
    features = outputs_of(engine, bundle, _paths(dataset, learned.cases), what="hearing train").features
    diagnosis = _truth(learned)
    return Judge(
        bundle=bundle,
        engine=engine,
        reference=bundle.reference,
        plain=fit_gaussian(features, diagnosis, kinds=len(manifest.taxonomy)),
        background=fit_gaussian(features, np.zeros_like(diagnosis), kinds=1),
        learned=features,
        acceptance=bundle.acceptance,
    )


def measured(bench: Bench, trial: Trial, codes: Sequence[str]) -> dict[str, Estimate]:
    """Return every figure of one training: own pictures are those of test, foreign ones those it was never shown.

    Of the left-out diagnoses all pictures are asked, since none of them is in any split of this training.
    """
    workspace = bench.workspace(trial.dataset)
    dataset = workspace.dataset.resolve()
    judge = judge_of(workspace, read_bundle(workspace.bundle(trial.bundle).resolve()))
    tested = read_manifest(dataset / "manifest.parquet").of_split("test")
    whole = read_manifest(bench.workspace("ham10000").dataset.resolve() / "manifest.parquet")
    strangers = [case for case in whole.cases if case.diagnosis in codes and case.indeterminate is None]
    invented = no_dermoscopy(bench.work / "no-dermoscopy", of_each=OF_EACH_FAMILY)
    own = judge.judge(_paths(dataset, tested.cases), tested.column("cluster_id"), what="hearing test")
    foreign = {
        DISEASE: judge.judge(
            _paths(dataset, strangers), [case.cluster_id for case in strangers], what="hearing what was left out"
        ),
        NO_DERMOSCOPY: judge.judge(invented, [path.stem for path in invented], what="hearing what is no dermoscopy"),
    }
    about: dict[str, Any] = {
        "cluster_kind": tested.cluster_kind,
        "generator": chance("benchmark", "held out", *codes),
    }
    found = {f"own/{name}": each for name, each in _of_own(own, tested, about).items()}
    for kind, judged in foreign.items():
        found |= {f"{kind}/{name}": each for name, each in _against(own, judged, about).items()}
        found |= {f"{kind}/{name}": each for name, each in _answers(judged, tested, about).items()}
    return found


def _of_own(own: Judged, tested: Manifest, about: dict[str, Any]) -> dict[str, Estimate]:
    """How right the network is, and how well each signal tells right from wrong among its own pictures."""
    truth = _truth(tested)
    right = own.called == truth
    malignant = np.array(tested.taxonomy.malignant)
    missed = (malignant[truth] & ~malignant[own.called])[malignant[truth]]
    sick = [own.cluster_ids[at] for at in np.flatnonzero(malignant[truth])]
    still = missed & own.answered[malignant[truth]]
    kept = np.flatnonzero(own.answered)

    def figures(weights: Weights) -> dict[Measure, NDArray[np.float64]]:
        return {
            Measure("excess_aurc", name): excess_aurc(own.signals[name], ~right, weights) for name in (*SHOWN, *BESIDE)
        }

    clusters = clusters_of(own.cluster_ids, truth, kind=about["cluster_kind"], diagnoses=len(tested.taxonomy))
    drawn = bootstrap(figures, clusters, rounds=2000, generator=about["generator"])
    return {
        "answered": estimate_mean(own.answered.astype(np.float64), own.cluster_ids, **about),
        "accuracy": estimate_mean(right.astype(np.float64), own.cluster_ids, **about),
        "accuracy of answers": estimate_mean(
            right[kept].astype(np.float64), [own.cluster_ids[at] for at in kept], **about
        ),
        "malignant called benign": estimate_mean(missed.astype(np.float64), sick, **about),
        "malignant answered as benign": estimate_mean(still.astype(np.float64), sick, **about),
        **{str(measure): estimate for measure, estimate in drawn.items()},
    }


def _against(own: Judged, foreign: Judged, about: dict[str, Any]) -> dict[str, Estimate]:
    """How well each signal tells foreign pictures from own ones."""
    signals = {name: np.concatenate([own.signals[name], foreign.signals[name]]) for name in (*SHOWN, *BESIDE)}
    is_foreign = np.repeat([False, True], [len(own.called), len(foreign.called)])
    return estimate_foreign(signals, is_foreign, (*own.cluster_ids, *foreign.cluster_ids), **about)


def _answers(foreign: Judged, tested: Manifest, about: dict[str, Any]) -> dict[str, Estimate]:
    """What foreign pictures are told."""
    benign = ~np.array(tested.taxonomy.malignant)[foreign.called]
    said = {
        "answered": foreign.answered,
        "called benign": benign,
        "answered as benign": benign & foreign.answered,
    }
    return {name: estimate_mean(each.astype(np.float64), foreign.cluster_ids, **about) for name, each in said.items()}


def _paths(dataset: Path, cases: Sequence[Case]) -> list[Path]:
    return [dataset / case.image for case in cases]


def _truth(cases: Manifest) -> NDArray[np.int64]:
    codes = cases.taxonomy.codes
    return np.array([codes.index(code) for code in cases.column("diagnosis")], dtype=np.int64)


def found_of(bench: Bench, trial: Trial, codes: Sequence[str], row: Row | None) -> Row | None:
    """Return the figures of a training from their row, or measure and keep them, where there is time."""
    if row is None:
        return None
    key = key_of("foreign", trial.key)
    found = read_rows(bench.results).get(key)
    if found and found["learned_from"] == row["learned_from"]:
        return found
    there = Workspace(bench.work / trial.dataset).bundle(trial.bundle).exists()
    if not there or bench.until is None or time.monotonic() >= bench.until:
        return None
    say(f"{bench.name}: measuring without {' and '.join(codes)}")
    estimates = {name: estimate.to_dict() for name, estimate in measured(bench, trial, codes).items()}
    found = {"key": key, "kind": "foreign", "learned_from": row["learned_from"], "estimates": estimates}
    append_row(bench.results, found)
    return found


def table(
    found: dict[tuple[str, ...], dict[str, Estimate]], columns: dict[str, str], *, first: str = "left out"
) -> Iterator[str]:
    """Yield a table with a row for each training, and a figure in each column."""
    yield f"| {' | '.join((first, *columns.values()))} |"
    yield "|---" * (1 + len(columns)) + "|"
    for codes, estimates in found.items():
        yield f"| {' and '.join(codes)} | {' | '.join(plain(estimates[name]) for name in columns)} |"


def body(bench: Bench) -> None:
    """Train, ask, write."""
    trials = {codes: trial_of(bench, codes) for codes in LEFT_OUT}
    rows = dict(zip(LEFT_OUT, run_trials(bench, list(trials.values())), strict=True))
    part, parts = bench.share
    for codes in LEFT_OUT[part - 1 :: parts]:
        found_of(bench, trials[codes], codes, rows[codes])
    silent = replace(bench, until=None)
    kept = {codes: found_of(silent, trials[codes], codes, rows[codes]) for codes in LEFT_OUT}
    found = {
        codes: {name: Estimate(**said) for name, said in row["estimates"].items()} for codes, row in kept.items() if row
    }
    write_page(bench, "Diseases that were never shown", list(lines_of(found)), rows=list(rows.values()))


def lines_of(found: dict[tuple[str, ...], dict[str, Estimate]]) -> Iterator[str]:
    """Yield the page."""
    malignant = {codes: each for codes, each in found.items() if all(TAXONOMY[code].malignant for code in codes)}
    yield "MobileNetV2 at 64 pixels from ImageNet weights on HAM10000, split by lesion, one training for each row."
    yield "What is left out is in no split; the reference is fitted on train, the acceptance on calibrate."
    yield (
        "Own pictures are those of test; foreign ones are all pictures of what was left out. "
        "Intervals of 95 % draw lesions."
    )
    yield "AUROC: how often a foreign picture has the higher signal of a pair, ties one half."
    for figure, title in (("auroc", "AUROC"), ("fpr95", f"Foreign pictures answered where {ACCEPTED:.0%} of own are")):
        yield from ("", f"## {title}", "")
        yield from table(found, {f"{DISEASE}/{name}/{figure}": label for name, label in SHOWN.items()})
    yield from ("", "## AUROC of what was measured beside them", "")
    yield from table(found, {f"{DISEASE}/{name}/auroc": label for name, label in BESIDE.items()})
    yield from ("", "## The malignant that are told to be benign", "")
    yield f"With abstention: as the bundle would, so that {ACCEPTED:.0%} of the clinic's own pictures are answered."
    yield ""
    shares = {
        f"{DISEASE}/called benign": "benign, without abstention",
        f"{DISEASE}/answered as benign": "benign, with abstention",
        f"{DISEASE}/answered": "answered at all",
    }
    yield from table(malignant, shares)
    yield from ("", "## Its own pictures", "")
    own = {
        "own/answered": "answered",
        "own/accuracy": "accuracy",
        "own/accuracy of answers": "accuracy of answers",
        "own/malignant called benign": "malignant called benign",
        "own/malignant answered as benign": "malignant answered as benign",
    }
    yield from table(found, own)
    yield from ("", "Excess area under the risk–coverage curve, the lower the better:", "")
    yield from table(found, {f"own/excess_aurc/{name}": label for name, label in SHOWN.items()})
    yield from ("", "## No dermoscopy at all", "")
    yield (
        f"{OF_EACH_FAMILY} pictures each of {', '.join(FAMILIES)}, drawn by code: no photographs. "
        "AUROC, and how many are answered."
    )
    yield ""
    columns = {f"{NO_DERMOSCOPY}/{name}/auroc": label for name, label in SHOWN.items()}
    yield from table(found, columns | {f"{NO_DERMOSCOPY}/answered": "answered"})


if __name__ == "__main__":
    makers = {"ham10000": HAM10000["ham10000"], **{name_of(codes): partial(without, codes=codes) for codes in LEFT_OUT}}
    conclude(open_bench("held_out", makers, needs=("ham10000",)), body)
