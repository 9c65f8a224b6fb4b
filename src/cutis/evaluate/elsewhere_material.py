"""A bundle and another dataset, from which it learned nothing."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from cutis.evaluate.material import Material
from cutis.evaluate.overlap import Independence, common_diagnoses, learned_among, learned_pictures, translated
from cutis.runtime.bundle import Bundle, read_bundle
from cutis.vocabulary.case import Case, Manifest, read_manifest, unchanged_picture
from cutis.vocabulary.errors import SafetyRefusal, UserError
from cutis.vocabulary.files import sha256_of
from cutis.vocabulary.taxonomy import Taxonomy
from cutis.workspace import Workspace

SAYS_NOTHING = {"", "work", "1_dataset"}  # names of folders that tell no dataset from another
CANNOT_BE_SEEN = "whether it has other pictures of the same patients cannot be seen from pseudonyms"


@dataclass(frozen=True, kw_only=True)
class Elsewhere:
    """A bundle and the cases of another dataset."""

    material: Material  # the cases of common diagnoses, in the bundle's words
    foreign: Manifest  # the other settled cases, in the words of their own dataset
    common: dict[str, str]  # the bundle's code for each code of the other dataset that both know
    called: str  # the other dataset
    only_test: bool
    independence: Independence

    @property
    def codes(self) -> tuple[str, ...]:
        """The common diagnoses in the bundle's order."""
        return tuple(code for code in self.material.bundle.taxonomy.codes if code in self.common.values())

    @property
    def split(self) -> str:
        """Which of the other dataset's cases are used."""
        return "test" if self.only_test else "all"

    @property
    def theirs(self) -> Taxonomy:
        """The taxonomy of the other dataset."""
        return self.foreign.taxonomy


def open_elsewhere(workspace: Workspace, name: str, other: Path, *, only_test: bool = False) -> Elsewhere:
    """Read a bundle and another dataset, and prove that the bundle did not learn from its pictures.

    Args:
        workspace: holds the bundle.
        name: of the bundle.
        other: another workspace, or its dataset.
        only_test: leave out all splits but the other dataset's test.

    Raises:
        UserError: no bundle or dataset, a damaged one, the bundle's own dataset, no settled case, no common diagnosis,
            or a picture that is no longer the one that was curated.
        SafetyRefusal: the bundle learned from some of the pictures.
    """
    bundle, dataset = read_bundle(workspace.bundle(name).resolve()), _dataset_in(other)
    dataset_sha256, where = sha256_of(dataset / "manifest.parquet"), str(other)
    if dataset_sha256 == bundle.dataset_sha256:
        what = f"{name!r} learned from this very dataset"
        raise UserError(what, where=where, mend=f"cutis evaluate {name} measures it on the test split")
    manifest = read_manifest(dataset / "manifest.parquet")
    settled = manifest.where(lambda case: case.indeterminate is None and _is_used(case, only_test=only_test))
    common = common_diagnoses(bundle.taxonomy, manifest.taxonomy)
    known = translated(settled, common, bundle.taxonomy)
    _require_cases(settled, known, bundle, where=where)
    independence = _independent(workspace, bundle, settled, where=where)
    for case in settled.cases:
        unchanged_picture(dataset, case)
    material = Material(
        bundle=bundle,
        dataset=dataset,
        dataset_sha256=dataset_sha256,
        settled=known,
        indeterminate=manifest.where(lambda case: bool(case.indeterminate) and _is_used(case, only_test=only_test)),
    )
    return Elsewhere(
        material=material,
        foreign=settled.where(lambda case: case.diagnosis not in common),
        common=common,
        called=name_of(other),
        only_test=only_test,
        independence=independence,
    )


def name_of(other: Path) -> str:
    """Return what another dataset is called: the first folder on the way up to it whose name says something."""
    path = Path(os.path.normpath(other.absolute()))
    name = next((part for part in reversed(path.parts) if part not in SAYS_NOTHING), "elsewhere")
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in name).strip(".-") or "elsewhere"


def _dataset_in(other: Path) -> Path:
    for folder in (other / "1_dataset", other):
        if (folder / "manifest.parquet").exists():
            return folder.resolve()
    mend = "give the folder of another workspace, or the 1_dataset in it; cutis curate makes one of a clinic's folder"
    raise UserError("this is no dataset", where=str(other), mend=mend)


def _is_used(case: Case, *, only_test: bool) -> bool:
    return case.split == "test" or not only_test


def _require_cases(settled: Manifest, known: Manifest, bundle: Bundle, *, where: str) -> None:
    if not len(settled):
        mend = "curate it with labels that raters agree on, or use all of its splits"
        raise UserError("this dataset holds no settled case to measure on", where=where, mend=mend)
    if not len(known):
        ours, theirs = ", ".join(bundle.taxonomy.codes), ", ".join(settled.taxonomy.codes)
        what = f"no case has a diagnosis that {bundle.name!r} knows: it knows {ours}; the dataset has {theirs}"
        raise UserError(what, where=where, mend="give the same diagnoses the same codes or names in both taxonomies")


def _independent(workspace: Workspace, bundle: Bundle, settled: Manifest, *, where: str) -> Independence:
    """Prove that none of the pictures was learned from, or say why this cannot be known.

    Raises:
        SafetyRefusal: some were.
    """
    path = workspace.dataset.resolve() / "manifest.parquet"
    if not path.exists() or sha256_of(path) != bundle.dataset_sha256:
        why = "the dataset that the bundle learned from is not here; whether both share pictures could not be checked"
        return Independence(checked=False, compared_with=0, in_home_test=0, said=why)
    home = read_manifest(path)
    learned = learned_pictures(home)
    seen = learned_among(settled.cases, learned)
    if seen:
        what = f"{bundle.name!r} learned from {len(seen)} of these pictures, or from near duplicates of them"
        mend = f"curate this dataset again without them; one is {seen[0].image}"
        raise SafetyRefusal(what, where=where, mend=mend)
    of_home = {case.sha256 for case in home.cases}
    return Independence(
        checked=True,
        compared_with=len(learned),
        in_home_test=sum(case.sha256 in of_home for case in settled.cases),
        said=f"none of the pictures is among the {len(learned):,} that the bundle learned from, by sha256; "
        + CANNOT_BE_SEEN,
    )
