"""What may leave the house: nothing that holds a row of any patient, and nothing that the licence does not allow."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import NamedTuple

from cutis.release.card import CARD
from cutis.release.licence import require_consent, restricts
from cutis.release.sign import PrivateKey, seal
from cutis.runtime.release import Release
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import sha256_of, sync
from cutis.workspace import folder_aside

# What is published is named; what is not is left out, whatever it is. Rows of patients lie in neighbours.safetensors
# (their features) and atlas.safetensors (the same), thumbnails and pictures in files of their own; reference.json holds
# counts of at least five.
_PUBLIC = re.compile(
    r"release\.json|config\.json|card\.md|maps\.json|parity\.json|reference\.json|self-test\.(json|png)|trust\.safetensors|network\.onnx"
    r"|openvino/([a-z0-9]+/)?network\.(xml|bin)"
)
ON_THE_HUB = {CARD: "README.md"}  # by which name the hub shows it
WEIGHTS = "model.safetensors"  # the hub's name for them


class Published(NamedTuple):
    """What was made to be pushed."""

    folder: Path
    files: tuple[str, ...]
    left_out: tuple[str, ...]  # of the release
    signed: bool
    consented: bool  # to a licence that restricts


def public_files(release: Release) -> tuple[str, ...]:
    """Return which files of a release hold nothing of any patient."""
    return tuple(sorted(name for name in release.sealed.entries if _PUBLIC.fullmatch(name)))


def publish(
    release: Release, into: Path, *, weights: Path, key: PrivateKey | None = None, consent: bool = False
) -> Published:
    """Write a folder that can be pushed to the Hugging Face hub as it is; it is a release of its own.

    Args:
        release: that was checked.
        into: the folder to make.
        weights: of the bundle, which the hub expects as safetensors.
        key: signs what is published; without one nobody vouches for it.
        consent: somebody read a licence that restricts, and answers for it.

    Raises:
        UserError: the licence forbids it, the folder is there, or the weights are others than the release's.
    """
    bundle = release.bundle
    require_consent(bundle.licence, consent=consent)
    if into.exists():
        mend = "choose a new folder: nothing of yours is written over"
        raise UserError("this folder is there already", where=str(into), mend=mend)
    if sha256_of(weights) != bundle.weights_sha256:
        mend = f"cutis release {bundle.name} --again"
        raise UserError("this release was made from other weights", where=str(weights), mend=mend)
    chosen = public_files(release)
    into.parent.mkdir(parents=True, exist_ok=True)
    aside = folder_aside(into.parent)
    try:
        for name in chosen:
            copy = aside / ON_THE_HUB.get(name, name)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(release.read(name))
        shutil.copyfile(weights, aside / WEIGHTS)
        about = {"name": bundle.name, "public": True, "licence": bundle.licence, "consented": consent}
        made_from = {"release": release.sealed.manifest_sha256, "bundle": release.bundle_sha256}
        seal(aside, about=about, made_from=made_from, key=key)
        for path in aside.rglob("*"):
            sync(path)
        aside.chmod(0o755)
        aside.rename(into)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    written = tuple(sorted(path.relative_to(into).as_posix() for path in into.rglob("*") if path.is_file()))
    left_out = tuple(sorted(release.sealed.entries.keys() - set(chosen)))
    return Published(into, written, left_out, key is not None, consent and restricts(bundle.licence))
