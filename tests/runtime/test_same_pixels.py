"""Training and the clinic see the same pixels of the same file, to the last bit."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageCms

from bombs import saved
from cutis.imaging.border import Decoders
from cutis.imaging.prepare import Preparation
from cutis.train.pictures import prepared_case
from cutis.vocabulary.files import sha256_of
from factories import a_case, a_picture

PICTURES = 200
KINDS = ("JPEG", "PNG", "TIFF", "BMP", "WEBP")
MODES = {
    "JPEG": ("RGB", "L", "CMYK"),
    "PNG": ("RGB", "L", "LA", "RGBA", "P", "1", "I;16"),
    "TIFF": ("RGB", "L", "RGBA", "CMYK", "LAB", "I;16"),
    "BMP": ("RGB", "L", "P", "1"),
    "WEBP": ("RGB", "RGBA"),
}
PROFILES = {"RGB": ("sRGB", "exchanged"), "RGBA": ("sRGB",), "L": ("sRGB",), "LAB": ("LAB",)}
PREPARATIONS = [
    Preparation(size, (0.6, 0.5, 0.4), (0.2, 0.2, 0.3), resize)
    for size, resize in ((32, "squash"), (57, "crop"), (64, "pad"), (131, "squash"))
]


@pytest.fixture(scope="module")
def decoders():
    with Decoders() as running:
        yield running


def odd_picture(number):
    """A file of odd size, orientation, mode and colour profile, each drawn by its number."""
    random = np.random.default_rng(number)
    kind = KINDS[number % len(KINDS)]
    mode = MODES[kind][random.integers(len(MODES[kind]))]
    width, height = (int(2 ** random.uniform(0, 9.5)) for _ in range(2))
    picture = a_picture(width=width, height=height, seed=number)
    if mode == "I;16":
        picture = Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) << 8)
    elif mode in {"LA", "RGBA"}:
        picture = picture.convert(mode)
        picture.putalpha(Image.fromarray(random.integers(0, 256, (height, width), np.uint8)))
    elif mode == "LAB":
        picture = ImageCms.profileToProfile(
            picture, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
        )
    else:
        picture = picture.convert(mode)
    options = {}
    if kind != "BMP":
        exif = Image.Exif()
        exif[0x0112] = int(random.integers(0, 10))
        options["exif"] = exif
        named = PROFILES.get(mode, ())
        if named and random.random() < 0.7:
            options["icc_profile"] = profile(named[random.integers(len(named))])
    return saved(picture, kind, **options)


def profile(name):
    """A colour profile; `exchanged` has red and blue the other way round: who forgets it sees other colours."""
    plain = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB" if name == "LAB" else "sRGB")).tobytes()
    if name != "exchanged":
        return plain
    return plain.replace(b"rXYZ", b"?XYZ").replace(b"bXYZ", b"rXYZ").replace(b"?XYZ", b"bXYZ")


def test_training_and_the_clinic_see_the_same_pixels_of_200_odd_files(decoders, tmp_path):
    """What training reads of its dataset is what a decoder hands to a release, for every way to prepare."""
    sizes = set()
    for number in range(PICTURES):
        path = tmp_path / f"{number}.picture"
        path.write_bytes(odd_picture(number))
        preparation = PREPARATIONS[number % len(PREPARATIONS)]
        case = a_case(number, image=path.name, sha256=sha256_of(path))

        learned = prepared_case(case, dataset=tmp_path, preparation=preparation)
        seen = decoders.prepared(path, preparation)

        np.testing.assert_array_equal(seen.pixels, learned, err_msg=f"picture {number}")
        sizes.add(seen.size)
    assert len(sizes) > PICTURES / 2
