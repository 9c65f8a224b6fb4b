"""A release with random weights for what measures a server: everything lies in it that an answer is made of.

It measures nothing by itself; time does not ask what a network says.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from cutis.imaging.prepare import Preparation
from cutis.network.backbone import backbone_of
from cutis.network.classifier import Classifier
from cutis.release.contents import Passed, write_description
from cutis.release.convert import write_onnx, write_openvino
from cutis.release.reduced import mark_first_layers
from cutis.release.self_test import write_self_test
from cutis.release.sign import seal
from cutis.runtime.atlas import ATLAS, Atlas, write_atlas
from cutis.runtime.bundle import Bundle
from cutis.runtime.engines import OFFERS, bf16_is_here, open_engine
from cutis.runtime.neighbours import NEIGHBOURS, Likeness, index_of, kept, write_index
from cutis.stats.retrieval import Trial
from cutis.stats.spaces import fit_space
from cutis.vocabulary.files import write_json
from cutis.vocabulary.taxonomy import load_taxonomy
from factories import a_bundle, a_case

CASES = 6_490  # of HAM10000's training cases
COMPONENTS = 50  # of an atlas
BF16_KEPT = 1 / 4  # of the convolutions stay in fp32, as in answer.md


def served_release(folder: Path, *, architecture: str, side: int) -> Path:
    """Write a release of a network at so many pixels, with training cases, an atlas and all its maps offered."""
    network = _bundle(folder / "bundle", architecture, side)
    release = folder / "release"
    onnx, openvino, *_ = (release / offer.file for offer in OFFERS)
    write_onnx(onnx, network)
    write_openvino(openvino, onnx)
    mark_first_layers(openvino, BF16_KEPT)
    passed = tuple(Passed(offer, 1.0) for offer in OFFERS[:3] if offer.precision != "bf16" or bf16_is_here())
    trained = open_engine(network, onnx)
    write_self_test(
        release,
        network,
        passed,
        trained=trained,
        opening=lambda offer: open_engine(network, release / offer.file, precision=offer.precision),
    )
    write_description(release, network, passed, made_from={"bundle": "0" * 64})
    _write_what_lies_beside(release, network, features=_features(architecture))
    seal(release, about={"name": network.name}, made_from={})
    return release


def _bundle(folder: Path, architecture: str, side: int) -> Bundle:
    torch.manual_seed(0)
    taxonomy = load_taxonomy("zhu14")
    network = Classifier(backbone_of(architecture), classes=len(taxonomy)).eval()
    folder.mkdir(parents=True)
    save_file({name: each.contiguous() for name, each in network.state_dict().items()}, folder / "weights.safetensors")
    trials = (Trial("raw", 0.5, 0.01, 0.02),)
    return a_bundle(
        taxonomy.codes,
        taxonomy=taxonomy,
        architecture=architecture,
        invented=True,
        temperatures=(1.0,) * 8,
        preparation=Preparation(size=side, mean=(0.5,) * 3, std=(0.25,) * 3),
        folder=folder,
        likeness=Likeness(space="raw", cases=CASES, chosen_on="tune", trials=trials, strangers=0.99, nearness=None),
    )


def _features(architecture: str) -> int:
    network = Classifier(backbone_of(architecture), classes=2).eval()
    with torch.inference_mode():
        return int(network(torch.zeros(1, 3, 64, 64)).features.shape[1])


def _write_what_lies_beside(release: Path, bundle: Bundle, *, features: int) -> None:
    chance, codes = np.random.default_rng(0), bundle.taxonomy.codes
    rows = kept(chance.normal(size=(CASES, features)))
    cases = [a_case(n, diagnosis=codes[n % len(codes)], confirmed_by="histology") for n in range(CASES)]
    space = fit_space("raw", rows, np.zeros(CASES, np.int64))
    write_index(release / NEIGHBOURS, index_of(rows, cases, codes=codes, space=space), made_from={})
    axes = np.linalg.qr(chance.normal(size=(features, COMPONENTS)))[0].astype(np.float32)
    atlas = Atlas(
        mean=np.zeros(features, np.float32),
        axes=axes,
        features=rows.astype(np.float32) @ axes,
        places=chance.normal(size=(CASES, 2)) * 30,
        diagnosis=np.arange(CASES, dtype=np.int64) % len(codes),
    )
    write_atlas(release / ATLAS, atlas, about={})
    names = ["fused", "final", *(f"stage_{number}" for number in range(7, 0, -1))]
    write_json(release / "maps.json", "offered-maps", {"offered": names, "left_out": {}})
