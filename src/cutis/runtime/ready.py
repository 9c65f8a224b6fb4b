"""What answers: the bundle of a workspace by PyTorch, or a release by the engine that is fastest on this machine."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import NamedTuple

from cutis.runtime.bundle import Bundle, read_bundle
from cutis.runtime.engines import FP32, Engine, Offer, open_engine
from cutis.runtime.fastest import fastest
from cutis.runtime.neighbours import Index, read_index
from cutis.runtime.release import Release, read_release
from cutis.runtime.self_test import self_test
from cutis.vocabulary.errors import UserError

AUTO = "auto"


class Ready(NamedTuple):
    """Everything to answer pictures with."""

    bundle: Bundle
    engine: Engine
    among: Index | None  # the training cases that a picture can be compared with; None where nobody asked for them
    answers_by: str  # name of the engine and its precision, such as "openvino-bf16"


class Trusted(NamedTuple):
    """A release, and whom it must be signed by."""

    folder: Path
    key: Path | None = None
    required: bool = False


def ready_bundle(folder: Path, *, similar: bool = False) -> Ready:
    """Open a bundle of training, which PyTorch runs.

    Raises:
        UserError: it is no bundle, or carries no training cases though they are asked for.
    """
    bundle = read_bundle(folder)
    return Ready(bundle, open_engine(bundle), read_index(bundle.neighbours) if similar else None, f"pytorch-{FP32}")


def ready_release(trusted: Trusted, *, engine: str = AUTO, similar: bool = False, memory: Path | None = None) -> Ready:
    """Check a release, and open it by one of the ways that it offers; no PyTorch is needed.

    Every engine answers the release's self-test before it is timed or used; what was remembered had passed it.

    Args:
        trusted: the release.
        engine: name of one that it offers; ``auto`` takes the fastest here, timed once and remembered.
        similar: whether training cases are asked for.
        memory: folder where the fastest is remembered; the user's cache, if not given.

    Raises:
        UserError: it is no release, does not offer this engine, or carries no training cases though asked for.
        SafetyRefusal: it was changed, is not signed as it must be, or does not answer its own picture as it did.
    """
    release = read_release(trusted.folder, key=trusted.key, required=trusted.required)
    return ready_of(release, engine=engine, similar=similar, memory=memory)


def ready_of(release: Release, *, engine: str = AUTO, similar: bool = False, memory: Path | None = None) -> Ready:
    """Open a release that was checked; see `ready_release`.

    Raises:
        UserError, SafetyRefusal: as there.
    """
    among = release.index() if similar else None
    if engine != AUTO:
        offer = _named(release, engine)
        return Ready(release.bundle, _tested(release, offer), among, offer.name)
    size, seal = release.bundle.preparation.size, release.sealed.manifest_sha256
    opening = partial(_tested, release)
    offer = fastest(release.offers, opening, size=size, release_sha256=seal, memory=memory).fastest
    return Ready(release.bundle, release.engine(offer), among, offer.name)


def _tested(release: Release, offer: Offer) -> Engine:
    """Open an engine that has answered the release's own picture as it must."""
    engine = release.engine(offer)
    self_test(release, engine, offer)
    return engine


def _named(release: Release, engine: str) -> Offer:
    offers = {offer.name: offer for offer in release.offers}
    if engine not in offers:
        mend = f"use one of: {', '.join((AUTO, *offers))}"
        raise UserError(f"this release does not offer {engine}", where=str(release.sealed.folder), mend=mend)
    return offers[engine]
