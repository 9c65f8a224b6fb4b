"""How the network groups the cases: the map, those of its depths, and how far each can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from cutis.report.figures import Inline, inline_svg
from cutis.report.material import Explanation
from cutis.report.tables import Row, Table, estimates_of, methods_of
from cutis.vocabulary.estimate import Estimate

PAGE = "atlas.html"


def atlas_section(explanation: Explanation) -> dict[str, Any]:
    """Return figures, figures of quality, and where the page lies; of an earlier version of cutis the map alone."""
    about, folder = explanation.atlas, explanation.folder
    depths = about.get("depths", [])
    by_depth = [estimates_of(depth["quality"]) for depth in depths]
    return {
        "settings": about["settings"],
        "cases": _counted(about),
        "figure": _figure(explanation, "atlas", "Atlas: the cases laid out by t-SNE, coloured by diagnosis"),
        "stages": _figure(explanation, "atlas_stages", "The same cases laid out by each depth") if depths else None,
        "quality": _table(depths, by_depth) if depths else None,
        "methods": methods_of(estimate for estimates in by_depth for estimate in estimates.values()),
        "page": f"4_explanation/{quote(folder.parent.name)}/{PAGE}" if (folder / PAGE).exists() else None,
    }


def _figure(explanation: Explanation, name: str, alt: str) -> Inline:
    more = "wrong answers ringed. Where each case lies stands in atlas.parquet."
    return inline_svg(explanation.folder / "figures" / f"{name}.svg", alt=f"{alt}, {more}")


def _counted(about: dict[str, Any]) -> str:
    laid_out = about.get("laid_out")
    if not laid_out:
        return "the test split"
    placed = f"; {about['placed']:,} more were placed on it" if about["placed"] else ""
    return " and ".join(f"{count:,} {split}" for split, count in laid_out.items()) + f" pictures{placed}"


def _table(depths: Sequence[dict[str, Any]], by_depth: Sequence[dict[str, Estimate]]) -> Table:
    names = list(by_depth[0])
    rows: tuple[Row, ...] = tuple(
        (depth["name"], depth["features"], *(estimates[name] for name in names))
        for depth, estimates in zip(depths, by_depth, strict=True)
    )
    columns = ("depth", "features", *(" of ".join(name.split("/")) + " neighbours" for name in names))
    return Table("How far the map of each depth can be trusted", columns, rows)
