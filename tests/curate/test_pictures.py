import unicodedata

import pytest

from cutis.curate.pictures import pictures_in


def folder_with(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


@pytest.mark.parametrize("name", ["p1/IMG_1.JPG", "p1/img_1.jpg", "p1\\img_1.jpg", "./p1/IMG_1.JPG", "p1/img_1"])
def test_a_table_s_word_finds_its_file(tmp_path, name):
    """In any case, with the slashes of any system, and without the suffix as in HAM10000."""
    pictures = pictures_in([folder_with(tmp_path, "p1/IMG_1.JPG", "p2/IMG_1.JPG")])

    assert pictures.find(name).path == tmp_path / "p1" / "IMG_1.JPG"


def test_an_umlaut_is_found_however_it_is_composed(tmp_path):
    """A file that was packed on one system is named by a table from another."""
    pictures = pictures_in([folder_with(tmp_path, unicodedata.normalize("NFD", "Rücken.jpg"))])

    assert pictures.find(unicodedata.normalize("NFC", "Rücken.jpg")).path


@pytest.mark.parametrize("name", ["../secret.jpg", "p1/../../secret.jpg", "/etc/passwd", "C:\\pictures\\a.jpg", ".."])
def test_no_word_leads_out_of_the_folder(tmp_path, name):
    """A hostile table reads nothing that the clinic did not put there."""
    folder_with(tmp_path, "secret.jpg")
    pictures = pictures_in([folder_with(tmp_path / "clinic", "p1/a.jpg")])

    found = pictures.find(name)

    assert found.path is None
    assert "leads out" in found.detail


def test_two_files_that_fit_are_not_chosen_from(tmp_path):
    """Without a suffix, a JPEG and a PNG of one name are two; with it there is one."""
    pictures = pictures_in([folder_with(tmp_path, "a.jpg", "a.png")])

    assert pictures.find("a").path is None
    assert "a.jpg, a.png" in pictures.find("a").detail
    assert pictures.find("a.png").path == tmp_path / "a.png"


def test_only_what_is_named_as_a_picture_is_one(tmp_path):
    """A readme, the table, hidden files and a thumbnail cache are none by intention; a GIF was meant as one."""
    names = ("a.jpg", "b.GIF", "readme.txt", "export.csv", "Thumbs.db", ".hidden.jpg", ".trash/c.jpg")

    pictures = pictures_in([folder_with(tmp_path, *names)])

    assert [path.name for path in pictures.all()] == ["a.jpg", "b.GIF"]


def test_a_link_to_a_folder_is_followed_and_a_circle_ends(tmp_path):
    """Archives are often put together from links."""
    folder_with(tmp_path / "store", "a.jpg")
    clinic = folder_with(tmp_path / "clinic", "b.jpg")
    (clinic / "more").symlink_to(tmp_path / "store")
    (clinic / "circle").symlink_to(clinic)

    assert [path.name for path in pictures_in([clinic]).all()] == ["b.jpg", "a.jpg"]
