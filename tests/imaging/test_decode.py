from __future__ import annotations

import io
import pickle
import struct
import time
import zlib
from collections import Counter
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from cutis.imaging.decode import UnreadablePicture, carried_metadata, decode
from cutis.vocabulary.errors import UserError
from factories import a_picture

NAME = "Erika Mustermann"
ORIENTATION, DESCRIPTION = 0x0112, 0x010E


def saved(picture, kind="PNG", **options):
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def png(width, height, *, bits, colour, pixels=b"", chunks=b""):
    """A PNG that says what we like."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunks + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def corners(picture):
    """Which of the four corners are dark: a picture's orientation in four letters."""
    grey = np.asarray(picture.convert("L"))
    return "".join("d" if grey[y, x] < 128 else "l" for y in (1, -2) for x in (1, -2))


def test_every_broken_file_is_a_picture_or_one_clear_refusal(shared_data):
    """252 files that were made to break decoders: no other exception, no warning, and pictures come out clean."""
    outcomes, details = Counter(), []
    files = [path for path in shared_data("broken-images").glob("*/*") if path.is_file()]

    for path in files:
        try:
            picture = decode(path)
        except UnreadablePicture as error:
            outcomes[error.reason] += 1
            details.append(error.detail)
        else:
            outcomes["picture"] += 1
            assert (picture.mode, picture.info) == ("RGB", {})
            carried_metadata(path)

    assert sum(outcomes.values()) == len(files)
    assert all(details)
    assert outcomes == {
        "picture": 179,
        "truncated": 41,
        "unsupported format": 19,
        "not an image": 12,
        "too many pixels": 1,
    }


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("pillow/truncated_image.png", "truncated"),
        ("pillow/multiple_comments.gif", "unsupported format"),
        ("pillow/rgb32bf.bmp", "unsupported format"),
        ("libjpeg-turbo_bugs/bugs__decompress__LJPGT-PT-23-01__test1.jpg", "unsupported format"),
        ("pngsuite/xcrn0g04.png", "not an image"),
    ],
)
def test_known_broken_files_have_their_own_reason(shared_data, name, reason):
    """A cut PNG, a GIF, a bitmap and a JPEG of rare kinds, a PNG whose signature a mail program mangled."""
    with pytest.raises(UnreadablePicture) as caught:
        decode(shared_data("broken-images") / name)

    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not an image"),
        (b"The picture could not be exported.", "not an image"),
        (b"BMI and blood pressure of the patient: 27, 130 to 80.", "not an image"),
        (b"%PDF-1.7 ...", "unsupported format"),
        (b"\0" * 128 + b"DICM" + b"\0" * 40, "unsupported format"),
        (saved(a_picture(), "GIF"), "unsupported format"),
        (saved(a_picture(), "JPEG")[:900], "truncated"),
        (saved(a_picture(), "JPEG")[:40], "truncated"),
        (saved(a_picture(), "PNG")[:-3000], "truncated"),
        (saved(a_picture(), "TIFF")[:3000], "truncated"),
        (saved(a_picture(), "WEBP")[:500], "truncated"),
        (saved(a_picture(), "BMP")[:500], "truncated"),
        (saved(Image.new("F", (8, 8)), "TIFF"), "unsupported format"),
    ],
    ids=str,
)
def test_the_reason_says_what_is_wrong(content, reason):
    """One word of the table of rejected rows, whatever the file is called."""
    with pytest.raises(UnreadablePicture) as caught:
        decode(content)

    assert caught.value.reason == reason


@pytest.mark.parametrize(
    "content",
    [
        png(13_000, 13_000, bits=1, colour=0),
        png(9_400, 9_500, bits=8, colour=2),
        png(100_000, 100_000, bits=8, colour=2),
        png(16_385, 1, bits=8, colour=0),
        saved(a_picture(), "JPEG").replace(struct.pack(">HH", 96, 128), struct.pack(">HH", 65_500, 65_500), 1),
    ],
    ids=["one bit", "89 megapixels", "beyond Pillow's own limit", "one side", "JPEG"],
)
def test_a_decompression_bomb_is_refused_by_its_header(content):
    """Nothing is decoded, so that the refusal takes no time."""
    start = time.perf_counter()

    with pytest.raises(UnreadablePicture) as caught:
        decode(content)

    assert caught.value.reason == "too many pixels"
    assert time.perf_counter() - start < 0.5


def test_a_bomb_of_text_is_refused():
    """A PNG whose text unpacks to 60 megabytes, many times over, is no picture."""
    text = chunk(b"zTXt", b"k\0\0" + zlib.compress(b"a" * 60_000_000))

    with pytest.raises(UnreadablePicture):
        decode(png(32, 32, bits=8, colour=0, pixels=b"\0" * 33 * 32, chunks=text * 3))


def test_a_picture_within_the_limits_is_not_refused():
    """16,384 pixels a side are allowed."""
    content = png(16_384, 2, bits=1, colour=0, pixels=b"\0" * (2048 + 1) * 2)

    assert decode(content).size == (16_384, 2)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_stands_upright_whatever_its_camera_wrote(kind, orientation):
    """The eight orientations of EXIF show one and the same picture."""
    upright = Image.new("RGB", (60, 40), "white")
    upright.paste("black", (0, 0, 20, 20))
    turn = Image.Transpose
    stored = {
        1: upright,
        2: upright.transpose(turn.FLIP_LEFT_RIGHT),
        3: upright.transpose(turn.ROTATE_180),
        4: upright.transpose(turn.FLIP_TOP_BOTTOM),
        5: upright.transpose(turn.TRANSPOSE),
        6: upright.transpose(turn.ROTATE_90),
        7: upright.transpose(turn.TRANSVERSE),
        8: upright.transpose(turn.ROTATE_270),
    }[orientation]
    exif = Image.Exif()
    exif[ORIENTATION] = orientation

    seen = decode(saved(stored, kind, exif=exif))

    assert seen.size == (60, 40)
    assert corners(seen) == "dlll"


def test_unreadable_exif_turns_nothing_and_costs_no_picture():
    """The picture counts; a broken tag is dropped with the rest of the metadata."""
    content = saved(a_picture(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff broken")

    assert decode(content).size == (128, 96)


def test_the_colour_profile_is_applied():
    """Under a profile whose red and blue primaries are exchanged, red pixels mean blue."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exchanged = srgb.replace(b"rXYZ", b"?XYZ").replace(b"bXYZ", b"rXYZ").replace(b"?XYZ", b"bXYZ")
    red = Image.new("RGB", (8, 8), (250, 10, 20))

    seen = decode(saved(red, icc_profile=exchanged))

    np.testing.assert_allclose(seen.getpixel((4, 4)), (20, 10, 250), atol=3)


def test_srgb_stays_as_it_is():
    """A picture in sRGB that says so keeps its colours to a level."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture = a_picture()

    seen = decode(saved(picture, icc_profile=srgb))

    assert np.abs(np.asarray(seen).astype(int) - np.asarray(picture)).max() <= 1


@pytest.mark.parametrize("profile", [b"no profile", b"\0" * 200], ids=["text", "zeros"])
def test_a_broken_profile_leaves_the_colours(profile):
    """It says nothing of the colours, and is no reason to lose a patient's picture."""
    picture = a_picture()

    seen = decode(saved(picture, icc_profile=profile))

    np.testing.assert_array_equal(seen, picture)


def test_a_profile_for_other_channels_leaves_the_colours():
    """A grey picture with an RGB profile is a common export fault."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

    seen = decode(saved(Image.new("L", (8, 8), 77), icc_profile=srgb))

    assert seen.getpixel((0, 0)) == (77, 77, 77)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_lies_on_white(mode):
    """Not on black, which would look like a hole in the skin."""
    picture = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    picture.paste((60, 60, 60, 255), (0, 0, 4, 8))

    seen = decode(saved(picture.convert(mode)))

    assert seen.getpixel((7, 7)) == (255, 255, 255)
    np.testing.assert_allclose(seen.getpixel((1, 1)), (60, 60, 60), atol=1)


def test_half_transparent_is_half_white():
    """Opacity is mixed, not cut."""
    seen = decode(saved(Image.new("RGBA", (4, 4), (0, 0, 0, 128))))

    np.testing.assert_allclose(seen.getpixel((0, 0)), (127, 127, 127), atol=1)


def test_sixteen_bits_of_grey_keep_their_upper_eight():
    """White stays white and half stays half; nothing is clipped."""
    values = np.array([[0, 255, 32_768, 65_535]], np.uint16)

    seen = decode(saved(Image.fromarray(values)))

    assert np.asarray(seen)[0, :, 0].tolist() == [0, 0, 128, 255]


def test_cmyk_becomes_rgb():
    """Ink on paper: full cyan has no red."""
    seen = decode(saved(Image.new("CMYK", (8, 8), (255, 0, 0, 0)), "TIFF"))

    red, green, blue = seen.getpixel((4, 4))
    assert red < 20
    assert min(green, blue) > 200


def test_one_bit_becomes_black_and_white():
    assert decode(saved(Image.new("1", (8, 8), 1))).getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_of_several_frames_the_first_counts(kind):
    """An animation or a document of several pages gives one picture."""
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue")]

    seen = decode(saved(frames[0], kind, save_all=True, append_images=frames[1:]))

    assert seen.getpixel((8, 8))[0] > 200


def test_a_picture_keeps_nothing_of_its_file_but_pixels():
    """A name in EXIF, comment, XMP and text is gone when the picture is saved again in any format."""
    exif = Image.Exif()
    exif[DESCRIPTION] = NAME
    text = PngInfo()
    text.add_text("Patient", NAME)
    content = saved(a_picture(), "PNG", exif=exif, pnginfo=text)

    again = [saved(decode(content), kind) for kind in ("PNG", "JPEG", "TIFF", "WEBP")]

    assert NAME.encode() in content
    assert not any(NAME.encode() in copy for copy in again)


def test_carried_metadata_names_each_kind():
    """What the card counts: each kind by its name, in files of each format."""
    exif = Image.Exif()
    exif[DESCRIPTION] = NAME
    text, xmp = PngInfo(), PngInfo()
    text.add_text("Patient", NAME)
    xmp.add_itxt("XML:com.adobe.xmp", f"<x:xmpmeta>{NAME}</x:xmpmeta>")

    assert carried_metadata(saved(a_picture(), "JPEG", exif=exif, comment=NAME)) == ("exif", "comment")
    assert carried_metadata(saved(a_picture(), "JPEG", xmp=NAME.encode())) == ("xmp",)
    assert carried_metadata(saved(a_picture(), "PNG", pnginfo=text)) == ("text",)
    assert carried_metadata(saved(a_picture(), "PNG", pnginfo=xmp)) == ("xmp",)
    assert carried_metadata(saved(a_picture(), "WEBP", exif=exif)) == ("exif",)
    assert carried_metadata(saved(a_picture(), "TIFF", tiffinfo={DESCRIPTION: NAME})) == ("text",)
    assert carried_metadata(saved(a_picture(), "BMP")) == ()
    assert carried_metadata(saved(a_picture(), "PNG")) == ()


def test_iptc_is_named(shared_data):
    """A press agency's block, with names and captions, is found in a JPEG."""
    assert "iptc" in carried_metadata(shared_data("broken-images") / "pillow" / "app13-multiple.jpg")


def test_a_missing_file_is_the_path_s_fault_not_the_picture_s(tmp_path):
    """It is no unreadable picture, and the error names the path."""
    with pytest.raises(UserError, match="nowhere") as caught:
        decode(tmp_path / "nowhere.jpg")

    assert not isinstance(caught.value, UnreadablePicture)


def test_a_refusal_survives_the_way_back_from_a_worker():
    """Reason and detail are the same on the other side."""
    with pytest.raises(UnreadablePicture) as caught:
        decode(b"text")

    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301  our own bytes

    assert (again.reason, again.detail, str(again)) == ("not an image", caught.value.detail, str(caught.value))


SEEDS = [
    saved(a_picture(width=24, height=16), "JPEG"),
    saved(a_picture(width=24, height=16), "JPEG", progressive=True),
    saved(a_picture(width=24, height=16), "PNG"),
    saved(a_picture(width=24, height=16), "TIFF", compression="tiff_lzw"),
    saved(a_picture(width=24, height=16), "BMP"),
    saved(a_picture(width=24, height=16), "WEBP"),
]


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    content=st.sampled_from(SEEDS),
    changes=st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), min_size=1, max_size=8),
    cut=st.integers(8, 4000),
)
def test_changed_bytes_never_raise_anything_but_a_refusal(content, changes, cut):
    """Some bytes altered, some cut off: a picture or an UnreadablePicture."""
    spoiled = bytearray(content)
    for place, value in changes:
        spoiled[place % min(len(spoiled), 400)] = value

    with suppress(UnreadablePicture):
        decode(bytes(spoiled[:cut]))
