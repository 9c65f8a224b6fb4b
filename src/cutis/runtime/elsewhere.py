"""Another dataset than the one that a bundle learned from: where it is, which diagnoses both know, and the proof."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from cutis.runtime.bundle import Bundle
from cutis.vocabulary.case import Manifest, read_manifest
from cutis.vocabulary.errors import SafetyRefusal, UserError
from cutis.vocabulary.files import sha256_of
from cutis.vocabulary.overlap import Independence, common_diagnoses, learned_among, learned_pictures, translated
from cutis.workspace import Workspace

SAYS_NOTHING = {"", "work", "1_dataset"}  # names of folders that tell no dataset from another
CANNOT_BE_SEEN = "whether it has other pictures of the same patients cannot be seen from pseudonyms"


@dataclass(frozen=True, kw_only=True)
class OtherDataset:
    """A dataset that a bundle did not learn from."""

    folder: Path
    sha256: str  # of its manifest
    called: str
    where: str  # as it was asked for
    manifest: Manifest  # in its own words
    common: dict[str, str]  # the bundle's code for each of its codes that both know


def open_other(bundle: Bundle, other: Path, *, at_home: str) -> OtherDataset:
    """Read another dataset, and say which of its diagnoses a bundle knows.

    Args:
        bundle: that knows some of its diagnoses.
        other: another workspace, its dataset, or the manifest in it.
        at_home: how to mend it where this is the very dataset that the bundle learned from.

    Raises:
        UserError: no dataset, a damaged one, or the bundle's own.
    """
    folder, where = _dataset_in(other), str(other)
    sha256 = sha256_of(folder / "manifest.parquet")
    if sha256 == bundle.dataset_sha256:
        raise UserError(f"{bundle.name!r} learned from this very dataset", where=where, mend=at_home)
    manifest = read_manifest(folder / "manifest.parquet")
    common = common_diagnoses(bundle.taxonomy, manifest.taxonomy)
    called = name_of(other)
    return OtherDataset(folder=folder, sha256=sha256, called=called, where=where, manifest=manifest, common=common)


def in_words_of(bundle: Bundle, other: OtherDataset, cases: Manifest) -> Manifest:
    """Return those of another dataset's cases whose diagnosis a bundle knows, in its words.

    Raises:
        UserError: there is none; both lists are named.
    """
    known = translated(cases, other.common, bundle.taxonomy)
    if not len(known):
        ours, theirs = ", ".join(bundle.taxonomy.codes), ", ".join(cases.taxonomy.codes)
        what = f"no case has a diagnosis that {bundle.name!r} knows: it knows {ours}; the dataset has {theirs}"
        mend = "give the same diagnoses the same codes or names in both taxonomies"
        raise UserError(what, where=other.where, mend=mend)
    return known


def independence_of(workspace: Workspace, bundle: Bundle, cases: Manifest, *, where: str) -> Independence:
    """Prove that a bundle learned from none of another dataset's pictures, or say why this cannot be known.

    Raises:
        SafetyRefusal: it learned from some.
    """
    path = workspace.dataset.resolve() / "manifest.parquet"
    if not path.exists() or sha256_of(path) != bundle.dataset_sha256:
        why = "the dataset that the bundle learned from is not here; whether both share pictures could not be checked"
        return Independence(checked=False, compared_with=0, in_home_test=0, said=why)
    home = read_manifest(path)
    learned = learned_pictures(home)
    seen = learned_among(cases.cases, learned)
    if seen:
        what = f"{bundle.name!r} learned from {len(seen)} of these pictures, or from near duplicates of them"
        mend = f"curate this dataset again without them; one is {seen[0].image}"
        raise SafetyRefusal(what, where=where, mend=mend)
    of_home = {case.sha256 for case in home.cases}
    return Independence(
        checked=True,
        compared_with=len(learned),
        in_home_test=sum(case.sha256 in of_home for case in cases.cases),
        said=f"none of the pictures is among the {len(learned):,} that the bundle learned from, by sha256; "
        + CANNOT_BE_SEEN,
    )


def name_of(other: Path) -> str:
    """Return what another dataset is called: the first folder on the way up to it whose name says something."""
    path = Path(os.path.normpath(other.absolute()))
    parts = path.parent.parts if path.name == "manifest.parquet" else path.parts
    name = next((part for part in reversed(parts) if part not in SAYS_NOTHING), "elsewhere")
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in name).strip(".-") or "elsewhere"


def _dataset_in(other: Path) -> Path:
    for folder in (other / "1_dataset", other, other.parent if other.name == "manifest.parquet" else other):
        if (folder / "manifest.parquet").exists():
            return folder.resolve()
    mend = "give the folder of another workspace, or the 1_dataset in it; cutis curate makes one of a clinic's folder"
    raise UserError("this is no dataset", where=str(other), mend=mend)
