"""Pictures that are made to cost more than they show, each in a few kilobytes."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image

from factories import a_picture


def saved(picture, kind="PNG", **options):
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def zeros(length):
    """So many zeros, packed, without ever being in memory at once."""
    packing = zlib.compressobj(9)
    pieces = [packing.compress(bytes(min(1 << 20, length - start))) for start in range(0, length, 1 << 20)]
    return b"".join(pieces) + packing.flush()


def chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(width, height, *, bits=8, colour=0, pixels=None, chunks=b"", behind=b"", interlaced=0):
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    row = 1 + (width * bits * channels + 7) // 8
    packed = zeros(row * height) if pixels is None else pixels
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlaced))
    body = header + chunks + chunk(b"IDAT", packed) + behind + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def packed_texts(count, length, *, name=b"zTXt"):
    begin = b"k\0\1\0\0\0" if name == b"iTXt" else b"k\0\0"
    return chunk(name, begin + zeros(length)) * count


def jpeg(width, height, *, scans=1, between=b""):
    """A progressive JPEG whose claimed size and number of scans are what we like."""
    content = saved(a_picture(width=64, height=64), "JPEG", progressive=True)
    content = content.replace(struct.pack(">HH", 64, 64), struct.pack(">HH", height, width), 1)
    last = content.rindex(b"\xff\xda")
    return content[:2] + between + content[2:last] + content[last:-2] * scans + b"\xff\xd9"


def segments(count, *, marker=0xE1, begin=b"Exif\0\0MM\0*\0\0\0\x08"):
    return (b"\xff" + bytes([marker]) + struct.pack(">H", 65_535) + begin.ljust(65_533, b"\0")) * count


def tiff(width, height, *, entries=(), following=0, strip=b"\0"):
    """A TIFF of one grey strip; `entries` are (tag, type, count, value), `following` where the next directory lies."""
    usual = [
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, 1, 8),
        (259, 3, 1, 1),
        (262, 3, 1, 1),
        (273, 4, 1, 8),
        (277, 3, 1, 1),
        (278, 4, 1, height),
        (279, 4, 1, len(strip)),
    ]
    rows = sorted({row[0]: row for row in (*usual, *entries)}.values())
    directory = struct.pack("<H", len(rows)) + b"".join(struct.pack("<HHII", *row) for row in rows)
    at = 8 + len(strip)
    return b"II*\0" + struct.pack("<I", at) + strip + directory + struct.pack("<I", at if following else 0)


def webp(width, height, *, chunks=b"", frames=0):
    """A WebP with a canvas of any size."""
    picture = saved(Image.fromarray(np.zeros((4, 4, 3), np.uint8)), "WEBP", lossless=True)[12:]
    canvas = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    flags = 2 if frames else 0
    body = b"VP8X" + struct.pack("<I", 10) + bytes([flags, 0, 0, 0]) + canvas
    if frames:
        frame = bytes(6) + b"\3\0\0\3\0\0" + b"\1\0\0\0" + picture
        one = b"ANMF" + struct.pack("<I", len(frame)) + frame + b"\0" * (len(frame) % 2)
        body += b"ANIM" + struct.pack("<I", 6) + bytes(6) + one * frames
    else:
        body += picture
    body += chunks
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def riff(name, length):
    return name + struct.pack("<I", length) + bytes(length + length % 2)


SMALL = zeros(33 * 32)
MUST_BE_REFUSED = {
    "PNG of one bit, 13,000²": lambda: png(13_000, 13_000, bits=1),
    "PNG of 9,400 × 9,500": lambda: png(9_400, 9_500, colour=2),
    "PNG of 2³¹ pixels a side": lambda: png(2**31 - 1, 2**31 - 1, pixels=SMALL),
    "PNG with packed texts": lambda: png(32, 32, chunks=packed_texts(3, 60_000_000)),
    "PNG with many packed texts of a megabyte each": lambda: png(32, 32, chunks=packed_texts(60, 1_000_000)),
    "PNG with texts of many languages": lambda: png(32, 32, chunks=packed_texts(60, 1_000_000, name=b"iTXt")),
    "PNG with texts behind its pixels": lambda: png(32, 32, behind=packed_texts(60, 1_000_000)),
    "PNG with a packed profile": lambda: png(32, 32, chunks=packed_texts(1, 300_000_000, name=b"iCCP")),
    "PNG with a large private chunk": lambda: png(32, 32, chunks=chunk(b"prVt", bytes(60_000_000))),
    "PNG with large EXIF": lambda: png(32, 32, chunks=chunk(b"eXIf", bytes(60_000_000))),
    "JPEG of 65,500²": lambda: jpeg(65_500, 65_500),
    "JPEG of 1,000 scans": lambda: jpeg(1_024, 1_024, scans=1_000),
    "JPEG of 1,000 scans, large": lambda: jpeg(7_000, 7_000, scans=1_000),
    "JPEG of 90 scans, large": lambda: jpeg(7_000, 7_000, scans=90),
    "JPEG with 60 MB of EXIF": lambda: jpeg(64, 64, between=segments(920)),
    "JPEG with 60 MB of profile": lambda: jpeg(64, 64, between=segments(920, marker=0xE2, begin=b"ICC_PROFILE\0\1\1")),
    "JPEG with 60 MB behind it": lambda: jpeg(64, 64) + bytes(60_000_000),
    "TIFF of 65,500²": lambda: tiff(65_500, 65_500),
    "TIFF whose tags claim 4 GB": lambda: tiff(7_000, 7_000, entries=[(270, 2, 0xFFFFFFF0, 8)]),
    "TIFF with a strip of 4 GB": lambda: tiff(32, 32, entries=[(279, 4, 1, 0xFFFFFFF0), (278, 4, 1, 0xFFFFFFF0)]),
    "WebP of 16,384²": lambda: webp(16_384, 16_384),
    "PNG of 49 megapixels in 6 kB": lambda: png(7_000, 7_000, bits=1),
    "WebP of 49 megapixels in a few bytes": lambda: webp(7_000, 7_000),
    "TIFF of 49 megapixels in a few bytes": lambda: tiff(7_000, 7_000),
    "WebP of 13,000²": lambda: webp(13_000, 13_000),
    "WebP with 60 MB of EXIF": lambda: webp(64, 64, chunks=riff(b"EXIF", 60_000_000)),
    "BMP of 30,000²": lambda: saved(a_picture(), "BMP").replace(
        struct.pack("<ii", 128, 96), struct.pack("<ii", 30_000, 30_000)
    ),
    "GIF of many frames": lambda: saved(
        a_picture(), "GIF", save_all=True, append_images=[a_picture(seed=n) for n in range(9)]
    ),
    "icon": lambda: saved(a_picture(), "ICO"),
    "Photoshop": lambda: (
        b"8BPS\0\1" + bytes(6) + b"\0\3" + struct.pack(">II", 30_000, 30_000) + b"\0\x08\0\3" + bytes(40)
    ),
    "PostScript": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n{} loop\n",
    "SVG of entities": lambda: b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'bbbb'>]><svg>&b;</svg>",
    "archive": lambda: b"PK\3\4" + bytes(400),
    "nothing": lambda: b"",
    "a JPEG's first bytes and then a PNG": lambda: b"\xff\xd8\xff" + png(32, 32),
    "PNG of 200,000 empty chunks": lambda: png(32, 32, chunks=chunk(b"prVt", b"") * 200_000),
    "PNG of 200,000 empty pieces of pixels": lambda: png(32, 32, chunks=chunk(b"IDAT", b"") * 200_000),
    "JPEG of 49 megapixels in a kilobyte": lambda: jpeg(7_000, 7_000),
    "zeros": lambda: bytes(10_000_000),
}
# Harmless: they are answered, and soon.
MAY_BE_ANSWERED = {
    "TIFF of endless directories": lambda: tiff(32, 32, following=1, strip=bytes(1024)),
    "WebP of many frames": lambda: webp(64, 64, frames=20_000),
    "PNG cut off": lambda: png(3_000, 3_000, colour=2)[:900],
    "JPEG and archive in one": lambda: jpeg(64, 64) + b"PK\3\4" + bytes(400),
    "PNG of 9 megapixels in a few bytes": lambda: png(3_000, 3_000, bits=1),
}
