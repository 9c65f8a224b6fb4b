"""Every file is opened once: read, measured, fingerprinted, and written again without anything but its pixels."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from cutis.curate.consensus import Verdict
from cutis.curate.row import Rejection, Row
from cutis.imaging.decode import UnreadablePicture, carried_metadata, decode
from cutis.imaging.fingerprint import Fingerprint, fingerprint
from cutis.imaging.quality import measure_quality, unusable
from cutis.progress import track_parallel
from cutis.vocabulary.case import Quality
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import sha256_of

POOR = "poor picture"
TOO_POOR_TO_TRAIN_ON = "blurred"
JPEG_BEGINS = b"\xff\xd8"
JPEG_QUALITY = 95  # above what clinics save with, so that little is lost a second time


@dataclass(frozen=True, kw_only=True)
class Picture:
    """What one file turned out to be, and where its pixels lie now."""

    source_sha256: str
    written: Path
    sha256: str
    quality: Quality
    fingerprint: Fingerprint
    metadata: tuple[str, ...]  # kinds that the clinic's file carried and the written one does not

    @property
    def is_poor(self) -> bool:
        """Whether this is a real picture that is too poor to train on."""
        return TOO_POOR_TO_TRAIN_ON in self.quality.marks


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A row with its verdict and its picture: all that a case is made of."""

    row: Row
    verdict: Verdict
    picture: Picture


@dataclass(frozen=True, kw_only=True)
class Screened:
    """The rows whose pictures can be used, and those rejected."""

    kept: tuple[Candidate, ...]
    rejected: tuple[Rejection, ...]


@dataclass(frozen=True)
class Errand:
    """One file, and where to write it, without its suffix."""

    source: Path
    into: Path


@dataclass(frozen=True)
class Refused:
    """Why a file is no picture of use; words of rejected.csv."""

    reason: str
    detail: str


def screen(rows: Sequence[tuple[Row, Verdict]], images: Path) -> Screened:
    """Open every picture on all cores and write those that can be used into the folder `images`."""
    images.mkdir()
    errands = [Errand(row.source, images / f"{number}") for number, (row, _) in enumerate(rows)]
    results = track_parallel(examine, errands, "screening pictures")
    kept, rejected = [], []
    for (row, verdict), result in zip(rows, results, strict=True):
        if isinstance(result, Refused):
            rejected.append(Rejection(row=row.number, file=row.file, reason=result.reason, detail=result.detail))
        else:
            kept.append(Candidate(row=row, verdict=verdict, picture=result))
    return Screened(kept=tuple(kept), rejected=tuple(rejected))


def examine(errand: Errand) -> Picture | Refused:
    """Read one file; a JPEG is written as JPEG, anything else as PNG, since it may have lost nothing so far.

    Raises:
        UserError: the file cannot be opened.
    """
    content = _content(errand.source)
    try:
        picture = decode(content)
        metadata = carried_metadata(content)
    except UnreadablePicture as error:
        return Refused(error.reason, error.detail)
    quality = measure_quality(picture)
    why_not = unusable(quality)
    if why_not:
        return Refused(why_not, f"{quality.width} × {quality.height} pixels, brightness {quality.brightness:.3f}")
    written = _write(picture, content, errand.into)
    return Picture(
        source_sha256=hashlib.sha256(content).hexdigest(),
        written=written,
        sha256=sha256_of(written),
        quality=quality,
        fingerprint=fingerprint(picture),
        metadata=metadata,
    )


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        what = f"this file cannot be opened: {error.strerror}"
        raise UserError(what, where=str(path), mend="make it readable, or move it away") from error


def _write(picture: Image.Image, content: bytes, into: Path) -> Path:
    is_jpeg = content.startswith(JPEG_BEGINS)
    written = into.with_name(f"{into.name}{'.jpg' if is_jpeg else '.png'}")
    if is_jpeg:
        picture.save(written, quality=JPEG_QUALITY, subsampling="4:4:4")
    else:
        picture.save(written)
    return written
