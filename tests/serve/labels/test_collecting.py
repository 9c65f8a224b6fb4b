"""From labels in a clinic to the dataset of the next network."""

from __future__ import annotations

import csv
import os
import time
import tomllib

import pytest

from clinic_pasts import said_to_be
from clinics import a_jpeg
from cutis.curate.stage import curate
from cutis.serve.journal import Kind, entries
from cutis.serve.labels import collecting
from cutis.serve.labels.collecting import FOLDERS, export_labels, forget_erased
from cutis.serve.labels.folder import taxonomy_text
from cutis.serve.record.erasure import erase_case
from cutis.serve.record.examinations import Part
from cutis.serve.upkeep import keep_up
from cutis.vocabulary.case import read_manifest
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import read_toml
from cutis.vocabulary.taxonomy import load_taxonomy, taxonomy_from
from cutis.workspace import ABANDONED, ASIDE, Workspace
from factories import a_picture


def export(past, folder):
    """Write the labels of a clinic."""
    release = past.clinic.answerer.release
    return export_labels(
        past.knocked.ground.database, past.clinic.vault, release.bundle, folder, by="curator", now=past.now
    )


def pictures(number):
    """A picture that is like no other."""
    import io

    written = io.BytesIO()
    a_picture(width=320, height=240, seed=1000 + number).save(written, "JPEG", quality=92)
    return {Part.PICTURE: [written.getvalue()], Part.THUMBNAIL: [a_jpeg()]}


def rows_of(folder):
    """The table, a dictionary a row."""
    with (folder / "labels.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_curate_reads_the_folder_and_holds_its_labels(past, tmp_path):
    """Histology and the majority of blind raters are in the dataset; what was aided is nowhere in it."""
    wanted = {}
    for number in range(36):
        code = "abc"[number % 3]
        made = past.asked(said_to_be("a"), parts=pictures(number), device="Lens A", accession=f"2027-{number:04d}")
        if number % 2:
            past.histology(made, code)
        else:
            past.label(made, code, by="one")
            past.label(made, code, by="two")
            past.label(made, "a", by="three")
        wanted[made.case_id] = (code, "histology" if number % 2 else "majority")
    aided = past.asked(parts=pictures(99), shown_to="doctor")
    past.label(aided, "b", by="doctor")

    export(past, tmp_path / "labels")
    workspace = Workspace(tmp_path / "work")
    curate(tmp_path / "labels", workspace)

    manifest = read_manifest(workspace.dataset / "manifest.parquet")
    rows = rows_of(tmp_path / "labels")
    assert len(manifest) == 36
    assert {(case.diagnosis, case.confirmed_by) for case in manifest.cases} == set(wanted.values())
    assert sorted((row["diagnosis"], row["confirmed_by"]) for row in rows) == sorted(wanted.values())
    assert {row["lesion"] for row in rows} == set(wanted)
    assert {case.device for case in manifest.cases} == {"Lens A"}
    assert all(case.lesion_id for case in manifest.cases)
    assert aided.id not in (tmp_path / "labels" / "labels.csv").read_text()
    assert manifest.taxonomy.codes == ("a", "b", "c")
    everything = b"".join(path.read_bytes() for path in (tmp_path / "labels").rglob("*") if path.is_file())
    assert b"2027-00" not in everything


def test_a_diagnosis_that_the_release_does_not_know_is_left_out_by_name(small_past, tmp_path):
    """It stands in the table, so that a larger taxonomy can take it up; curate rejects it with its reason."""
    for number in range(12):
        small_past.histology(small_past.asked(parts=pictures(number)), "abc"[number % 3])
    strange = small_past.asked(parts=pictures(50))
    small_past.histology(strange, None, other="Kaposi sarcoma", is_malignant=True)

    export(small_past, tmp_path / "labels")
    workspace = Workspace(tmp_path / "work")
    curate(tmp_path / "labels", workspace)

    assert tomllib.loads((tmp_path / "labels" / "clinic.toml").read_text())["leave_out"] == ["Kaposi sarcoma"]
    assert len(read_manifest(workspace.dataset / "manifest.parquet")) == 12
    assert "left out" in (workspace.dataset / "rejected.csv").read_text()


def test_each_rater_has_a_column_of_their_own(small_past, tmp_path):
    """Which account it is, the folder does not say."""
    one, two = small_past.asked(parts=pictures(1)), small_past.asked(parts=pictures(2))
    small_past.label(one, "a", by="1" * 32)
    small_past.label(one, "b", by="2" * 32)
    small_past.label(two, "c", by="2" * 32)

    written = export(small_past, tmp_path / "labels")

    rows = {row["lesion"]: row for row in rows_of(tmp_path / "labels")}
    assert (rows[one.case_id]["rater_1"], rows[one.case_id]["rater_2"]) == ("a", "b")
    assert (rows[two.case_id]["rater_1"], rows[two.case_id]["rater_2"]) == ("", "c")
    assert rows[one.case_id]["diagnosis"] == ""
    assert written.raters == 2
    assert "1" * 32 not in (tmp_path / "labels" / "labels.csv").read_text()


def test_that_pictures_left_the_record_stands_in_the_journal(past, tmp_path):
    """With how many there were, and who wanted them."""
    past.label(past.asked(), "a")

    export(past, tmp_path / "labels")

    with past.knocked.ground.database.reading() as connection:
        told = [(each.by, each.content) for each in entries(connection, kinds=(Kind.ACCESS,))]
    assert told == [("curator", {"what": "labels", "examinations": 1, "pictures": 1})]


def test_it_stands_there_before_the_first_picture_is_written(past, tmp_path, monkeypatch):
    """A kill while the folder is written leaves no pictures that nobody knows of."""
    past.label(past.asked(), "a")

    def killed(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(collecting, "write_labels", killed)
    with pytest.raises(KeyboardInterrupt):
        export(past, tmp_path / "labels")

    with past.knocked.ground.database.reading() as connection:
        told = [each.content for each in entries(connection, kinds=(Kind.ACCESS,))]
    assert told == [{"what": "labels", "examinations": 1, "pictures": 1}]


def test_no_cell_is_a_formula(small_past, tmp_path):
    """Whatever a device or a diagnosis is called."""
    made = small_past.asked(device='=HYPERLINK("http://x")')
    small_past.label(made, None, other="@wart")

    export(small_past, tmp_path / "labels")

    (row,) = rows_of(tmp_path / "labels")
    assert (row["device"], row["diagnosis"], row["rater_1"]) == ('HYPERLINK("http://x")', "wart", "wart")
    assert tomllib.loads((tmp_path / "labels" / "clinic.toml").read_text())["leave_out"] == ["wart"]


def test_an_erased_case_is_taken_out_of_what_was_written(past):
    """Pictures and row, by the next round of upkeep; the other cases stay, and curate still reads the folder."""
    kept, gone = past.asked(), past.asked()
    for made in (kept, gone):
        past.label(made, "a")
    settings, ground = past.clinic.settings, past.knocked.ground
    folder = settings.folder / FOLDERS / "2027-01-15"
    export(past, folder)
    assert forget_erased(ground.database, settings.folder) == 0
    why = {"by": "boss", "reason": "asked", "now": past.now}
    erase_case(ground.database, past.clinic.vault, settings.journal_folder, gone.case_id, **why)

    keep_up(past.clinic, ground)

    assert [row["lesion"] for row in rows_of(folder)] == [kept.case_id]
    assert [path.name for path in (folder / "pictures").iterdir()] == [f"{kept.id}-0.jpg"]
    assert forget_erased(ground.database, settings.folder) == 0


def test_what_a_kill_left_unfinished_is_removed(small_past):
    """Its pictures have no table yet by which an erased case could be found; what is being written stays."""
    labels = small_past.clinic.settings.folder / FOLDERS
    for name in ("left", "busy"):
        (labels / f"{ASIDE}{name}" / "pictures").mkdir(parents=True)
    long_ago = time.time() - 2 * ABANDONED
    os.utime(labels / f"{ASIDE}left", (long_ago, long_ago))

    keep_up(small_past.clinic, small_past.knocked.ground)

    assert [path.name for path in labels.iterdir()] == [f"{ASIDE}busy"]


def test_an_existing_folder_and_an_empty_record_are_refused(small_past, tmp_path):
    """Nothing is written over, and no empty folder passes for labels."""
    (tmp_path / "there").mkdir()

    with pytest.raises(UserError, match="something here already"):
        export(small_past, tmp_path / "there")
    with pytest.raises(UserError, match="nothing is labelled"):
        export(small_past, tmp_path / "new")
    assert [path.name for path in tmp_path.iterdir() if "aside" in path.name or path.name == "new"] == []


@pytest.mark.parametrize("name", ["zhu14", "ham7"])
def test_a_taxonomy_survives_the_way_through_its_text(name, tmp_path):
    """Codes, names, terms, aliases and what it cannot say."""
    taxonomy = load_taxonomy(name)
    (tmp_path / "t.toml").write_text(taxonomy_text(taxonomy), encoding="utf-8")

    assert taxonomy_from(read_toml(tmp_path / "t.toml", "taxonomy"), where="t") == taxonomy
