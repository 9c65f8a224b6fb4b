"""One workspace that went the whole road, for all that only read it; its clinic tries to break the page."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from cutis.curate.stage import curate
from cutis.evaluate.stage import compare, evaluate
from cutis.explain.stage import explain
from cutis.runtime.bundle import Thresholds
from cutis.vocabulary.case import SPLITS, read_manifest
from cutis.vocabulary.files import sha256_of
from cutis.workspace import Workspace
from factories import a_bundle_folder, a_picture

PLANTED = '<script>alert("planted")</script>'
PLANTED_PICTURE = '<img src="https://planted.invalid/picture.png">'
TAXONOMY = 'format = 1\nname = "three"\ntitle = "Three"\ncannot_say = ["melanoma"]\n' + "".join(
    f'[[diseases]]\ncode = "{code}"\nname = "disease {code}"\nabbreviation = "{code}"\nmalignant = {malignant}\n'
    for code, malignant in (("A", "false"), ("B", "false"), ("C", "true"))
)


@pytest.fixture(scope="session")
def reported_workspace(tmp_path_factory):
    """A curated clinic of 96 patients with an untrained, evaluated and explained network."""
    folder = tmp_path_factory.mktemp("reported")
    workspace = Workspace(folder / "work")
    curate(_write_clinic(folder / "clinic"), workspace)
    _write_bundle(workspace, "first")
    evaluate(workspace, "first")
    explain(workspace, "first")
    return workspace


@pytest.fixture(scope="session")
def compared_workspace(reported_workspace, tmp_path_factory):
    """The same with a second network, which answers as the first by other thresholds, compared with it."""
    root = tmp_path_factory.mktemp("compared") / "work"
    shutil.copytree(reported_workspace.root, root, symlinks=True)
    workspace = Workspace(root)
    _write_bundle(workspace, "second", thresholds=Thresholds(rule="Youden", chosen_on="tune", values=(0.34,) * 3))
    compare(workspace, ["first", "second"])
    return workspace


def _write_clinic(folder: Path) -> Path:
    """Pictures of three diagnoses by three raters who disagree here and there, and a file that is no picture."""
    folder.mkdir()
    rows = []
    for number in range(96):
        code, other = ("ABC"[(number + step) % 3] for step in (0, number % 12 == 0))
        a_picture(width=176, height=132, seed=number).save(folder / f"{number}.jpg")
        rows.append([f"{number}.jpg", f"P{number}", code, code, other, 20 + number % 60, PLANTED_PICTURE])
    (folder / "0.jpg").write_text("no picture")
    with (folder / "export.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["file", "patient", "dr_a", "dr_b", "dr_c", "age", "device"], *rows])
    (folder / "three.toml").write_text(TAXONOMY, encoding="utf-8")
    about = {"name": f"Clinic {PLANTED}", "source": PLANTED, "taxonomy": "three.toml", "table": "export.csv"}
    columns = {
        "image": "file",
        "patient": "patient",
        "raters": ["dr_a", "dr_b", "dr_c"],
        "age": "age",
        "device": "device",
    }
    lines = [
        f"{name} = {json.dumps(value)}" for name, value in (about | {"licence": "CC0-1.0", "invented": True}).items()
    ]
    lines += ["[columns]", *(f"{name} = {json.dumps(value)}" for name, value in columns.items())]
    (folder / "clinic.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def _write_bundle(workspace: Workspace, name: str, **fields: Any) -> None:
    path = workspace.dataset / "manifest.parquet"
    manifest = read_manifest(path)
    carried = fields | {
        kind: getattr(manifest, kind) for kind in ("taxonomy", "source", "licence", "invented", "cluster_kind")
    }
    counts = {split: len(manifest.of_split(split)) for split in SPLITS}
    a_bundle_folder(workspace.bundle(name), name=name, dataset_sha256=sha256_of(path), dataset_counts=counts, **carried)
