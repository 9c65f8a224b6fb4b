"""The dataset that readers read from: the workspace's own, or that of another one in the words of the network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cutis.readers.protocol import DRAWN, Protocol
from cutis.runtime.bundle import Bundle
from cutis.runtime.elsewhere import OtherDataset, in_words_of, open_other
from cutis.vocabulary.case import Manifest, read_manifest
from cutis.vocabulary.errors import SafetyRefusal, UserError
from cutis.vocabulary.files import read_json, sha256_of
from cutis.workspace import Workspace


@dataclass(frozen=True, kw_only=True)
class Cases:
    """A dataset with its truth."""

    manifest: Manifest  # of another dataset: the cases alone whose diagnosis the network knows, in its words
    codes: tuple[str, ...]  # diagnoses that can be asked for: of another dataset, those that both know
    folder: Path
    sha256: str  # of the manifest as it lies there
    where: str
    other: OtherDataset | None = None  # None: the workspace's own


def cases_at_home(workspace: Workspace) -> Cases:
    """Read the workspace's own dataset.

    Raises:
        UserError: it is missing or damaged.
    """
    folder = workspace.dataset.resolve()
    manifest = read_manifest(folder / "manifest.parquet")
    return Cases(
        manifest=manifest,
        codes=manifest.taxonomy.codes,
        folder=folder,
        sha256=sha256_of(folder / "manifest.parquet"),
        where=str(workspace.dataset),
    )


def cases_elsewhere(bundle: Bundle, on: Path) -> Cases:
    """Read another dataset in the words of a bundle.

    Raises:
        UserError: see `open_other` and `in_words_of`.
    """
    other = open_other(bundle, on, at_home="leave --on out: it is the workspace's own")
    manifest = in_words_of(bundle, other, other.manifest)
    codes = tuple(code for code in bundle.taxonomy.codes if code in other.common.values())
    return Cases(
        manifest=manifest, codes=codes, folder=other.folder, sha256=other.sha256, where=other.where, other=other
    )


def drawn_on(workspace: Workspace) -> Path | None:
    """Return which other dataset a study was drawn from; None where it is the workspace's own.

    Raises:
        UserError: it lies there no more.
    """
    path = workspace.readers / DRAWN
    on = read_json(path, "drawn").get("on") if path.exists() else None
    if on is None:
        return None
    if not Path(on).exists():
        mend = "say where it lies now: cutis readers score --on OTHER_DATASET"
        raise UserError("the dataset that this study was drawn from is not there any more", where=on, mend=mend)
    return Path(on)


def require_of(protocol: Protocol, cases: Cases) -> None:
    """Hold a dataset against the one that a protocol names.

    Raises:
        SafetyRefusal: it is another one, or was curated again, so that its truth may be another.
    """
    if cases.sha256 != protocol.dataset_sha256:
        what = f"the protocol names dataset {protocol.dataset_sha256[:12]}, and this is {cases.sha256[:12]}"
        mend = (
            "bring back the dataset that the study was drawn from; another one: cutis readers score --on OTHER_DATASET"
        )
        raise SafetyRefusal(what, where=cases.where, mend=mend)
