"""A release that stands ready: checked, self-tested, with everything that an answer is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cutis.runtime.atlas import Atlas
from cutis.runtime.bundle import Bundle
from cutis.runtime.engines import Engine
from cutis.runtime.neighbours import NEIGHBOURS, Index
from cutis.runtime.ready import AUTO, Trusted, ready_of
from cutis.runtime.release import read_release
from cutis.serve.reference import Reference, reference_of
from cutis.vocabulary.taxonomy import Taxonomy, with_kinds


@dataclass(frozen=True, kw_only=True)
class OpenRelease:
    """What answers, and the facts by which an answer names it."""

    name: str
    sha256: str  # of its manifest
    weights_sha256: str
    answers_by: str  # engine and precision
    signed_by: str | None  # fingerprint of the key that it was checked against
    bundle: Bundle
    taxonomy: Taxonomy  # the bundle's, with the kinds of its diagnoses
    folder: Path
    maps: tuple[str, ...]  # names of those that passed their examination, and so may be shown
    engine: Engine = field(repr=False)
    index: Index | None = field(repr=False)
    atlas: Atlas | None = field(repr=False)
    reference: Reference | None = field(repr=False)  # what a monitor holds the clinic's pictures and answers against
    thumbnail: Callable[[str], bytes | None] = field(repr=False)  # JPEG of a training case; None: it carries none


def open_release(trusted: Trusted, *, engine: str = AUTO, memory: Path | None = None) -> OpenRelease:
    """Check a release, let an engine pass its self-test, and read what lies beside it.

    Raises:
        UserError, SafetyRefusal: as `cutis.runtime.ready.ready_release`.
    """
    release = read_release(trusted.folder, key=trusted.key, required=trusted.required)
    bundle, sealed = release.bundle, release.sealed
    similar = NEIGHBOURS in sealed.entries and bundle.likeness is not None
    release.thumbnail("")  # reads all of them now: what was changed since the check is refused here and not in a visit
    ready = ready_of(release, engine=engine, similar=similar, memory=memory)
    return OpenRelease(
        name=bundle.name,
        sha256=sealed.manifest_sha256,
        weights_sha256=bundle.weights_sha256,
        answers_by=ready.answers_by,
        signed_by=sealed.signed_by,
        bundle=bundle,
        taxonomy=with_kinds(bundle.taxonomy),
        folder=sealed.folder,
        maps=release.maps_offered().offered,
        engine=ready.engine,
        index=ready.among,
        atlas=release.atlas(),
        reference=reference_of(release),
        thumbnail=release.thumbnail,
    )
