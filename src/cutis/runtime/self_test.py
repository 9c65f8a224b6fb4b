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
from cutis.runtime.engines import Engine
from cutis.runtime.predict import probabilities, seen_from_all_sides
from cutis.runtime.release import AGAIN, Release
from cutis.vocabulary.errors import SafetyRefusal, UserError
from cutis.vocabulary.files import check_stamp

EXPECTED = "self-test.json"
PICTURE = "self-test.png"
EXACT = "fp32"
OFF_BY = 1e-4  # of a probability, in fp32


class Answered(NamedTuple):
    """What came of the picture."""

    probabilities: NDArray[np.float64]  # (K,) calibrated
    prepared_sha256: str  # of the pixels that the network saw


class SelfTest(NamedTuple):
    """How a self-test ended."""

    precision: str
    off_by: float  # the largest difference of a probability
    tolerance: float
    same_pixels: bool  # whether decoding and preparation gave what they gave where the release was made


def answer_to(picture: bytes, engine: Engine, bundle: Bundle) -> Answered:
    """Answer for the bytes of a picture, by the way that every picture takes."""
    prepared = prepare(decode(picture), bundle.preparation)
    outputs = seen_from_all_sides(engine, bundle, normalise(prepared[None], bundle.preparation))
    return Answered(probabilities(bundle, outputs)[0], hashlib.sha256(prepared.tobytes()).hexdigest())


def self_test(release: Release, engine: Engine, *, precision: str = EXACT) -> SelfTest:
    """Answer for the release's own picture and compare.

    Args:
        release: holds the picture and what the bundle answered to it in PyTorch.
        engine: runs one of its networks.
        precision: of that engine; fp32 may be off by 1e-4, a reduced one by the bound that its parity found.

    Raises:
        SafetyRefusal: the answer is another one.
        UserError: the release has no self-test for this precision.
    """
    where = str(release.sealed.folder / EXPECTED)
    expected, tolerance, pixels = _expected(release, precision, where)
    answered = answer_to(release.read(PICTURE), engine, release.bundle)
    off_by = (
        float(np.abs(answered.probabilities - expected).max())
        if answered.probabilities.shape == expected.shape
        else float("inf")
    )
    result = SelfTest(precision, off_by, tolerance, answered.prepared_sha256 == pixels)
    if not off_by <= tolerance:  # what is no number is more than any tolerance
        seen = "the pixels are the same" if result.same_pixels else "the picture is decoded or prepared otherwise here"
        what = f"self-test in {precision}: a probability is off by {off_by:.2g}, more than {tolerance:.2g}; {seen}"
        mend = "use another engine or precision, or install the versions in constraints.txt"
        raise SafetyRefusal(what, where=where, mend=mend)
    return result


class _Expected(NamedTuple):
    probabilities: NDArray[np.float64]
    tolerance: float
    prepared_sha256: str


def _expected(release: Release, precision: str, where: str) -> _Expected:
    try:
        said: dict[str, Any] = json.loads(release.read(EXPECTED))
        check_stamp(said, "self-test", where=where)
        return _Expected(
            np.array([said["probabilities"][code] for code in release.bundle.taxonomy.codes], np.float64),
            float(said["tolerances"][precision]),
            str(said["prepared_sha256"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        what = f"there is no self-test of {precision} in this release: {error}"
        raise UserError(what, where=where, mend=AGAIN) from error
