"""Whether a release answers here as it did where it was made, on a picture of which the answer is known.

The whole way is walked: the picture's file is decoded, prepared, run and calibrated.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.imaging.decode import decode
from cutis.imaging.prepare import normalise, prepare
from cutis.runtime.bundle import Bundle
from cutis.runtime.engines import Engine, Offer
from cutis.runtime.predict import probabilities, seen_from_all_sides
from cutis.runtime.release import Release
from cutis.vocabulary.errors import SafetyRefusal, UserError
from cutis.vocabulary.files import check_stamp

EXPECTED = "self-test.json"
PICTURE = "self-test.png"
OFF_BY = 1e-4  # of a probability, in fp32


class Answered(NamedTuple):
    """What came of the picture."""

    probabilities: NDArray[np.float64]  # (K,) calibrated
    prepared_sha256: str  # of the pixels that the network saw


class SelfTest(NamedTuple):
    """How a self-test ended."""

    offer: str  # the name of the engine and its precision
    off_by: float  # the largest difference of a probability
    tolerance: float
    same_pixels: bool  # whether decoding and preparation gave what they gave where the release was made


def answer_to(picture: bytes, engine: Engine, bundle: Bundle) -> Answered:
    """Answer for the bytes of a picture, by the way that every picture takes."""
    prepared = prepare(decode(picture), bundle.preparation)
    outputs = seen_from_all_sides(engine, bundle, normalise(prepared[None], bundle.preparation))
    return Answered(probabilities(bundle, outputs)[0], hashlib.sha256(prepared.tobytes()).hexdigest())


def self_test(release: Release, engine: Engine, offer: Offer) -> SelfTest:
    """Answer for the release's own picture and compare.

    Args:
        release: holds the picture and the answer that is expected.
        engine: runs its network.
        offer: in which way; fp32 may be off by 1e-4, a reduced precision by the bound that its parity found.

    Raises:
        SafetyRefusal: the answer is another one.
        UserError: this way is not offered.
    """
    where = str(release.sealed.folder / EXPECTED)
    expected = _expected(release, offer, where)
    answered = answer_to(release.read(PICTURE), engine, release.bundle)
    fits = answered.probabilities.shape == expected.probabilities.shape
    off_by = float(np.abs(answered.probabilities - expected.probabilities).max()) if fits else np.inf
    result = SelfTest(offer.name, off_by, expected.tolerance, answered.prepared_sha256 == expected.prepared_sha256)
    if not off_by <= expected.tolerance:  # what is no number is more than any tolerance
        seen = "the pixels are the same" if result.same_pixels else "the picture is decoded or prepared otherwise here"
        what = f"self-test of {offer.name}: a probability is off by {off_by:.2g}, more than {expected.tolerance:.2g}"
        mend = "use another engine or precision, or install the versions in constraints.txt"
        raise SafetyRefusal(f"{what}; {seen}", where=where, mend=mend)
    return result


class _Expected(NamedTuple):
    probabilities: NDArray[np.float64]  # (K,)
    tolerance: float
    prepared_sha256: str


def _expected(release: Release, offer: Offer, where: str) -> _Expected:
    try:
        said: dict[str, Any] = json.loads(release.read(EXPECTED))
        check_stamp(said, "self-test", where=where)
        own = said["expected"][offer.name]
        return _Expected(
            np.array([own["probabilities"][code] for code in release.bundle.taxonomy.codes], np.float64),
            float(own["tolerance"]),
            str(said["prepared_sha256"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        what = f"this release does not offer {offer.name}: {error}"
        raise UserError(
            what, where=where, mend=f"use one of: {', '.join(each.name for each in release.offers)}"
        ) from error
