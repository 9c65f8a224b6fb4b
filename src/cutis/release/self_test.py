"""What a release answers to a picture of ours, so that each machine can see whether it answers the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from cutis.release.contents import Passed
from cutis.release.picture import draw
from cutis.runtime.bundle import Bundle
from cutis.runtime.engines import FP32, Engine, Offer
from cutis.runtime.self_test import EXPECTED, OFF_BY, PICTURE, answer_to
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import write_json, written_aside


def write_self_test(
    folder: Path, bundle: Bundle, passed: Sequence[Passed], *, trained: Engine, opening: Callable[[Offer], Engine]
) -> None:
    """Draw the picture, and write down which answer is expected in which way of running.

    An exact one must answer as the trained network does. A reduced one must answer elsewhere as it does here, within
    the bound that its parity found: how far it may be from the trained network was judged there, on pictures of the
    kind that it is for.

    Args:
        folder: of the release.
        bundle: that is released.
        passed: the ways in which it is offered.
        trained: runs the bundle as training left it.
        opening: opens one of the ways.

    Raises:
        UserError: the bundle answers with what is no number.
    """
    picture = draw()
    own = answer_to(picture, trained, bundle)
    if not abs(own.probabilities.sum() - 1) < OFF_BY:
        mend = "train this bundle again"
        raise UserError("it answers the self-test with what is no probability", where=str(bundle.folder), mend=mend)
    with written_aside(folder / PICTURE) as aside:
        aside.write_bytes(picture)
    expected = {}
    for offer, bound in passed:
        exact = offer.precision == FP32
        answered = own if exact else answer_to(picture, opening(offer), bundle)
        expected[offer.name] = {
            "probabilities": dict(zip(bundle.taxonomy.codes, answered.probabilities.tolist(), strict=True)),
            "tolerance": OFF_BY if exact else max(OFF_BY, bound),
        }
    content = {"file": PICTURE, "picture": "drawn by formulas, of no patient", "expected": expected}
    content["prepared_sha256"] = own.prepared_sha256
    write_json(folder / EXPECTED, "self-test", content, made_from={"weights": bundle.weights_sha256})
