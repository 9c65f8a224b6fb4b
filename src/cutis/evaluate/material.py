"""What is examined and on what: a bundle, and the test split of the very dataset it learned from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cutis.runtime.bundle import DESCRIPTION, Bundle, read_bundle
from cutis.vocabulary.case import Manifest, read_manifest, unchanged_picture
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import sha256_of
from cutis.workspace import Workspace


@dataclass(frozen=True, kw_only=True)
class Material:
    """A bundle and the cases it is tested on."""

    bundle: Bundle
    dataset: Path
    dataset_sha256: str
    settled: Manifest
    indeterminate: Manifest

    def pictures(self, cases: Manifest) -> list[Path]:
        """Return where the picture of each case lies."""
        return [self.dataset / image for image in cases.column("image")]

    @property
    def made_from(self) -> dict[str, str]:
        """The sha256 of all that the evidence depends on; the bundle's own says how its weights are made to answer."""
        described = sha256_of(self.bundle.folder / DESCRIPTION)
        return {"manifest": self.dataset_sha256, "weights": self.bundle.weights_sha256, "bundle": described}


def open_material(workspace: Workspace, name: str) -> Material:
    """Read a bundle and the test split that belongs to it, and check that nothing was changed since.

    Raises:
        UserError: no bundle or dataset, a damaged one, a bundle of other diagnoses or of another dataset, an empty
            test split, or a picture that is no longer the one that was curated.
    """
    material = read_material(workspace, name)
    for cases in (material.settled, material.indeterminate):
        for case in cases.cases:
            unchanged_picture(material.dataset, case)
    return material


def read_material(workspace: Workspace, name: str) -> Material:
    """Do what `open_material` does, without a look at the pictures.

    Raises:
        UserError: see there.
    """
    bundle = read_bundle(workspace.bundle(name).resolve())
    dataset = workspace.dataset.resolve()
    manifest = read_manifest(dataset / "manifest.parquet")
    material = Material(
        bundle=bundle,
        dataset=dataset,
        dataset_sha256=sha256_of(dataset / "manifest.parquet"),
        settled=manifest.of_split("test"),
        indeterminate=manifest.indeterminate_of("test"),
    )
    _check_origin(material, where=str(workspace.dataset))
    return material


def _check_origin(material: Material, *, where: str) -> None:
    bundle = material.bundle
    mend = f"run cutis train --name {bundle.name} --again, or bring back the dataset that it learned from"
    if bundle.taxonomy.sha256 != material.settled.taxonomy.sha256:
        ours, theirs = ", ".join(bundle.taxonomy.codes), ", ".join(material.settled.taxonomy.codes)
        what = f"bundle {bundle.name!r} knows {ours}; the dataset has {theirs}"
        raise UserError(what, where=where, mend=mend)
    if bundle.dataset_sha256 != material.dataset_sha256:
        what = f"bundle {bundle.name!r} learned from another dataset, which may have held what is a test case here"
        raise UserError(what, where=where, mend=mend)
    if not len(material.settled):
        mend = "run cutis curate --again with more patients or a larger test share"
        raise UserError("the test split holds no settled case", where=where, mend=mend)
