"""A picture's bytes become what a network sees, what a person sees, and a verdict on whether it can be judged."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cutis.imaging.border import Decoders
from cutis.imaging.decode import UnreadablePicture
from cutis.imaging.prepare import Preparation, shrunk
from cutis.runtime.views import views_of
from cutis.vocabulary.case import Quality

LONGEST = 1600  # pixels of the copy that is kept
THUMBNAIL = 256
GOOD, POOR = "good", "poor"
JUDGED = frozenset({GOOD, POOR})
# Marks of `cutis.imaging.quality` with which a picture is not judged, the weightiest first.
SPOILING = ("tiny", "black", "dark", "bright", "blurred")
KEPT_QUALITY, THUMBNAIL_QUALITY = 90, 80  # of JPEG


class Glance(NamedTuple):
    """One picture, seen in one go."""

    sha256: str  # of its bytes
    quality: Quality
    verdict: str  # "good", "poor", or why it cannot be judged
    pixels: NDArray[np.uint8]  # (S, S, 3), prepared as for training
    copy: NDArray[np.uint8]  # (h, w, 3), upright and in sRGB


def glance(decoders: Decoders, content: bytes, preparation: Preparation, *, place: int) -> Glance:
    """Decode a picture at the border, once.

    Args:
        decoders: that may die of it.
        content: the bytes that came.
        preparation: of the network that will be asked.
        place: which of the pictures it is, from 0.

    Raises:
        UnreadablePicture: it is none; names its place.
    """
    try:
        seen = decoders.looked_at(content, preparation, longest=LONGEST)
    except UnreadablePicture as error:
        raise UnreadablePicture(error.what, where=f"picture {place + 1}", mend=error.mend) from None
    sha256 = hashlib.sha256(content).hexdigest()
    return Glance(sha256, seen.quality, verdict_on(seen.quality), seen.pixels, seen.copy)


def verdict_on(quality: Quality) -> str:
    """Return "good", "poor" where it is judged with a remark, or the mark for which it cannot be judged."""
    spoilt = next((mark for mark in SPOILING if mark in quality.marks), None)
    return spoilt or (POOR if quality.marks else GOOD)


def turned(pixels: NDArray[np.uint8], count: int) -> Sequence[NDArray[np.uint8]]:
    """Return the views of a prepared picture (S, S, 3) that its network answers for; each is a pass."""
    views = views_of(pixels.transpose(2, 0, 1)[None], count)
    return [np.ascontiguousarray(view[0].transpose(1, 2, 0)) for view in views]


class Copies(NamedTuple):
    """What is kept of a picture: pixels made anew, and nothing of the file that came."""

    picture: bytes  # JPEG
    thumbnail: bytes


def copies_of(glanced: Glance) -> Copies:
    """Return a picture as JPEG, at most `LONGEST` pixels long, and a thumbnail."""
    picture = Image.fromarray(glanced.copy)
    return Copies(_jpeg(picture, KEPT_QUALITY), _jpeg(shrunk(picture, THUMBNAIL), THUMBNAIL_QUALITY))


def _jpeg(picture: Image.Image, quality: int) -> bytes:
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=quality)
    return written.getvalue()
