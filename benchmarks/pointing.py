"""Whether maps point at what is known to be there. Writes pointing.md beside itself.

    .venv/bin/python benchmarks/pointing.py            about ten minutes on one core
    .venv/bin/python benchmarks/pointing.py --quick    a look at few cases; writes nothing

Two tests. The toy clinic of `make demo`, where every drawn sign is known to the pixel; and 400 real pictures with
lesion masks (`isic2018-masks` in the data folder), seen by the bundle of the workspace `work-bench/ham10000` that sees
the largest pictures. What is not there is left out, with the reason. None of the data is part of this project.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from trials import BENCHMARKS, SHARED, WORKSPACES

from cutis.explain.evaluated import read_evaluated
from cutis.explain.saliency.methods import methods_of
from cutis.explain.sanity.asking import Maps, Methods, maps_by
from cutis.explain.sanity.examined import Plan, Redrawn, Subject
from cutis.explain.sanity.findings import ClusterIds, Estimates, mean_of, pointing_estimates, weights_estimates
from cutis.explain.sanity.inquiry import SLOW
from cutis.explain.sanity.masks import INSIDE, TARGETS, find_masks
from cutis.explain.sanity.measures import pointing, redrawn
from cutis.explain.sanity.subject import choose_subject, subject_of
from cutis.imaging.decode import decode
from cutis.imaging.prepare import normalise, prepare
from cutis.progress import say, track
from cutis.runtime.bundle import DESCRIPTION, Bundle, read_bundle
from cutis.runtime.engines import engine_of, torch_network, untrained_network
from cutis.runtime.maps import FINAL, FUSED
from cutis.runtime.predict import probabilities
from cutis.vocabulary.circumstances import circumstances
from cutis.vocabulary.estimate import Estimate
from cutis.workspace import Workspace

PAGE = BENCHMARKS / "pointing.md"
OWN_PASS, SLOW_CASES = 120, 24  # cases that are asked of methods with a pass of their own, and with many
REDRAWN = 100  # cases whose maps are held against those of untrained networks
NAMES = {"NV": "nv", "MEL": "mel", "BKL": "bkl"}  # of the masks' table, as HAM10000 calls them


class Study(NamedTuple):
    """What was measured of one set of pictures."""

    title: str
    about: str
    pointing: dict[str, dict[str, Estimates]]  # target → method → estimates, with `lead` for the first method's lead
    weights: dict[str, Estimates]
    cases: dict[str, int]  # by method


def main() -> None:
    """Measure what is there, and write the page."""
    parser = argparse.ArgumentParser(description="Whether maps point at what is known to be there.")
    parser.add_argument("--data", type=Path, default=SHARED / "data", help="holds isic2018-masks")
    parser.add_argument("--toy", type=Path, default=BENCHMARKS.parent, help="holds toy-clinic, its truth and toy-work")
    parser.add_argument("--name", default="pocket", help="which bundle of toy-work, evaluated")
    parser.add_argument(
        "--ham", type=Path, default=WORKSPACES / "ham10000", help="a workspace with bundles of HAM10000"
    )
    parser.add_argument("--quick", action="store_true", help="few cases, and no page")
    said = parser.parse_args()
    most = 24 if said.quick else 10_000
    lines = []
    for study in (_toy(said.toy, said.name, most=most), _real(said.data / "isic2018-masks", said.ham, most=most)):
        lines += [study, ""] if isinstance(study, str) else page_of(study)
    page = "\n".join([*_head(), *lines]).rstrip() + "\n"
    print(page)
    if not said.quick:
        PAGE.write_text(page, encoding="utf-8")


def _toy(folder: Path, name: str, *, most: int) -> Study | str:
    masks, clinic, workspace = folder / "toy-clinic-truth" / "masks", folder / "toy-clinic", folder / "toy-work"
    if not (masks.is_dir() and workspace.is_dir()):
        return f"The toy clinic was not measured: {folder.name} holds none. `make demo` makes it."
    evaluated = read_evaluated(Workspace(workspace), name)
    network, bundle = torch_network(evaluated.bundle), evaluated.bundle
    cases = [evaluated.case(case_id) for case_id in evaluated.predictions.case_ids]
    found = find_masks(masks, cases, evaluated.dataset, pictures=clinic)
    subject, clusters = choose_subject(evaluated, network, most=min(most, len(cases)), masks=found)
    truth = evaluated.predictions.truth
    accuracy = float(np.mean(evaluated.predictions.probabilities.argmax(axis=1) == truth))
    about = (
        f"The test split of the invented clinic: {len(subject)} pictures of {len(set(clusters.ids))} patients. "
        f"{_seen(bundle)}, {accuracy:.0%} of them answered rightly. The signs are those of the true diagnosis, and "
        "count where it is the answer; most of their area is the coloured ground of the lesion, so that the finer "
        "signs upon it stand apart."
    )
    return _study("The toy clinic: planted signs", about, network, bundle, subject, clusters)


def _real(folder: Path, ham: Path, *, most: int) -> Study | str:
    bundles = sorted(ham.glob("2_bundles/*"))
    if not (folder.is_dir() and bundles):
        return (
            "Real pictures were not measured: `isic2018-masks` must lie in the data folder (--data), and a workspace "
            "with bundles of HAM10000 in --ham."
        )
    bundle = read_bundle(max(bundles, key=_size_of).resolve())
    with (folder / "metadata.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))[:most]
    network = torch_network(bundle)
    names = [row["image_id"] for row in rows]
    pictures = [
        decode(folder / "images" / f"{name}.jpg") for name in track(names, "reading pictures", total=len(names))
    ]
    masks = [{INSIDE: np.asarray(decode(folder / "masks" / f"{name}.png"))[..., 0] > 0} for name in names]
    prepared = normalise(np.stack([prepare(picture, bundle.preparation) for picture in pictures]), bundle.preparation)
    engine = engine_of(network)
    answers = np.concatenate(
        [probabilities(bundle, engine(prepared[start : start + 32])) for start in range(0, len(prepared), 32)]
    ).argmax(axis=1)
    subject = subject_of(bundle, network, pictures, answers.tolist(), keys=names, masks=masks)
    truth = [bundle.taxonomy.codes.index(NAMES[row["isic2019_dx"]]) for row in rows]
    about = (
        f"{len(rows)} real dermoscopic pictures of 512 pixels with lesion masks, centre-cropped by their source, each "
        f"counted as a lesion of its own, since no patient is known. {_seen(bundle)}; trained on HAM10000, which "
        f"shares no picture's name with them; {np.mean(answers == truth):.0%} answered rightly."
    )
    clusters = ClusterIds(ids=tuple(names), kind="lesion")
    return _study("Real pictures: lesion masks", about, network, bundle, subject, clusters)


def _size_of(bundle: Path) -> int:
    return int(json.loads((bundle / DESCRIPTION).read_text(encoding="utf-8"))["preparation"]["size"])


def _study(title: str, about: str, network: Any, bundle: Bundle, subject: Subject, clusters: ClusterIds) -> Study:
    """Ask every method, and hold its maps against the masks and against untrained networks."""
    methods = dict(reversed(methods_of(bundle.auxiliary).items()))
    first = FUSED if FUSED in methods else FINAL
    maps: dict[str, Sequence[Any]] = dict(
        maps_by(network, {name: each for name, each in methods.items() if each.in_pass}, subject.asked)
    )
    for name, method in methods.items():
        if not method.in_pass:
            say(f"maps by {name}")
            few = subject.asked.first(SLOW_CASES if name in SLOW else OWN_PASS)
            maps[name] = maps_by(network, {name: method}, few)[name]
    by_target: dict[str, dict[str, Estimates]] = {}
    for target in subject.targets:
        shares = {
            name: pointing(maps[name], subject.first(len(maps[name])), target)
            for name in track(methods, f"pointing, {target}", total=len(methods))
        }
        by_target[target] = {
            name: pointing_estimates(found, clusters)
            | (
                {}
                if name == first
                else {"lead": mean_of(shares[first]["share"][: len(maps[name])] - found["share"], clusters)}
            )
            for name, found in shares.items()
        }
    weights = _weights(network, bundle, methods, maps, subject, clusters)
    return Study(title, about, by_target, weights, {name: len(maps[name]) for name in methods})


def _weights(
    network: Any, bundle: Bundle, methods: Methods, maps: Maps, subject: Subject, clusters: ClusterIds
) -> dict[str, Estimates]:
    """Return what is left of every map when all weights are drawn anew; slow methods are left out."""
    asked = subject.first(REDRAWN)
    quick = {name: each for name, each in methods.items() if name not in SLOW}
    plan = replace(Plan(), cascade_seeds=0)
    found: Mapping[str, Redrawn] = redrawn(
        network,
        quick,
        asked,
        {name: maps[name][:REDRAWN] for name in quick},
        plan=plan,
        untrained=lambda seed: untrained_network(bundle, seed=seed),
        of_what="",
    )
    return {name: weights_estimates(each, clusters) for name, each in found.items()}


def page_of(study: Study) -> list[str]:
    """Return the lines of a study."""
    return [
        f"## {study.title}",
        "",
        study.about,
        "",
        *(line for target, found in study.pointing.items() for line in _table(target, found, study.cases)),
        *_verdict(study),
        "### Weights drawn anew",
        "",
        "Rank correlation of the map with that of an untrained network, over 10 seeds: the first must lie below 0.2.",
        "",
        "| method | signed | whatever its sign | two untrained, signed |",
        "|---|---|---|---|",
        *(
            f"| {_spoken(name)} | {_signed(each['trained'])} | {_plain(each['trained_absolute'])} | "
            f"{_signed(each['null'])} |"
            for name, each in study.weights.items()
        ),
        "",
    ]


def _table(target: str, found: Mapping[str, Estimates], cases: Mapping[str, int]) -> Iterator[str]:
    yield f"### Inside {TARGETS[target]}"
    yield ""
    first = next(iter(found))
    beside = "over an even map | over other pictures' maps | over a blob"
    yield f"| method | asked of | share inside | {beside} | greatest point inside | {_spoken(first)} less it |"
    yield "|---|---|---|---|---|---|---|---|"
    for name, each in found.items():
        lead = _signed(each["lead"]) if "lead" in each else ""
        told = " | ".join(_signed(each[key]) for key in ("over_chance", "over_others", "over_blob"))
        yield f"| {_spoken(name)} | {cases[name]} | {_plain(each['share'])} | {told} | {_plain(each['hit'])} | {lead} |"
    for what, share, hit in (("an even map", "chance", "chance"), ("a blob in the middle", "blob", "blob_hit")):
        yield f"| {what} | {cases[first]} | {_plain(found[first][share])} | | | | {_plain(found[first][hit])} | |"
    yield ""


def _verdict(study: Study) -> Iterator[str]:
    """Say which map has the largest share, and whether the first one's lead over each other is beyond doubt."""
    for target, found in study.pointing.items():
        values = {name: each["share"].value or 0.0 for name, each in found.items()}
        best, first = max(values, key=lambda name: values[name]), next(iter(found))
        leads = {name: each["lead"] for name, each in found.items() if "lead" in each}
        ahead = [name for name, lead in leads.items() if lead.low is not None and lead.low > 0]
        behind = [name for name, lead in leads.items() if lead.high is not None and lead.high < 0]
        open_ = [name for name in leads if name not in {*ahead, *behind}]
        blob = found[first]["over_blob"]
        yield (
            f"Inside {TARGETS[target]} the most has **{_spoken(best)}**. The map called {_spoken(first)} has more than "
            f"{_listed(ahead)}; less than {_listed(behind)}; undecided against {_listed(open_)}. "
            f"Over the blob it has {_signed(blob)}."
        )
        yield ""


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(_spoken, names)) or "none"


def _seen(bundle: Bundle) -> str:
    return f"Seen by {bundle.architecture} at {bundle.preparation.size} pixels"


def _head() -> list[str]:
    about = circumstances()
    told = (
        "Share: how much of a map's positive values lies inside. An even map has as much as the mask is large. Other "
        "pictures' maps, held against the same mask, have what a map has there by habit. The blob is a normal density "
        "in the middle of the picture, its standard deviation a fifth of each side. Asked is what speaks for the "
        "answer. Intervals of 95 % by resampling patients, or lesions where no patient is known; differences are "
        f"paired. Methods with a pass of their own were asked of {OWN_PASS} cases at most, those with many passes of "
        f"{SLOW_CASES}."
    )
    return [
        "# Whether maps point at what is known to be there",
        "",
        "Written by `benchmarks/pointing.py`; " + f"{about['processor']}, cutis {about['cutis']}.",
        "",
        told,
        "",
    ]


def _plain(estimate: Estimate) -> str:
    if estimate.value is None or estimate.low is None:
        return "not available" if estimate.value is None else f"{estimate.value:.2f}"
    return f"{estimate.value:.2f} ({estimate.low:.2f}–{estimate.high:.2f})"


def _signed(estimate: Estimate) -> str:
    if estimate.value is None or estimate.low is None:
        return "not available" if estimate.value is None else f"{estimate.value:+.2f}"
    return f"{estimate.value:+.2f} ({estimate.low:+.2f} to {estimate.high:+.2f})"


def _spoken(name: str) -> str:
    return name.replace("_", " ")


if __name__ == "__main__":
    main()
