"""What the form of limits says, as a plan's plain data; a figure without a number is not limited."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cutis.runtime.bundle import Bundle
from cutis.serve.acceptance.figures import FIRST
from cutis.serve.acceptance.limits import FIGURES, SIDES


def offered(bundle: Bundle) -> tuple[str, ...]:
    """Return the figures that can be limited: of sensitivities those of the malignant, and nothing without a value."""
    lacking = {"top_3_accuracy"} if len(bundle.taxonomy) <= FIRST else set()
    lacking |= set() if bundle.sets else {"coverage"}
    if bundle.thresholds.malignant is None:
        lacking |= {"malignant_sensitivity", "malignant_specificity"}
    found: list[str] = []
    for name in FIGURES:
        own = [f"{name}/{disease.code}" for disease in bundle.taxonomy.diseases if disease.malignant]
        found += own if name == "sensitivity" else [name] if name not in lacking else []
    return tuple(found)


def sides_of(figure: str) -> tuple[str, ...]:
    """Return which sides of a figure's interval may have to clear its limit, the strictest first."""
    return SIDES[FIGURES[figure.partition("/")[0]]]


def content_of(form: Mapping[str, Any], bundle: Bundle) -> dict[str, Any]:
    """Return what the form says; what does not fit is left for the plan to refuse."""
    limits = [
        {"figure": figure, "limit": _number(form[f"limit {figure}"]), "side": form.get(f"side {figure}", "")}
        for figure in offered(bundle)
        if str(form.get(f"limit {figure}", "")).strip()
    ]
    numbers = {name: str(form.get(name, "")).strip() for name in ("cases", "malignant", "raters")}
    said = {name: number for name, number in numbers.items() if number or name == "cases"}
    return {**said, "histology_only": form.get("truth") == "histology", "limits": limits}


def _number(text: object) -> object:
    """Read a share, with a comma as many write it."""
    return str(text).strip().replace(",", ".")
