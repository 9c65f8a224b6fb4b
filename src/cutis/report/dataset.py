"""The dataset's card: where it comes from, what was lost on the way, and what its splits share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cutis.report.material import Dataset
from cutis.report.tables import Row, Table
from cutis.report.words import spoken
from cutis.vocabulary.case import SPLITS
from cutis.vocabulary.estimate import Estimate

WORDS = {"patient_id": "patient", "lesion_id": "lesion", "date": "day of the picture"}


def dataset_section(dataset: Dataset) -> dict[str, Any]:
    """Return what is known of the dataset."""
    card, splits = dataset.card, dataset.splits
    return {
        "card": card,
        "splits": {name: splits["splits"][name] for name in SPLITS},
        "settled": sum(splits["splits"][name]["images"] for name in SPLITS),
        "taxonomy": dataset.manifest.taxonomy,
        "plan": splits["plan"],
        "by_split": _by_split(dataset),
        "indeterminate": _indeterminate(splits),
        "agreement": _agreement(card),
        "proof": _proof(splits),
        "missing": missing_of(dataset),
    }


def missing_of(dataset: Dataset) -> dict[str, float]:
    """Return the share of pictures of which each attribute is not known, by its name in words."""
    return {spoken(WORDS.get(name, name)): share for name, share in dataset.card["missing"].items()}


def _by_split(dataset: Dataset) -> Table:
    splits, kind = dataset.splits["splits"], dataset.splits["cluster_kind"]
    rows: tuple[Row, ...] = tuple(
        (
            f"{disease.name} (malignant)" if disease.malignant else disease.name,
            *(cell for name in SPLITS for cell in _counts(splits[name]["diagnoses"][disease.code])),
        )
        for disease in dataset.manifest.taxonomy.diseases
    )
    total: Row = ("all", *(cell for name in SPLITS for cell in _counts(splits[name])))
    columns = ("diagnosis", *("pictures", f"{kind}s") * len(SPLITS))
    groups = (("", 1), *((name, 2) for name in SPLITS))
    return Table("Settled pictures, by diagnosis and split", columns, (*rows, total), groups)


def _counts(counts: Mapping[str, Any]) -> tuple[int, int]:
    return counts["images"], counts["clusters"]


def _indeterminate(splits: Mapping[str, Any]) -> Table:
    by_split = {name: splits["splits"][name]["indeterminate"] for name in SPLITS}
    reasons = sorted({reason for counts in by_split.values() for reason in counts})
    rows = tuple((reason, *(by_split[name].get(reason, 0) for name in SPLITS)) for reason in reasons)
    return Table("Indeterminate pictures, by reason and split", ("reason", *SPLITS), rows)


def _proof(splits: Mapping[str, Any]) -> Table:
    rows = tuple(
        (spoken(name.replace("_across_splits", "")), count, splits["proof_of_folds"][name])
        for name, count in splits["proof"].items()
    )
    return Table("What two of them have in common", ("what", "between splits", "between folds"), rows)


def _agreement(card: Mapping[str, Any]) -> Table:
    said = card["agreement"]
    fleiss = [("all raters (Fleiss)", said["fleiss"])] if said["fleiss"]["cases"] else []
    pairs = [*fleiss, *((" and ".join(map(spoken, pair["raters"])) + " (Cohen)", pair) for pair in said["cohen"])]
    rows = tuple((name, pair["cases"], Estimate(**pair["kappa"])) for name, pair in pairs)
    caption = f"How far the raters agree beyond chance. 95% intervals by resampling {card['cluster_kind']}s."
    return Table(caption, ("raters", "pictures", "kappa (interval)"), rows)
