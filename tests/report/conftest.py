"""One workspace that went the whole road, for all that only read it; its clinic tries to break the page."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cutis.curate.stage import curate
from cutis.evaluate.elsewhere import evaluate_elsewhere
from cutis.evaluate.stage import compare, evaluate
from cutis.explain.stage import explain
from cutis.report.reading import read_material
from cutis.runtime.bundle import Thresholds, read_bundle, write_description
from cutis.runtime.engines import open_engine
from cutis.runtime.predict import outputs_of, probabilities
from cutis.runtime.trust import choose_acceptance, fit_reference, signals_of
from cutis.stats.conformal import fit_set_thresholds
from cutis.stats.nearness import Nearness, Step
from cutis.vocabulary.case import SPLITS, Manifest, read_manifest
from cutis.vocabulary.estimate import Estimate
from cutis.vocabulary.files import sha256_of
from cutis.workspace import Workspace
from factories import a_bundle_folder, a_picture, with_training_cases

PLANTED = '<script>alert("planted")</script>'
PLANTED_PICTURE = '<img src="https://planted.invalid/picture.png">'
PROTOCOL = """format = 1
title = "Is the first network any good?"
written_by = "Dr. <b>Example</b>"
written_on = 2026-03-01
network = "first"
operating_point = "sensitivity>=0.95"
text = "Fifteen patients are few."

[primary]
measure = "macro_auc"
reference = 0.99
hypothesis = "superiority"

[[secondary]]
measure = "one_vs_rest/macro_specificity"
reference = "second"
hypothesis = "non-inferiority"
margin = 0.3
"""


def _taxonomy(codes: str) -> str:
    diseases = "".join(
        f'[[diseases]]\ncode = "{code}"\nname = "disease {code}"\nabbreviation = "{code}"\n'
        f"malignant = {str(code == 'C').lower()}\n"
        for code in codes
    )
    return f'format = 1\nname = "of {codes}"\ntitle = "Of {codes}"\ncannot_say = ["melanoma"]\n{diseases}'


@pytest.fixture(scope="session")
def reported_workspace(tmp_path_factory):
    """A curated clinic of 96 patients with an untrained network, on which everything was asked."""
    folder = tmp_path_factory.mktemp("reported")
    workspace = Workspace(folder / "work")
    curate(_write_clinic(folder / "clinic"), workspace)
    _write_bundle(workspace, "first", is_watched=True)
    evaluate(workspace, "first", robustness=True)
    explain(workspace, "first")
    coast = Workspace(folder / "coast")
    curate(_write_clinic(folder / "other", codes="ACD", seed=1000), coast)
    evaluate_elsewhere(workspace, "first", coast.root)
    return workspace


@pytest.fixture(scope="session")
def compared_workspace(reported_workspace, tmp_path_factory):
    """The same with a second network, which answers as the first by other thresholds, compared under a protocol."""
    root = tmp_path_factory.mktemp("compared") / "work"
    shutil.copytree(reported_workspace.root, root, symlinks=True)
    workspace = Workspace(root)
    (root / "protocol.toml").write_text(PROTOCOL, encoding="utf-8")
    _write_bundle(workspace, "second", thresholds=Thresholds(rule="Youden", chosen_on="tune", values=(0.34,) * 3))
    compare(workspace, ["first", "second"])
    return workspace


@pytest.fixture(scope="session")
def material(compared_workspace):
    """All of it, read."""
    return read_material(compared_workspace)


@pytest.fixture(scope="session")
def first(material):
    """The bundle of which everything was asked."""
    return material.trained[0]


def _write_clinic(folder: Path, *, codes: str = "ABC", seed: int = 0) -> Path:
    """Pictures of three diagnoses by three raters who disagree here and there, and a file that is no picture.

    Every fourth patient has two pictures of a lesion.
    """
    folder.mkdir()
    rows = []
    for number in range(120):
        patient = number % 96
        code, other = (codes[(patient + step) % 3] for step in (0, number % 12 == 0))
        a_picture(width=176, height=132, seed=seed + number).save(folder / f"{number}.jpg")
        person = [f"P{patient}", f"L{patient}", 20 + patient % 60, "female" if patient % 2 else "male"]
        rows.append([f"{number}.jpg", *person, code, code, other, PLANTED_PICTURE])
    (folder / "0.jpg").write_text("no picture")
    columns = ["file", "patient", "lesion", "age", "sex", "dr_a", "dr_b", "dr_c", "device"]
    with (folder / "export.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    (folder / "three.toml").write_text(_taxonomy(codes), encoding="utf-8")
    about = {"name": f"Clinic {PLANTED}", "source": PLANTED, "taxonomy": "three.toml", "table": "export.csv"}
    meaning = {"image": "file", "raters": ["dr_a", "dr_b", "dr_c"]}
    meaning |= {name: name for name in ("patient", "lesion", "age", "sex", "device")}
    lines = [
        f"{name} = {json.dumps(value)}" for name, value in (about | {"licence": "CC0-1.0", "invented": True}).items()
    ]
    lines += ["[columns]", *(f"{name} = {json.dumps(value)}" for name, value in meaning.items())]
    (folder / "clinic.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def _write_bundle(workspace: Workspace, name: str, *, is_watched: bool = False, **fields: Any) -> None:
    path = workspace.dataset / "manifest.parquet"
    manifest = read_manifest(path)
    carried = {
        "thresholds": Thresholds(rule="Youden", chosen_on="tune", values=(0.33,) * 3, malignant=0.33),
        **{kind: getattr(manifest, kind) for kind in ("taxonomy", "source", "licence", "invented", "cluster_kind")},
        **fields,
    }
    counts = {split: len(manifest.of_split(split)) for split in SPLITS}
    folder = workspace.bundle(name)
    a_bundle_folder(folder, name=name, dataset_sha256=sha256_of(path), dataset_counts=counts, **carried)
    if is_watched:
        _watch(folder, workspace.dataset, manifest)


def _watch(folder: Path, dataset: Path, manifest: Manifest) -> None:
    """Give a bundle prediction sets and abstention, as training does, at levels that few patients can carry."""
    bundle = read_bundle(folder)
    engine = open_engine(bundle)

    def said(cases: Manifest) -> Any:
        return outputs_of(engine, bundle, [dataset / image for image in cases.column("image")], what="answering")

    def truth(cases: Manifest) -> Any:
        return np.array([bundle.taxonomy.codes.index(code) for code in cases.column("diagnosis")])

    learned, own = manifest.of_split("train"), manifest.of_split("calibrate")
    features, outputs = said(learned).features, said(own)
    reference = fit_reference(features, truth(learned), kinds=3)
    chances = probabilities(bundle, outputs)
    signals = signals_of(outputs, reference, probabilities=chances, temperatures=bundle.temperatures)
    clusters = own.column("cluster_id")
    of_case = np.unique(clusters, return_inverse=True)[1]
    watched = replace(
        bundle,
        sets=tuple(
            fit_set_thresholds(chances, truth(own), of_case=of_case, method=method, level=0.6)
            for method in ("LAC", "APS")
        ),
        reference=reference,
        acceptance=choose_acceptance(signals, clusters, cluster_kind=bundle.cluster_kind, share=0.4),
    )
    (folder / "SHA256SUMS").unlink()
    write_description(folder, watched, made_from={})
    share = Estimate(value=0.5, low=0.4, high=0.6, method="invented", clusters=30, cluster_kind=bundle.cluster_kind)
    nearness = Nearness({"A": (Step(0.2, share, 90), Step(0.9, share, 60))}, (Step(-0.5, share, 200),))
    with_training_cases(folder, learned.cases, features, kind="centred", nearness=nearness)
