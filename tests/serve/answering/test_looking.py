"""A picture's bytes become what a network sees, what a person sees, and a verdict."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

import bombs
from cutis.imaging.border import Decoders
from cutis.imaging.decode import UnreadablePicture, decode
from cutis.imaging.prepare import Preparation, normalise, prepare
from cutis.imaging.quality import measure_quality
from cutis.runtime.views import views_of
from cutis.serve.answering.looking import copies_of, glance, turned
from factories import a_picture

PREPARATION = Preparation(size=32, mean=(0.5, 0.4, 0.3), std=(0.2, 0.25, 0.3))


@pytest.fixture(scope="module")
def look():
    """Looks at a picture by a decoder."""
    with Decoders() as decoders:
        yield lambda content, place=0: glance(decoders, content, PREPARATION, place=place)


def jpeg(picture, **fields):
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=95, **fields)
    return written.getvalue()


def test_a_picture_is_decoded_once_for_everything_that_is_asked_of_it(look):
    """Prepared as for training, to the bit; measured on all its pixels."""
    content = jpeg(a_picture(width=300, height=200))

    seen = look(content)

    np.testing.assert_array_equal(seen.pixels, prepare(decode(content), PREPARATION))
    assert seen.quality == measure_quality(decode(content))
    np.testing.assert_array_equal(seen.copy, np.asarray(decode(content)))
    assert seen.verdict == "good"


def dark(picture):
    return picture.point(lambda level: level // 8 + 12)


def bright(picture):
    return picture.point(lambda level: min(255, level * 2))


def blurred():
    picture = Image.new("RGB", (400, 300), (220, 170, 150))
    ImageDraw.Draw(picture).ellipse((120, 70, 280, 230), fill=(90, 50, 40))
    return picture.filter(ImageFilter.GaussianBlur(20))


SPOILT = {
    "blurred": blurred,
    "dark": lambda: dark(a_picture(width=400, height=300)),
    "bright": lambda: bright(a_picture(width=400, height=300)),
    "black": lambda: Image.new("RGB", (400, 300), (2, 2, 2)),
    "tiny": lambda: a_picture(width=60, height=60),
}


@pytest.mark.parametrize("verdict", SPOILT)
def test_a_picture_of_no_use_is_told_by_what_spoils_it(look, verdict):
    """Before any network is asked."""
    assert look(jpeg(SPOILT[verdict]())).verdict == verdict


def test_a_small_picture_is_judged_with_a_remark(look):
    """It has less detail, not none."""
    seen = look(jpeg(a_picture(width=120, height=100)))

    assert seen.verdict == "poor"
    assert seen.quality.marks == ("small",)


def test_what_is_no_picture_is_refused_by_its_place(look):
    """People know their pictures by their order, not by our names."""
    with pytest.raises(UnreadablePicture) as caught:
        look(b"%PDF-1.7 a letter", 2)

    assert caught.value.reason == "unsupported format"
    assert caught.value.where == "picture 3"


def test_what_is_kept_has_at_most_1600_pixels_and_nothing_of_the_file_but_pixels(look):
    """A name that travels in EXIF, a comment, or behind the picture stays outside."""
    exif = Image.Exif()
    exif[0x010E] = "token-of-a-patient"
    content = jpeg(a_picture(width=2000, height=1000), exif=exif, comment=b"token-of-a-patient") + b"token-of-a-patient"

    kept = copies_of(look(content))

    assert content.count(b"token-of-a-patient") == 3
    for copy, size in ((kept.picture, (1600, 800)), (kept.thumbnail, (256, 128))):
        assert b"token" not in copy
        with Image.open(io.BytesIO(copy)) as opened:
            assert (opened.format, opened.size) == ("JPEG", size)
            assert not opened.getexif()


def test_what_is_kept_stands_upright(look):
    """As the orientation of the file says, which is then gone."""
    exif = Image.Exif()
    exif[0x0112] = 6
    kept = copies_of(look(jpeg(a_picture(width=300, height=200), exif=exif)))

    with Image.open(io.BytesIO(kept.picture)) as opened:
        assert opened.size == (200, 300)


@pytest.mark.parametrize("count", [1, 2, 4, 8])
def test_views_are_those_that_a_bundle_answers_by(count):
    """To the bit, though they are turned before they are normalised."""
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    expected = views_of(normalise(pixels[None], PREPARATION), count)

    found = [normalise(view[None], PREPARATION) for view in turned(pixels, count)]

    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", sorted(bombs.MUST_BE_REFUSED)[:3])
def test_a_bomb_is_refused_like_any_file_that_is_no_picture(look, name):
    """The border's limits hold here too."""
    with pytest.raises(UnreadablePicture):
        look(bombs.MUST_BE_REFUSED[name]())
