"""What the clinic installs: a folder that was checked whole, and the bundle in it, without the weights of training."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from cutis.runtime.atlas import ATLAS, Atlas, read_atlas
from cutis.runtime.bundle import TRUST, Bundle, bundle_from
from cutis.runtime.engines import Engine, Offer, open_engine
from cutis.runtime.neighbours import NEIGHBOURS, Index, read_index
from cutis.runtime.offered import OfferedMaps, read_offered_maps
from cutis.runtime.sealed import Sealed, lent, read_sealed
from cutis.runtime.signature import read_public_key
from cutis.runtime.thumbnails import read_thumbnails
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import check_stamp

DESCRIPTION = "release.json"
REFERENCE = "reference.json"  # what a monitor holds a clinic's pictures and answers against
AGAIN = "make it again with this version of cutis: cutis release --again"


@dataclass(frozen=True, kw_only=True)
class Release:
    """A bundle as it ships, and the only way to the bytes of its files."""

    bundle: Bundle  # answers as the bundle of training; its folder is the release
    offers: tuple[Offer, ...]  # ways to run its network that passed the parity gates
    bundle_sha256: str  # of the bundle.json that it was made from
    sealed: Sealed

    def read(self, name: str) -> bytes:
        """Return the checked bytes of a file.

        Raises:
            UserError, SafetyRefusal: as `Sealed.read`.
        """
        return self.sealed.read(name)

    def lend(self, *names: str) -> AbstractContextManager[Path]:
        """Lend a folder with checked copies of these files, for an engine that opens a path.

        Raises:
            UserError, SafetyRefusal: as `Sealed.read`.
        """
        return lent(self.sealed, *names)

    def engine(self, offer: Offer) -> Engine:
        """Open one of the offers, from checked bytes.

        Raises:
            UserError: see the engines.
        """
        with self.lend(*files_of(offer)) as folder:
            return open_engine(self.bundle, folder / offer.file, precision=offer.precision)

    def index(self) -> Index:
        """Return the training cases that a picture can be compared with.

        Raises:
            UserError: this release carries none.
        """
        if NEIGHBOURS not in self.sealed.entries:
            mend = "ask whoever made it for a release with training cases; what is published carries none"
            what = "this release carries no training cases to compare with"
            raise UserError(what, where=str(self.sealed.folder), mend=mend)
        with self.lend(NEIGHBOURS) as folder:
            return read_index(folder / NEIGHBOURS)

    def atlas(self) -> Atlas | None:
        """Return the map on which a new case is placed, with the diagnosis of each of its cases; None without one.

        Raises:
            UserError: it is damaged, or of a newer format.
        """
        if ATLAS not in self.sealed.entries:
            return None
        with self.lend(ATLAS) as folder:
            return read_atlas(folder / ATLAS)

    def thumbnail(self, case_id: str) -> bytes | None:
        """Return a training case as a small JPEG; None where the release carries no picture of it.

        The first call reads all of them, and they are kept: about 3 kB a case.

        Raises:
            UserError: they are damaged, or of a newer format.
        """
        return self._thumbnails.get(case_id)

    def maps_offered(self) -> OfferedMaps:
        """Return which maps of where it looks may be shown, and why the others may not.

        Raises:
            UserError: what says so is damaged, or of a newer format.
        """
        return read_offered_maps(self.sealed, auxiliary=self.bundle.auxiliary)

    @cached_property
    def _thumbnails(self) -> dict[str, bytes]:
        return read_thumbnails(self.sealed)


def files_of(offer: Offer) -> tuple[str, ...]:
    """Return which files of a release an offer needs: OpenVINO's weights lie beside its network."""
    return (offer.file, offer.file.removesuffix(".xml") + ".bin") if offer.file.endswith(".xml") else (offer.file,)


def read_release(folder: Path, *, key: Path | None = None, required: bool = False) -> Release:
    """Read a release after checking every byte of it.

    Args:
        folder: of the release.
        key: PEM file of the public key that must have signed it, outside the release.
        required: refuse a release that is not signed, or cannot be checked since no key is given.

    Raises:
        UserError: there is none, it is of a newer format, or the key cannot be read.
        SafetyRefusal: it is not as it was sealed, or not signed by this key; names the file.
    """
    public = read_public_key(key, outside=folder) if key else None
    return release_from(read_sealed(folder, key=public, required=required))


def release_from(sealed: Sealed) -> Release:
    """Return the release in a folder that was checked.

    Raises:
        UserError: it lacks something, or is of a newer format.
    """
    where = sealed.folder / DESCRIPTION
    said = _said(sealed.read(DESCRIPTION), where)
    try:
        described = dict(said["bundle"])
        check_stamp(described, "bundle", where=where)
        return Release(
            bundle=bundle_from(described, sealed.folder, where=where, trust=lambda: sealed.read(TRUST)),
            offers=tuple(_offer(each, sealed) for each in said["offers"]),
            bundle_sha256=str(said["made_from"]["bundle"]),
            sealed=sealed,
        )
    except (KeyError, TypeError) as error:
        raise UserError(f"this release lacks something: {error}", where=str(where), mend=AGAIN) from error


def _offer(said: dict[str, Any], sealed: Sealed) -> Offer:
    offer = Offer(engine=str(said["engine"]), precision=str(said["precision"]), file=str(said["file"]))
    missing = [name for name in files_of(offer) if name not in sealed.entries]
    if missing:
        raise KeyError(*missing)
    return offer


def _said(content: bytes, where: Path) -> dict[str, Any]:
    try:
        said = json.loads(content)
    except ValueError as error:
        raise UserError(f"this release is damaged: {error}", where=str(where), mend=AGAIN) from error
    if not isinstance(said, dict):
        raise UserError("this is no release file of cutis", where=str(where), mend=AGAIN)
    check_stamp(said, "release", where=where)
    return said
