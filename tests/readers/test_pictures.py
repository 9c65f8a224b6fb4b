"""The booth's pictures tell nothing but what is on them."""

import io
import zlib

import numpy as np
import pytest
from PIL import Image

from cutis.imaging.decode import carried_metadata, decode
from cutis.readers.pictures import encoded, filled_up, frame_of, framed, random_names, write_pictures
from factories import a_picture


@pytest.fixture
def sources(tmp_path):
    """Three pictures of other sizes, kinds and names; one carries words."""
    folder = tmp_path / "dataset"
    folder.mkdir()
    a_picture(width=120, height=80).save(folder / "melanoma.png")
    exif = Image.Exif()
    exif[270] = "melanoma of Jane Doe"
    a_picture(width=64, height=96, seed=1).save(folder / "nv.jpg", exif=exif)
    Image.new("RGB", (30, 20), (200, 120, 90)).save(folder / "plain.png")
    return sorted(folder.iterdir())


def test_neither_name_nor_size_nor_bytes_differ(tmp_path, sources):
    """One frame, one length, names of one kind; and nothing of the file but its pixels."""
    booth = tmp_path / "booth"
    booth.mkdir()
    names = random_names(len(sources))

    length = write_pictures(booth, dict(zip(names, sources, strict=True)), frame=frame_of(sources))

    files = sorted(booth.iterdir())
    assert [file.name for file in files] == sorted(names)
    assert {file.stat().st_size for file in files} == {length}
    assert {decode(file).size for file in files} == {(120, 96)}
    assert not any(carried_metadata(file) for file in files)
    assert not any(b"Jane" in file.read_bytes() for file in files)


def test_names_are_drawn_anew_each_time():
    """No seed gives them, and they stand in no order."""
    names = random_names(50)

    assert len({*names, *random_names(50)}) == 100
    assert names != sorted(names)


def test_a_frame_holds_the_picture_whole_in_its_middle():
    """The shape is kept, the rest is black."""
    picture = framed(Image.new("RGB", (10, 10), (255, 255, 255)), (40, 20))

    columns = np.asarray(picture).mean(axis=(0, 2))
    assert picture.size == (40, 20)
    assert (columns[:10] == 0).all()
    assert (columns[10:30] == 255).all()
    assert (columns[30:] == 0).all()


@pytest.mark.parametrize("more", [0, 1, 3, 100, 65_537, 200_000])
def test_a_filled_up_picture_is_the_same_picture(more):
    """To the byte as long as asked, of bytes that do not pack."""
    content = encoded(a_picture())

    longer = filled_up(content, len(content) + more)

    assert len(longer) == len(content) + more
    assert len(zlib.compress(longer[len(content) :])) >= more
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(longer))), np.asarray(Image.open(io.BytesIO(content))))


def test_nothing_is_cut_off_to_fit():
    """A picture that is too long is our mistake."""
    content = encoded(a_picture())

    with pytest.raises(ValueError, match="1 bytes too long"):
        filled_up(content, len(content) - 1)
