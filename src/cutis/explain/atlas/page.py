"""The atlas as a page one can walk in: one file, and a folder of small pictures beside it.

It opens from the disk without a server. All code and data stand in the page itself, since from the disk nothing can be
fetched; only the pictures, which would make it tens of megabytes, are loaded when they are looked at. Its own policy
lets no other code run and no outside address be asked.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from numpy.typing import NDArray

from cutis import __version__
from cutis.explain.atlas.chart import Chart, Depth
from cutis.explain.atlas.columns import columns_of
from cutis.explain.atlas.depths import SMALL_MAP
from cutis.explain.atlas.sheets import ACROSS, CELL, Sheets, write_sheets
from cutis.explain.evaluated import Evaluated
from cutis.vocabulary.files import stamp, written_aside
from cutis.vocabulary.taxonomy import Taxonomy

PAGE, PICTURES = "atlas.html", "atlas"
SCRIPTS = ("data", "view", "grid", "marks", "pictures", "draw", "panel", "input", "main")
FINEST = 2**16 - 1  # places on the map are whole numbers up to this


class Told(NamedTuple):
    """What the page says of itself in words."""

    about: str
    settings: str
    shown_map: str  # what it is that is drawn over a picture; "" where none is


def write_page(folder: Path, evaluated: Evaluated, chart: Chart, told: Told) -> None:
    """Write atlas.html, and the small pictures beside it into `folder`/atlas."""
    sheets = write_sheets(folder / PICTURES, evaluated.picture, chart.cases, chart.last.places)
    manifest = evaluated.manifest
    content = {
        "name": evaluated.bundle.name,
        "count": f"{len(chart.cases):,}",
        "about": told.about,
        "settings": told.settings,
        "shown_map": told.shown_map,
        "source": manifest.source,
        "licence": manifest.licence,
        "invented": manifest.invented,
    }
    name, taxonomy, kind = evaluated.bundle.name, evaluated.bundle.taxonomy, manifest.cluster_kind
    data = page_data(chart, sheets, name=name, taxonomy=taxonomy, cluster_kind=kind)
    with written_aside(folder / PAGE) as aside:
        aside.write_text(render(content, data), encoding="utf-8")


def render(content: dict[str, Any], data: dict[str, Any]) -> str:
    """Return the page as HTML; whatever comes from data is escaped."""
    environment = Environment(
        loader=PackageLoader("cutis.explain.atlas"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    source = environment.loader
    assert source is not None
    code = [source.get_source(environment, f"{name}.js")[0] for name in SCRIPTS]
    script = '\n"use strict";\n' + "\n".join(code)
    style = source.get_source(environment, "atlas.css")[0]
    return environment.get_template("atlas.html").render(
        content,
        version=__version__,
        stamp=stamp("atlas"),
        script=Markup(script),  # noqa: S704  our own code
        script_sum=_sum(script),
        style=Markup(style),  # noqa: S704  our own
        style_sum=_sum(style),
        data=Markup(_as_json(data)),  # noqa: S704  it cannot end the element that it stands in
    )


def page_data(chart: Chart, sheets: Sheets, *, name: str, taxonomy: Taxonomy, cluster_kind: str) -> dict[str, Any]:
    """Return all that the page's code reads; long columns of numbers as base64."""
    cases = chart.cases
    nearest = chart.last.neighbours
    clusters = np.unique([case.cluster_id for case in cases], return_inverse=True)[1]
    columns = columns_of(cases, chart.probabilities.argmax(axis=1), taxonomy, chart.laid_out)
    return {
        "name": name,
        "ids": [case.case_id for case in cases],
        "columns": [each._asdict() | {"codes": _packed(each.codes, np.uint8)} for each in columns],
        "probability": _packed(chart.probabilities.max(axis=1), np.float32),
        "clusters": _packed(clusters, np.uint32),
        "clusterKind": cluster_kind,
        "depths": [_places(each) for each in chart.depths],
        "neighbours": _packed(nearest, np.uint32),
        "nearest": nearest.shape[1],
        "maps": _packed(chart.maps, np.uint8),
        "mapSide": SMALL_MAP,
        "asked": list(chart.asked),
        "sheets": {
            "folder": f"{PICTURES}/",
            "files": sheets.files,
            "cell": CELL,
            "across": ACROSS,
            "slots": _packed(sheets.slots, np.uint32),
            "sizes": _packed(sheets.sizes, np.uint8),
        },
    }


def quality_told(depth: Depth) -> str:
    """Say how far the map of a depth can be trusted."""
    lines = []
    for name, estimate in depth.quality.items():
        what, _, count = name.partition("/")
        lines.append(f"{what.capitalize()} of {count} neighbours: {estimate}")
    return "\n".join(lines)


def _places(depth: Depth) -> dict[str, Any]:
    low = depth.places.min(axis=0)
    spread = max(float(np.ptp(depth.places, axis=0).max()), 1e-12)  # the same for both, so that no group is squeezed
    x, y = np.rint((depth.places - low) / spread * FINEST).T
    return {
        "name": depth.name[:1].upper() + depth.name[1:],
        "told": quality_told(depth),
        "low": low.tolist(),
        "spread": spread,
        "x": _packed(x, np.uint16),
        "y": _packed(y, np.uint16),
    }


def _packed(values: NDArray[Any] | Sequence[Any], kind: type[np.generic]) -> str:
    little_endian = np.dtype(kind).newbyteorder("<")
    return base64.b64encode(np.ascontiguousarray(values, dtype=little_endian).tobytes()).decode()


def _as_json(data: dict[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, allow_nan=False).replace("<", "\\u003c").replace("\u2028", "\\u2028")


def _sum(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
