"""TEST SET + DERMATOLOGISTS → READER STUDY."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cutis.progress import say
from cutis.readers.network import read_network
from cutis.readers.planning import drawn_plan, how_drawn, read_material, write_booth
from cutis.readers.protocol import BOOTH, DRAWN, PLAN, begun_under, read_protocol, write_protocol
from cutis.readers.record import write_scored_votes, write_scores
from cutis.readers.scoring.imrmc import write_imrmc
from cutis.readers.scoring.material import Asked, read_votes_material
from cutis.readers.scoring.material import read_material as read_readings_material
from cutis.readers.scoring.scored import scored
from cutis.readers.scoring.votes import scored_votes
from cutis.readers.study import read_study
from cutis.readers.told import tell_plan, tell_scores, tell_votes
from cutis.runtime.engines import open_engine
from cutis.vocabulary.errors import SafetyRefusal
from cutis.vocabulary.files import SUMS, sha256_of, write_json, write_sums
from cutis.workspace import Finished, Workspace

BYTES_PER_PICTURE = 2**21


def plan(
    workspace: Workspace,
    study_file: Path | None = None,
    *,
    settings: tuple[str, ...] = (),
    on: Path | None = None,
    again: bool = False,
) -> Finished:
    """Draw the cases, the places and the order of a reader study, write the booth's pictures, and freeze the protocol.

    Args:
        workspace: holds the dataset, and the bundle that readers are compared with, or aided by.
        study_file: what is wished for; the defaults of `Study`, if not given.
        settings: ``key=value``, over the file's.
        on: another workspace, or its dataset, from which the cases are drawn instead.
        again: make a new version of the protocol where there is one, and nobody has read under it.

    Raises:
        UserError: see `read_study`, `read_material` and `drawn_plan`; there is a protocol already, or no space left.
        SafetyRefusal: somebody has read under the protocol that is there, or the bundle learned from some of the
            other dataset's pictures.
    """
    study = read_study(study_file, settings)
    target, path = workspace.readers / BOOTH, workspace.readers / PLAN
    _refuse_after_the_first_reading(workspace.readers)
    workspace.refuse_to_overwrite(target, again=again)
    before = read_protocol(path) if path.exists() else None
    material = read_material(workspace, study, on=on)
    drawn = drawn_plan(material, study)
    engine = None
    if study.design != "unaided":
        read_network(workspace, material.bundle.name, manifest_sha256=material.cases.sha256, on=on)
        engine = open_engine(material.bundle)
    needs = BYTES_PER_PICTURE * len(drawn.cases)
    with workspace.new_version(target, again=again, needs=needs) as folder:
        protocol = write_booth(folder, material, drawn, engine=engine)
        write_sums(folder)
        seal = sha256_of(folder / SUMS)
    how = workspace.readers / DRAWN
    write_json(how, "drawn", how_drawn(drawn, material), made_from={"manifest": material.cases.sha256})
    protocol = replace(
        protocol,
        version=before.version + 1 if before else 1,
        replaces=before.sha256 if before else None,
        booth_sha256=seal,
        drawn_sha256=sha256_of(how),
    )
    write_protocol(path, protocol, made_from={"manifest": material.cases.sha256, "booth": seal})
    return tell_plan(protocol, drawn, material, wrote=path)


def score(
    workspace: Workspace, asked: Asked, *, name: str = "study", imrmc: bool = False, again: bool = False
) -> Finished:
    """Score readings: each reader, the mean reader, the network beside them, agreement, pace, votes and switches.

    Args:
        workspace: holds the dataset with the truth, the protocol and the bundle, as far as there are any.
        asked: where everything comes from.
        name: of this score, in ``5_readers/scores``.
        imrmc: whether to write the readings for iMRMC too.
        again: make a new version where there is one of this name.

    Raises:
        UserError: see `read_material`; there is such a score already, or no space left.
        SafetyRefusal: the protocol was changed after the first reading.
    """
    target = workspace.scores(name)
    workspace.refuse_to_overwrite(target, again=again)
    material = read_readings_material(workspace, asked)
    scores = scored(material, by=asked.by, count_further=asked.count_further)
    with workspace.new_version(target, again=again) as folder:
        write_scores(folder, name, material, scores)
        if imrmc:
            write_imrmc(folder / "imrmc", scores)
        write_sums(folder)
    return tell_scores(material, scores, wrote=target)


def score_votes(
    workspace: Workspace,
    groups: Sequence[str],
    *,
    network: str,
    out_of_fold: bool = False,
    case: str = "case_id",
    pictures: Path | None = None,
    name: str = "votes",
    again: bool = False,
) -> Finished:
    """Score votes that were counted per image, in one or more groups of readers, beside the network.

    Args:
        workspace: holds the dataset and the bundle.
        groups: ``NAME=FILE``, or ``NAME=OTHER-ANOTHER`` for the votes of a group without those of one within it.
        network: the bundle.
        out_of_fold: whether its answers to train and tune count, by members that never saw them, rather than the test.
        case: what the column of the images is called.
        pictures: the clinic's folder, where images are called as its files are.
        name: of this score, in ``5_readers/scores``.
        again: make a new version where there is one of this name.

    Raises:
        UserError: see `read_votes`, `scored_votes` and `named_network`; there is such a score already.
    """
    target = workspace.scores(name)
    workspace.refuse_to_overwrite(target, again=again)
    beside = read_votes_material(
        workspace, groups, network=network, out_of_fold=out_of_fold, case=case, pictures=pictures
    )
    say(f"{len(beside.groups)} groups of readers beside {network}")
    found = scored_votes(beside.groups, beside.network, beside.truth, between=beside.between)
    with workspace.new_version(target, again=again) as folder:
        write_scored_votes(
            folder,
            name,
            found,
            bundle=beside.network.bundle,
            pictures=beside.pictures,
            made_from=beside.made_from,
            source=beside.source,
            split=beside.network.predictions.split,
        )
        write_sums(folder)
    return tell_votes(found, wrote=target)


def _refuse_after_the_first_reading(folder: Path) -> None:
    begun = begun_under(folder)
    if begun is not None:
        what = f"somebody has read under protocol {begun[:12]}: it cannot change any more"
        mend = "go on with it, or plan another study in another --workspace; readings of two protocols are never mixed"
        raise SafetyRefusal(what, where=str(folder / PLAN), mend=mend)
