"""What is scored: readings, truth, network, and what is known of the readers. Files are read and checked here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from cutis.readers.cases import Cases, cases_at_home, cases_elsewhere, drawn_on, require_of
from cutis.readers.network import Network, read_network
from cutis.readers.protocol import PLAN, Protocol, read_protocol
from cutis.readers.scoring.table import Truth, require_sound
from cutis.readers.scoring.votes import LESS, Votes, less, names_of, read_votes, renamed
from cutis.runtime.bundle import OUT_OF_FOLD, read_bundle
from cutis.vocabulary.case import Manifest
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import sha256_of
from cutis.vocabulary.predictions import read_predictions
from cutis.vocabulary.pseudonyms import KEY_FILE, read_or_make_key
from cutis.vocabulary.reading import NONE_OF_THESE, Reading, read_readings, rows_of
from cutis.workspace import Workspace

READINGS, PROFILES = "readings.parquet", "readers.csv"
TRUTH = "truth"
CASE = "case"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Where everything comes from, and what of it is wanted."""

    readings: Path | None = None  # the booth's, if not given
    columns: Mapping[str, str] = field(default_factory=dict)  # what a CSV calls the fields of a reading, and the truth
    meaning: Mapping[str, str] = field(default_factory=dict)  # which code a word of it stands for
    on: Path | None = None  # another workspace, or its dataset, which the cases are from; where the study's are, else
    network: str | None = None  # the bundle; the protocol's, if not given
    out_of_fold: bool = False  # what the network said of cases of train and tune, each by a member that never saw it
    pictures: Path | None = None  # the clinic's folder, where cases are called as its files are
    profiles: Path | None = None  # the booth's, if not given and there
    by: str = "dermoscopy"  # the column of the profiles that makes groups
    count_further: bool = False  # whether a second and third choice count as said
    drop_without_truth: bool = False
    skip_unanswered: bool = False  # rows of a CSV without a diagnosis


@dataclass(frozen=True, kw_only=True)
class Material:
    """Everything that a score is made from, checked."""

    readings: tuple[Reading, ...]
    codes: tuple[str, ...]
    names: Mapping[str, str]
    truth: Truth
    protocol: Protocol | None
    network: Network | None
    profiles: Mapping[str, Mapping[str, str]]
    pictures: str  # how large the dataset's are, in words; "" where that is not known
    source: str
    on: str  # what another dataset is called; "" for the workspace's own
    where: str
    invented: bool
    dropped: dict[str, int]  # readings that do not count, by why
    made_from: dict[str, str]


def read_material(workspace: Workspace, asked: Asked) -> Material:
    """Read everything that a score of readings is made from.

    Raises:
        UserError: a file is missing or damaged; see `read_readings`, `require_sound`, `read_network`.
        SafetyRefusal: the protocol was changed after the first reading.
    """
    path = asked.readings or workspace.readers / READINGS
    columns = {name: called for name, called in asked.columns.items() if name != TRUTH}
    readings = read_readings(path, columns=columns, meaning=asked.meaning, skip_unanswered=asked.skip_unanswered)
    protocol = _protocol(workspace, readings, ours=asked.readings is None)
    told = asked.columns.get(TRUTH)
    _require_fitting(asked, told)
    cases = None if told else _cases(workspace, asked, protocol)
    if asked.pictures is not None:
        readings = _renamed(readings, case_ids_of(workspace, asked.pictures))
    truth = _truth_of(cases, workspace) if not told else _truth_beside(path, asked.columns, told, asked.meaning)
    practice = {case.case_id for case in protocol.cases if case.practice} if protocol else set()
    counting = tuple(reading for reading in readings if reading.case_id not in practice)
    codes = protocol.diagnoses if protocol else (cases.manifest.taxonomy.codes if cases else _codes(truth))
    sound = require_sound(
        counting,
        codes=codes,
        truth=truth,
        where=str(path),
        protocol_sha256=protocol.sha256 if protocol else None,
        drop_without_truth=asked.drop_without_truth,
    )
    network = _network(workspace, asked, protocol, cases) if cases else None
    profiles = asked.profiles or workspace.readers / PROFILES
    made_from = {"readings": sha256_of(path)}
    made_from |= {f"manifest of {cases.other.called}" if cases.other else "manifest": cases.sha256} if cases else {}
    made_from |= {"plan": sha256_of(workspace.readers / PLAN)} if protocol else {}
    made_from |= {"predictions": network.predictions_sha256} if network else {}
    return Material(
        readings=sound,
        codes=codes,
        names=protocol.names if protocol else _names(codes, cases),
        truth=truth,
        protocol=protocol,
        network=network,
        profiles=read_profiles(profiles) if asked.profiles or profiles.exists() else {},
        pictures=size_of_pictures(cases.manifest) if cases else "",
        source=cases.manifest.source if cases else path.name,
        on=cases.other.called if cases and cases.other else "",
        where=str(path),
        invented=bool(cases and cases.manifest.invented),
        dropped={
            "practice": len(readings) - len(counting),
            "case without truth": len(counting) - len(sound),
            "row without a diagnosis": len(rows_of(path)[1]) - len(readings) if asked.skip_unanswered else 0,
        },
        made_from=made_from,
    )


class VotesMaterial(NamedTuple):
    """Everything that a score of votes is made from."""

    groups: tuple[Votes, ...]
    between: tuple[tuple[str, str], ...]  # pairs of groups, where one was made by taking another away
    network: Network
    truth: Truth
    pictures: str  # how large the dataset's are, in words
    source: str
    made_from: dict[str, str]


def read_votes_material(
    workspace: Workspace,
    groups: Sequence[str],
    *,
    network: str,
    out_of_fold: bool,
    case: str,
    pictures: Path | None,
) -> VotesMaterial:
    """Read groups of votes, and the network beside them; see `cutis.readers.stage.score_votes`.

    Raises:
        UserError: see `read_votes`, `less` and `named_network`.
    """
    cases = cases_at_home(workspace)
    beside = named_network(workspace, network, cases, out_of_fold=out_of_fold)
    names = case_ids_of(workspace, pictures) if pictures else {}
    made_from = {"manifest": cases.sha256, "predictions": beside.predictions_sha256}
    found: dict[str, Votes] = {}
    between: list[tuple[str, str]] = []
    for name, value in names_of(groups):
        whole, minus, part = value.partition(LESS)
        if minus and whole in found and part in found:
            found[name] = less(name, found[whole], found[part])
            between.append((part, name))
            continue
        votes = read_votes(name, Path(value), cases.manifest.taxonomy, case=case)
        made_from[f"votes of {name}"] = sha256_of(Path(value))
        found[name] = renamed(votes, names)
    return VotesMaterial(
        groups=tuple(found.values()),
        between=tuple(between),
        network=beside,
        truth=_truth_of(cases, workspace),
        pictures=size_of_pictures(cases.manifest),
        source=cases.manifest.source,
        made_from=made_from,
    )


def case_ids_of(workspace: Workspace, pictures: Path) -> dict[str, str]:
    """Return the dataset's name of each picture of a clinic's folder, by the stem of its file.

    Raises:
        UserError: no such folder, or this workspace has not the key of the pseudonyms.
    """
    if not pictures.is_dir():
        raise UserError("there is no such folder", where=str(pictures), mend="check the path")
    if not (workspace.private / KEY_FILE).exists():
        mend = "score where the folder was curated, or call the cases as the dataset does"
        raise UserError("the key of the pseudonyms is not here", where=str(workspace.private), mend=mend)
    key, copies, found = read_or_make_key(workspace.private), dict[str, int](), {}
    for path in sorted(path for path in pictures.rglob("*") if path.is_file()):
        source = sha256_of(path)
        copies[source] = copies.get(source, 0) + 1
        found[path.stem] = key.pseudonym("case", source, str(copies[source]))
    return found


def size_of_pictures(manifest: Manifest) -> str:
    """Return how large most of the dataset's pictures are, in words; "" where it was not measured."""
    sizes = Counter((case.quality.width, case.quality.height) for case in manifest.cases if case.quality)
    if not sizes:
        return ""
    (width, height), count = sizes.most_common(1)[0]
    share = "" if count == sum(sizes.values()) else f" in {count:,} of {sum(sizes.values()):,}"
    return f"{width} × {height} pixels{share}"


def read_profiles(path: Path) -> dict[str, dict[str, str]]:
    """Return what is known of each reader: the cells of a CSV beside its column ``reader_id``.

    Raises:
        UserError: no such file, no such column, or a reader stands twice.
    """
    header, rows = rows_of(path)
    if "reader_id" not in header:
        mend = f"call the column of the readers so; its columns are: {', '.join(header)}"
        raise UserError("there is no column 'reader_id'", where=str(path), mend=mend)
    found: dict[str, dict[str, str]] = {}
    for where, row in rows:
        name = row.pop("reader_id")
        if name in found:
            raise UserError(f"reader {name!r} stands twice", where=where, mend="keep one row of each reader")
        found[name] = {what: cell for what, cell in row.items() if cell and what != "format"}
    return found


def _protocol(workspace: Workspace, readings: tuple[Reading, ...], *, ours: bool) -> Protocol | None:
    """Return the protocol where the readings are the booth's, or say that they were given under one."""
    path = workspace.readers / PLAN
    under = any(reading.protocol_sha256 is not None for reading in readings)
    return read_protocol(path) if path.exists() and (ours or under) else None


def _require_fitting(asked: Asked, told: str | None) -> None:
    """Refuse what another dataset cannot go with.

    Raises:
        UserError: see there.
    """
    if asked.on is None:
        return
    mends = {
        "the truth stands beside the readings": (told, "leave --on or --column truth=COLUMN out"),
        "the key of its pseudonyms lies in its own workspace": (asked.pictures, "call the cases as the dataset does"),
        "no network answered it out of fold": (asked.out_of_fold, "leave --out-of-fold out"),
    }
    for why, (given, mend) in mends.items():
        if given:
            raise UserError(f"--on names another dataset, and {why}", where="cutis readers score", mend=mend)


def _cases(workspace: Workspace, asked: Asked, protocol: Protocol | None) -> Cases | None:
    """Return the dataset with the truth; None where the workspace has none.

    Raises:
        UserError: see `cases_at_home`, `cases_elsewhere` and `drawn_on`.
        SafetyRefusal: it is not the one that the protocol names.
    """
    on = asked.on or (drawn_on(workspace) if protocol else None)
    if on is not None:
        name = asked.network or (protocol.network if protocol else workspace.only_bundle())
        cases = cases_elsewhere(read_bundle(workspace.bundle(name).resolve()), on)
    elif workspace.dataset.exists():
        cases = cases_at_home(workspace)
    else:
        return None
    if protocol:
        require_of(protocol, cases)
    return cases


def _truth_of(cases: Cases | None, workspace: Workspace) -> Truth:
    if cases is None:
        mend = "run cutis curate first, or say which column of the readings has it: --column truth=COLUMN"
        raise UserError("there is no dataset, and no truth beside the readings", where=str(workspace.root), mend=mend)
    manifest = cases.manifest
    settled = [case for case in manifest.cases if case.diagnosis is not None and case.indeterminate is None]
    return Truth(
        diagnosis={case.case_id: str(case.diagnosis) for case in settled},
        cluster={case.case_id: case.cluster_id for case in manifest.cases},
        cluster_kind=manifest.cluster_kind,
        where=cases.where,
    )


def _truth_beside(path: Path, columns: Mapping[str, str], told: str, meaning: Mapping[str, str]) -> Truth:
    """Return the truth that stands in a column of the readings.

    Raises:
        UserError: no such column, or a case has two truths.
    """
    header, rows = rows_of(path)
    named = columns.get("case_id", "case_id")
    if told not in header:
        mend = f"its columns are: {', '.join(header)}"
        raise UserError(f"there is no column {told!r}", where=str(path), mend=mend)
    diagnosis: dict[str, str] = {}
    cases: set[str] = set()
    for where, row in rows:
        case, code = row[named], meaning.get(row[told], row[told])
        cases.add(case)
        if code and diagnosis.setdefault(case, code) != code:
            what = f"case {case!r} has two truths: {diagnosis[case]!r} and {code!r}"
            raise UserError(what, where=where, mend="tell one in every row of a case")
    return Truth(diagnosis=diagnosis, cluster={case: case for case in cases}, cluster_kind=CASE, where=str(path))


def _codes(truth: Truth) -> tuple[str, ...]:
    """Return the diagnoses that some case has."""
    return tuple(sorted(set(truth.diagnosis.values()) - {NONE_OF_THESE}))


def _names(codes: tuple[str, ...], cases: Cases | None) -> dict[str, str]:
    known = {disease.code: disease.name for disease in cases.manifest.taxonomy.diseases} if cases else {}
    return {code: known.get(code, code) for code in codes}


def _renamed(readings: tuple[Reading, ...], case_ids: Mapping[str, str]) -> tuple[Reading, ...]:
    return tuple(
        replace(reading, case_id=case_ids.get(Path(reading.case_id).stem, reading.case_id)) for reading in readings
    )


def _network(workspace: Workspace, asked: Asked, protocol: Protocol | None, cases: Cases) -> Network | None:
    """Return the network that was asked for, or the protocol's; None where there is neither.

    Raises:
        UserError: see `read_network`; or it is not the one that the protocol names.
    """
    name = asked.network or (protocol.network if protocol else None)
    name = name or (workspace.only_bundle() if cases.other else None)
    if name is None:
        return None
    network = named_network(workspace, name, cases, out_of_fold=asked.out_of_fold)
    if protocol and network.bundle.weights_sha256 != protocol.network_sha256:
        what = f"{name!r} is not the network that the protocol names: its weights are others"
        mend = f"bring back {protocol.network!r} with weights {protocol.network_sha256[:12]}"
        raise UserError(what, where=str(workspace.bundle(name)), mend=mend)
    return network


def named_network(workspace: Workspace, name: str, cases: Cases, *, out_of_fold: bool) -> Network:
    """Return a bundle with what it said of the test split or of another dataset, or out of fold.

    Raises:
        UserError: it is missing or damaged, or was not cross-validated.
    """
    if not out_of_fold:
        on = Path(cases.other.where) if cases.other else None
        return read_network(workspace, name, manifest_sha256=cases.sha256, on=on)
    bundle = read_bundle(workspace.bundle(name).resolve())
    path = bundle.folder / OUT_OF_FOLD
    if not path.exists():
        mend = f"cutis train --name {name} --set cross_validate=true"
        raise UserError(f"{name} has no predictions out of fold", where=str(path), mend=mend)
    return Network(bundle=bundle, predictions=read_predictions(path), predictions_sha256=sha256_of(path))
