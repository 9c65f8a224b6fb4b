"""What a person reads after a release was checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from cutis.runtime.release import Release, read_release


class Verified(NamedTuple):
    """A release of which every byte is as it was sealed."""

    lines: tuple[str, ...]
    facts: dict[str, Any]


def verify(folder: Path, *, key: Path | None = None, required: bool = False) -> Verified:
    """Check a release and say what it is, and how far anybody vouches for it.

    Raises:
        UserError, SafetyRefusal: as `read_release`.
    """
    release = read_release(folder, key=key, required=required, keep=())
    sealed = release.sealed
    size = sum(entry.size for entry in sealed.entries.values())
    bundle = release.bundle
    return Verified(
        lines=(
            f"{bundle.name}: {len(sealed.entries)} files, {size / 2**20:.1f} MB, each as it was sealed",
            _signature(release, key),
            f"offered in {', '.join(each.name for each in release.offers)}; learned from data under: {bundle.licence}",
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
        },
    )


def _signature(release: Release, key: Path | None) -> str:
    sealed = release.sealed
    if sealed.signed_by:
        return f"signed by the key {sealed.signed_by} ({key})"
    if sealed.signed:
        return "signature NOT CHECKED: give the public key of whoever signs with --key"
    return "NOT SIGNED: nobody vouches for it, and whoever changed it could have sealed it anew"
