"""BUNDLE → A SIGNED RELEASE THAT RUNS WITHOUT PYTORCH."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from cutis.release.card import write_card
from cutis.release.contents import Passed, carry, only_passed, write_description
from cutis.release.licence import require_consent
from cutis.release.maps import write_offered_maps
from cutis.release.material import Material, read_material
from cutis.release.networks import PARITY, compare, convert
from cutis.release.public import Published, publish
from cutis.release.reference import write_reference
from cutis.release.self_test import write_self_test
from cutis.release.sign import read_private_key, seal
from cutis.release.thumbnails import ROOM as ROOM_OF_A_THUMBNAIL
from cutis.release.thumbnails import compared_with, write_thumbnails
from cutis.runtime.atlas import ATLAS
from cutis.runtime.bundle import Bundle, read_bundle
from cutis.runtime.engines import Engine, Offer, open_engine
from cutis.runtime.neighbours import NEIGHBOURS
from cutis.runtime.release import Release, files_of, read_release
from cutis.runtime.self_test import SelfTest, self_test
from cutis.runtime.thumbnails import THUMBNAILS
from cutis.vocabulary.errors import UserError
from cutis.workspace import Finished, Workspace

ROOM = (
    5  # times the weights: ONNX, OpenVINO in fp32 and int8, what else is carried, and what conversion needs meanwhile
)


class Parts(NamedTuple):
    """What turns a network into files and judges them; the rest of a release does not depend on how."""

    convert: Callable[[Material, Path], None] = convert  # writes the networks into a folder
    compare: Callable[[Material, Path], tuple[Passed, ...]] = compare  # writes parity.json
    trained: Callable[[Bundle], Engine] = open_engine  # runs the bundle as training left it
    engine: Callable[..., Engine] = open_engine  # runs a file of the release


class Signer(NamedTuple):
    """Who vouches for a release."""

    key: Path
    passphrase: str = ""


PARTS = Parts()


def release(
    workspace: Workspace, name: str, *, signer: Signer | None = None, again: bool = False, parts: Parts = PARTS
) -> Finished:
    """Turn a bundle into a folder that a clinic installs, and test it as a clinic would.

    Args:
        workspace: holds the dataset, the bundle, its evaluation, and its explanation, where there is one.
        name: of the bundle.
        signer: holds the private key; without one the release shows damage, but nobody vouches for it.
        again: make a new version where this release exists.
        parts: convert and judge.

    Raises:
        UserError: not evaluated, no key, no exact network that answers as the bundle does, or no space left.
        SafetyRefusal: the release does not answer its own self-test.
    """
    target = workspace.release(name)
    workspace.refuse_to_overwrite(target, again=again)
    key = read_private_key(signer.key, passphrase=signer.passphrase) if signer else None
    material = read_material(workspace, name)
    bundle = material.bundle
    needs = ROOM * bundle.weights.stat().st_size + ROOM_OF_A_THUMBNAIL * len(compared_with(material))
    with workspace.new_version(target, again=again, needs=needs) as folder:
        trained = parts.trained(bundle)
        parts.convert(material, folder)
        passed = only_passed(folder, parts.compare(material, folder), bundle)
        carry(folder, material)
        write_offered_maps(folder, material)
        write_thumbnails(folder, material)
        write_reference(folder, material, trained)
        write_self_test(
            folder,
            bundle,
            passed,
            trained=trained,
            opening=lambda offer: parts.engine(bundle, folder / offer.file, precision=offer.precision),
        )
        write_description(folder, bundle, passed, made_from=material.made_from)
        write_card(folder, bundle, offers=[each.offer.name for each in passed], evaluation=material.evaluation)
        seal(folder, about={"name": bundle.name, "licence": bundle.licence}, made_from=material.made_from, key=key)
        made = read_release(folder)
        tested = [_tested(made, parts, each) for each in passed]
    return _finished(target, made, tested)


def _tested(made: Release, parts: Parts, passed: Passed) -> SelfTest:
    offer = passed.offer
    with made.lend(*files_of(offer)) as folder:
        engine = parts.engine(made.bundle, folder / offer.file, precision=offer.precision)
        return self_test(made, engine, offer)


def publish_release(
    workspace: Workspace, name: str, into: Path, *, signer: Signer | None = None, consent: bool = False
) -> Finished:
    """Write what of a release may be pushed to a hub into a folder of its own.

    Raises:
        UserError: there is no release, its licence forbids it, or the folder is there.
        SafetyRefusal: the release was changed.
    """
    key = read_private_key(signer.key, passphrase=signer.passphrase) if signer else None
    if not workspace.release(name).exists():
        where = str(workspace.release(name))
        raise UserError(f"{name} was not released yet", where=where, mend=f"cutis release {name}")
    made = read_release(workspace.release(name).resolve())
    require_consent(made.bundle.licence, consent=consent)
    weights = read_bundle(workspace.bundle(name).resolve()).weights
    return _finished_public(publish(made, into, weights=weights, key=key, consent=consent), made)


def _finished(target: Path, made: Release, tested: list[SelfTest]) -> Finished:
    sealed = made.sealed
    size = sum(entry.size for entry in sealed.entries.values())
    who = f"signed by the key {str(sealed.manifest['signer'])[:16]}" if sealed.signed else "NOT SIGNED: give it a --key"
    failed, maps = _failed(made), made.maps_offered().offered
    private = [
        f"{name} ({sealed.entries[name].size / 2**20:.1f} MB)"
        for name in (NEIGHBOURS, ATLAS, THUMBNAILS)
        if name in sealed.entries
    ]
    return Finished(
        wrote=target,
        lines=(
            f"{len(sealed.entries)} files, {size / 2**20:.1f} MB, {who}",
            f"offered in {', '.join(each.name for each in made.offers)}",
            *(f"NOT offered: {name}: {why}" for name, why in failed.items()),
            *(f"self-test of {each.offer}: off by {each.off_by:.1g} at most" for each in tested),
            f"maps that may be shown: {', '.join(maps) or 'none, since none was examined and passed'}",
            f"check it: cutis verify {target}",
            *((f"{', '.join(private)} are of patients: what --public writes leaves them out",) * bool(private)),
        ),
        facts={
            "name": made.bundle.name,
            "offers": [each.name for each in made.offers],
            "not_offered": failed,
            "maps": list(maps),
            "bytes": size,
            "files": sorted(sealed.entries),
            "manifest_sha256": sealed.manifest_sha256,
            "signer": sealed.manifest["signer"],
            "self_tests": [each._asdict() for each in tested],
        },
        next_command="",
    )


def _failed(made: Release) -> dict[str, str]:
    """Return for each way that is not offered why: the gates that it failed, or what keeps this machine from it."""
    found = {}
    for each in json.loads(made.read(PARITY)).get("offers", ()):
        gates = [gate["figure"].replace("_", " ") for gate in each["gates"] if not gate["passed"]]
        if not each["passed"]:
            found[Offer(each["engine"], each["precision"], each["file"]).name] = each["not_judged"] or ", ".join(gates)
    return found


def _finished_public(published: Published, made: Release) -> Finished:
    licence = made.bundle.licence
    return Finished(
        wrote=published.folder,
        lines=(
            f"{len(published.files)} files to push; left out: {', '.join(published.left_out) or 'nothing'}",
            f"the data's licence goes with it: {licence}",
            *(("you consented to it: keep to it in what you do with this folder",) * published.consented),
            "signed" if published.signed else "NOT SIGNED: give it a --key",
            f"check it: cutis verify {published.folder}",
        ),
        facts=published._asdict() | {"folder": str(published.folder), "licence": licence},
        next_command="",
    )
