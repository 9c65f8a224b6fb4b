"""`cutis toy`: an invented clinic's folder, with all its dirt, and the truth of it in a folder beside."""

from __future__ import annotations

import shlex
import shutil
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from cutis.curate.synthetic.dirt import Fault, spoil
from cutis.curate.synthetic.export import FIRST_ROW, SOURCE, Row, row_of, write_export
from cutis.curate.synthetic.lesions import SIGNS
from cutis.curate.synthetic.metadata import NAME
from cutis.curate.synthetic.patients import Patient, Photograph, Spot, invite
from cutis.curate.synthetic.raters import Verdict, verdicts
from cutis.curate.synthetic.session import HAIR_BIT, OUTLINE_BIT, Session, photograph
from cutis.progress import track_parallel
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import write_json, write_table
from cutis.vocabulary.taxonomy import Taxonomy, load_taxonomy
from cutis.workspace import Finished, folder_aside, no_space_left_is_a_user_error, require_room

FEWEST_IMAGES = 120  # fewer could not hold every fault
SMALLEST = 96  # pixels: on less no sign is seen
BYTES_PER_PIXEL = 3  # of a picture with its mask on the disk, at most
TRUTH = "truth.json"

MARKED = ("blurred", "dark", "bright")
CARRIED_AS = {"name in EXIF": "exif", "name in XMP": "xmp", "name in PNG text": "text"}


def invent_clinic(
    folder: Path,
    *,
    seed: int = 0,
    images: int = 760,
    size: int = 256,
    again: bool = False,
    processes: int | None = None,
) -> Finished:
    """Write a clinic of `images` sound pictures, `size` pixels high, and its faults beyond; the same for one seed.

    Raises:
        UserError: the folder holds something already, or too few or too small images are asked for.
    """
    folder = folder if folder.name else folder.absolute()  # where somebody says "."
    truth_folder = folder.with_name(f"{folder.name}-truth")
    _check(folder, truth_folder, images=images, size=size, again=again)
    taxonomy = load_taxonomy("zhu14")
    patients = invite(seed, images)
    with _aside(folder, truth_folder, needs=images * size * size * BYTES_PER_PIXEL) as (clinic, truth):
        sessions = [Session(seed, patient, size, clinic, truth) for patient in patients]
        taken = sum(track_parallel(photograph, sessions, "photographing invented patients", processes=processes))
        said = verdicts(seed, patients)
        rows, faults = _with_dirt(clinic, patients, said, seed=seed, first=taken + 1, taxonomy=taxonomy)
        write_export(clinic, rows, seed=seed)
        _write_truth(truth, patients, faults, seed=seed)
    return _finished(folder, truth_folder, patients, faults)


def _check(folder: Path, truth_folder: Path, *, images: int, size: int, again: bool) -> None:
    if images < FEWEST_IMAGES or size < SMALLEST:
        what = f"a clinic of {images} images of {size} pixels is too small"
        mend = f"ask for at least {FEWEST_IMAGES} images of {SMALLEST} pixels"
        raise UserError(what, where="--images, --size", mend=mend)
    if not folder.parent.is_dir():
        raise UserError("there is no such folder", where=str(folder.parent), mend="make it first")
    for taken in (folder, truth_folder):
        if not taken.exists() or (taken.is_dir() and not any(taken.iterdir())):
            continue
        if not _is_ours(taken):
            raise UserError("this folder holds something else", where=str(taken), mend="choose a new folder")
        if not again:
            raise UserError(
                "there is an invented clinic here", where=str(taken), mend="add --again to invent it anew, in its place"
            )


def _is_ours(folder: Path) -> bool:
    """Whether cutis toy wrote this folder."""
    if (folder / TRUTH).is_file():
        return True
    try:
        about = tomllib.loads((folder / "clinic.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return about.get("invented") is True and str(about.get("source", "")).startswith(SOURCE)


@contextmanager
def _aside(folder: Path, truth_folder: Path, *, needs: int) -> Iterator[tuple[Path, Path]]:
    """Lend two empty folders; when all goes well they take the place of these two, else they are removed."""
    with no_space_left_is_a_user_error(folder.parent):
        require_room(folder.parent, needs)
        aside = folder_aside(folder.parent)
        try:
            clinic, truth, old = (aside / name for name in ("clinic", "truth", "old"))
            for lent in (clinic, truth, old):
                lent.mkdir()
            yield clinic, truth
            for path, new in ((folder, clinic), (truth_folder, truth)):
                if path.exists():
                    path.rename(old / path.name)
                new.rename(path)
        finally:
            shutil.rmtree(aside, ignore_errors=True)


def _with_dirt(
    clinic: Path,
    patients: Sequence[Patient],
    said: dict[int, Verdict],
    *,
    seed: int,
    first: int,
    taxonomy: Taxonomy,
) -> tuple[list[Row], list[Fault]]:
    """Return the rows of the table in order, and every fault with its row."""
    rows: list[Row] = []
    faults: list[Fault] = []
    plain: list[Row] = []
    for patient, spot, photo in _photographs(patients):
        verdict = said.get(spot.number)
        faults += _planted(spot, photo, verdict)
        if photo.fault == "no row for this file":
            continue
        row = row_of(patient, spot, photo, verdict=verdict, taxonomy=taxonomy)
        rows.append(row)
        if photo.fault is None and verdict and verdict.plain:
            plain.append(row)
    dirt = spoil(clinic, plain, seed=seed, first=first, taxonomy=taxonomy)
    rows = sorted(rows + [spoilt.row for spoilt in dirt], key=lambda row: str(row["file"]))
    places = {str(row["file"]): place for place, row in enumerate(rows, start=FIRST_ROW)}
    faults += [spoilt.fault for spoilt in dirt]
    return rows, [replace(fault, row=places.get(fault.file)) for fault in faults]


def _planted(spot: Spot, photo: Photograph, verdict: Verdict | None) -> Iterator[Fault]:
    """What is wrong with one photograph and with what is said of it."""
    fault = photo.fault
    if spot.called:
        yield Fault("unknown diagnosis", photo.file, {"rejected": "unknown diagnosis"})
    if fault in MARKED:
        yield Fault(fault, photo.file, {"mark": fault})
    if fault == "no row for this file":
        yield Fault("file without a row", photo.file, {"rejected": fault})
    if fault in CARRIED_AS:
        yield Fault(fault, photo.file, {"stripped": CARRIED_AS[fault], "token": NAME})
    if fault == "turned by EXIF":
        yield Fault(fault, photo.file, {"upright": True, "stripped": "exif"})
    if verdict and verdict.story and not photo.spoilt:
        yield Fault(verdict.story, photo.file, verdict.expected)


def _write_truth(truth: Path, patients: Sequence[Patient], faults: Sequence[Fault], *, seed: int) -> None:
    cases = [
        {
            "file": photo.file,
            "mask": str(Path("masks", photo.file).with_suffix(".png")),
            "patient": patient.folder,
            "lesion": f"L{spot.number:04d}",
            "diagnosis": spot.diagnosis,
            "device": spot.device.name,
            "skin_tone": patient.skin.tone,
        }
        for patient, spot, photo in _photographs(patients)
        if spot.called is None and not photo.spoilt
    ]
    columns = {name: [case[name] for case in cases] for name in cases[0]}
    write_table(truth / "cases.parquet", "truth", columns, about={"seed": seed})
    legend = {code: {str(1 << bit): name for bit, name in _bits(names)} for code, names in SIGNS.items()}
    content = {
        "seed": seed,
        "faults": [asdict(fault) for fault in faults],
        "counts": dict(sorted(Counter(fault.fault for fault in faults).items())),
        "legend": legend,
        "frame": "masks lie in the frame of the upright picture, after EXIF's orientation",
    }
    write_json(truth / TRUTH, "truth", content)


def _bits(names: Sequence[str]) -> list[tuple[int, str]]:
    return [(OUTLINE_BIT, "lesion"), *enumerate(names, start=OUTLINE_BIT + 1), (HAIR_BIT, "hair")]


def _photographs(patients: Sequence[Patient]) -> Iterator[tuple[Patient, Spot, Photograph]]:
    for patient in patients:
        for spot in patient.spots:
            for photo in spot.photographs:
                yield patient, spot, photo


def _finished(folder: Path, truth_folder: Path, patients: Sequence[Patient], faults: Sequence[Fault]) -> Finished:
    sound = [spot.diagnosis for _, spot, photo in _photographs(patients) if spot.called is None and not photo.spoilt]
    lesions = sum(len(patient.spots) for patient in patients)
    facts: dict[str, Any] = {
        "images": len(sound),
        "patients": len(patients),
        "lesions": lesions,
        "images_by_diagnosis": dict(sorted(Counter(sound).items())),
        "faults": dict(sorted(Counter(fault.fault for fault in faults).items())),
        "truth": str(truth_folder),
    }
    lines = (
        f"{len(sound)} sound pictures of {lesions} lesions of {len(patients)} invented patients",
        f"{len(faults)} faults planted, as a clinic has them; the truth lies in {truth_folder}",
    )
    return Finished(wrote=folder, lines=lines, facts=facts, next_command=f"cutis curate {shlex.quote(str(folder))}")
