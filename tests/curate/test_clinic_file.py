import re
from pathlib import Path

import pytest

from cutis.curate.clinic_file import ClinicFile, Columns, read_clinic_file
from cutis.vocabulary.errors import UserError


def written(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_all_that_is_said_is_read(tmp_path):
    """One folder of pictures or several, columns and labels."""
    path = written(
        tmp_path / "clinic.toml",
        'table = "t.csv"\nimages = "pictures"\n'
        '[columns]\nimage = "file"\nraters = ["a", "b"]\n[labels]\n"mole" = "MN"\n',
    )

    about = read_clinic_file(path)

    assert about.images == ("pictures",)
    assert about.columns.mapped == {"image": "file"}
    assert about.columns.raters == ("a", "b")
    assert about.labels == {"mole": "MN"}


@pytest.mark.parametrize(
    ("text", "what", "mend"),
    [
        ('tabel = "x.csv"', "unknown key 'tabel'", "taxonomy, source, licence, invented, table"),
        ('[columns]\nimages = "file"', "unknown key 'columns.images'", "use one of: image, patient, lesion, raters"),
        ("table = 3", "table: ", "docs/curate.md"),
        ('table = "../t.csv"', "leads out of the clinic's folder", "docs/curate.md"),
        ('images = ["/srv/pictures"]', "leads out of the clinic's folder", "docs/curate.md"),
        ("table = ", "this is no TOML", "correct the line"),
        ("format = 2", "format 2 is not known", "update cutis"),
    ],
)
def test_what_is_wrong_is_named_with_what_is_right(tmp_path, text, what, mend):
    """An unknown key names the known ones."""
    with pytest.raises(UserError) as error:
        read_clinic_file(written(tmp_path / "clinic.toml", text))

    assert what in error.value.what
    assert mend in error.value.mend


def test_the_example_in_the_documents_is_read_and_names_every_key(tmp_path):
    """Who copies it is understood."""
    page = Path(__file__).resolve().parents[2] / "docs" / "curate.md"
    (example,) = re.findall(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)

    about = read_clinic_file(written(tmp_path / "clinic.toml", example))

    assert about.columns.image == "file"
    for key in (*ClinicFile.model_fields, *Columns.model_fields):
        assert re.search(rf"^(# )?{key} =|^\[{key}\]", example, re.MULTILINE), key
