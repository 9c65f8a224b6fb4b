"""The invented clinic is curated, and each fault that was planted in it is looked for by its truth."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image

from cutis.curate.stage import curate
from cutis.curate.synthetic.clinic import invent_clinic
from cutis.imaging.decode import carried_metadata, decode
from cutis.vocabulary.case import Case, read_manifest
from cutis.vocabulary.files import read_json, sha256_of
from cutis.vocabulary.pseudonyms import read_or_make_key
from cutis.workspace import Workspace

SMALL, OF_THE_DEMO = (240, 128), (760, 256)  # images, pixels


class Curated(NamedTuple):
    """A clinic with its truth, and what became of each of its files."""

    clinic: Path
    dataset: Path
    faults: list[dict[str, Any]]
    rejected: dict[str, str]  # file → reason
    cases: dict[str, Case]  # file → case


@pytest.fixture(scope="module", params=[SMALL, pytest.param(OF_THE_DEMO, marks=pytest.mark.slow)], ids=str)
def curated(tmp_path_factory, request):
    """Small pictures, and just enough patients of each diagnosis; or the clinic that `make demo` goes through."""
    folder = tmp_path_factory.mktemp("toy")
    clinic, workspace = folder / "clinic", Workspace(folder / "work")
    images, size = request.param
    invent_clinic(clinic, images=images, size=size, processes=1)
    curate(clinic, workspace)
    with (workspace.dataset / "rejected.csv").open(encoding="utf-8") as file:
        rejected = {row["file"]: row["reason"] for row in csv.DictReader(file)}
    truth = read_json(folder / "clinic-truth" / "truth.json", "truth")
    return Curated(clinic, workspace.dataset, truth["faults"], rejected, cases_by_file(clinic, workspace, rejected))


def cases_by_file(clinic, workspace, rejected):
    """Find the case of each file as only the holder of the key can."""
    key, copies, found = read_or_make_key(workspace.private), Counter(), {}
    by_id = {case.case_id: case for case in read_manifest(workspace.dataset / "manifest.parquet").cases}
    for path in sorted(path for path in clinic.rglob("*") if path.suffix in {".jpg", ".png"}):
        name, content = path.relative_to(clinic).as_posix(), sha256_of(path)
        if name not in rejected:
            copies[content] += 1
            found[name] = by_id[key.pseudonym("case", content, str(copies[content]))]
    assert len(found) == len(by_id)
    return found


def expecting(curated, what):
    """Return the faults that must come to light in this way, at least one."""
    faults = [fault for fault in curated.faults if what in fault["expected"]]
    assert faults
    return faults


@pytest.mark.parametrize(
    "reason",
    [
        *("not an image", "truncated", "unsupported format", "tiny", "black", "unknown diagnosis"),
        *("no file for this row", "no row for this file"),
    ],
)
def test_each_file_and_row_that_must_go_is_rejected_under_its_own_reason(curated, reason):
    """Those that were planted under this reason, and no other."""
    planted = {fault["file"] for fault in expecting(curated, "rejected") if fault["expected"]["rejected"] == reason}

    assert planted
    assert {file for file, why in curated.rejected.items() if why == reason} == planted


@pytest.mark.parametrize("mark", ["blurred", "dark", "bright"])
def test_each_poor_picture_is_marked_and_kept(curated, mark):
    """And no sound one is marked."""
    planted = {fault["file"] for fault in expecting(curated, "mark") if fault["expected"]["mark"] == mark}

    assert planted
    assert {file for file, case in curated.cases.items() if mark in case.quality.marks} == planted


def test_a_blurred_picture_is_indeterminate(curated):
    """Too poor to train on, and not hidden."""
    blurred = [fault["file"] for fault in expecting(curated, "mark") if fault["expected"]["mark"] == "blurred"]

    assert all(curated.cases[file].indeterminate for file in blurred)


def test_each_duplicate_is_found_with_its_original(curated):
    """Exact and near, also in another patient's folder; both are in one split."""
    pairs = [
        (curated.cases[fault["file"]], curated.cases[fault["expected"]["duplicate_of"]])
        for fault in expecting(curated, "duplicate_of")
    ]

    assert all(copy.duplicate_group and copy.duplicate_group == original.duplicate_group for copy, original in pairs)
    assert all((copy.split, copy.fold) == (original.split, original.fold) for copy, original in pairs)


def test_no_sound_picture_is_called_a_duplicate(curated):
    """A fault is found where it is and nowhere else."""
    planted = {fault["file"] for fault in curated.faults if fault["fault"] in {"blurred", "dark", "bright"}}
    for fault in expecting(curated, "duplicate_of"):
        planted |= {fault["file"], fault["expected"]["duplicate_of"]}

    assert {file for file, case in curated.cases.items() if case.duplicate_group} <= planted


@pytest.mark.parametrize("what", ["indeterminate", "diagnosis", "confirmed_by"])
def test_each_disagreement_ends_as_it_must(curated, what):
    """Settled by histology or adjudicator, or left open in sight."""
    wrong = [
        fault
        for fault in expecting(curated, what)
        if getattr(curated.cases[fault["file"]], what) != fault["expected"][what]
    ]

    assert wrong == []


def test_every_name_that_was_carried_is_stripped_and_counted(curated):
    """The token is in the clinic's files, and nowhere in the dataset."""
    carriers = expecting(curated, "stripped")
    token = next(fault["expected"]["token"] for fault in carriers if "token" in fault["expected"]).encode()
    named = {fault["file"] for fault in carriers if "token" in fault["expected"]}
    card = read_json(curated.dataset / "card.json", "card")

    assert all(token in (curated.clinic / file).read_bytes() for file in named)
    assert not [path for path in curated.dataset.rglob("*") if path.is_file() and token in path.read_bytes()]
    assert not any(carried_metadata(path) for path in (curated.dataset / "images").iterdir())
    for kind, planted in Counter(fault["expected"]["stripped"] for fault in carriers).items():
        assert card["metadata_stripped"]["kinds"][kind] >= planted


def test_a_picture_that_was_turned_by_exif_stands_upright(curated):
    """It is written as it is seen."""
    for fault in expecting(curated, "upright"):
        before = np.asarray(decode(curated.clinic / fault["file"]), float)
        after = np.asarray(Image.open(curated.dataset / curated.cases[fault["file"]].image), float)

        assert np.sqrt(np.mean((before - after) ** 2)) < 5


def test_nothing_sound_is_rejected_or_held_back(curated):
    """What no fault was planted in is a settled case of its diagnosis, whatever lies beside it."""
    faulty = {fault["file"] for fault in curated.faults}
    faulty |= {fault["expected"]["duplicate_of"] for fault in expecting(curated, "duplicate_of")}
    sound = {
        path.relative_to(curated.clinic).as_posix()
        for path in curated.clinic.rglob("*")
        if path.suffix in {".jpg", ".png", ".gif"}
    } - faulty

    assert not sound & curated.rejected.keys()
    assert [file for file in sorted(sound) if curated.cases[file].indeterminate] == []
    assert all(curated.cases[file].diagnosis for file in sound)


def test_every_row_of_the_toy_clinic_is_accounted_for(curated):
    """Rows in = kept + rejected; three files without a row beside them."""
    card = read_json(curated.dataset / "card.json", "card")

    assert card["rows"]["in"] == card["rows"]["kept"] + card["rows"]["rejected"]
    assert card["rows"]["kept"] == len(curated.cases)
    assert card["rows"]["rejected"] + card["files_without_a_row"] == len(curated.rejected)
    assert card["invented"] is True
