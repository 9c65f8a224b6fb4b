"""What a release answers to a picture of ours, so that each machine can see whether it answers the same."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from cutis.release.picture import draw
from cutis.runtime.bundle import Bundle
from cutis.runtime.engines import Engine
from cutis.runtime.self_test import EXACT, EXPECTED, OFF_BY, PICTURE, answer_to
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import write_json, written_aside


def write_self_test(folder: Path, bundle: Bundle, engine: Engine, *, bounds: Mapping[str, float]) -> None:
    """Draw the picture, and write down the bundle's own answer to it.

    Args:
        folder: of the release.
        bundle: that is released.
        engine: runs it as training left it.
        bounds: for each precision that is offered, how far a probability was off at most on the test split.

    Raises:
        UserError: the bundle answers with what is no number.
    """
    picture = draw()
    answered = answer_to(picture, engine, bundle)
    if not abs(answered.probabilities.sum() - 1) < OFF_BY:
        mend = "train this bundle again"
        raise UserError("it answers the self-test with what is no probability", where=str(bundle.folder), mend=mend)
    with written_aside(folder / PICTURE) as aside:
        aside.write_bytes(picture)
    content = {
        "file": PICTURE,
        "picture": "drawn by formulas, of no patient",
        "probabilities": dict(zip(bundle.taxonomy.codes, answered.probabilities.tolist(), strict=True)),
        "tolerances": {each: OFF_BY if each == EXACT else max(OFF_BY, bound) for each, bound in bounds.items()},
        "prepared_sha256": answered.prepared_sha256,
    }
    write_json(folder / EXPECTED, "self-test", content, made_from={"weights": bundle.weights_sha256})
