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


def animated(frames):
    """A PNG whose first frame is its picture; the others lie behind it."""

    def shown(number):
        return chunk(b"fcTL", struct.pack(">IIIIIHHBB", number, 32, 32, 0, 0, 1, 1, 0, 0))

    begin = chunk(b"acTL", struct.pack(">II", frames + 1, 0)) + shown(0)
    others = [shown(2 * n + 1) + chunk(b"fdAT", struct.pack(">I", 2 * n + 2) + zeros(33 * 32)) for n in range(frames)]
    return png(32, 32, chunks=begin, behind=b"".join(others))


def bitmap(width, height, runs, *, bits=8):
    """A BMP of run lengths."""
    colours = bytes(4 << bits)
    place, packing = 54 + len(colours), {8: 1, 4: 2}[bits]
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, packing, len(runs), 1, 1, 1 << bits, 0)
    return b"BM" + struct.pack("<IHHI", place + len(runs), 0, 0, place) + header + colours + runs


def exif(*entries, following=0, behind=b""):
    """EXIF of a directory at place 8; `entries` are (tag, type, count, value)."""
    directory = struct.pack(">H", len(entries)) + b"".join(struct.pack(">HHII", *row) for row in entries)
    return b"MM\0*\0\0\0\x08" + directory + struct.pack(">I", following) + behind


def with_segments(*segments, marker=0xE1):
    """A small JPEG with these in front."""
    content = saved(a_picture(width=64, height=64), "JPEG")
    written = [b"\xff" + bytes([marker]) + struct.pack(">H", 2 + len(segment)) + segment for segment in segments]
    return content[:2] + b"".join(written) + content[2:]


def with_junk(junk):
    """A small JPEG with bytes between its segments."""
    content = saved(a_picture(width=64, height=64), "JPEG")
    return content[:2] + junk + content[2:]


def restarts(count, *, between=1):
    """A JPEG of nothing but marks at which decoding could go on."""
    content = saved(a_picture(width=64, height=64), "JPEG")
    at = content.index(b"\xff\xda")
    marks = b"".join(b"\xff" + bytes([0xD0 + n % 8]) for n in range(count))
    return content[:at] + b"\xff\xdd\0\4" + struct.pack(">H", between) + content[at:-2] + marks + b"\xff\xd9"


def profile(grid):
    """A colour profile with a table of grid³ colours."""
    table = b"mft2" + bytes(4) + bytes([3, 3, grid, 0]) + struct.pack(">9i", 65_536, 0, 0, 0, 65_536, 0, 0, 0, 65_536)
    table += struct.pack(">HH", 4_096, 4_096) + bytes(2 * 3 * (4_096 + grid**3 + 4_096))
    head = bytes(12) + b"mntrRGB Lab " + bytes(12) + b"acsp" + bytes(88) + struct.pack(">I", 1) + b"A2B0"
    whole = head + struct.pack(">II", 144, len(table)) + table
    return struct.pack(">I", len(whole)) + whole[4:]


def directories(count):
    """A TIFF of so many pictures, one after the other."""
    fields = dict.fromkeys((256, 257, 278), 32) | dict.fromkeys((259, 262, 277), 1) | {258: 8, 273: 8, 279: 1024}
    rows = b"".join(struct.pack("<HHII", tag, 4, 1, fields[tag]) for tag in sorted(fields))
    one, begin = 2 + len(rows) + 4, 8 + 1024
    following = [begin + one * (n + 1) for n in range(count - 1)] + [0]
    written = [struct.pack("<H", len(fields)) + rows + struct.pack("<I", place) for place in following]
    return b"II*\0" + struct.pack("<I", begin) + bytes(1024) + b"".join(written)


def jpeg_in_tiff(*, scans):
    packed = jpeg(1_024, 1_024, scans=scans)
    return tiff(1_024, 1_024, entries=[(259, 3, 1, 7), (262, 3, 1, 6), (277, 3, 1, 3)], strip=packed)


NUMBERS = bytes(range(256)) * 60_000  # 15 MB
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
    "GIF that calls itself a JPEG": lambda: b"\xff\xd8\xff" + saved(a_picture(), "GIF"),
    "PNG of 40,000 frames": lambda: animated(40_000),
    "PNG whose orientation is millions of numbers": lambda: png(
        32, 32, chunks=chunk(b"eXIf", exif((0x0112, 3, 7_000_000, 26), behind=NUMBERS))
    ),
    "PNG whose orientation comes behind its pixels": lambda: png(
        32, 32, behind=chunk(b"eXIf", exif((0x0112, 3, 7_000_000, 26), behind=NUMBERS))
    ),
    "PNG with EXIF as a text": lambda: png(
        32, 32, chunks=chunk(b"tEXt", b"Raw profile type exif\0\n\n\n" + b"45" * 5_000_000)
    ),
    "WebP whose orientation is millions of numbers": lambda: webp(
        64, 64, chunks=b"EXIF" + struct.pack("<I", 15_360_026) + exif((0x0112, 3, 7_000_000, 26), behind=NUMBERS)
    ),
    "JPEG whose orientation is millions of numbers": lambda: with_segments(
        b"Exif\0\0" + exif((0x0112, 3, 5_000_000, 26)), *[b"Exif\0\0" + NUMBERS[:65_000]] * 200
    ),
    "JPEG with a million blocks of Photoshop": lambda: with_segments(
        *[b"Photoshop 3.0\0" + b"8BIM\4\4\0\0\0\0\0\0" * 5_400] * 200, marker=0xED
    ),
    "JPEG with 15 MB of filling": lambda: with_junk(b"\xff" * 15_000_000),
    "JPEG with 15 MB of escaped filling": lambda: with_junk(b"\xff\0" * 7_500_000),
    "JPEG with 15 MB of zeros between": lambda: with_segments(b"one")[:7] + bytes(15_000_000),
    "JPEG with a profile of 13 MB": lambda: saved(a_picture(), "JPEG", icc_profile=profile(130)),
    "JPEG of 5,000,000 comments": lambda: with_junk(b"\xff\xfe\0\2" * 5_000_000),
    "TIFF of 4,000,000 strips": lambda: tiff(
        4_000, 4_000, entries=[(278, 4, 1, 1), (273, 4, 3_800_000, 8), (279, 4, 3_800_000, 8)], strip=NUMBERS
    ),
    "TIFF whose orientation is millions of numbers": lambda: tiff(
        32, 32, entries=[(274, 3, 7_600_000, 8)], strip=NUMBERS
    ),
    "TIFF whose resolution is millions of fractions": lambda: tiff(
        32, 32, entries=[(282, 5, 1_900_000, 8)], strip=NUMBERS
    ),
    "TIFF of 30,000 entries, the same values in each": lambda: tiff(
        32, 32, entries=[(32_768 + n, 4, 100_000, 8) for n in range(30_000)], strip=bytes(400_000)
    ),
    "TIFF of a progressive JPEG of 1,000 scans": lambda: jpeg_in_tiff(scans=1_000),
    "TIFF of one enormous tile": lambda: tiff(
        32, 32, entries=[(322, 4, 1, 0x7FFFFFF0), (323, 4, 1, 0x7FFFFFF0), (324, 4, 1, 8), (325, 4, 1, 1)]
    ),
    "TIFF of 60,000 channels": lambda: tiff(32, 32, entries=[(277, 3, 1, 60_000)], strip=bytes(60_000)),
    "large TIFF whose directory lies nowhere": lambda: (
        b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, 0xFFFFFFFFFFFF) + bytes(100)
    ),
    "BMP of 16 million runs": lambda: bitmap(4_000, 4_000, b"\1\0" * 16_000_000),
    "BMP of runs of half bytes": lambda: bitmap(4_000, 4_000, b"\xff\0" * 64_000, bits=4),
    "BMP of empty lines": lambda: bitmap(4_000, 4_000, b"\1\0\0\0" * 4_000),
    "BMP of 8 million ends of lines": lambda: bitmap(32, 32, b"\0\0" * 8_000_000),
    "BMP of 2³¹ lines": lambda: saved(a_picture(), "BMP").replace(
        struct.pack("<ii", 128, 96), struct.pack("<ii", 128, -(2**31)), 1
    ),
    "WebP whose parts claim 4 GB": lambda: (
        b"RIFF\xff\xff\xff\xffWEBPVP8L\xff\xff\xff\xff\x2f\xff\xff\xff\x0f" + bytes(100)
    ),
}
# Harmless: they are answered, and soon.
MAY_BE_ANSWERED = {
    "TIFF of endless directories": lambda: tiff(32, 32, following=1, strip=bytes(1024)),
    "WebP of many frames": lambda: webp(64, 64, frames=20_000),
    "PNG cut off": lambda: png(3_000, 3_000, colour=2)[:900],
    "JPEG and archive in one": lambda: jpeg(64, 64) + b"PK\3\4" + bytes(400),
    "PNG of 9 megapixels in a few bytes": lambda: png(3_000, 3_000, bits=1),
    "PNG of 4,000 frames": lambda: animated(4_000),
    "PNG that unpacks to a gigabyte": lambda: png(32, 32, pixels=zeros(1_000_000_000)),
    "JPEG of 65,535 restarts": lambda: restarts(65_535),
    "JPEG whose EXIF comes back to itself": lambda: with_segments(
        b"Exif\0\0" + exif((0x0112, 3, 1, 6 << 16), (0x8769, 4, 1, 8), (0x8825, 4, 1, 8), following=8)
    ),
    "JPEG whose EXIF claims 4 GB": lambda: with_segments(
        b"Exif\0\0" + exif((0x010E, 2, 2**32 - 1, 8), (0x0112, 3, 2**32 - 1, 8), (0x9286, 7, 2**31 - 1, 8))
    ),
    "JPEG of many Huffman tables": lambda: with_segments(*[bytes(17)] * 40_000, marker=0xC4),
    "JPEG and nine more": lambda: saved(
        a_picture(), "MPO", save_all=True, append_images=[a_picture(seed=n) for n in range(9)]
    ),
    "TIFF of 20,000 directories": lambda: directories(20_000),
    "TIFF that is its own part": lambda: tiff(
        32, 32, entries=[(tag, 4, 1, 8 + 1024) for tag in (330, 34665, 34853)], strip=bytes(1024)
    ),
    "TIFF of packed zeros behind its pixels": lambda: tiff(32, 32, entries=[(259, 3, 1, 8)], strip=zeros(500_000_000)),
    "TIFF of 2 million tiles": lambda: tiff(
        32, 32, entries=[(322, 4, 1, 1), (323, 4, 1, 1), (324, 4, 1, 8), (325, 4, 1, 1)]
    ),
    "XMP of entities": lambda: with_segments(
        b"http://ns.adobe.com/xap/1.0/\0<!DOCTYPE l [<!ENTITY a 'aa'><!ENTITY b '&a;&a;'>]><x>&b;</x>"
    ),
    "profile with a table of 36³ colours": lambda: saved(a_picture(), "JPEG", icc_profile=profile(36)),
}
