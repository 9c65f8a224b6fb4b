"""BUNDLE → A SIGNED RELEASE THAT RUNS WITHOUT PYTORCH."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from cutis.progress import say
from cutis.release.card import write_card
from cutis.release.licence import require_consent
from cutis.release.material import ATLAS, Material, read_material
from cutis.release.public import Published, publish
from cutis.release.self_test import write_self_test
from cutis.release.sign import read_private_key, seal
from cutis.runtime.bundle import TRUST, Bundle, description_of, read_bundle
from cutis.runtime.engines import Engine
from cutis.runtime.neighbours import NEIGHBOURS
from cutis.runtime.release import DESCRIPTION, Release, read_release
from cutis.runtime.self_test import EXACT, SelfTest, self_test
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import stamp, write_json
from cutis.workspace import Finished, Workspace

# Files that one precision alone needs; bf16 is a way of running what fp32 left.
OWN_FILES = {"int8": "openvino/int8"}
ROOM = 4  # times the weights: ONNX, OpenVINO in fp32 and int8, and what else is carried


class Parts(NamedTuple):
    """What turns a network into files and judges them; the rest of a release does not depend on how."""

    convert: Callable[[Workspace, Bundle, Path], None]  # writes the networks into a folder
    compare: Callable[[Workspace, Bundle, Path], Mapping[str, float]]  # writes parity.json; off by how much, at most
    trained: Callable[[Bundle], Engine]  # runs the bundle as training left it
    released: Callable[[Release, str], Engine]  # runs a release in one precision


class Signer(NamedTuple):
    """Who vouches for a release."""

    key: Path
    passphrase: str = ""


def release(
    workspace: Workspace, name: str, *, parts: Parts, signer: Signer | None = None, again: bool = False
) -> Finished:
    """Turn a bundle into a folder that a clinic installs, and test it as a clinic would.

    Args:
        workspace: holds the dataset, the bundle, and its evaluation and explanation, where there are any.
        name: of the bundle.
        parts: convert and judge.
        signer: holds the private key; without one the release shows damage, but nobody vouches for it.
        again: make a new version where this release exists.

    Raises:
        UserError: no bundle, no key, no precision that answers as the bundle does, or no space left.
        SafetyRefusal: the release does not answer its own self-test.
    """
    target = workspace.release(name)
    workspace.refuse_to_overwrite(target, again=again)
    key = read_private_key(signer.key, passphrase=signer.passphrase) if signer else None
    material = read_material(workspace, name)
    bundle = material.bundle
    with workspace.new_version(target, again=again, needs=ROOM * bundle.weights.stat().st_size) as folder:
        say("writing the networks")
        parts.convert(workspace, bundle, folder)
        say("comparing what they answer with what the bundle answers")
        bounds = offered(folder, parts.compare(workspace, bundle, folder), bundle)
        carry(folder, material)
        write_self_test(folder, bundle, parts.trained(bundle), bounds=bounds)
        write_description(folder, material, precisions=tuple(bounds))
        write_card(folder, bundle, precisions=tuple(bounds), evaluation=material.evaluation)
        seal(folder, about={"name": bundle.name, "licence": bundle.licence}, made_from=material.made_from, key=key)
        made = read_release(folder)
        tested = [self_test(made, parts.released(made, precision), precision=precision) for precision in bounds]
    return _finished(target, made, tested)


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


def offered(folder: Path, bounds: Mapping[str, float], bundle: Bundle) -> dict[str, float]:
    """Return the precisions that passed, the exact one first; the files of the others are removed.

    Raises:
        UserError: not even the exact one passed.
    """
    if EXACT not in bounds:
        mend = "keep parity.json, and report it: an exact network must answer as the trained one does"
        raise UserError("the exported network answers otherwise than the trained one", where=bundle.name, mend=mend)
    for precision, own in OWN_FILES.items():
        if precision not in bounds:
            shutil.rmtree(folder / own, ignore_errors=True)
    return {EXACT: bounds[EXACT]} | dict(bounds)


def carry(folder: Path, material: Material) -> None:
    """Copy what answers need beside the network: what trust is measured by, training cases, the atlas."""
    bundle = material.bundle
    for path in (bundle.folder / TRUST, bundle.neighbours, material.atlas):
        if path is not None and path.exists():
            shutil.copyfile(path, folder / path.name)


def write_description(folder: Path, material: Material, *, precisions: tuple[str, ...]) -> None:
    """Write release.json: all that bundle.json says, and in which precisions the network is offered."""
    bundle = material.bundle
    content = {"bundle": stamp("bundle") | description_of(bundle), "precisions": list(precisions)}
    write_json(folder / DESCRIPTION, "release", content, made_from=material.made_from)


def _finished(target: Path, made: Release, tested: list[SelfTest]) -> Finished:
    sealed = made.sealed
    size = sum(entry.size for entry in sealed.entries.values())
    who = f"signed by the key {str(sealed.manifest['signer'])[:16]}" if sealed.signed else "NOT SIGNED: give it a --key"
    private = [name for name in (NEIGHBOURS, ATLAS) if name in sealed.entries]
    return Finished(
        wrote=target,
        lines=(
            f"{len(sealed.entries)} files, {size / 2**20:.1f} MB, {who}",
            f"offered in {', '.join(made.precisions)}",
            *(f"self-test in {each.precision}: off by {each.off_by:.1g} at most" for each in tested),
            *(
                (f"{' and '.join(private)} hold rows of patients: what --public writes leaves them out",)
                * bool(private)
            ),
        ),
        facts={
            "name": made.bundle.name,
            "precisions": list(made.precisions),
            "bytes": size,
            "files": sorted(sealed.entries),
            "manifest_sha256": sealed.manifest_sha256,
            "signer": sealed.manifest["signer"],
            "self_tests": [each._asdict() for each in tested],
        },
        next_command=f"cutis verify {target}",
    )


def _finished_public(published: Published, made: Release) -> Finished:
    licence = made.bundle.licence
    return Finished(
        wrote=published.folder,
        lines=(
            f"{len(published.files)} files to push; left out: {', '.join(published.left_out) or 'nothing'}",
            f"the data's licence goes with it: {licence}",
            *(("you consented to it: keep to it in what you do with this folder",) * published.consented),
            "signed" if published.signed else "NOT SIGNED: give it a --key",
        ),
        facts=published._asdict() | {"folder": str(published.folder), "licence": licence},
        next_command=f"cutis verify {published.folder}",
    )
