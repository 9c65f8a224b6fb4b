"""How many pixels a file claims to have, seen without a library."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from cutis.imaging.claims import claimed_pixels
from factories import a_picture

WAYS = {
    "jpeg": ("JPEG", {}),
    "progressive": ("JPEG", {"progressive": True}),
    "jpeg with metadata": ("JPEG", {"exif": b"Exif\0\0" + b"x" * 3000, "comment": b"\xff\xc0" * 50}),
    "png": ("PNG", {}),
    "bitmap": ("BMP", {}),
    "tiff": ("TIFF", {}),
    "tiff, packed": ("TIFF", {"compression": "tiff_lzw"}),
    "webp": ("WEBP", {}),
    "webp without loss": ("WEBP", {"lossless": True}),
    "webp with metadata": ("WEBP", {"exif": b"Exif\0\0" + b"x" * 100}),
}


def saved(way):
    written = io.BytesIO()
    kind, fields = WAYS[way]
    a_picture(width=123, height=77).save(written, kind, **fields)
    return written.getvalue()


@pytest.mark.parametrize("way", WAYS)
def test_the_head_of_every_format_is_understood(way):
    """As a library writes it."""
    assert claimed_pixels(saved(way)) == 123 * 77


def test_bytes_of_the_other_order_are_understood():
    """A TIFF may begin with its high bytes."""
    written = io.BytesIO()
    Image.fromarray(np.zeros((77, 123), np.uint16)).save(written, "TIFF")
    little = written.getvalue()
    big = b"MM\0*" + (8).to_bytes(4) + (2).to_bytes(2)
    big += b"\1\0\0\3\0\0\0\1\0\x7b\0\0" + b"\1\1\0\4\0\0\0\1\0\0\0\x4d"

    assert claimed_pixels(little) == claimed_pixels(big) == 123 * 77


def test_a_bitmap_that_lies_upside_down_has_as_many_pixels():
    """Its height is negative then."""
    content = bytearray(saved("bitmap"))
    content[22:26] = (-77).to_bytes(4, "little", signed=True)

    assert claimed_pixels(bytes(content)) == 123 * 77


@pytest.mark.parametrize("way", WAYS)
def test_a_head_that_ends_early_claims_nothing(way):
    """Nor is it an error: it is the decoder that refuses."""
    content = saved(way)

    for length in range(40):
        assert claimed_pixels(content[:length]) in {None, 123 * 77}


def test_noise_is_no_error():
    """Whatever the bytes are."""
    random = np.random.default_rng(0)
    for begin in (b"\xff\xd8", b"II*\0", b"MM\0*", b"RIFF", b"BM", b"\x89PNG\r\n\x1a\n", b""):
        for _ in range(300):
            found = claimed_pixels(begin + random.bytes(200))
            assert found is None or found >= 0
