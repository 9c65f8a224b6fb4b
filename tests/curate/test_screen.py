import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter
from PIL.PngImagePlugin import PngInfo

from cutis.curate.screen import Errand, Picture, examine
from factories import a_picture

PERSON = "Musterfrau"


def saved(path, picture=None, **options):
    (picture or a_picture(width=176, height=132)).save(path, **options)
    return path


def examined(path):
    return examine(Errand(path, path.with_name("written")))


def carrying(folder, kind):
    exif, text = Image.Exif(), PngInfo()
    exif[0x013B], exif[0x010E] = PERSON, f"{PERSON}, Erika"
    text.add_text("Title", PERSON)
    text.add_itxt("XML:com.adobe.xmp", f"<x:xmpmeta>{PERSON}</x:xmpmeta>")
    options = {
        "exif.jpg": {"exif": exif},
        "xmp.jpg": {"xmp": f"<x:xmpmeta>{PERSON}</x:xmpmeta>".encode()},
        "comment.jpg": {"comment": PERSON.encode()},
        "text.png": {"pnginfo": text},
    }
    return saved(folder / kind, **options[kind])


@pytest.mark.parametrize("kind", ["exif.jpg", "xmp.jpg", "comment.jpg", "text.png"])
def test_a_name_in_a_file_is_not_in_what_is_written(tmp_path, kind):
    """Only pixels are written; what was carried is known by its kind alone."""
    path = carrying(tmp_path, kind)

    picture = examined(path)

    assert PERSON.encode() in path.read_bytes()
    assert PERSON.encode() not in picture.written.read_bytes()
    assert kind.partition(".")[0] in picture.metadata
    assert PERSON not in repr(picture).replace(str(tmp_path), "")


def test_a_jpeg_stays_a_jpeg_near_its_pixels_and_all_else_loses_nothing(tmp_path):
    """Whatever the suffix says: a PNG that is called .jpg is written without loss."""
    jpeg, png = saved(tmp_path / "a.jpg", quality=90), saved(tmp_path / "b.png")
    disguised = shutil.copy(png, tmp_path / "c.jpg")

    written = [examined(Path(path)).written for path in (jpeg, png, disguised)]

    assert [path.suffix for path in written] == [".jpg", ".png", ".png"]
    before, after = np.asarray(Image.open(jpeg), float), np.asarray(Image.open(written[0]), float)
    assert np.sqrt(np.mean((before - after) ** 2)) < 2
    assert (np.asarray(Image.open(written[1])) == np.asarray(Image.open(png))).all()


def test_a_picture_that_lies_on_its_side_is_written_upright(tmp_path):
    """The orientation is applied before it is thrown away."""
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = a_picture(width=176, height=132).transpose(Image.Transpose.ROTATE_90)

    picture = examined(saved(tmp_path / "a.png", lying, exif=exif))

    assert (np.asarray(Image.open(picture.written)) == np.asarray(a_picture(width=176, height=132))).all()


def test_a_blurred_picture_is_too_poor_to_train_on_and_written_all_the_same(tmp_path):
    """It is real, and belongs to the indeterminate."""
    blurred = a_picture(width=176, height=132).filter(ImageFilter.GaussianBlur(6))

    picture = examined(saved(tmp_path / "a.png", blurred))

    assert isinstance(picture, Picture)
    assert picture.is_poor
    assert not examined(saved(tmp_path / "b.png")).is_poor


@pytest.mark.parametrize(
    ("name", "picture", "reason"),
    [
        ("black.png", Image.new("RGB", (176, 132)), "black"),
        ("tiny.png", a_picture(width=20, height=20), "tiny"),
        ("film.gif", a_picture(), "unsupported format"),
    ],
)
def test_what_cannot_be_used_is_refused_and_not_written(tmp_path, name, picture, reason):
    """Each under its own word."""
    refused = examined(saved(tmp_path / name, picture))

    assert refused.reason == reason
    assert refused.detail
    assert list(tmp_path.glob("written*")) == []


def test_a_text_and_a_torn_file_are_refused(tmp_path):
    """As decoding says."""
    text, torn = tmp_path / "text.jpg", saved(tmp_path / "torn.jpg")
    text.write_text("The picture could not be exported.")
    torn.write_bytes(torn.read_bytes()[:2000])

    assert examined(text).reason == "not an image"
    assert examined(torn).reason == "truncated"
