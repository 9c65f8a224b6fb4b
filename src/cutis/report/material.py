"""What the stages so far left in a workspace, as the page needs it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cutis.runtime.bundle import Bundle
from cutis.runtime.release import Release
from cutis.vocabulary.case import Manifest


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """What curate left."""

    manifest: Manifest
    manifest_sha256: str
    made_from: dict[str, str]  # what the manifest says of the clinic's table and pictures
    card: dict[str, Any]
    splits: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What evaluate left of one bundle, on its own test split or on another dataset."""

    folder: Path
    seal: str  # sha256 of the folder's SHA256SUMS
    content: dict[str, Any]  # estimates.json
    subgroups: dict[str, Any]
    robustness: dict[str, Any] | None  # None where it was not asked for
    similar: dict[str, Any] | None  # None where the bundle carried no training cases
    sums: dict[str, str]  # sha256 of the files that later stages are made from


@dataclass(frozen=True, kw_only=True)
class Outdated:
    """What an earlier version of cutis wrote, and this one does not show."""

    folder: Path
    seal: str
    mend: str  # the command that makes it anew
    sums: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """What explain left of one bundle."""

    folder: Path
    seal: str
    saliency: dict[str, Any]
    atlas: dict[str, Any]  # what the table says about itself
    sanity: dict[str, Any] | None = None  # None where it was not examined whether the maps mean anything


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What evaluate left of several bundles in pairs."""

    folder: Path
    seal: str
    content: dict[str, Any]  # comparison.json


@dataclass(frozen=True, kw_only=True)
class ReaderStudy:
    """What readers score left under one name."""

    folder: Path
    seal: str
    content: dict[str, Any]  # scores.json


@dataclass(frozen=True, kw_only=True)
class Released:
    """What release left of one bundle, or of an earlier one of the same name."""

    made: Release  # checked whole
    parity: dict[str, Any]
    reference: dict[str, Any] | None  # None in a release of an earlier version
    is_of_bundle: bool  # the one that lies here


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A bundle with all that came after it."""

    name: str  # under which it lies in the workspace
    bundle: Bundle
    seal: str
    recipe: dict[str, Any]
    history: tuple[dict[str, Any], ...]  # one record per epoch
    description: dict[str, Any]  # bundle.json
    description_sha256: str
    evaluated: Evaluation | Outdated | None
    elsewhere: dict[str, Evaluation | Outdated]  # by the other dataset's name
    explanation: Explanation | None
    released: Released | None = None

    @property
    def evaluation(self) -> Evaluation | None:
        """The evaluation on the test split; None where there is none that can be shown."""
        return self.evaluated if isinstance(self.evaluated, Evaluation) else None

    @property
    def evaluations_elsewhere(self) -> dict[str, Evaluation]:
        """Those on other datasets that can be shown."""
        return {other: each for other, each in self.elsewhere.items() if isinstance(each, Evaluation)}

    @property
    def outdated(self) -> tuple[Outdated, ...]:
        """What cannot be shown."""
        return tuple(each for each in (self.evaluated, *self.elsewhere.values()) if isinstance(each, Outdated))


@dataclass(frozen=True, kw_only=True)
class Material:
    """All that a report is made of."""

    dataset: Dataset | None
    trained: tuple[Trained, ...]
    comparison: Comparison | Outdated | None
    ownerless: tuple[str, ...]  # evaluations on other datasets whose bundle is not here any more
    readers: dict[str, ReaderStudy] = field(default_factory=dict)  # by the name of the score
