"""What pictures and answers looked like where a release was made: what a monitor holds those of a clinic against.

Of the splits that the network did not learn from and was not chosen on: *calibrate* and *test*, settled or not. On
train and tune it is surer of itself than it will ever be again. No truth is asked, so that the test split stays as
unseen as it was. Of each cluster one picture counts, drawn by chance; what is told is counted, and nothing that fewer
than five clusters share is told by itself (k-anonymity), so that the file holds nobody's values.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.release.material import Material
from cutis.runtime.bundle import Bundle
from cutis.runtime.engines import Engine
from cutis.runtime.predict import Answers, answers_of, outputs_of
from cutis.runtime.release import REFERENCE
from cutis.runtime.trust import Signals
from cutis.stats.drift import binned
from cutis.stats.tails import tail_probability
from cutis.vocabulary.case import Case, Manifest, Quality, unchanged_picture
from cutis.vocabulary.chance import chance
from cutis.vocabulary.files import write_json

SPLITS = ("calibrate", "test")
WHY = "the network did not learn from them and was not chosen on them; no truth is asked"
FEWEST = 5  # clusters that may be told by themselves
ONLY_SMALL = frozenset({"small"})  # marks of a picture that is judged all the same

Values = NDArray[np.float64]


class Drawn(NamedTuple):
    """One picture of each cluster, those first that are good enough for an answer."""

    cases: tuple[Case, ...]  # N
    judged: int  # how many of them, from the first on, are answered


def write_reference(folder: Path, material: Material, engine: Engine) -> None:
    """Let the network answer one picture of each cluster, and write reference.json.

    Args:
        folder: of the release.
        material: with the dataset.
        engine: runs the bundle as training left it.

    Raises:
        UserError: a picture is missing, or not the one that was curated.
    """
    drawn, bundle = draw_cases(material.manifest), material.bundle
    paths = [unchanged_picture(material.dataset, case) for case in drawn.cases[: drawn.judged]]
    answers = answers_of(bundle, outputs_of(engine, bundle, paths, what="answering for reference")) if paths else None
    content = {
        "splits": list(SPLITS),
        "why": WHY,
        "pictures": len(_of_splits(material.manifest)),
        "clusters": len(drawn.cases),
        "cluster_kind": material.manifest.cluster_kind,
        "fewest": FEWEST,
        **counted(drawn.cases, answers, bundle),
    }
    write_json(folder / REFERENCE, "reference", content, made_from=material.made_from)


def draw_cases(manifest: Manifest) -> Drawn:
    """Draw one picture of each cluster of the splits, by its content alone."""
    by_cluster: dict[str, list[Case]] = {}
    for case in _of_splits(manifest):
        by_cluster.setdefault(case.cluster_id, []).append(case)
    chosen = [min(cases, key=lambda case: chance("reference", case.sha256).random()) for cases in by_cluster.values()]
    judged = [case for case in chosen if _is_judged(case)]
    return Drawn((*judged, *(case for case in chosen if not _is_judged(case))), len(judged))


def _of_splits(manifest: Manifest) -> tuple[Case, ...]:
    return manifest.where(lambda case: case.split in SPLITS).cases


def _is_judged(case: Case) -> bool:
    return case.quality is None or ONLY_SMALL.issuperset(case.quality.marks)


def counted(cases: Sequence[Case], answers: Answers | None, bundle: Bundle) -> dict[str, Any]:
    """Return how often what was seen, of N pictures and of the answers to the first of them."""
    qualities = [case.quality for case in cases if case.quality]
    devices = [case.device for case in cases if case.device]
    first = answers.probabilities.argmax(axis=1).tolist() if answers else []
    kinds = {
        "first": kinds_told([bundle.taxonomy.codes[kind] for kind in first], known=bundle.taxonomy.codes),
        "device": kinds_told(devices),
    }
    numbers = _of_pictures(qualities) | (_of_answers(answers) if answers else {})
    shares = {"marked": np.array([bool(quality.marks) for quality in qualities])}
    shares |= _withheld(answers, bundle) if answers else {}
    bins = {name: binned(values[np.isfinite(values)], fewest=FEWEST) for name, values in numbers.items()}
    return {
        "numbers": {
            name: {"edges": list(each.edges), "clusters": list(each.counts)} for name, each in bins.items() if each
        },
        "kinds": {name: told for name, told in kinds.items() if told},
        "shares": {name: share_told(flags) for name, flags in shares.items() if len(flags)},
    }


def kinds_told(words: Sequence[str], *, known: Sequence[str] = ()) -> dict[str, Any] | None:
    """Return how many clusters have which word; rare ones are told together, with as many more as hide them.

    Args:
        words: N.
        known: what could be there.

    Returns:
        None where there are too few clusters to tell anything.
    """
    if len(words) < FEWEST:
        return None
    counts = Counter(words)
    rising = sorted({*counts, *known}, key=lambda word: (counts[word], word))
    together = sum(counts[word] < FEWEST for word in rising)
    while 0 < sum(counts[word] for word in rising[:together]) < FEWEST:
        together += 1
    others = rising[:together]
    return {
        "clusters": {word: counts[word] for word in reversed(rising[together:])},
        "others": sorted(others),
        "of_others": sum(counts[word] for word in others),
    }


def share_told(flags: NDArray[np.bool_]) -> dict[str, int | None]:
    """Return of how many clusters something holds; None where it tells the few for whom it does, or does not."""
    holds, of = int(flags.sum()), len(flags)
    return {"clusters": None if 0 < holds < FEWEST or 0 < of - holds < FEWEST else holds, "of": of}


def _of_pictures(qualities: Sequence[Quality]) -> dict[str, Values]:
    names = ("sharpness", "brightness", "contrast", "width", "height")
    return {name: np.array([getattr(quality, name) for quality in qualities], np.float64) for name in names}


def _of_answers(answers: Answers) -> dict[str, Values]:
    distance = {"distance": answers.signals.distance} if answers.signals else {}
    return {"probability": answers.probabilities.max(axis=1), **distance}


def _withheld(answers: Answers, bundle: Bundle) -> dict[str, NDArray[np.bool_]]:
    """Return which answers were withheld, and for which the distance alone would have been reason enough."""
    acceptance, signals = bundle.acceptance, answers.signals
    if acceptance is None or acceptance.abstain_above is None or signals is None:
        return {}
    tail = acceptance.tails[Signals._fields.index("distance")]
    far = 1 - tail_probability(signals.distance, tail) > acceptance.abstain_above
    return {"abstained": answers.abstained, "unusual": far}
