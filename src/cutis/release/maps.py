"""Which maps a clinic may show: what an examination of the same network found of each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cutis.release.material import Material
from cutis.runtime.offered import OFFERED_MAPS, OfferedMaps, names_of_maps, offered_among
from cutis.vocabulary.estimate import Estimate
from cutis.vocabulary.files import write_json

UNASKED = "it was not examined whether it means anything: cutis explain --sanity"


def write_offered_maps(folder: Path, material: Material) -> None:
    """Write maps.json: the maps of one forward pass that passed their examination, and why the others did not."""
    sanity = material.sanity
    examined = {key: sanity[key] for key in ("plan", "cluster_kind", "rules")} if sanity else None
    content = {**offered_by(sanity, auxiliary=material.bundle.auxiliary)._asdict(), "examined": examined}
    write_json(folder / OFFERED_MAPS, "offered-maps", content, made_from=material.made_from)


def offered_by(sanity: Mapping[str, Any] | None, *, auxiliary: int) -> OfferedMaps:
    """Return which maps of a network an examination offers.

    Args:
        sanity: sanity.json; None where nothing was examined.
        auxiliary: how many auxiliary classifiers the network has.
    """
    names = names_of_maps(auxiliary)
    if sanity is None:
        return OfferedMaps((), dict.fromkeys(names, UNASKED))
    failed = {name: _failed(said["verdicts"], sanity["rules"]) for name, said in sanity["methods"].items()}
    return offered_among(names, dict.fromkeys(sanity["offered"]), failed)


def _failed(verdicts: Mapping[str, Any], rules: Mapping[str, Any]) -> str:
    """Name the rules that a map failed, with what was measured."""
    failed = {rule: said["tests"] for rule, said in verdicts.items() if said["passed"] is False}
    return "; ".join(
        f"failed: {rules[rule]['asks']} (measured: {', '.join(str(Estimate(**test['estimate'])) for test in tests)})"
        for rule, tests in failed.items()
    )
