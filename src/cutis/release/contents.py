"""What lies in a release beside its networks: what trust is measured by, training cases, atlas, description."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from cutis.release.material import Material
from cutis.runtime.bundle import TRUST, Bundle, description_of
from cutis.runtime.engines import FP32, OFFERS, Offer
from cutis.runtime.release import DESCRIPTION, files_of
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import stamp, write_json


class Passed(NamedTuple):
    """A way of running the network that passed its gates."""

    offer: Offer
    bound: float  # how far a probability was off at most on the test split


def only_passed(folder: Path, passed: tuple[Passed, ...], bundle: Bundle) -> tuple[Passed, ...]:
    """Return what passed, after removing the files that nothing of it needs.

    Raises:
        UserError: not even an exact network passed.
    """
    if not any(each.offer.precision == FP32 for each in passed):
        mend = "report it with the versions of your libraries: cutis doctor"
        what = "the exported network answers otherwise than the trained one, even in fp32"
        raise UserError(what, where=bundle.name, mend=mend)
    needed = {name for each in passed for name in files_of(each.offer)}
    for name in {name for offer in OFFERS for name in files_of(offer)} - needed:
        (folder / name).unlink(missing_ok=True)
        with suppress(OSError):  # it is not empty
            (folder / name).parent.rmdir()
    return passed


def carry(folder: Path, material: Material) -> None:
    """Copy what answers need beside the network: what trust is measured by, training cases, the atlas."""
    bundle = material.bundle
    for path in (bundle.folder / TRUST, bundle.neighbours, material.atlas):
        if path is not None and path.exists():
            shutil.copyfile(path, folder / path.name)


def write_description(folder: Path, bundle: Bundle, passed: Sequence[Passed], *, made_from: dict[str, str]) -> None:
    """Write release.json: all that bundle.json says, and in which ways the network is offered."""
    content: dict[str, Any] = {
        "bundle": stamp("bundle") | description_of(bundle),
        "offers": [each.offer._asdict() for each in passed],
    }
    write_json(folder / DESCRIPTION, "release", content, made_from=made_from)
