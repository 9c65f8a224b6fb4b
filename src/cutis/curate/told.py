"""What a person reads when the dataset is ready."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cutis.vocabulary.estimate import Estimate
from cutis.workspace import Finished

TOLD = (
    *("rows", "rejected", "files_without_a_row", "images", "cluster_kind", "clusters", "patients", "lesions"),
    *("diagnoses", "indeterminate", "duplicates", "quality", "metadata_stripped"),
)


def tell(wrote: Path, *, card: Mapping[str, Any], splits: Mapping[str, Any]) -> Finished:
    """Sum up card and proof in a few lines."""
    facts = {name: card[name] for name in TOLD}
    facts |= {"proof": splits["proof"], "splits": splits["splits"], "moved_clusters": splits["moved_clusters"]}
    return Finished(wrote=wrote, lines=tuple(_lines(card, splits)), facts=facts, next_command="cutis train")


def _lines(card: Mapping[str, Any], splits: Mapping[str, Any]) -> Iterator[str]:
    rows, kind = card["rows"], card["cluster_kind"]
    yield f"{rows['in']:,} rows = {rows['kept']:,} kept + {rows['rejected']:,} rejected{_listed(card['rejected'])}"
    if card["files_without_a_row"]:
        yield f"{card['files_without_a_row']:,} files without a row"
    known = [f"{card[name]:,} {name}" for name in ("patients", "lesions") if card[name]]
    known.append(f"{len(card['diagnoses'])} diagnoses")
    yield f"{', '.join(known)}; the independent unit is the {kind}"
    if card["indeterminate"]:
        yield f"indeterminate, and reported beside the rest{_listed(card['indeterminate'])}"
    if card["agreement"]["fleiss"]["cases"]:
        fleiss = card["agreement"]["fleiss"]
        yield f"raters agree with Fleiss' kappa {Estimate(**fleiss['kappa'])} on {fleiss['cases']:,} cases"
    yield _duplicates(card["duplicates"])
    parts = (f"{name} {part['images']:,} of {part['clusters']:,}" for name, part in splits["splits"].items())
    yield f"images of {kind}s: {', '.join(parts)}"
    proof = splits["proof"]
    yield (
        f"shared between splits: patients {proof['shared_patients']}, lesions {proof['shared_lesions']}, "
        f"near-duplicates {proof['near_duplicates_across_splits']}"
    )
    yield from _warnings(card, splits)


def _duplicates(seen: Mapping[str, Any]) -> str:
    if not seen["groups"]:
        return "duplicates: none"
    return (
        f"duplicates: {seen['groups']:,} groups of {seen['images']:,} images, the largest of {seen['largest']:,}; "
        f"{seen['share_crossing']:.0%} cross lesions"
    )


def _warnings(card: Mapping[str, Any], splits: Mapping[str, Any]) -> Iterator[str]:
    absent = [code for code, held in splits["splits"]["test"]["diagnoses"].items() if not held["images"]]
    if absent:
        yield f"not in the test, so that nothing will be known of them: {', '.join(absent)}"
    strangers = round(card["missing"]["patient_id"] * card["images"])
    if card["cluster_kind"] == "patient" and strangers:
        yield f"{strangers:,} of the images have no patient, and count as patients of their own"
    if splits["plan"]["test_from"] and card["missing"]["date"]:
        yield f"{card['missing']['date']:.1%} of the images have no date and count as earlier than the test"
    if splits["moved_clusters"]:
        moved = f"{splits['moved_clusters']:,} {card['cluster_kind']}s"
        yield f"{moved} turned out to belong together across splits, and went to the one nearest to training"
    if card["rows"]["rejected"] or card["files_without_a_row"]:
        yield "rejected.csv names files of the clinic: it is not to be shared"


def _listed(counts: Mapping[str, int]) -> str:
    listed = ", ".join(f"{name} {count:,}" for name, count in counts.items())
    return f" ({listed})" if counts else ""
