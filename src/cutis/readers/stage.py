"""TEST SET + DERMATOLOGISTS → READER STUDY."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cutis.readers.network import read_network
from cutis.readers.planning import drawn_plan, how_drawn, read_material, write_booth
from cutis.readers.protocol import BOOTH, DRAWN, PLAN, begun_under, read_protocol, write_protocol
from cutis.readers.study import read_study
from cutis.readers.told import tell_plan
from cutis.runtime.engines import open_engine
from cutis.vocabulary.errors import SafetyRefusal
from cutis.vocabulary.files import SUMS, sha256_of, write_json, write_sums
from cutis.workspace import Finished, Workspace

BYTES_PER_PICTURE = 2**21


def plan(
    workspace: Workspace, study_file: Path | None = None, *, settings: tuple[str, ...] = (), again: bool = False
) -> Finished:
    """Draw the cases, the places and the order of a reader study, write the booth's pictures, and freeze the protocol.

    Args:
        workspace: holds the dataset, and the bundle that readers are compared with, or aided by.
        study_file: what is wished for; the defaults of `Study`, if not given.
        settings: ``key=value``, over the file's.
        again: make a new version of the protocol where there is one, and nobody has read under it.

    Raises:
        UserError: see `read_study`, `read_material` and `drawn_plan`; there is a protocol already, or no space left.
        SafetyRefusal: somebody has read under the protocol that is there.
    """
    study = read_study(study_file, settings)
    target, path = workspace.readers / BOOTH, workspace.readers / PLAN
    _refuse_after_the_first_reading(workspace.readers)
    workspace.refuse_to_overwrite(target, again=again)
    before = read_protocol(path) if path.exists() else None
    material = read_material(workspace, study)
    drawn = drawn_plan(material, study)
    engine = None
    if study.design != "unaided":
        read_network(workspace, material.bundle.name, manifest_sha256=material.dataset_sha256)
        engine = open_engine(material.bundle)
    needs = BYTES_PER_PICTURE * len(drawn.cases)
    with workspace.new_version(target, again=again, needs=needs) as folder:
        protocol = write_booth(folder, material, drawn, engine=engine)
        write_sums(folder)
        seal = sha256_of(folder / SUMS)
    how = workspace.readers / DRAWN
    write_json(how, "drawn", how_drawn(drawn), made_from={"manifest": material.dataset_sha256})
    protocol = replace(
        protocol,
        version=before.version + 1 if before else 1,
        replaces=before.sha256 if before else None,
        booth_sha256=seal,
        drawn_sha256=sha256_of(how),
    )
    write_protocol(path, protocol, made_from={"manifest": material.dataset_sha256, "booth": seal})
    return tell_plan(protocol, drawn, wrote=path)


def _refuse_after_the_first_reading(folder: Path) -> None:
    begun = begun_under(folder)
    if begun is not None:
        what = f"somebody has read under protocol {begun[:12]}: it cannot change any more"
        mend = "go on with it, or plan another study in another --workspace; readings of two protocols are never mixed"
        raise SafetyRefusal(what, where=str(folder / PLAN), mend=mend)
