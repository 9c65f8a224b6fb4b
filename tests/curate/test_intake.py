import datetime as dt
import os
from collections import Counter

import pytest

from cutis.curate.intake import take_in
from cutis.vocabulary.errors import UserError


def reasons(archive):
    return Counter(rejection.reason for rejection in archive.rejected)


def files(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


def test_a_table_is_taken_in_by_its_clinic_toml(clinic, row):
    """Every mapped column arrives in our words."""
    said = row(1, "BCC", histology="BCC", age="61,5", sex="W", site="unknown", date="04.03.2021")

    archive = take_in(clinic([said], pictures=False))

    (taken,) = archive.rows
    assert (taken.number, taken.file, taken.patient, taken.lesion) == (2, "img_001.jpg", "P001", "L001")
    assert (taken.labels, taken.histology, taken.adjudicator) == (("BCC",) * 3, "BCC", None)
    assert (taken.age, taken.sex, taken.site, taken.date) == (61.5, "female", None, dt.date(2021, 3, 4))
    assert archive.about.licence == "CC0-1.0"
    assert set(archive.made_from) == {"table", "clinic_file"}


def test_what_cannot_be_read_is_missing_and_counted(clinic, row):
    """An age of 610 years is a slip, and 03/04/2021 is two different days."""
    rows = [row(1, age="610", date="03/04/2021"), row(2, age="old"), row(3, age="n/a", date="")]
    never = [row(4, date="9999-12-31"), row(5, date="0001-01-01"), row(6, date="31.12.1899")]

    archive = take_in(clinic([*rows, *never], pictures=False))

    assert [(taken.age, taken.date) for taken in archive.rows[:3:2]] == [(None, None)] * 2
    assert [taken.date for taken in archive.rows[3:]] == [None] * 3
    assert archive.unreadable == {"age": 2, "date": 4}


def test_an_unknown_diagnosis_in_words_is_a_missing_one(tmp_path):
    """As in any other column."""
    clinic = files(tmp_path / "clinic", "a.jpg", "b.jpg")
    (clinic / "labels.csv").write_text("image,diagnosis\na.jpg,nv\nb.jpg,unknown\n")

    archive = take_in(clinic, taxonomy="ham7")

    assert [taken.diagnosis for taken in archive.rows] == ["nv", None]


def test_what_only_seems_to_be_a_picture_is_no_file(tmp_path):
    """A link that leads nowhere, and a pipe, at which everybody would wait for ever."""
    clinic = files(tmp_path / "clinic", "a.jpg")
    (clinic / "b.jpg").symlink_to("gone.jpg")
    os.mkfifo(clinic / "c.jpg")
    (clinic / "labels.csv").write_text("image,diagnosis\na.jpg,nv\nb.jpg,nv\nc.jpg,nv\n")

    archive = take_in(clinic, taxonomy="ham7")

    assert [taken.file for taken in archive.rows] == ["a.jpg"]
    assert reasons(archive) == {"no file for this row": 2}


def test_a_row_without_a_file_and_a_file_without_a_row_are_told_apart(clinic, row):
    """Neither is lost silently; a readme and hidden files are no pictures."""
    folder = clinic([row(1), row(2), row(3, file="")], pictures=False)
    (folder / "img_002.jpg").unlink()
    files(folder, "more/img_009.png", "readme.txt", "Thumbs.db", ".DS_Store")

    archive = take_in(folder)

    assert [taken.number for taken in archive.rows] == [2]
    assert archive.rows_in == 3
    assert [(one.row, one.file, one.reason, one.detail) for one in archive.rejected] == [
        (3, "img_002.jpg", "no file for this row", ""),
        (4, "", "no file for this row", "the row names no file"),
        (None, "more/img_009.png", "no row for this file", ""),
    ]


def test_two_rows_that_say_the_same_of_one_file_count_once(clinic, row):
    """An export that repeats itself loses nothing but the repetition."""
    archive = take_in(clinic([row(1), row(2), row(1)], pictures=False))

    assert [taken.number for taken in archive.rows] == [2, 3]
    assert [(one.row, one.reason) for one in archive.rejected] == [(4, "two rows for this file")]


def test_two_rows_that_contradict_each_other_are_both_rejected(clinic, row):
    """Nobody here knows which of two patients a picture shows."""
    archive = take_in(clinic([row(1), row(2), row(1, patient_no="P007")], pictures=False))

    assert [taken.number for taken in archive.rows] == [3]
    assert [one.row for one in archive.rejected] == [2, 4]
    assert "contradict" in archive.rejected[0].detail


def test_a_missing_patient_is_known_by_the_lesion(clinic, row):
    """Where the lesion is one patient's alone; where it is that of two, the row could be in either's split."""
    nobody = {"patient_no": ""}
    rows = [row(1), row(2, lesion_no="L001", **nobody), row(3, **nobody), row(4), row(5, lesion_no="L004")]

    archive = take_in(clinic([*rows, row(6, lesion_no="L004", **nobody)], pictures=False))

    assert [taken.patient for taken in archive.rows] == ["P001", "P001", None, "P004", "P005"]
    assert [(one.row, one.reason) for one in archive.rejected] == [(7, "lesion of two patients")]


def test_a_path_out_of_the_folder_is_rejected(clinic, row):
    """The table may name what it likes: nothing outside is touched."""
    folder = clinic([row(1)], pictures=False)
    (folder.parent / "secret.jpg").touch()
    table = (folder / "export.csv").read_text().replace("img_001.jpg", "../secret.jpg")
    (folder / "export.csv").write_text(table + "img_001.jpg,P2,L2,NV,NV,NV,,,,,,,,\n")

    archive = take_in(folder)

    assert [(one.reason, one.detail) for one in archive.rejected] == [
        ("no file for this row", "the path leads out of the clinic's folder")
    ]


def test_a_folder_per_class_is_taken_in(tmp_path):
    """The first folder is the label; pictures beside the folders belong to no class."""
    clinic = files(tmp_path / "clinic", "nv/a.jpg", "mel/deeper/b.png", "c.jpg", "nv/notes.txt")

    archive = take_in(clinic, taxonomy="ham7")

    assert [(taken.file, taken.diagnosis, taken.patient) for taken in archive.rows] == [
        ("mel/deeper/b.png", "mel", None),
        ("nv/a.jpg", "nv", None),
    ]
    assert [one.file for one in archive.rejected] == ["c.jpg"]
    assert (archive.rows_in, archive.about.name) == (2, "unnamed clinic")


def test_the_classes_may_lie_deeper(tmp_path):
    """Below the folder that `images` names."""
    clinic = files(tmp_path / "clinic", "pics/nv/a.jpg", "pics/b.jpg")
    (clinic / "clinic.toml").write_text('taxonomy = "ham7"\nimages = "pics"\n')

    archive = take_in(clinic)

    assert [(taken.file, taken.diagnosis) for taken in archive.rows] == [("pics/nv/a.jpg", "nv")]
    assert [one.file for one in archive.rejected] == ["pics/b.jpg"]


def test_columns_without_a_table_are_those_of_the_only_one(tmp_path):
    """It need not be named; where there is none, that is an error and no folder per class."""
    clinic = files(tmp_path / "clinic", "nv/a.jpg")
    (clinic / "clinic.toml").write_text('taxonomy = "ham7"\n[columns]\nimage = "photo"\ndiagnosis = "dx"\n')
    with pytest.raises(UserError, match="there is no table"):
        take_in(clinic)
    (clinic / "export.csv").write_text("photo,dx\nnv/a.jpg,mel\n")

    archive = take_in(clinic)

    assert [taken.diagnosis for taken in archive.rows] == ["mel"]


def test_a_clinic_toml_without_a_table_adds_to_a_folder_per_class(tmp_path):
    """So a folder of pictures can have a licence, its own words and diagnoses left out."""
    clinic = files(tmp_path / "clinic", "moles/a.jpg")
    (clinic / "clinic.toml").write_text('taxonomy = "ham7"\nlicence = "CC0-1.0"\n[labels]\nmoles = "nv"\n')

    archive = take_in(clinic)

    assert [taken.diagnosis for taken in archive.rows] == ["moles"]
    assert archive.about.licence == "CC0-1.0"


def test_a_single_table_with_our_own_column_names_needs_no_clinic_toml(tmp_path):
    """Whoever names columns as cutis does has nothing to map."""
    clinic = files(tmp_path / "clinic", "a.jpg")
    (clinic / "labels.csv").write_text("image,diagnosis,patient\na.jpg,nv,7\n")

    archive = take_in(clinic, taxonomy="ham7")

    assert [(taken.diagnosis, taken.patient) for taken in archive.rows] == [("nv", "7")]


@pytest.mark.parametrize("parts", [("images",), ("HAM10000_images_part_1", "HAM10000_images_part_2")])
def test_the_layout_of_ham10000_is_recognised(tmp_path, parts):
    """In one folder or in two parts, as it is distributed; its licence comes along."""
    clinic = files(tmp_path / "ham", f"{parts[0]}/ISIC_1.jpg", f"{parts[-1]}/ISIC_2.jpg")
    table = "lesion_id,image_id,dx,dx_type,age,sex,localization\nH1,ISIC_1,bkl,histo,80.0,male,scalp\n"
    (clinic / "HAM10000_metadata.csv").write_text(table + "H1,ISIC_2,bkl,histo,,unknown,unknown\n")

    archive = take_in(clinic)

    first, second = archive.rows
    assert (archive.taxonomy.name, archive.about.licence) == ("ham7", "CC BY-NC 4.0")
    assert (first.lesion, first.diagnosis, first.confirmed_by, first.age) == ("H1", "bkl", "histo", 80.0)
    assert (second.age, second.sex, second.site, second.patient) == (None, None, None, None)
    assert not archive.rejected


def test_the_real_metadata_of_ham10000_are_taken_in_whole(shared_data):
    """10,015 rows of 7,470 lesions, every one with its file."""
    archive = take_in(shared_data("ham10000"))

    assert len(archive.rows) == archive.rows_in == 10_015
    assert len({taken.lesion for taken in archive.rows}) == 7_470
    assert not archive.rejected


def test_a_missing_and_an_empty_folder_are_told(tmp_path):
    """Two clear errors."""
    (tmp_path / "empty").mkdir()

    with pytest.raises(UserError, match="no such folder"):
        take_in(tmp_path / "missing", taxonomy="ham7")
    with pytest.raises(UserError, match="empty"):
        take_in(tmp_path / "empty", taxonomy="ham7")


def test_a_folder_without_pictures_is_told(tmp_path):
    """A folder may be full of other things."""
    with pytest.raises(UserError, match="no pictures"):
        take_in(files(tmp_path / "clinic", "notes/a.txt"), taxonomy="ham7")


def test_a_table_without_an_image_column_is_told_with_the_columns_it_has(tmp_path):
    """One error, and what to write into clinic.toml."""
    clinic = files(tmp_path / "clinic", "a.jpg")
    (clinic / "labels.csv").write_text("picture,dx\na.jpg,nv\n")

    with pytest.raises(UserError, match="no image column") as error:
        take_in(clinic, taxonomy="ham7")

    assert "picture, dx" in error.value.mend


@pytest.mark.parametrize(
    ("columns", "what"),
    [
        ({"image": "photo", "diagnosis": "dr_a"}, "no column 'photo'"),
        ({"image": "file", "raters": ["dr_a", "dr_z"]}, "no column 'dr_z'"),
        ({"image": "file"}, "neither raters nor a diagnosis"),
        ({"image": "file", "raters": ["dr_a"], "diagnosis": "dr_b"}, "both raters and a diagnosis"),
    ],
)
def test_a_mapping_that_does_not_fit_the_table_is_told(clinic, row, columns, what):
    """The columns that the table has are listed."""
    folder = clinic([row(1)], pictures=False, columns=columns)

    with pytest.raises(UserError, match=what) as error:
        take_in(folder)

    assert "file, patient_no, lesion_no, dr_a" in error.value.mend


def test_several_tables_are_not_chosen_from(tmp_path):
    """The clinic says which one counts."""
    clinic = files(tmp_path / "clinic", "a.csv", "b.xlsx", "a.jpg")

    with pytest.raises(UserError, match=r"several tables: a\.csv, b\.xlsx"):
        take_in(clinic, taxonomy="ham7")


def test_no_taxonomy_and_an_unknown_one_are_told(tmp_path):
    """The error names those that cutis ships."""
    clinic = files(tmp_path / "clinic", "nv/a.jpg")

    with pytest.raises(UserError, match="not said") as error:
        take_in(clinic)
    with pytest.raises(UserError, match="unknown taxonomy 'ham8'"):
        take_in(clinic, taxonomy="ham8")
    assert "zhu14, ham7" in error.value.mend


def test_a_table_of_files_that_are_all_elsewhere_is_told(clinic, row):
    """A wrong `images` folder is one error, not ten thousand rejected rows."""
    folder = clinic([row(1), row(2)], pictures=False, images="elsewhere")

    with pytest.raises(UserError, match="no row has its file"):
        take_in(folder)
