"""What a person reads after a release was checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from cutis.runtime.fastest import none_opens
from cutis.runtime.release import Release, read_release
from cutis.runtime.self_test import SelfTest, self_test
from cutis.vocabulary.errors import UserError


class Verified(NamedTuple):
    """A release of which every byte is as it was sealed."""

    lines: tuple[str, ...]
    facts: dict[str, Any]


def verify(folder: Path, *, key: Path | None = None, required: bool = False, with_self_test: bool = False) -> Verified:
    """Check a release and say what it is, and how far anybody vouches for it.

    Args:
        folder: of the release.
        key: that must have signed it.
        required: refuse what is not signed, or cannot be checked.
        with_self_test: let every engine that can be opened here answer the release's own picture.

    Raises:
        UserError: as `read_release`, or no engine can be opened.
        SafetyRefusal: as `read_release`, or an engine answers otherwise than where the release was made.
    """
    release = read_release(folder, key=key, required=required)
    tested, absent = _tested(release) if with_self_test else ((), {})
    sealed = release.sealed
    size = sum(entry.size for entry in sealed.entries.values())
    bundle = release.bundle
    return Verified(
        lines=(
            f"{bundle.name}: {len(sealed.entries)} files, {size / 2**20:.1f} MB, each as it was sealed",
            _signature(release, key),
            f"offered in {', '.join(each.name for each in release.offers)}; learned from data under: {bundle.licence}",
            *(f"self-test of {each.offer}: off by {each.off_by:.1g}, of {each.tolerance:.1g}" for each in tested),
            *(f"self-test of {name}: NOT DONE: {why}" for name, why in absent.items()),
            *bundle.warnings,
        ),
        facts={
            "name": bundle.name,
            "folder": str(folder),
            "files": len(sealed.entries),
            "bytes": size,
            "offers": [each.name for each in release.offers],
            "licence": bundle.licence,
            "manifest_sha256": sealed.manifest_sha256,
            "bundle_sha256": release.bundle_sha256,
            "signature": "valid" if sealed.signed_by else "not checked" if sealed.signed else "none",
            "signed_by": sealed.signed_by,
            "warnings": list(bundle.warnings),
            "self_tests": [each._asdict() for each in tested],
            "not_tested": absent,
        },
    )


def _tested(release: Release) -> tuple[tuple[SelfTest, ...], dict[str, str]]:
    """Return how each engine did, and why the others could not be tried."""
    tested: list[SelfTest] = []
    absent: dict[str, str] = {}
    for offer in release.offers:
        try:
            engine = release.engine(offer)
        except UserError as error:
            absent[offer.name] = error.what
            continue
        tested.append(self_test(release, engine, offer))
    if not tested:
        raise none_opens(absent)
    return tuple(tested), absent


def _signature(release: Release, key: Path | None) -> str:
    sealed = release.sealed
    if sealed.signed_by:
        return f"signed by the key {sealed.signed_by} ({key})"
    if sealed.signed:
        return "signature NOT CHECKED: give the public key of whoever signs with --key"
    return "NOT SIGNED: nobody vouches for it, and whoever changed it could have sealed it anew"
