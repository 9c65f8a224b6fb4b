"""BUNDLE + TEST SET → WHERE IT LOOKS, HOW IT GROUPS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cutis.explain.atlas import place_cases, require_spread, settings_for
from cutis.explain.choice import ANSWER, Choice, Wish, asked_for, choose_cases, wish_of
from cutis.explain.drawing import saliency_figure
from cutis.explain.evaluated import Evaluated, read_evaluated
from cutis.explain.figures import atlas_figure, save_figure
from cutis.explain.methods import methods_of
from cutis.explain.record import MAPS, SHOWN, record_of, tensors_of, title_of, write_maps
from cutis.explain.saliency import look
from cutis.progress import say, track
from cutis.runtime.engines import torch_network
from cutis.vocabulary.case import Case
from cutis.vocabulary.files import write_json, write_sums, write_table
from cutis.workspace import Finished, Workspace


def explain(
    workspace: Workspace,
    name: str,
    *,
    case_ids: tuple[str, ...] = (),
    diagnosis: str | None = None,
    rather_than: str | None = None,
    again: bool = False,
) -> Finished:
    """Draw where a network looks, case by case, and lay out the test split as it groups it.

    Args:
        workspace: holds the dataset, the bundle and its evaluation.
        name: of the bundle.
        case_ids: which cases to look at, of any split; without any, a choice of right and wrong answers in test.
        diagnosis: whom the maps are of, by its code; without one, the answer to each case.
        rather_than: whom it is compared with; without one, the most probable of all others.
        again: make a new version where this explanation exists.

    Raises:
        UserError: not evaluated yet, an unknown case or diagnosis, or too few cases for a map.
    """
    target = workspace.explanation(name)
    workspace.refuse_to_overwrite(target, again=again)
    evaluated = read_evaluated(workspace, name)
    require_spread(evaluated.features)
    malignant = evaluated.bundle.taxonomy.malignant
    wish = wish_of(diagnosis, rather_than, evaluated.bundle.taxonomy)
    choices = asked_for(case_ids) or choose_cases(evaluated.predictions, malignant=malignant)
    cases = [evaluated.case(choice.case_id) for choice in choices]
    with workspace.new_version(target, again=again) as folder:
        shown = write_saliency(folder, evaluated, choices, cases, wish=wish)
        settings = write_atlas(folder, evaluated)
        write_sums(folder)
    return _finished(target, evaluated, shown, settings)


def write_saliency(
    folder: Path, evaluated: Evaluated, choices: tuple[Choice, ...], cases: list[Case], *, wish: Wish = ANSWER
) -> list[dict[str, Any]]:
    """Draw a figure per case into `folder`/saliency, and write what is on them into saliency.json, maps and all."""
    (folder / "saliency").mkdir()
    network, bundle = torch_network(evaluated.bundle), evaluated.bundle
    shown: list[dict[str, Any]] = []
    tensors: dict[str, NDArray[np.float16]] = {}
    for choice, case in track(zip(choices, cases, strict=True), "looking at cases", total=len(cases)):
        picture = evaluated.picture(case)
        seen = look(network, bundle, picture, wish=wish)
        record = record_of(case, seen, bundle.taxonomy, why=choice.why)
        figure = saliency_figure(
            picture, seen, bundle.preparation, taxonomy=bundle.taxonomy, title=title_of(case, seen, bundle.taxonomy)
        )
        save_figure(folder / record["file"], figure)
        shown.append(record)
        tensors |= tensors_of(case, seen)
    methods = methods_of(bundle.auxiliary)
    content = {
        "bundle": bundle.name,
        "methods": {key: method.in_words() for key, method in methods.items() if key in SHOWN},
        "maps": {"file": MAPS, "preparation": bundle.preparation.to_dict()},
        "cases": shown,
        **_carried(evaluated),
    }
    write_json(folder / "saliency.json", "saliency", content, made_from=evaluated.made_from)
    about = {"made_from": evaluated.made_from, **_carried(evaluated)}
    write_maps(folder / MAPS, tensors, codes=bundle.taxonomy.codes, about=about)
    return shown


def write_atlas(folder: Path, evaluated: Evaluated) -> dict[str, Any]:
    """Lay out the test split and write it as a table and as a figure."""
    predictions, taxonomy = evaluated.predictions, evaluated.bundle.taxonomy
    if predictions.truth is None:
        raise ValueError("the atlas is coloured by truth")
    settings = settings_for(len(predictions))
    say(f"laying out {len(predictions)} cases by t-SNE")
    places = place_cases(evaluated.features, settings)
    answers = predictions.probabilities.argmax(axis=1)
    codes = np.array(predictions.codes)
    columns = {
        "case_id": list(predictions.case_ids),
        "x": places[:, 0],
        "y": places[:, 1],
        "truth": codes[predictions.truth].tolist(),
        "predicted": codes[answers].tolist(),
    }
    about = {
        "bundle": evaluated.bundle.name,
        "settings": settings.to_dict(),
        "made_from": evaluated.made_from,
        **_carried(evaluated),
    }
    write_table(folder / "atlas.parquet", "atlas", columns, about=about)
    (folder / "figures").mkdir()
    caption = (
        f"{evaluated.bundle.name}, {len(predictions):,} test pictures{', invented' * evaluated.bundle.invented}. "
        f"t-SNE of the last hidden layer, perplexity {settings.perplexity:.3g}.\n"
        "Neighbours are alike; distances between far groups and the axes mean nothing."
    )
    figure = atlas_figure(places, predictions.truth, answers, taxonomy, of_what=caption)
    save_figure(folder / "figures" / "atlas.svg", figure)
    return settings.to_dict()


def _carried(evaluated: Evaluated) -> dict[str, Any]:
    manifest = evaluated.manifest
    return {"source": manifest.source, "licence": manifest.licence, "invented": manifest.invented}


def _finished(target: Path, evaluated: Evaluated, shown: list[dict[str, Any]], settings: dict[str, Any]) -> Finished:
    wrong = sum(each["truth"] is not None and each["truth"] != each["answer"] for each in shown)
    return Finished(
        wrote=target,
        lines=(
            f"saliency of {len(shown)} cases, {wrong} of them answered wrongly",
            f"atlas of {len(evaluated.predictions):,} test cases, perplexity {settings['perplexity']:.3g}",
        ),
        facts={"name": evaluated.bundle.name, "saliency": shown, "atlas": settings},
        next_command="cutis report",
    )
