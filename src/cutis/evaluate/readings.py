"""How answers are read where a dataset knows other diagnoses than the network. Pure: no file, no network."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.stats.foreign import estimate_foreign
from cutis.stats.intervals import estimate_mean
from cutis.vocabulary.case import Manifest
from cutis.vocabulary.estimate import Estimate
from cutis.vocabulary.predictions import Predictions
from cutis.vocabulary.taxonomy import Disease, Taxonomy


class ForeignDiagnosis(NamedTuple):
    """What the network says of a diagnosis that it does not know."""

    disease: Disease
    cases: int
    clusters: int
    mean_top_probability: Estimate
    called_malignant: Estimate
    answers: dict[str, int]  # how often each diagnosis was the answer, most frequent first

    def content(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "code": self.disease.code,
            "name": self.disease.name,
            "malignant": self.disease.malignant,
            "cases": self.cases,
            "clusters": self.clusters,
            "mean_top_probability": self.mean_top_probability.to_dict(),
            "called_malignant": self.called_malignant.to_dict(),
            "answers": self.answers,
        }


def restricted_to(predictions: Predictions, codes: tuple[str, ...], taxonomy: Taxonomy) -> Predictions:
    """Return predictions with truth as if no other diagnoses were known: these codes' probabilities, summing to one.

    A case of which nothing is left has all of them alike.

    Args:
        predictions: whose truth is among these codes.
        codes: two or more of the predictions' own, in the same order.
        taxonomy: of the predictions.
    """
    kinds = [predictions.codes.index(code) for code in codes]
    left = predictions.probabilities[:, kinds]
    total = left.sum(axis=1, keepdims=True)
    alike = np.full_like(left, 1 / len(kinds))
    with np.errstate(invalid="ignore"):
        chances = np.where(total > 0, left / total, alike)
    return replace(
        predictions,
        truth=np.searchsorted(kinds, np.asarray(predictions.truth)),
        probabilities=chances,
        codes=codes,
        taxonomy_sha256=subset_of(taxonomy, codes).sha256,
    )


def subset_of(taxonomy: Taxonomy, codes: tuple[str, ...]) -> Taxonomy:
    """Return the taxonomy of these diagnoses alone."""
    return replace(taxonomy, diseases=tuple(disease for disease in taxonomy.diseases if disease.code in codes))


def foreign_estimates(
    known: Predictions,
    said: Predictions,
    foreign: Manifest,
    *,
    malignant: NDArray[np.bool_],
    generator: np.random.Generator,
) -> dict[str, Estimate]:
    """Return how sure the network is of cases that it cannot be right about, beside those that it can.

    Args:
        known: what it said of cases of its own diagnoses.
        said: of the foreign cases, in their order.
        foreign: what is recorded of them, with their own taxonomy.
        malignant: (K,) which of the network's diagnoses are.
        generator: the chance that draws the rounds.

    Returns:
        Mean probability of the answer for both, whether one tells them apart by it (`cutis.stats.foreign`), and the
        share of malignant and of benign foreign cases that are called malignant.
    """
    sure_of_known, sure = (each.probabilities.max(axis=1) for each in (known, said))
    called = malignant[said.probabilities.argmax(axis=1)].astype(np.float64)
    truly = np.array([foreign.taxonomy[code].malignant for code in foreign.column("diagnosis")])
    found = {
        "known/mean_top_probability": _mean(sure_of_known, known, generator=generator),
        "foreign/mean_top_probability": _mean(sure, said, generator=generator),
    }
    for which, whether in (("malignant", truly), ("benign", ~truly)):
        if whether.any():
            found[f"foreign_{which}/called_malignant"] = _mean(called, said, among=whether, generator=generator)
    return found | estimate_foreign(
        {"uncertainty": 1 - np.concatenate([sure_of_known, sure])},
        np.arange(len(known) + len(said)) >= len(known),
        [*known.cluster_ids, *said.cluster_ids],
        cluster_kind=known.cluster_kind,
        generator=generator,
    )


def foreign_diagnoses(
    said: Predictions, foreign: Manifest, *, malignant: NDArray[np.bool_], generator: np.random.Generator
) -> tuple[ForeignDiagnosis, ...]:
    """Return what the network says of each diagnosis that it does not know, in the order of their taxonomy."""
    answers, codes = said.probabilities.argmax(axis=1), np.array(foreign.column("diagnosis"))
    called = malignant[answers].astype(np.float64)
    return tuple(
        ForeignDiagnosis(
            disease=disease,
            cases=int(whether.sum()),
            clusters=len({said.cluster_ids[case] for case in np.flatnonzero(whether)}),
            mean_top_probability=_mean(said.probabilities.max(axis=1), said, among=whether, generator=generator),
            called_malignant=_mean(called, said, among=whether, generator=generator),
            answers=dict(Counter(said.codes[answer] for answer in answers[whether]).most_common()),
        )
        for disease in foreign.taxonomy.diseases
        for whether in [codes == disease.code]
        if whether.any()
    )


def _mean(
    values: NDArray[np.float64],
    said: Predictions,
    *,
    among: NDArray[np.bool_] | None = None,
    generator: np.random.Generator,
) -> Estimate:
    cases = np.arange(len(values)) if among is None else np.flatnonzero(among)
    ids = [said.cluster_ids[case] for case in cases]
    return estimate_mean(values[cases], ids, cluster_kind=said.cluster_kind, generator=generator)
