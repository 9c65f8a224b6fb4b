"""The page says what was released, how far it is from the trained network, and who signed it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from cutis.release.sign import new_keys, read_private_key, seal
from cutis.report.page import render
from cutis.report.reading import read_material
from cutis.report.release import release_section
from cutis.report.sections import all_sections
from cutis.vocabulary.errors import SafetyRefusal
from cutis.vocabulary.files import sha256_of
from cutis.workspace import Workspace
from factories import a_release_folder
from report.page import Page

COUNTED = {"low": 0.0, "high": 0.05, "method": "invented", "clusters": 60, "cluster_kind": "patient"}


def a_parity(name, precision, *, passed, **figures):
    """Return what was found of one way of running; where it did not pass, its sets changed too often."""
    gate = {"figure": "sets_changed", "limit": 0.02, "reason": "…", "is_floor": False, "value": 0.04, "passed": passed}
    return {
        "engine": name,
        "precision": precision,
        "file": f"{name}.x",
        "passed": passed,
        "not_judged": "" if figures else "this processor has no bf16",
        "figures": {figure: COUNTED | {"value": value} for figure, value in figures.items()},
        "gates": [gate] if figures else [],
    }


PARITY = {
    "kind": "parity",
    "format": 1,
    "offers": [
        a_parity("onnxruntime", "fp32", passed=True, largest_probability_difference=2e-6, sets_changed=0.0),
        a_parity("openvino", "int8", passed=False, largest_probability_difference=0.4, sets_changed=0.04),
        a_parity("openvino", "bf16", passed=False),
    ],
}
REFERENCE = {
    "kind": "reference",
    "format": 1,
    "clusters": 70,
    "cluster_kind": "patient",
    "splits": ["calibrate", "test"],
}


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return new_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def workspace(compared_workspace, keys, tmp_path):
    """A workspace in which the first bundle was released."""
    root = tmp_path / "work"
    shutil.copytree(compared_workspace.root, root, symlinks=True)
    workspace = Workspace(root)
    folder = a_release_folder(workspace.release("first"))
    written(folder, "parity.json", PARITY)
    written(folder, "reference.json", REFERENCE)
    said = json.loads((folder / "release.json").read_text())
    bundle = sha256_of(workspace.bundle("first") / "bundle.json")
    written(folder, "release.json", said | {"made_from": {"bundle": bundle}})
    seal(folder, about={"name": "first"}, made_from={}, key=read_private_key(keys.private))
    return workspace


def written(folder: Path, name: str, content: object) -> None:
    (folder / name).write_text(json.dumps(content))


def test_a_release_is_told_with_its_key_and_its_parity(workspace, keys):
    """What is not offered says why, and what failed its limit is marked."""
    first = read_material(workspace).trained[0]

    section = release_section(first)

    facts = dict(section["facts"])
    assert facts["signed by the key"] == keys.fingerprint
    assert facts["offered in"] == "onnxruntime-fp32 and openvino-bf16"
    assert facts["reference of the monitor"] == "70 patients of calibrate and test"
    assert section["is_of_bundle"]
    table = section["parity"]
    assert table.columns == ("figure", "onnxruntime-fp32", "openvino-int8")
    assert table.rows[0] == ("a probability is off by at most", "0.000002", "0.400000")
    assert table.rows[1][2].beneath == "failed: at most 0.02"
    assert table.rows[-1] == ("offered", "yes", "no")
    assert section["not_offered"] == [
        ("openvino-int8", "what it failed is marked under “prediction sets changed”"),
        ("openvino-bf16", "this processor has no bf16"),
    ]


def test_the_page_shows_it_and_says_where_there_is_none(workspace):
    """Every bundle has its section, and the contents lead there."""
    page = Page(render(all_sections(read_material(workspace))))

    assert {"release-1", "release-2"} <= {attributes.get("id") for attributes in page.of("section")}
    assert {"#release-1", "#release-2"} <= {attributes.get("href") for attributes in page.of("a")}
    assert "Not released yet" in page.text
    assert "made of an earlier training" not in page.text
    assert "Nobody signed it" not in page.text


def test_a_release_of_an_earlier_training_is_not_taken_for_this_one(workspace):
    """It is told with a warning, and so is that nobody signed it."""
    folder = workspace.release("first")
    said = json.loads((folder / "release.json").read_text())
    written(folder, "release.json", said | {"made_from": {"bundle": "1" * 64}})
    seal(folder, about={"name": "first"}, made_from={})

    page = Page(render(all_sections(read_material(workspace))))

    assert "made of an earlier training" in page.text
    assert "Nobody signed it" in page.text


def test_a_release_of_an_earlier_version_is_shown_without_what_it_lacks(workspace):
    """It has no reference, and no map may be shown."""
    folder = workspace.release("first")
    (folder / "reference.json").unlink()
    written(folder, "parity.json", {"kind": "parity", "format": 1})
    seal(folder, about={"name": "first"}, made_from={})

    section = release_section(read_material(workspace).trained[0])

    assert section["parity"] is None
    assert dict(section["facts"])["reference of the monitor"].startswith("none")
    assert dict(section["facts"])["maps that may be shown"] == "none"


def test_a_changed_release_is_on_no_page(workspace):
    """The report checks every byte, as the clinic does."""
    (workspace.release("first") / "network.onnx").write_bytes(b"changed")

    with pytest.raises(SafetyRefusal, match=r"network\.onnx"):
        read_material(workspace)


def test_a_bundle_that_was_not_released_has_no_such_section(first):
    """There is nothing to tell."""
    assert release_section(replace(first, released=None)) is None
