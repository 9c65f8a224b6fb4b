"""How much work a picture's file asks for, read from its structure before a library begins with it.

A size within the limits is no promise: a JPEG may go a thousand times over its pixels, a PNG may unpack a kilobyte
to a megabyte of text, again and again, and a WebP gets its canvas before anyone asks how large it is.
"""

from __future__ import annotations

import os
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import IO, NamedTuple

from cutis.imaging.limits import MEGA, Limits

SCAN, END = 0xDA, 0xD9
PIXELS_OF_PNG = frozenset({b"IHDR", b"PLTE", b"IDAT", b"fcTL", b"fdAT"})
PACKED_IN_PNG = frozenset({b"zTXt", b"iCCP", b"iTXt"})
EXIF_AS_TEXT = b"Raw profile type exif\0"
PIXELS_OF_WEBP = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF"})
BYTES_A_PIXEL = 8  # four channels of sixteen bits, not compressed
# What metadata become in memory, for each of their bytes: numbers become objects, and profiles tables of conversion.
UNPACKED_EXIF, UNPACKED_PROFILE = 20, 3
TEXTS_OF_TIFF = frozenset({1, 2, 7})  # types whose values stay the bytes that they are
BYTES_OF_TIFF = (0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8)  # by type
PROFILE_OF_TIFF = 34675
RUN_LENGTHS = frozenset({1, 2})  # of a bitmap's compressions
OLD_HEADER = 12  # bytes of a bitmap's header that has none


class TooMuch(Exception):
    """A picture asks for more than the limits give; one word of the reasons, and what exactly."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


class Beside(NamedTuple):
    """What is no pixel in one part of a file."""

    size: int  # bytes, when they are unpacked
    steps: int = 1  # how many parts a library sees in it


class Part(NamedTuple):
    """One part of a file, with where its content begins."""

    name: bytes
    start: int
    length: int


class Entry(NamedTuple):
    """One entry of a TIFF's directory."""

    tag: int
    kind: int
    values: int  # how many
    at: int  # where the values lie, or what they are, if they are few


def require_size(size: tuple[int, int], *, limits: Limits) -> None:
    """Raise TooMuch for a width and height beyond the limits."""
    width, height = size
    if width * height > limits.pixels or max(width, height) > limits.side:
        raise TooMuch("too many pixels", f"{width} × {height}")


def require_modest(stream: IO[bytes], kind: str, *, limits: Limits) -> None:
    """Raise TooMuch for a file that is too large, or that holds too much beside its pixels; rewind it."""
    length = _length(stream)
    if length > limits.file:
        raise TooMuch("too costly", f"a file of {length / MEGA:.0f} MB, of at most {limits.file / MEGA:g}")
    beside = parts = 0
    for each in BESIDE[kind](stream, limits):
        beside, parts = beside + each.size, parts + each.steps
        if parts > limits.parts:
            raise TooMuch("too costly", f"more than {limits.parts} parts")
        if beside > limits.beside:
            raise TooMuch("too costly", f"more than {limits.beside / MEGA:g} MB of what are no pixels")
    stream.seek(0)


def require_file_fits(stream: IO[bytes], size: tuple[int, int], *, limits: Limits) -> None:
    """Raise TooMuch for a file far larger or far smaller than a picture of this width and height can be.

    The stream stays where it was.
    """
    here = stream.tell()
    length, pixels = _length(stream), size[0] * size[1]
    stream.seek(here)
    if length > limits.beside + BYTES_A_PIXEL * pixels:
        raise TooMuch("too costly", f"a file of {length / MEGA:.0f} MB for {size[0]} × {size[1]} pixels")
    if pixels > limits.pixels_of_any_file + limits.pixels_a_byte * length:
        raise TooMuch("too many pixels", f"{size[0]} × {size[1]} in {length} bytes")


def require_few_scans(stream: IO[bytes], size: tuple[int, int], *, limits: Limits) -> None:
    """Raise TooMuch for a JPEG that goes too often over its pixels; the stream stays where it was."""
    most = min(limits.scans, limits.pixels_in_all_scans // max(1, size[0] * size[1]))
    here = stream.tell()
    stream.seek(0)
    content = stream.read()
    stream.seek(here)
    # Also a thumbnail's scans are counted at first, so that few files need to be walked through.
    if content.count(b"\xff\xda") > most and sum(part.name[0] == SCAN for part in _segments(content)) > most:
        raise TooMuch("too costly", f"more than {most} scans over {size[0]} × {size[1]} pixels")


def _length(stream: IO[bytes]) -> int:
    return stream.seek(0, os.SEEK_END)


# In a scan FF is followed by 0 or by a restart's number; anything else ends it.
MARKER = re.compile(rb"\xff+[^\x00\x01\xff\xd0-\xd8]")


def _segments(content: bytes) -> Iterator[Part]:
    """Yield each segment of a JPEG by its marker, until its end or until the bytes make no sense."""
    place = 0
    while found := MARKER.search(content, place):
        start, marker = found.end(), content[found.end() - 1 : found.end()]
        if marker[0] == END:
            return
        length = int.from_bytes(content[start : start + 2], "big")
        yield Part(marker, start, length)
        place = start + length


def _beside_jpeg(stream: IO[bytes], _: Limits) -> Iterator[Beside]:
    stream.seek(0)
    content, place = stream.read(), 0
    for part in _segments(content):
        yield Beside(0, part.start - 2 - place)  # what lies between segments is skipped byte by byte
        if part.name[0] == SCAN:
            return
        place = part.start + part.length
        body = content[part.start : place]
        if body.startswith(b"Exif\0\0", 2):
            yield Beside(UNPACKED_EXIF * part.length)
        elif body.startswith(b"ICC_PROFILE\0", 2):
            yield Beside(UNPACKED_PROFILE * part.length)
        else:
            yield Beside(part.length, 1 + body.count(b"8BIM"))  # Photoshop's blocks
    yield Beside(0, max(0, len(content) - place))


def _beside_png(stream: IO[bytes], limits: Limits) -> Iterator[Beside]:
    for part in _chunks(stream, 8, ">I4s", beyond=4):
        beside = 0 if part.name in PIXELS_OF_PNG else part.length
        if part.name in PACKED_IN_PNG:
            beside += _unpacked(_at(stream, part.start, part.length), part.name, most=limits.beside)
        if part.name == b"eXIf" or _at(stream, part.start, len(EXIF_AS_TEXT)) == EXIF_AS_TEXT:
            beside *= UNPACKED_EXIF
        yield Beside(beside * (UNPACKED_PROFILE if part.name == b"iCCP" else 1))


def _beside_webp(stream: IO[bytes], limits: Limits) -> Iterator[Beside]:
    for part in _chunks(stream, 12, "<4sI", beyond=0):
        if part.name == b"VP8X":
            canvas = _at(stream, part.start + 4, 6)
            size = int.from_bytes(canvas[:3], "little") + 1, int.from_bytes(canvas[3:], "little") + 1
            require_size(size, limits=limits)
            require_file_fits(stream, size, limits=limits)
        times = {b"EXIF": UNPACKED_EXIF, b"ICCP": UNPACKED_PROFILE}.get(part.name, 1)
        yield Beside(0 if part.name in PIXELS_OF_WEBP else times * part.length)


def _beside_tiff(stream: IO[bytes], _: Limits) -> Iterator[Beside]:
    """Yield what the values of the first directory become; those that the file does not hold become nothing."""
    end = _length(stream)
    for entry in _directory(stream):
        size = entry.values * (BYTES_OF_TIFF[entry.kind] if entry.kind < len(BYTES_OF_TIFF) else 0)
        times = 1 if entry.kind in TEXTS_OF_TIFF else UNPACKED_EXIF
        held = entry.at + size <= end
        yield Beside((UNPACKED_PROFILE if entry.tag == PROFILE_OF_TIFF else times) * size if held else 0)


def _directory(stream: IO[bytes]) -> Iterator[Entry]:
    """Yield the entries of a TIFF's first directory, as far as the file goes."""
    head = _at(stream, 0, 16)
    order, big = "<" if head[:2] == b"II" else ">", b"+" in head[2:4]
    place, number, entry = (head[8:16], "Q", "HHQQ") if big else (head[4:8], "I", "HHII")
    if len(place) < struct.calcsize(number):
        return
    stream.seek(min(struct.unpack(order + number, place)[0], _length(stream)))
    count = int.from_bytes(stream.read(8 if big else 2), "little" if order == "<" else "big")
    for _ in range(count):
        written = stream.read(struct.calcsize(order + entry))
        if len(written) < struct.calcsize(order + entry):
            return
        yield Entry(*struct.unpack(order + entry, written))


def _beside_bmp(stream: IO[bytes], limits: Limits) -> Iterator[Beside]:
    """Refuse runs that take Pillow's decoder too many steps: each pixel and each byte can be one."""
    header, width, height, _, compression = struct.unpack("<IiiII", _at(stream, 14, 20).ljust(20, b"\0"))
    if header > OLD_HEADER and compression in RUN_LENGTHS and abs(width * height) + _length(stream) > limits.runs:
        raise TooMuch("too costly", f"more than {limits.runs / MEGA:g} million steps of run lengths")
    yield Beside(0)


def _chunks(stream: IO[bytes], place: int, head: str, *, beyond: int) -> Iterator[Part]:
    """Yield each chunk of a PNG or a WebP as far as the file goes; `head` tells how name and length are written."""
    end = _length(stream)
    while len(written := _at(stream, place, 8)) == struct.calcsize(head):
        name, length = sorted(struct.unpack(head, written), key=lambda field: isinstance(field, int))
        yield Part(name, place + 8, min(length, end - place - 8))
        place += 8 + length + (beyond or length % 2)  # a PNG's sum of four bytes, or a WebP's filling to an even place


def _at(stream: IO[bytes], place: int, length: int) -> bytes:
    stream.seek(place)
    return stream.read(length)


def _unpacked(content: bytes, name: bytes, *, most: int) -> int:
    """Return how many bytes a packed text or profile holds, hardly more than `most`; 0 where it does not unpack."""
    _, _, rest = content.partition(b"\0")
    if name == b"iTXt":
        if rest[:1] != b"\1":
            return 0
        rest = b"\0" + rest[2:].partition(b"\0")[2].partition(b"\0")[2]
    unpacking, rest, taken = zlib.decompressobj(), rest[1:], 0
    try:
        while rest and taken <= most:
            taken += len(unpacking.decompress(rest, MEGA))
            rest = unpacking.unconsumed_tail
    except zlib.error:
        return taken
    return taken


# What each format holds beside its pixels, in bytes, part by part.
BESIDE: dict[str, Callable[[IO[bytes], Limits], Iterator[Beside]]] = {
    "JPEG": _beside_jpeg,
    "PNG": _beside_png,
    "TIFF": _beside_tiff,
    "BMP": _beside_bmp,
    "WEBP": _beside_webp,
}
