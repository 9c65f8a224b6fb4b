"""A bundle is tested on the test split of the very dataset it learned from, and on nothing else."""

from __future__ import annotations

import pytest

from cutis.evaluate.material import open_material
from cutis.vocabulary.case import read_manifest, write_manifest
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import sha256_of
from cutis.workspace import Workspace
from factories import a_bundle_folder, a_dataset, a_tested_workspace


def test_material_is_the_test_split_in_two_strata(tmp_path):
    """Settled and indeterminate cases of the test split, each with its picture."""
    material = open_material(a_tested_workspace(tmp_path), "invented")

    assert {case.split for case in (*material.settled.cases, *material.indeterminate.cases)} == {"test"}
    assert len(material.indeterminate) == 2
    assert all(path.exists() for path in material.pictures(material.settled))
    assert material.made_from == {
        "manifest": sha256_of(tmp_path / "1_dataset" / "manifest.parquet"),
        "weights": material.bundle.weights_sha256,
        "bundle": sha256_of(material.bundle.folder / "bundle.json"),
    }


def test_a_bundle_of_other_diagnoses_is_refused(tmp_path):
    """Both lists are named."""
    workspace = a_tested_workspace(tmp_path, classes=("a", "b", "d"))

    with pytest.raises(UserError, match="knows a, b, d; the dataset has a, b, c"):
        open_material(workspace, "invented")


def test_a_bundle_of_another_dataset_is_refused(tmp_path):
    """Its training may have seen what is a test case here; the mend is to train again."""
    workspace = a_tested_workspace(tmp_path)
    a_dataset(workspace, patients=48)

    with pytest.raises(UserError, match="learned from another dataset") as caught:
        open_material(workspace, "invented")

    assert "cutis train --name invented --again" in caught.value.mend


def test_an_empty_test_split_is_refused(tmp_path):
    """There is nothing to measure on."""
    workspace = Workspace(tmp_path)
    a_dataset(workspace)
    path = workspace.dataset / "manifest.parquet"
    write_manifest(path, read_manifest(path).where(lambda case: case.split != "test"), made_from={})
    a_bundle_folder(workspace.bundle("invented"), dataset_sha256=sha256_of(path))

    with pytest.raises(UserError, match="no settled case"):
        open_material(workspace, "invented")


def test_a_picture_that_changed_since_curation_is_refused(tmp_path):
    """The evidence names the dataset's sha256, so the pictures must be those of the dataset; the file is named."""
    workspace = a_tested_workspace(tmp_path)
    (picture, *_) = open_material(workspace, "invented").pictures(open_material(workspace, "invented").indeterminate)
    picture.write_bytes(picture.read_bytes() + b" ")

    with pytest.raises(UserError, match=picture.name):
        open_material(workspace, "invented")


def test_a_missing_dataset_says_what_to_run(tmp_path):
    """A bundle alone cannot be tested."""
    workspace = Workspace(tmp_path)
    a_bundle_folder(workspace.bundle("invented"))

    with pytest.raises(UserError, match="there is no dataset here"):
        open_material(workspace, "invented")
