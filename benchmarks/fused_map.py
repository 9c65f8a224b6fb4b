"""How the maps of all depths are best joined, on the toy clinic, where the signs are known to the pixel.

Only cases of tune and calibrate are looked at, so that the test stays unseen. Told are the share of a map's positive
values inside the planted signs of the true diagnosis, how often a place inside has more than a place outside, and how
far a way keeps its map when the network is another, untrained one (mean signed rank correlation): what stays is drawn
by the picture, not by what was learned.

    python benchmarks/fused_map.py              # of what `make demo` leaves; writes benchmarks/fused_map.md, 5 minutes
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy.stats import rankdata

from cutis.explain.sanity.masks import find_masks
from cutis.explain.sanity.pointing import blob
from cutis.imaging.decode import decode
from cutis.imaging.prepare import normalise, prepare
from cutis.network.backbone import backbone_of
from cutis.network.classifier import Classifier
from cutis.runtime.bundle import Bundle, read_bundle
from cutis.runtime.engines import engine_of, torch_engine
from cutis.runtime.maps import FINEST, Map, fused
from cutis.stats.intervals import estimate_mean
from cutis.stats.rank_correlation import rank_correlations
from cutis.vocabulary.case import Case, read_manifest
from cutis.vocabulary.chance import chance
from cutis.workspace import Workspace

PAGE = Path(__file__).with_suffix(".md")
SPLITS = ("tune", "calibrate")
SIGNS = sum(1 << bit for bit in range(1, 7))  # the first bit of a mask is the lesion, the last one hair
BATCH = 32
UNTRAINED = 10
EVERY = 4  # which cases are asked of the untrained networks
STAGE_7 = 6

Maps: TypeAlias = list[NDArray[np.float32]]  # of one picture, per depth (K, h, w)
Way: TypeAlias = Callable[[Maps, int], Map]


class Shown(NamedTuple):
    """A case with what was planted in it."""

    case: Case
    pixels: NDArray[np.uint8]  # (S, S, 3), prepared
    signs: NDArray[np.float32]  # (S, S), the share of each pixel that is sign


class Pointed(NamedTuple):
    """What a way gives per case."""

    share: NDArray[np.float64]
    order: NDArray[np.float64]


def shown_cases(workspace: Workspace, clinic: Path, bundle: Bundle) -> list[Shown]:
    """Return the settled cases of tune and calibrate whose signs are known, in the frame that the network sees."""
    dataset, shown = workspace.dataset.resolve(), []
    cases = [
        case for case in read_manifest(dataset / "manifest.parquet").cases if case.split in SPLITS and case.diagnosis
    ]
    masks = find_masks(clinic.with_name(f"{clinic.name}-truth") / "masks", cases, dataset, pictures=clinic).by_case
    for case in cases:
        if case.case_id not in masks:
            continue
        with Image.open(masks[case.case_id]) as mask:
            signs = ((np.asarray(mask) & SIGNS) > 0).astype(np.float32)
        small = Image.fromarray(signs).resize((bundle.preparation.size,) * 2, Image.Resampling.BOX)
        pixels = prepare(decode(dataset / case.image), bundle.preparation)
        shown.append(Shown(case, pixels, np.asarray(small)))
    return shown


def maps_by(engine: Callable[..., object], shown: list[Shown], bundle: Bundle) -> list[Maps]:
    """Return the maps of all depths of every case."""
    found: list[Maps] = []
    for start in range(0, len(shown), BATCH):
        pixels = np.stack([each.pixels for each in shown[start : start + BATCH]])
        outputs = engine(normalise(pixels, bundle.preparation))
        found += [[depth[row] for depth in outputs.maps] for row in range(len(pixels))]  # type: ignore[attr-defined]
    return found


def untrained(bundle: Bundle, pixels: NDArray[np.float32], seed: int) -> Classifier:
    """Return a network that learned nothing but the statistics of these pictures, so that no depth fades away."""
    torch.manual_seed(seed)
    network = Classifier(backbone_of(bundle.architecture, size=bundle.preparation.size), classes=len(bundle.taxonomy))
    with torch.no_grad():
        for _ in range(20):
            network.train()(torch.from_numpy(pixels))
    return network.eval()


def against_all(depth: NDArray[np.float32], kind: int) -> Map:
    """Return what a depth says for a diagnosis rather than for the average one."""
    return depth[kind] - depth.mean(axis=0)


def strength(depth: NDArray[np.float32], _: int) -> Map:
    """Return how loudly a depth speaks at each place, whatever it says."""
    return depth.std(axis=0)


def measured(maps: Maps, kind: int, said: Callable[[NDArray[np.float32], int], Map] = against_all) -> list[Map]:
    """Return every depth on the third one's grid, in units of its own spread."""
    grid = maps[FINEST].shape[1:]
    brought = [_brought(said(depth, kind), grid) for depth in maps]
    return [(each - each.mean()) / (each.std() + 1e-6) for each in brought]


def gated(maps: Maps, kind: int) -> Map:
    """The last depths say whether, where they are above their mean; the first ones lift and lower within that."""
    depths = measured(maps, kind)
    return np.maximum(sum(depths[5:]), 0) * np.exp(sum(depths[:5]) / 5)


def chances(maps: Maps, kind: int) -> Map:
    """The mean over the depths of the diagnosis' probability at each place."""
    grid, each = maps[FINEST].shape[1:], []
    for depth in maps:
        odds = np.exp(depth - depth.max(axis=0))
        each.append(_brought(odds[kind] / odds.sum(axis=0), grid))
    return np.mean(each, axis=0)


def loud(maps: Maps, kind: int) -> Map:
    """What speaks for the diagnosis, lifted where the network speaks loudly at all."""
    return np.exp(sum(measured(maps, kind)) / 4 + sum(measured(maps, kind, strength)) / 4)


def multiplied(power: float, *, said: Callable[[NDArray[np.float32], int], Map] = against_all) -> Way:
    """Return the product over the depths of what speaks for a place, to a power."""

    def way(maps: Maps, kind: int) -> Map:
        return np.exp(power * sum(np.log(np.logaddexp(0, 2 * each)) for each in measured(maps, kind, said)))

    return way


WAYS: dict[str, Way] = {
    "even": lambda maps, _: np.ones(maps[FINEST].shape[1:], np.float32),
    "blob in the middle": lambda maps, _: blob(*maps[FINEST].shape[1:]),
    **{f"stage {number + 1} alone": lambda maps, kind, number=number: maps[number][kind] for number in range(7)},
    "stage 7 alone, above its mean": lambda maps, kind: maps[STAGE_7][kind] - maps[STAGE_7][kind].mean(),
    "final alone": lambda maps, kind: maps[-1][kind],
    "final alone, above its mean": lambda maps, kind: maps[-1][kind] - maps[-1][kind].mean(),
    "mean probability by place": chances,
    "sum of all depths": lambda maps, kind: sum(measured(maps, kind)),
    "late ones gate, early ones place": gated,
    "product of all depths, raw logits": multiplied(0.5, said=lambda depth, kind: depth[kind]),
    "product of all depths, to the fourth root": multiplied(0.25),
    "product of all depths, square root: fused": lambda maps, kind: fused([against_all(each, kind) for each in maps]),
    "product of all depths": multiplied(1.0),
    "lifted where the network is loud": loud,
}


def pointed(way: Way, shown: list[Shown], maps: list[Maps], kinds: list[int]) -> Pointed:
    """Hold a way's maps against the planted signs."""
    share, order = [], []
    for each, depths, kind in zip(shown, maps, kinds, strict=True):
        over = _brought(np.asarray(way(depths, kind), np.float32), each.signs.shape)
        positive = np.maximum(over, 0).astype(np.float64)
        share.append((positive * each.signs).sum() / (positive.sum() or 1.0))
        ranks, inside = rankdata(over), each.signs.ravel().astype(np.float64)
        outside = 1 - inside
        above = (inside * (ranks - 0.5)).sum() - (inside.sum() ** 2) / 2
        order.append(above / (inside.sum() * outside.sum()) if inside.sum() and outside.sum() else np.nan)
    return Pointed(np.array(share), np.array(order))


def kept(way: Way, one: list[Maps], other: list[Maps], kinds: list[int]) -> float:
    """Return the mean signed rank correlation of a way's maps by two networks; of even maps there is none."""
    pairs = [(way(a, kind).ravel(), way(b, kind).ravel()) for a, b, kind in zip(one, other, kinds, strict=True)]
    found = [float(rank_correlations(a, b)) for a, b in pairs if np.ptp(a) and np.ptp(b)]
    return float(np.mean(found)) if found else np.nan


def page_of(rows: Mapping[str, tuple[str, float, str]], *, cases: int, name: str) -> list[str]:
    """Return the lines of the page."""
    return [
        "# How the maps of all depths are best joined",
        "",
        f"Written by `benchmarks/fused_map.py`: the bundle {name}, {cases} cases of {' and '.join(SPLITS)}.",
        "Share: of a map's positive values inside the signs planted for the true diagnosis, interval by patient.",
        "Order: how often a place inside has more than one outside; even is 0.5.",
        f"Kept: mean signed rank correlation with {UNTRAINED} untrained networks, and their standard deviation.",
        "",
        "| way | share | order | kept |",
        "|---|---|---|---|",
        *(f"| {way} | {share} | {order:.3f} | {stays} |" for way, (share, order, stays) in rows.items()),
    ]


def _brought(each: Map, grid: tuple[int, ...]) -> Map:
    by = Image.Resampling.BOX if each.shape[0] > grid[0] else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(np.ascontiguousarray(each, np.float32)).resize((grid[1], grid[0]), by))


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--toy", type=Path, default=PAGE.parents[1], help="holds toy-clinic, its truth and toy-work")
    parser.add_argument("--name", default="pocket")
    said = parser.parse_args()
    workspace, clinic = Workspace(said.toy / "toy-work"), said.toy / "toy-clinic"
    if not workspace.bundle(said.name).exists() or not clinic.exists():
        print(f"left out: no toy clinic with a bundle {said.name!r} in {said.toy}: make demo")
        return
    bundle = read_bundle(workspace.bundle(said.name).resolve())
    shown = shown_cases(workspace, clinic, bundle)
    kinds = [bundle.taxonomy.codes.index(str(each.case.diagnosis)) for each in shown]
    maps = maps_by(torch_engine(bundle), shown, bundle)
    few, few_kinds = shown[::EVERY], kinds[::EVERY]
    pixels = normalise(np.stack([each.pixels for each in few]), bundle.preparation)
    others = [maps_by(engine_of(untrained(bundle, pixels, seed)), few, bundle) for seed in range(UNTRAINED)]
    rows = {}
    for name, way in WAYS.items():
        found = pointed(way, shown, maps, kinds)
        owners = [each.case.cluster_id for each in shown]
        share = estimate_mean(found.share, owners, cluster_kind="patient", generator=chance("fused map", name))
        stays = [kept(way, maps[::EVERY], other, few_kinds) for other in others]
        told = "none" if np.isnan(stays).all() else f"{np.mean(stays):+.3f} ± {np.std(stays):.3f}"
        rows[name] = (str(share), float(np.nanmean(found.order)), told)
        print(name, *rows[name])
    PAGE.write_text("\n".join(page_of(rows, cases=len(shown), name=said.name)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
