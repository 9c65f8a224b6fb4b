"""Makes valid things; a test names only what it is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cutis.imaging.prepare import Preparation
from cutis.runtime.bundle import Bundle, Thresholds, read_bundle, write_description
from cutis.runtime.neighbours import Likeness, index_of, kept, write_index
from cutis.stats.retrieval import Trial
from cutis.stats.spaces import fit_space
from cutis.vocabulary.case import Case, Manifest, Vote, read_manifest, write_manifest
from cutis.vocabulary.files import SUMS, sha256_of, write_json
from cutis.vocabulary.outputs import Outputs
from cutis.vocabulary.predictions import Predictions
from cutis.vocabulary.taxonomy import Disease, Taxonomy
from cutis.workspace import Workspace

FEATURES_OF_A_BUNDLE = 1280  # of the small network in `a_bundle_folder`


def a_taxonomy(codes: Sequence[str] = ("a", "b", "c")) -> Taxonomy:
    """A taxonomy of invented diseases; the last one is malignant."""
    diseases = tuple(
        Disease(code=code, name=f"disease {code}", abbreviation=code.upper(), malignant=code == codes[-1])
        for code in codes
    )
    return Taxonomy(name="invented", title="Invented diseases", diseases=diseases)


def a_case(number: int = 0, **fields: Any) -> Case:
    """A settled case of its own patient."""
    plain: dict[str, Any] = {
        "case_id": f"case{number:04d}",
        "image": f"images/case{number:04d}.png",
        "sha256": f"{number:064x}",
        "cluster_id": f"patient{number:04d}",
        "patient_id": f"patient{number:04d}",
        "lesion_id": f"lesion{number:04d}",
        "diagnosis": "a",
        "split": "train",
    }
    return Case(**plain | fields)


def a_manifest(cases: Sequence[Case] = (), **fields: Any) -> Manifest:
    """A manifest of these cases."""
    plain: dict[str, Any] = {
        "cases": tuple(cases),
        "taxonomy": a_taxonomy(),
        "cluster_kind": "patient",
        "source": "invented for a test",
        "licence": "CC0-1.0",
    }
    return Manifest(**plain | fields)


def some_predictions(
    *, cases: int = 60, codes: Sequence[str] = ("a", "b", "c"), seed: int = 0, **fields: Any
) -> Predictions:
    """Predictions that are right more often than not; two cases per patient."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, len(codes), cases)
    logits = random.normal(size=(cases, len(codes))) + 1.5 * np.eye(len(codes))[truth]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    plain: dict[str, Any] = {
        "case_ids": tuple(f"case{n:04d}" for n in range(cases)),
        "cluster_ids": tuple(f"patient{n // 2:04d}" for n in range(cases)),
        "cluster_kind": "patient",
        "truth": truth.astype(np.int64),
        "probabilities": probabilities,
        "codes": tuple(codes),
        "taxonomy_sha256": a_taxonomy(codes).sha256,
        "split": "test",
        "rater": "invented",
    }
    return Predictions(**plain | fields)


def a_picture(*, width: int = 128, height: int = 96, seed: int = 0) -> Image.Image:
    """A sharp, well-lit picture of smooth shapes with texture."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    waves = sum(
        np.sin(x * random.uniform(0.05, 0.4) + y * random.uniform(0.05, 0.4) + random.uniform(0, 6)) for _ in range(4)
    )
    base = np.array([190.0, 140.0, 120.0]) + waves[..., None] * np.array([12.0, 15.0, 14.0])
    noise = random.normal(scale=6, size=(height, width, 1))
    return Image.fromarray(np.clip(base + noise, 0, 255).astype(np.uint8))


def a_dataset(workspace: Workspace, *, patients: int = 24, side: int = 32, **fields: Any) -> Manifest:
    """Write a dataset of pictures whose plain colour is the diagnosis: one per patient, in all splits."""
    taxonomy = a_taxonomy()
    colours = {"a": (200, 60, 60), "b": (60, 200, 60), "c": (60, 60, 200)}
    turns = ("train", "train", "train", "tune", "calibrate", "test")
    with workspace.new_version(workspace.dataset, again=True) as folder:
        (folder / "images").mkdir()
        cases = []
        for number in range(patients):
            code = taxonomy.codes[number % 3]
            split = turns[number // 3 % len(turns)]
            case = a_case(number, diagnosis=code, split=split, fold=None if split == "test" else number // 3 % 2)
            grain = np.random.default_rng(number).normal(scale=12, size=(side, side, 3))
            Image.fromarray(np.clip(colours[code] + grain, 0, 255).astype(np.uint8)).save(folder / case.image)
            cases.append(replace(case, sha256=sha256_of(folder / case.image)))
        manifest = a_manifest(cases, **fields)
        write_manifest(folder / "manifest.parquet", manifest, made_from={})
    return manifest


def altered_dataset(workspace: Workspace, alter: Callable[[Case], Case], **fields: Any) -> None:
    """Write a dataset's manifest anew with altered cases."""
    path = workspace.dataset / "manifest.parquet"
    manifest = read_manifest(path)
    cases = tuple(alter(case) for case in manifest.cases)
    write_manifest(path, replace(manifest, cases=cases, **fields), made_from={})


def a_bundle(codes: Sequence[str] = ("a", "b", "c"), **fields: Any) -> Bundle:
    """What a bundle says of itself, where nothing runs its weights."""
    plain: dict[str, Any] = {
        "name": "invented",
        "architecture": "none",
        "pretrained": "none",
        "taxonomy": a_taxonomy(codes),
        "preparation": Preparation(size=16, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25)),
        "temperatures": (1.0,),
        "thresholds": Thresholds(rule="Youden", chosen_on="tune", values=(0.3,) * len(codes)),
        "best_epochs": (1,),
        "parameters": 0,
        "dataset_sha256": "0" * 64,
        "dataset_counts": {},
        "cluster_kind": "patient",
        "source": "invented for a test",
        "licence": "CC0-1.0",
        "invented": False,
        "weights_sha256": "0" * 64,
        "folder": Path("nowhere"),
    }
    return Bundle(**plain | fields)


def a_bundle_folder(folder: Path, *, classes: Sequence[str] = ("a", "b", "c"), **fields: Any) -> Path:
    """Write a bundle of a small untrained network."""
    import torch
    from safetensors.torch import save_file

    from cutis.network.backbone import backbone_of
    from cutis.network.classifier import Classifier
    from cutis.train.config import TrainConfig, config_text

    folder.mkdir(parents=True)
    torch.manual_seed(0)
    network = Classifier(backbone_of("mobilenetv2_035"), classes=len(classes))
    save_file(network.state_dict(), folder / "weights.safetensors")
    (folder / "config.toml").write_text(config_text(TrainConfig(network="mobilenetv2_035", size=32)))
    (folder / "history.jsonl").write_text('{"kind": "history", "format": 1}\n')
    plain: dict[str, Any] = {
        "name": "invented",
        "architecture": "mobilenetv2_035",
        "pretrained": "none",
        "taxonomy": a_taxonomy(classes),
        "preparation": Preparation(size=32, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25)),
        "temperatures": (1.5,) * 8,
        "thresholds": Thresholds(rule="Youden", chosen_on="tune", values=(0.3,) * len(classes)),
        "best_epochs": (1,),
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "dataset_sha256": "0" * 64,
        "dataset_counts": {"train": 12, "tune": 6, "calibrate": 3, "test": 3},
        "cluster_kind": "patient",
        "source": "invented for a test",
        "licence": "CC0-1.0",
        "invented": False,
        "weights_sha256": sha256_of(folder / "weights.safetensors"),
        "folder": folder,
    }
    write_description(folder, Bundle(**plain | fields), made_from={})
    return folder


def an_engine(**fields: Any) -> Any:
    """An engine of three classes that answers by how red, green and blue a picture is; no network is behind it."""

    def run(pictures: NDArray[np.float32]) -> Outputs[NDArray[np.float32]]:
        logits = pictures.mean(axis=(2, 3)).astype(np.float32)
        plain: dict[str, Any] = {"logits": logits, "auxiliary_logits": (), "features": logits, "maps": None}
        return Outputs(**plain | fields)

    return run


def a_colour_network(path: Path, *, size: int) -> None:
    """Write an ONNX network whose three logits and features are the means of the colours, and its map the picture."""
    import onnx
    from onnx import TensorProto, helper

    def value(name: str, *shape: str | int) -> Any:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", *shape])

    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["pictures", "axes"], ["logits"], keepdims=0),
            helper.make_node("Identity", ["logits"], ["features"]),
            helper.make_node("Identity", ["pictures"], ["maps_1"]),
        ],
        "colours",
        [value("pictures", 3, size, size)],
        [value("logits", 3), value("features", 3), value("maps_1", 3, size, size)],
        [helper.make_tensor("axes", TensorProto.INT64, [2], [2, 3])],
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)


def a_running_release(
    folder: Path, *, key: Any = None, beside: Callable[[Path], None] = lambda _: None, **fields: Any
) -> Path:
    """Write a release that answers by the means of the colours, by ONNX Runtime and by OpenVINO, and offers its map.

    `beside` writes what else lies in the folder, before it is sealed.
    """
    from cutis.release.contents import Passed
    from cutis.release.contents import write_description as write_release
    from cutis.release.convert import write_openvino
    from cutis.release.self_test import write_self_test
    from cutis.release.sign import seal
    from cutis.runtime.engines import OFFERS, open_engine

    bundle, passed = a_bundle(**fields), tuple(Passed(offer, 1e-6) for offer in OFFERS[:2])
    a_colour_network(folder / OFFERS[0].file, size=bundle.preparation.size)
    write_openvino(folder / OFFERS[1].file, folder / OFFERS[0].file)
    trained = open_engine(bundle, folder / OFFERS[0].file)
    write_self_test(folder, bundle, passed, trained=trained, opening=lambda _: trained)
    write_release(folder, bundle, passed, made_from={"bundle": "1" * 64})
    write_json(folder / "maps.json", "offered-maps", {"offered": ["final"], "left_out": {}})
    beside(folder)
    seal(folder, about={"name": bundle.name}, made_from={}, key=key)
    return folder


def a_release_folder(folder: Path, *, key: Any = None, **fields: Any) -> Path:
    """Write a release whose networks are bytes that nothing runs, with rows of patients beside them."""
    from cutis.release.card import write_card
    from cutis.release.contents import Passed
    from cutis.release.contents import write_description as write_release
    from cutis.release.self_test import write_self_test
    from cutis.release.sign import seal
    from cutis.runtime.engines import OFFERS
    from cutis.runtime.release import files_of

    bundle, sums = a_bundle(**fields), {"bundle": "1" * 64, "weights": "0" * 64}
    exact, _, reduced, _ = OFFERS
    passed = (Passed(exact, 1e-6), Passed(reduced, 0.02))
    (folder / "openvino").mkdir(parents=True)
    for name in (*files_of(exact), *files_of(reduced)):
        (folder / name).write_bytes(f"weights of {name}".encode() * 20)
    for name in ("neighbours.safetensors", "atlas.safetensors"):
        (folder / name).write_bytes(b"rows of patients")
    (folder / "parity.json").write_text('{"kind": "parity", "format": 1}')
    write_self_test(folder, bundle, passed, trained=an_engine(), opening=lambda _: an_engine())
    write_release(folder, bundle, passed, made_from=sums)
    evaluation = {"estimates": {}, "cases": 60, "clusters": 30, "cluster_kind": "patient"}
    write_card(folder, bundle, offers=[each.offer.name for each in passed], evaluation=evaluation)
    seal(folder, about={"name": bundle.name, "licence": bundle.licence}, made_from=sums, key=key)
    return folder


def with_training_cases(
    folder: Path,
    cases: Sequence[Case] = (),
    features: NDArray[np.floating] | None = None,
    *,
    kind: str = "raw",
    **fields: Any,
) -> Bundle:
    """Give a bundle training cases to compare with: these, or twelve of six patients, with features at random."""
    bundle = read_bundle(folder)
    codes = bundle.taxonomy.codes
    known = cases or [a_case(n, cluster_id=f"patient{n // 2:04d}", diagnosis=codes[n % 3]) for n in range(12)]
    if features is None:
        features = np.random.default_rng(0).normal(size=(len(known), FEATURES_OF_A_BUNDLE))
    rows = kept(features)
    index = index_of(rows, known, codes=codes, space=fit_space(kind, rows, np.zeros(len(rows), np.int64)))
    write_index(bundle.neighbours, index, made_from={})
    trials = (Trial("raw", 0.5, 0.01, 0.02), Trial("centred", 0.51, 0.0, 0.0))
    plain: dict[str, Any] = {"chosen_on": "tune", "trials": trials, "strangers": 0.99, "nearness": None}
    likeness = Likeness(space=kind, cases=len(index), **plain | fields)
    (folder / SUMS).unlink()
    carrying = replace(bundle, likeness=likeness)
    write_description(folder, carrying, made_from={})
    return carrying


def a_tested_workspace(root: Path, *, patients: int = 72, classes: Sequence[str] = ("a", "b", "c")) -> Workspace:
    """A workspace with a dataset, two indeterminate cases in its test split, and a bundle "invented" that fits it."""
    workspace = Workspace(root)
    manifest = a_dataset(workspace, patients=patients)
    votes = tuple(Vote(rater=rater, code=code) for rater, code in (("one", "a"), ("two", "b")))
    tested = [case.case_id for case in manifest.of_split("test").cases][:2]
    changes: dict[str, dict[str, Any]] = {
        tested[0]: {"indeterminate": "unresolved votes", "diagnosis": None, "votes": votes},
        tested[1]: {"indeterminate": "poor picture"},
    }
    changed = replace(manifest, cases=tuple(replace(case, **changes.get(case.case_id, {})) for case in manifest.cases))
    path = workspace.dataset / "manifest.parquet"
    write_manifest(path, changed, made_from={})
    a_bundle_folder(workspace.bundle("invented"), classes=classes, dataset_sha256=sha256_of(path))
    return workspace


def an_evaluated_workspace(root: Path, *, patients: int = 90) -> Workspace:
    """A tested workspace whose bundle "invented", an untrained network, was evaluated."""
    from cutis.evaluate.stage import evaluate

    workspace = a_tested_workspace(root, patients=patients)
    evaluate(workspace, "invented")
    return workspace


def a_chart(*, cases: int = 60, depths: int = 3, **fields: Any) -> Any:
    """An atlas of invented cases in three groups, one per diagnosis, two cases per patient; every fifth is wrong."""
    from cutis.explain.atlas.chart import Cast, Chart, Depth
    from cutis.explain.atlas.layout import settings_for
    from cutis.explain.atlas.neighbours import nearest_neighbours
    from cutis.runtime.atlas import Atlas

    random, codes, rows = np.random.default_rng(0), a_taxonomy().codes, np.arange(cases)
    kinds = rows % 3
    centres = np.array([[-20.0, 0.0], [20.0, 0.0], [0.0, 30.0]])
    places = centres[kinds] + random.normal(size=(cases, 2)) * 4
    answers = np.where(rows % 5 == 4, (kinds + 1) % 3, kinds)
    basis = {"mean": np.zeros(2, np.float32), "axes": np.eye(2, dtype=np.float32)}
    names = (*(f"stage {number}" for number in range(1, depths)), "last hidden layer")
    maps = [
        Depth(
            name=name,
            atlas=Atlas(**basis, features=(places * turn).astype(np.float32), places=places * turn),
            places=places * turn,
            neighbours=nearest_neighbours(places, min(8, cases - 1)).rows,
            variance=0.9,
            quality={},
        )
        for name, turn in zip(names, ([-1, 1], [1, -1]) * depths, strict=False)
    ]
    people = tuple(
        a_case(number, diagnosis=codes[kinds[number]], split="test", cluster_id=f"patient{number // 2:04d}")
        for number in range(cases)
    )
    plain: dict[str, Any] = {
        "cast": Cast(people, ()),
        "probabilities": 0.1 + 0.7 * np.eye(3)[answers],
        "depths": tuple(maps),
        "maps": random.integers(0, 256, (cases, 12, 12)).astype(np.uint8),
        "shown": "final",
        "settings": settings_for(cases),
        "asked": (),
    }
    return Chart(**plain | fields)


def a_scene(*, width: int = 320, height: int = 240, seed: int = 0) -> Image.Image:
    """A brown spot on skin, with as much detail in every octave as photographs have."""
    random = np.random.default_rng(seed)
    texture = np.zeros((height, width), np.float32)
    for octave in range(6):
        coarse = random.normal(size=(height >> octave, width >> octave)).astype(np.float32)
        texture += 2**octave * np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))
    y, x = np.mgrid[:height, :width]
    spot = np.clip((height / 4 - np.hypot(x - width / 2, y - height / 2)) / 4, 0, 1)
    pixels = np.array([200, 150, 130]) - spot[..., None] * np.array([90, 85, 80]) + texture[..., None] / 2
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def a_protocol(*, measured: int = 12, places: int = 4, **fields: Any) -> Any:
    """A protocol of a study that everybody reads; the first two cases are for practice besides."""
    from cutis.readers.protocol import Endpoint, PlannedCase, Protocol, Slot

    cases = [PlannedCase(case_id=f"practice{n}", picture=f"p{n}.jpg", practice=True, beside={}) for n in range(2)]
    cases += [PlannedCase(case_id=f"case{n:04d}", picture=f"m{n}.jpg", beside={}) for n in range(measured)]
    plain: dict[str, Any] = {
        "title": "A study",
        "seed": 7,
        "diagnoses": ("a", "b", "c"),
        "names": {code: f"disease {code}" for code in "abc"},
        "aliases": dict.fromkeys("abc", ()),
        "cases": tuple(cases),
        "slots": tuple(Slot(name=f"r{n}") for n in range(1, places + 1)),
        "endpoint": Endpoint(measure="accuracy"),
        "network": "invented",
        "network_sha256": "0" * 64,
        "network_sees": "the picture",
        "dataset_sha256": "1" * 64,
        "taxonomy_sha256": "2" * 64,
        "frame": (64, 48),
        "bytes_per_picture": 2000,
    }
    return Protocol(**plain | fields)


def some_readings(
    truth: Mapping[str, str], *, readers: int = 4, codes: Sequence[str] = ("a", "b", "c"), seed: int = 0, **fields: Any
) -> list[Any]:
    """Readings of every case by every reader, right in about two of three."""
    from cutis.vocabulary.reading import Reading

    random, said = np.random.default_rng(seed), []
    for reader in range(readers):
        for position, (case, code) in enumerate(sorted(truth.items()), start=1):
            answer = code if random.random() < 2 / 3 else str(random.choice(list(codes)))
            plain: dict[str, Any] = {
                "reader_id": f"r{reader + 1}",
                "case_id": case,
                "diagnosis": answer,
                "position": position,
                "seconds": float(random.uniform(2, 20)),
            }
            said.append(Reading(**plain | fields))
    return said


def a_truth(*, cases: int = 30, codes: Sequence[str] = ("a", "b", "c")) -> Any:
    """The truth of so many cases, each of its own patient."""
    from cutis.readers.scoring.table import Truth

    names = [f"case{n:04d}" for n in range(cases)]
    return Truth(
        diagnosis={name: codes[n % len(codes)] for n, name in enumerate(names)},
        cluster={name: f"patient{n:04d}" for n, name in enumerate(names)},
        cluster_kind="patient",
        where="the truth of a test",
    )
