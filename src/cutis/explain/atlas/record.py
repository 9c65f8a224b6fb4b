"""What an atlas leaves on disk beside its page: the table, what places a new case, and the figures."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from cutis.explain.atlas.chart import Chart, Depth
from cutis.explain.atlas.columns import truth_of
from cutis.explain.atlas.figures import Called, Panel, atlas_figure, depths_figure
from cutis.explain.atlas.page import Told
from cutis.explain.evaluated import Evaluated
from cutis.explain.figures import save_figure
from cutis.runtime.atlas import EXAGGERATION, PERPLEXITY, write_atlas
from cutis.runtime.maps import FINAL, FUSED
from cutis.vocabulary.estimate import Estimate, plain
from cutis.vocabulary.files import write_table
from cutis.vocabulary.taxonomy import Taxonomy

MEANING = "Neighbours are alike; distances between far groups and the axes mean nothing."
MAPS = {
    FUSED: "All depths joined, for its answer; yellow speaks most for it. Each case has its own scale.",
    FINAL: "Class activation of the last classifier for its answer; yellow speaks most for it. Each case has its own "
    "scale.",
}


def about_chart(evaluated: Evaluated, chart: Chart) -> dict[str, Any]:
    """Return what the atlas says of itself: settings, who is on it, and how far each depth's map can be trusted."""
    return {
        "bundle": evaluated.bundle.name,
        "settings": chart.settings.to_dict(),
        "placing": {"perplexity": PERPLEXITY, "exaggeration": EXAGGERATION, "method": "t-SNE against the fixed map"},
        "laid_out": dict(Counter(str(case.split) for case in chart.cast.laid_out)),
        "placed": len(chart.cast.placed),
        "depths": [
            {"name": each.name, "features": len(each.atlas.mean), "components": each.atlas.axes.shape[1]}
            | {"variance": each.variance, "quality": plain(each.quality)}
            for each in chart.depths
        ],
        "made_from": evaluated.made_from,
    }


def write_chart(folder: Path, chart: Chart, taxonomy: Taxonomy, *, about: dict[str, Any]) -> None:
    """Write atlas.parquet, atlas.safetensors and the two figures into `folder`."""
    codes, truth = taxonomy.codes, truth_of(chart.cases, taxonomy)
    answers = chart.probabilities.argmax(axis=1)
    columns: dict[str, Any] = {
        "case_id": [case.case_id for case in chart.cases],
        "x": chart.last.places[:, 0],
        "y": chart.last.places[:, 1],
        "truth": [codes[kind] if kind >= 0 else None for kind in truth],
        "predicted": [codes[kind] for kind in answers],
        "split": [case.split for case in chart.cases],
        "is_placed": np.arange(len(chart.cases)) >= chart.laid_out,
    }
    for depth in chart.depths[:-1]:
        key = depth.name.replace(" ", "_")
        columns |= {f"x_{key}": depth.places[:, 0], f"y_{key}": depth.places[:, 1]}
    write_table(folder / "atlas.parquet", "atlas", columns, about=about)
    atlas = replace(chart.last.atlas, diagnosis=truth[: chart.laid_out])
    write_atlas(folder / "atlas.safetensors", atlas, about=about)
    (folder / "figures").mkdir(exist_ok=True)
    called = Called(truth, answers)
    of_what = f"{about['bundle']}, {counted(about)}{', invented' * about['invented']}."
    by_name = [(chart.cases[row].case_id, chart.last.places[row]) for row in chart.asked]
    caption = f"{of_what} t-SNE of the last hidden layer, perplexity {chart.settings.perplexity:.3g}.\n{MEANING}"
    figure = atlas_figure(chart.last.places, called, taxonomy, of_what=caption, marked=by_name)
    save_figure(folder / "figures" / "atlas.svg", figure)
    panels = [Panel(each.name, each.places, _trust(each)) for each in chart.depths]
    figure = depths_figure(panels, called, taxonomy, of_what=f"{of_what}\n{MEANING}")
    save_figure(folder / "figures" / "atlas_stages.svg", figure)


def told_of(evaluated: Evaluated, chart: Chart) -> Told:
    """Say on the page what it shows, and how it was made."""
    about = about_chart(evaluated, chart)
    settings = chart.settings
    return Told(
        about=f"{counted(about)[:1].upper()}{counted(about)[1:]}, as the network groups them.",
        settings=(
            f"t-SNE by {about['settings']['library']} of {settings.components} principal components, perplexity "
            f"{settings.perplexity:.3g}, {settings.early_exaggeration_iterations} and {settings.iterations} rounds, "
            f"begun from the first two components, seed {settings.seed}."
        ),
        shown_map=MAPS[chart.shown] if chart.shown else "",
    )


def counted(about: dict[str, Any]) -> str:
    """Say how many cases of which splits."""
    splits = " and ".join(f"{count:,} {split}" for split, count in about["laid_out"].items())
    return f"{splits} pictures" + (f" and {about['placed']:,} placed beside them" if about["placed"] else "")


def lines_of(about: dict[str, Any]) -> tuple[str, ...]:
    """Tell the terminal what was laid out, and how far each depth's map can be trusted."""
    first = f"atlas of {counted(about)}, perplexity {about['settings']['perplexity']:.3g}"
    return (first, *(f"  {each['name']}: {_spoken(each['quality'])}" for each in about["depths"]))


def facts_of(about: dict[str, Any]) -> dict[str, Any]:
    """Return the same for a program."""
    return {key: about[key] for key in ("settings", "laid_out", "placed", "depths")}


def _spoken(quality: dict[str, dict[str, Any]]) -> str:
    fewest = next(iter(quality)).partition("/")[2]
    figures = (
        f"{name.partition('/')[0]} {Estimate(**each)}" for name, each in quality.items() if name.endswith(fewest)
    )
    return f"of {fewest} neighbours {', '.join(figures)}"


def _trust(depth: Depth) -> str:
    value = next(each for name, each in depth.quality.items() if name.startswith("trustworthiness")).value
    return "" if value is None else f"trustworthiness {value:.3f}"
