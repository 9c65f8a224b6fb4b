"""Similar cases have a face: a small picture that says nothing but its pixels, and stays in the house."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from cutis.evaluate.stage import evaluate
from cutis.release.sign import seal
from cutis.release.stage import publish_release, release
from cutis.release.thumbnails import LONGEST, thumbnail_of
from cutis.runtime.release import read_release
from cutis.runtime.thumbnails import thumbnails_file
from cutis.vocabulary.errors import UserError
from factories import a_picture, a_release_folder, an_evaluated_workspace, with_training_cases
from releases import FAKE


def test_a_release_carries_a_picture_of_every_case_that_it_may_show(tmp_path):
    """It is the picture of that case, and whoever publishes the release leaves all of them out."""
    workspace = an_evaluated_workspace(tmp_path / "work")
    carrying = with_training_cases(workspace.bundle("invented").resolve())
    evaluate(workspace, "invented", again=True)

    told = release(workspace, "invented", parts=FAKE)
    published = publish_release(workspace, "invented", tmp_path / "public")

    made = read_release(workspace.release("invented"))
    for case_id in made.index().case_ids:
        shown = Image.open(io.BytesIO(made.thumbnail(case_id) or b""))
        of_archive = Image.open(workspace.dataset / "images" / f"{case_id}.png")
        assert np.abs(np.asarray(shown).mean(axis=(0, 1)) - np.asarray(of_archive).mean(axis=(0, 1))).max() < 3
    assert carrying.likeness.cases == 12
    assert made.thumbnail("case0080") is None
    assert any("thumbnails.safetensors (0.0 MB) are of patients" in line for line in told.lines)
    assert "thumbnails.safetensors" in published.facts["left_out"]
    assert read_release(tmp_path / "public").thumbnail("case0000") is None


def test_a_thumbnail_is_small_and_holds_nothing_but_pixels():
    """Neither what a camera wrote into the picture, nor its profile, nor a comment."""
    picture = a_picture(width=600, height=450)
    exif = Image.Exif()
    exif[0x010E] = "Maria Muster, born 1960"
    picture.info |= {"exif": exif.tobytes(), "icc_profile": b"profile", "comment": b"Maria Muster", "dpi": (72, 72)}

    small = thumbnail_of(picture)

    shown = Image.open(io.BytesIO(small))
    assert shown.size == (LONGEST, 120)
    assert b"Maria" not in small
    assert not shown.getexif()
    assert shown.info.keys() <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert len(small) < 16_000


def test_a_release_without_thumbnails_shows_none(tmp_path):
    """An older one still opens."""
    a_release_folder(tmp_path / "release")

    assert read_release(tmp_path / "release").thumbnail("case0000") is None


@pytest.mark.parametrize("content", [b"", b"torn", thumbnails_file({"a": b"x"}, made_from={})[:-1]])
def test_damaged_thumbnails_are_one_error(tmp_path, content):
    """Sealed as they are, nobody can read them."""
    folder = a_release_folder(tmp_path / "release")
    (folder / "thumbnails.safetensors").write_bytes(content)
    seal(folder, about={}, made_from={})

    with pytest.raises(UserError, match="thumbnails"):
        read_release(folder).thumbnail("case0000")


def test_a_newer_format_is_not_guessed_at(tmp_path):
    """As with every file of ours."""
    folder = a_release_folder(tmp_path / "release")
    content = thumbnails_file({"a": b"x"}, made_from={})
    (folder / "thumbnails.safetensors").write_bytes(content.replace(b'format\\": 1', b'format\\": 9'))
    seal(folder, about={}, made_from={})

    with pytest.raises(UserError, match="format 9"):
        read_release(folder).thumbnail("a")
