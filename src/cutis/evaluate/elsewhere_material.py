"""A bundle and another dataset, from which it learned nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cutis.evaluate.material import Material
from cutis.runtime.bundle import read_bundle
from cutis.runtime.elsewhere import in_words_of, independence_of, open_other
from cutis.vocabulary.case import Case, Manifest, unchanged_picture
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.overlap import Independence
from cutis.vocabulary.taxonomy import Taxonomy
from cutis.workspace import Workspace


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
    bundle = read_bundle(workspace.bundle(name).resolve())
    there = open_other(bundle, other, at_home=f"cutis evaluate {name} measures it on the test split")
    settled = there.manifest.where(lambda case: case.indeterminate is None and _is_used(case, only_test=only_test))
    _require_settled(settled, where=there.where)
    known = in_words_of(bundle, there, settled)
    independence = independence_of(workspace, bundle, settled, where=there.where)
    for case in settled.cases:
        unchanged_picture(there.folder, case)
    of_used = there.manifest.where(lambda case: bool(case.indeterminate) and _is_used(case, only_test=only_test))
    material = Material(
        bundle=bundle,
        dataset=there.folder,
        dataset_sha256=there.sha256,
        settled=known,
        indeterminate=of_used,
    )
    return Elsewhere(
        material=material,
        foreign=settled.where(lambda case: case.diagnosis not in there.common),
        common=there.common,
        called=there.called,
        only_test=only_test,
        independence=independence,
    )


def _is_used(case: Case, *, only_test: bool) -> bool:
    return case.split == "test" or not only_test


def _require_settled(settled: Manifest, *, where: str) -> None:
    if not len(settled):
        mend = "curate it with labels that raters agree on, or use all of its splits"
        raise UserError("this dataset holds no settled case to measure on", where=where, mend=mend)
