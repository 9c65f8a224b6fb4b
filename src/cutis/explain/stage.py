"""BUNDLE + TEST SET → WHERE IT LOOKS, HOW IT GROUPS."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cutis.explain.atlas.chart import Cast, Splits, cast_of, chart
from cutis.explain.atlas.page import write_page
from cutis.explain.atlas.record import about_chart, facts_of, lines_of, told_of, write_chart
from cutis.explain.evaluated import Evaluated, read_evaluated
from cutis.explain.figures import save_figure
from cutis.explain.saliency.choice import Asked, Choice, Wish, asked_for, choose_cases, wish_of
from cutis.explain.saliency.drawing import saliency_figure
from cutis.explain.saliency.look import look
from cutis.explain.saliency.methods import methods_of
from cutis.explain.saliency.record import MAPS, SHOWN, record_of, tensors_of, title_of, write_maps
from cutis.explain.sanity.inquiry import (
    Inquiry,
    carry_over,
    drawn_methods,
    failed_in_words,
    masks_for,
    offered_in_words,
    offered_methods,
    write_sanity,
)
from cutis.progress import track
from cutis.runtime.engines import engine_of, torch_network
from cutis.vocabulary.case import Case
from cutis.vocabulary.files import write_json, write_sums
from cutis.workspace import Finished, Workspace

NOTHING_ASKED = Asked()


def explain(
    workspace: Workspace,
    name: str,
    *,
    case_ids: tuple[str, ...] = (),
    maps: Asked = NOTHING_ASKED,
    atlas: Splits = "test",
    inquiry: Inquiry | None = None,
    again: bool = False,
) -> Finished:
    """Draw where a network looks, case by case, and lay out the cases as it groups them.

    Args:
        workspace: holds the dataset, the bundle and its evaluation.
        name: of the bundle.
        case_ids: which cases to look at, of any split; without any, a choice of right and wrong answers in test.
        maps: whom they are of and whom it is compared with, the answer and the most probable of all others where
            nobody is named, and by which methods beside those that are always drawn.
        atlas: of which splits the map is made; a case that was asked for and is of another is placed on it.
        inquiry: whether maps mean anything; without one, what was found before of the same bundle stays.
        again: make a new version where this explanation exists.

    Raises:
        UserError: not evaluated yet, an unknown case or diagnosis, too few cases for a map, or masks that do not fit.
    """
    target = workspace.explanation(name)
    workspace.refuse_to_overwrite(target, again=again)
    evaluated = read_evaluated(workspace, name)
    cast = cast_of(evaluated, atlas, asked=case_ids)
    malignant = evaluated.bundle.taxonomy.malignant
    wish = wish_of(maps, evaluated.bundle.taxonomy)
    choices = asked_for(case_ids) or choose_cases(evaluated.predictions, malignant=malignant)
    cases = [evaluated.case(choice.case_id) for choice in choices]
    masks = masks_for(inquiry, evaluated)
    network = torch_network(evaluated.bundle)
    with workspace.new_version(target, again=again) as folder:
        if inquiry:
            write_sanity(folder, evaluated, network, inquiry.plan, masks=masks)
        else:
            carry_over(target.resolve(), folder, made_from=evaluated.made_from)
        shown = write_saliency(folder, evaluated, network, list(zip(choices, cases, strict=True)), wish=wish)
        about = write_atlas(folder, evaluated, network, cast)
        write_sums(folder)
    return _finished(target, evaluated, shown, about, wish=wish)


def write_saliency(
    folder: Path, evaluated: Evaluated, network: Any, chosen: Sequence[tuple[Choice, Case]], *, wish: Wish
) -> list[dict[str, Any]]:
    """Draw a figure per case into `folder`/saliency, and write what is on them into saliency.json, maps and all."""
    (folder / "saliency").mkdir()
    bundle, drawn = evaluated.bundle, drawn_methods(folder, wish.methods)
    shown: list[dict[str, Any]] = []
    tensors: dict[str, NDArray[np.float16]] = {}
    for choice, case in track(chosen, "looking at cases", total=len(chosen)):
        picture = evaluated.picture(case)
        seen = look(network, bundle, picture, wish=wish)
        record = record_of(case, seen, bundle.taxonomy, why=choice.why)
        figure = saliency_figure(
            picture,
            seen,
            bundle.preparation,
            taxonomy=bundle.taxonomy,
            title=title_of(case, seen, bundle.taxonomy),
            offered=drawn,
        )
        save_figure(folder / record["file"], figure)
        shown.append(record)
        tensors |= tensors_of(case, seen)
    known = methods_of(bundle.auxiliary)
    content = {
        "bundle": bundle.name,
        "methods": {
            key: method.in_words()
            for key, method in known.items()
            if key in (*SHOWN, *wish.methods) and (drawn is None or key in drawn)
        },
        "maps": {"file": MAPS, "preparation": bundle.preparation.to_dict()},
        "cases": shown,
        **_carried(evaluated),
    }
    write_json(folder / "saliency.json", "saliency", content, made_from=evaluated.made_from)
    about = {"made_from": evaluated.made_from, **_carried(evaluated)}
    write_maps(folder / MAPS, tensors, codes=bundle.taxonomy.codes, about=about)
    return shown


def write_atlas(folder: Path, evaluated: Evaluated, network: Any, cast: Cast) -> dict[str, Any]:
    """Lay out the cast by every depth, and write it as tables, figures and a page."""
    charted = chart(engine_of(network), evaluated, cast, offered=offered_methods(folder))
    about = about_chart(evaluated, charted)
    write_chart(folder, charted, evaluated.bundle.taxonomy, about=about | _carried(evaluated))
    write_page(folder, evaluated, charted, told_of(evaluated, charted))
    return about


def _carried(evaluated: Evaluated) -> dict[str, Any]:
    manifest = evaluated.manifest
    return {"source": manifest.source, "licence": manifest.licence, "invented": manifest.invented}


def _finished(
    target: Path, evaluated: Evaluated, shown: list[dict[str, Any]], about: dict[str, Any], *, wish: Wish
) -> Finished:
    wrong = sum(each["truth"] is not None and each["truth"] != each["answer"] for each in shown)
    return Finished(
        wrote=target,
        lines=(
            f"saliency of {len(shown)} cases, {wrong} of them answered wrongly",
            *lines_of(about),
            offered_in_words(offered_methods(target)),
            *failed_in_words(target, wish.methods),
        ),
        facts={"name": evaluated.bundle.name, "saliency": shown, "atlas": facts_of(about)},
        next_command="cutis report",
    )
