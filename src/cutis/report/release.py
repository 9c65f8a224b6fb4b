"""What was released of a bundle: in which precisions, how far each is from the trained network, and who signed it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cutis.report.material import Released, Trained
from cutis.report.tables import Cell, Shown, Table
from cutis.report.words import listed, number
from cutis.runtime.engines import Offer
from cutis.runtime.thumbnails import THUMBNAILS
from cutis.vocabulary.estimate import Estimate

FIGURES = {
    "largest_probability_difference": "a probability is off by at most",
    "mean_probability_difference": "a probability is off by, on average",
    "first_diagnosis_kept": "first diagnosis kept",
    "first_diagnosis_changed_beyond_ties": "first diagnosis changed, but for ties",
    "macro_auc_difference": "macro AUC moved by",
    "malignant_sensitivity_difference": "sensitivity of a malignant diagnosis moved by, at worst",
    "calibration_error_difference": "expected calibration error moved by",
    "sets_changed": "prediction sets changed",
    "abstentions_changed": "abstentions changed",
}
DIFFERENCES = frozenset(name for name in FIGURES if name.endswith("_difference") and "probability" not in name)
EXTREME = "largest_probability_difference"
MEGABYTE = 2**20


def release_section(trained: Trained) -> dict[str, Any] | None:
    """Return what a release is; None where there is none."""
    released = trained.released
    if released is None:
        return None
    judged = [(_name(each), each) for each in released.parity.get("offers", ())]
    return {
        "facts": _facts(released),
        "is_signed": released.made.sealed.signed,
        "is_of_bundle": released.is_of_bundle,
        "parity": _parity(judged) if judged else None,
        "not_offered": list(_not_offered(judged)),
    }


def _facts(released: Released) -> list[tuple[str, str]]:
    made, sealed = released.made, released.made.sealed
    size = sum(entry.size for entry in sealed.entries.values()) / MEGABYTE
    maps = made.maps_offered()
    return [
        ("offered in", listed([each.name for each in made.offers])),
        ("signed by the key", str(sealed.manifest["signer"]) if sealed.signed else "nobody"),
        ("size", f"{number(size, digits=1)} MB in {len(sealed.entries)} files"),
        ("maps that may be shown", listed([name.replace("_", " ") for name in maps.offered]) or "none"),
        ("similar cases", _similar(released)),
        ("reference of the monitor", _reference(released)),
        ("manifest, sha256", sealed.manifest_sha256),
    ]


def _similar(released: Released) -> str:
    likeness = released.made.bundle.likeness
    if likeness is None:
        return "none"
    pictures = "with their pictures" if THUMBNAILS in released.made.sealed.entries else "without pictures"
    return f"{likeness.cases:,} training cases, {pictures}"


def _reference(released: Released) -> str:
    said = released.reference
    if said is None:
        return "none: it was made by an earlier version"
    return f"{said['clusters']:,} {said['cluster_kind']}s of {listed(said['splits'])}"


def _parity(judged: Sequence[tuple[str, Mapping[str, Any]]]) -> Table:
    """Return how far each way of running is from the trained network; what broke its limit says which."""
    tried = [(name, each) for name, each in judged if each["figures"]]
    rows = tuple(
        (words, *(_cell(figure, each) for _, each in tried))
        for figure, words in FIGURES.items()
        if any(figure in each["figures"] for _, each in tried)
    )
    verdict = ("offered", *("yes" if each["passed"] else "no" for _, each in tried))
    return Table(
        "How far each is from the trained network, case by case on the test",
        ("figure", *(name for name, _ in tried)),
        (*rows, verdict),
    )


def _cell(figure: str, parity: Mapping[str, Any]) -> Cell:
    if figure not in parity["figures"]:
        return ""
    estimate = Estimate(**parity["figures"][figure])
    broken = "".join(_limit(gate) for gate in parity["gates"] if gate["figure"] == figure and not gate["passed"])
    if figure == EXTREME:
        value = "" if estimate.value is None else number(estimate.value, digits=6)
        return f"{value}, {broken}" if broken else value
    return Shown(estimate, is_signed=figure in DIFFERENCES, beneath=broken)


def _limit(gate: Mapping[str, Any]) -> str:
    return f"failed: {'at least' if gate['is_floor'] else 'at most'} {gate['limit']:g}"


def _not_offered(judged: Sequence[tuple[str, Mapping[str, Any]]]) -> Iterator[tuple[str, str]]:
    for name, each in judged:
        if not each["passed"]:
            failed = [_spoken(gate["figure"]) for gate in each["gates"] if not gate["passed"]]
            yield name, each["not_judged"] or f"what it failed is marked under {listed([f'“{one}”' for one in failed])}"


def _spoken(figure: str) -> str:
    return FIGURES.get(figure, figure.replace("_", " "))


def _name(parity: Mapping[str, Any]) -> str:
    return Offer(parity["engine"], parity["precision"], parity["file"]).name
