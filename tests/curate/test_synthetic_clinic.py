"""The invented clinic: reproducible, complete, dirty as told, and with its truth beside it."""

from __future__ import annotations

import hashlib
import json
import shutil
import tomllib
from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from PIL import Image, ImageOps

from cutis.curate.synthetic.clinic import invent_clinic
from cutis.curate.synthetic.metadata import NAME
from cutis.curate.synthetic.patients import HABITS, invite
from cutis.curate.synthetic.raters import RATERS
from cutis.imaging.decode import UnreadablePicture, carried_metadata, decode
from cutis.imaging.fingerprint import fingerprint, near_duplicates
from cutis.imaging.quality import measure_quality, unusable
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import read_json
from cutis.vocabulary.taxonomy import load_taxonomy

IMAGES, SIZE = 120, 128


@pytest.fixture(scope="module")
def clinic(tmp_path_factory):
    """A small clinic with every fault."""
    folder = tmp_path_factory.mktemp("toy") / "clinic"
    invent_clinic(folder, seed=3, images=IMAGES, size=SIZE, processes=1)
    return folder


@pytest.fixture(scope="module")
def table(clinic):
    """Its table."""
    return pd.read_excel(clinic / "export.xlsx")


@pytest.fixture(scope="module")
def truth(clinic):
    """What is true of it."""
    return read_json(clinic.with_name("clinic-truth") / "truth.json", "truth")


@pytest.fixture(scope="module")
def cases(clinic):
    """Its sound pictures with their true diagnoses."""
    return pq.read_table(clinic.with_name("clinic-truth") / "cases.parquet").to_pandas()


def faults_of(truth, *names):
    """The planted faults of these names, of which there must be some."""
    found = [fault for fault in truth["faults"] if fault["fault"] in names]
    assert found
    return found


def bytes_of(folder):
    """Every file of a folder with a hash of its bytes."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_same_seed_gives_the_same_bytes_in_any_number_of_processes(clinic, tmp_path):
    """Chance hangs on seed, patient, lesion and picture, never on the order of calls or on the clock."""
    again = tmp_path / "clinic"

    invent_clinic(again, seed=3, images=IMAGES, size=SIZE, processes=2)

    assert bytes_of(again) == bytes_of(clinic)
    assert bytes_of(tmp_path / "clinic-truth" / "masks") == bytes_of(clinic.with_name("clinic-truth") / "masks")


def test_no_two_photographs_bear_one_number():
    """Numbers run without a gap, so that copies are named after the last."""
    numbers = [photo.number for patient in invite(0, IMAGES) for spot in patient.spots for photo in spot.photographs]

    assert numbers == list(range(1, len(numbers) + 1))


def test_another_seed_gives_another_clinic():
    """No patient is the same."""
    first, second = invite(0, IMAGES), invite(1, IMAGES)

    assert not {patient.skin for patient in first} & {patient.skin for patient in second}


def test_a_clinic_of_full_size_has_every_diagnosis_often_enough_to_be_split():
    """295 patients, at least 16 of each of the fourteen, though some diagnoses are much more frequent than others."""
    patients_of = defaultdict(set)
    patients = invite(0, 760)
    for patient in patients:
        for spot in patient.spots:
            patients_of[spot.diagnosis].add(patient.number)

    counts = {code: len(seen) for code, seen in patients_of.items()}

    assert set(counts) == set(load_taxonomy("zhu14").codes) == set(HABITS)
    assert len(patients) == 295
    assert min(counts.values()) == 16
    assert max(counts.values()) > 2 * min(counts.values())


def test_as_many_sound_pictures_as_asked_for_lie_in_the_clinic_with_a_row_and_a_mask(clinic, table, cases):
    """Faults come on top, and nothing sound is without its row."""
    files = set(table["file"])

    assert len(cases) == IMAGES
    assert set(cases["diagnosis"]) == set(HABITS)
    assert set(cases["file"]) <= files
    assert all((clinic / file).is_file() for file in cases["file"])
    assert all((clinic.with_name("clinic-truth") / mask).is_file() for mask in cases["mask"])


def test_many_lesions_have_several_pictures_and_some_patients_several_lesions(cases):
    """Otherwise a split by image could not flatter."""
    assert (cases.groupby("lesion").size() > 1).sum() > 10
    assert (cases.drop_duplicates("lesion").groupby("patient").size() > 1).sum() > 3


def test_pictures_of_one_lesion_differ(clinic, cases):
    """Each is turned, shifted and lit in its own way, so that none is a duplicate of another."""
    prints = [fingerprint(decode(clinic / file)) for file in cases["file"]]

    assert near_duplicates(prints) == []


def test_no_truth_lies_inside_the_clinic(clinic, truth, cases):
    """Neither masks nor true diagnoses, nor a file that is neither picture, table nor clinic.toml."""
    kinds = {path.suffix for path in clinic.rglob("*") if path.is_file()}
    names = {path.name for path in clinic.iterdir() if path.is_file()}

    assert kinds == {".jpg", ".png", ".gif", ".xlsx", ".toml"}
    assert names == {"export.xlsx", "clinic.toml"}
    assert not any(code in file for file in cases["file"] for code in HABITS)


def test_clinic_toml_says_that_it_is_invented_and_maps_columns_that_exist(clinic, table):
    """It is the contract that curate reads."""
    about = tomllib.loads((clinic / "clinic.toml").read_text())

    mapped = [name for value in about["columns"].values() for name in (value if isinstance(value, list) else [value])]

    assert about["invented"] is True
    assert about["licence"] == "CC0-1.0"
    assert set(mapped) == set(table.columns)


def test_every_label_of_the_table_is_known_but_those_planted(clinic, table, truth):
    """Each rater writes in a manner of their own, and clinic.toml translates what the taxonomy does not know."""
    labels = {word.casefold() for word in tomllib.loads((clinic / "clinic.toml").read_text())["labels"]}
    taxonomy = load_taxonomy("zhu14")
    unknown = {fault["file"] for fault in faults_of(truth, "unknown diagnosis")}

    is_unknown = table["file"].isin(unknown)
    said = table[~is_unknown][[*RATERS, "adjudicator", "histology"]].melt()["value"].dropna().unique()
    foreign = table[is_unknown][list(RATERS)].melt()["value"].unique()

    assert all(taxonomy.find(word) or word.casefold() in labels for word in said)
    assert not any(taxonomy.find(word) or word.casefold() in labels for word in foreign)
    assert len(faults_of(truth, "unknown diagnosis")) == 3


def test_raters_disagree_now_and_then_and_some_ties_stay_open(table, truth):
    """Some are settled by an adjudicator, some by histology, some by nobody."""
    taxonomy = load_taxonomy("zhu14")
    called = table.set_index("file")
    opened = faults_of(truth, "three opinions, nobody settles it", "two opinions, nobody settles it")
    settled = faults_of(truth, "three opinions, the adjudicator settles it")
    overridden = faults_of(truth, "histology overrides the votes")

    assert {fault["file"] for fault in settled} <= set(called.index[called["adjudicator"].notna()])
    assert all(pd.isna(called.loc[fault["file"], ["adjudicator", "histology"]]).all() for fault in opened)
    assert all(fault["expected"] == {"indeterminate": "unresolved votes"} for fault in opened)
    for fault in overridden:
        row, code = called.loc[fault["file"]], fault["expected"]["diagnosis"]
        assert taxonomy.find(row["histology"]) == code
        assert taxonomy.find(row["dr_a"]) == taxonomy.find(row["dr_b"]) != code


def test_every_fault_names_its_row(table, truth):
    """The row of the sheet, as a spreadsheet counts."""
    for fault in truth["faults"]:
        if fault["row"] is None:
            assert fault["fault"] == "file without a row"
            assert fault["file"] not in set(table["file"])
        else:
            assert table["file"].iloc[fault["row"] - 2] == fault["file"]


def test_what_is_no_picture_is_refused_for_the_reason_told(clinic, truth):
    """Texts, torn files and foreign formats."""
    for fault in faults_of(truth, "text named .jpg", "truncated JPEG", "GIF"):
        with pytest.raises(UnreadablePicture) as refused:
            decode(clinic / fault["file"])

        assert refused.value.reason == fault["expected"]["rejected"]


def test_black_and_tiny_pictures_cannot_be_used(clinic, truth):
    """They hold nothing to see."""
    for fault in faults_of(truth, "black picture", "tiny picture"):
        assert unusable(measure_quality(decode(clinic / fault["file"]))) == fault["expected"]["rejected"]


def test_spoilt_pictures_earn_their_mark_and_sound_ones_none(clinic, truth, cases):
    """Blurred, dark and bright are measured as such."""
    for fault in faults_of(truth, "blurred", "dark", "bright"):
        assert fault["expected"]["mark"] in measure_quality(decode(clinic / fault["file"])).marks
    for file in cases["file"][::4]:
        assert measure_quality(decode(clinic / file)).marks == ()


def test_duplicates_are_found_where_they_were_planted(clinic, truth):
    """Exact ones by their bytes, near ones by what they show."""
    for fault in faults_of(truth, "exact duplicate"):
        original = clinic / fault["expected"]["duplicate_of"]
        assert (clinic / fault["file"]).read_bytes() == original.read_bytes()
    for fault in faults_of(truth, "near-duplicate", "contradicting labels"):
        pair = [clinic / fault["file"], clinic / fault["expected"]["duplicate_of"]]
        assert pair[0].read_bytes() != pair[1].read_bytes()
        assert near_duplicates([fingerprint(decode(path)) for path in pair]) == [(0, 1)]


def test_some_duplicates_belong_to_another_patient_and_some_bear_another_name(table, truth):
    """The leaks that a split must survive."""
    rows = table.set_index("file")
    pairs = [
        (rows.loc[fault["file"]], rows.loc[fault["expected"]["duplicate_of"]])
        for fault in faults_of(truth, "exact duplicate", "near-duplicate")
    ]
    contradictions = faults_of(truth, "contradicting labels")

    assert sum(copy["patient_no"] != original["patient_no"] for copy, original in pairs) == 5
    for fault in contradictions:
        copy, original = rows.loc[fault["file"]], rows.loc[fault["expected"]["duplicate_of"]]
        assert all(copy[rater] != original[rater] for rater in RATERS)


def test_rows_without_a_file_and_files_without_a_row_are_as_told(clinic, table, truth):
    """Both kinds are there."""
    for fault in faults_of(truth, "row without a file"):
        assert not (clinic / fault["file"]).exists()
    for fault in faults_of(truth, "file without a row"):
        assert (clinic / fault["file"]).is_file()
    on_disk = {path.relative_to(clinic).as_posix() for path in clinic.glob("P*/*")}
    assert on_disk - set(table["file"]) == {fault["file"] for fault in faults_of(truth, "file without a row")}


def test_the_invented_name_is_carried_where_it_was_planted_and_nowhere_else(clinic, truth):
    """In EXIF, in XMP and in the text of PNG files."""
    planted = {fault["file"]: fault["expected"] for fault in truth["faults"] if "token" in fault["expected"]}

    carrying = {
        path.relative_to(clinic).as_posix() for path in clinic.glob("P*/*") if NAME.encode() in path.read_bytes()
    }

    assert carrying == set(planted)
    for file, expected in planted.items():
        assert expected["stripped"] in carried_metadata(clinic / file)


def test_pictures_that_lie_on_their_side_are_upright_with_their_mask_after_exif(clinic, truth, cases):
    """The mask belongs to the picture as a viewer shows it."""
    masks = cases.set_index("file")["mask"]
    for fault in faults_of(truth, "turned by EXIF"):
        with Image.open(clinic / fault["file"]) as stored:
            assert stored.getexif()[274] in {3, 6, 8}
            upright = ImageOps.exif_transpose(stored)
        with Image.open(clinic.with_name("clinic-truth") / masks[fault["file"]]) as mask:
            assert mask.size == upright.size


def test_masks_lie_where_something_is_drawn(clinic, truth, cases):
    """Lacunae of a hemangioma are redder than what lies outside of the lesion, on every skin."""
    legend = {name: int(value) for value, name in truth["legend"]["Hem"].items()}
    for case in cases[cases["diagnosis"] == "Hem"].itertuples():
        bits = np.asarray(Image.open(clinic.with_name("clinic-truth") / case.mask))
        colours = np.asarray(decode(clinic / case.file), dtype=float)
        redness = colours[..., 0] / (colours.sum(axis=2) + 1)

        inside = redness[(bits & legend["lacunae"]) > 0]
        outside = redness[(bits == 0) & (colours.sum(axis=2) > 150)]

        assert inside.mean() > outside.mean() + 0.01


def test_the_legend_has_one_bit_for_every_sign(truth):
    """No two signs of a diagnosis share a bit, and all fit into 8."""
    for code in HABITS:
        values = [int(value) for value in truth["legend"][code]]

        assert len(set(values)) == len(values)
        assert all(value in {1 << bit for bit in range(8)} for value in values)


def test_a_folder_that_holds_something_else_is_never_touched(tmp_path):
    """Not even with --again."""
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "holiday.jpg").write_bytes(b"dear")

    with pytest.raises(UserError, match="something else"):
        invent_clinic(folder, images=IMAGES, size=SIZE, again=True, processes=1)

    assert (folder / "holiday.jpg").read_bytes() == b"dear"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photos"]


def test_an_invented_clinic_is_replaced_only_when_told(clinic):
    """Without --again it stays as it is."""
    before = bytes_of(clinic)

    with pytest.raises(UserError, match="invented clinic here"):
        invent_clinic(clinic, seed=4, images=IMAGES, size=SIZE, processes=1)

    assert bytes_of(clinic) == before


def test_again_replaces_an_invented_clinic_and_leaves_nothing_aside(clinic, tmp_path):
    """The new one stands in the place of the old, and its truth too."""
    folder = tmp_path / "clinic"
    shutil.copytree(clinic, folder)
    shutil.copytree(clinic.with_name("clinic-truth"), tmp_path / "clinic-truth")

    finished = invent_clinic(folder, seed=1, images=IMAGES, size=96, again=True, processes=1)

    assert read_json(tmp_path / "clinic-truth" / "truth.json", "truth")["seed"] == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clinic", "clinic-truth"]
    assert finished.next_command == f"cutis curate {folder}"
    assert json.dumps(finished.facts)


def test_a_clinic_may_be_invented_here_and_its_name_may_hold_a_space(tmp_path, monkeypatch):
    """The next command can be typed as it stands."""
    (tmp_path / "my clinic").mkdir()
    monkeypatch.chdir(tmp_path / "my clinic")

    here = invent_clinic(Path(), images=IMAGES, size=96, processes=1)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["my clinic", "my clinic-truth"]
    assert here.next_command == f"cutis curate '{tmp_path / 'my clinic'}'"


def test_a_failure_leaves_nothing_half_written(tmp_path, monkeypatch):
    """Both folders are written aside first."""

    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cutis.curate.synthetic.clinic.write_export", full)

    with pytest.raises(UserError, match="no space left"):
        invent_clinic(tmp_path / "clinic", images=IMAGES, size=96, processes=1)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("wish", [{"images": 40}, {"size": 32}])
def test_a_clinic_too_small_for_its_faults_is_refused(tmp_path, wish):
    """The error names the least that is possible."""
    with pytest.raises(UserError, match="at least 120 images of 96 pixels"):
        invent_clinic(tmp_path / "clinic", **wish)
