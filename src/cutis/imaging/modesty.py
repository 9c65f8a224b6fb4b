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
PIXELS_OF_WEBP = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF"})
BYTES_A_PIXEL = 8  # four channels of sixteen bits, not compressed


class TooMuch(Exception):
    """A picture asks for more than the limits give; one word of the reasons, and what exactly."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


class Part(NamedTuple):
    """One part of a file, with where its content begins."""

    name: bytes
    start: int
    length: int


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
    beside = 0
    for count, size in enumerate(BESIDE[kind](stream, limits) if kind in BESIDE else ()):
        beside += size
        if count > limits.parts:
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


def _beside_jpeg(stream: IO[bytes], _: Limits) -> Iterator[int]:
    stream.seek(0)
    for part in _segments(stream.read()):
        if part.name[0] == SCAN:
            return
        yield part.length


def _beside_png(stream: IO[bytes], limits: Limits) -> Iterator[int]:
    for part in _chunks(stream, 8, ">I4s", beyond=4):
        beside = 0 if part.name in PIXELS_OF_PNG else part.length
        if part.name in PACKED_IN_PNG:
            beside += _unpacked(_at(stream, part.start, part.length), part.name, most=limits.beside)
        yield beside


def _beside_webp(stream: IO[bytes], limits: Limits) -> Iterator[int]:
    for part in _chunks(stream, 12, "<4sI", beyond=0):
        if part.name == b"VP8X":
            canvas = _at(stream, part.start + 4, 6)
            size = int.from_bytes(canvas[:3], "little") + 1, int.from_bytes(canvas[3:], "little") + 1
            require_size(size, limits=limits)
            require_file_fits(stream, size, limits=limits)
        yield 0 if part.name in PIXELS_OF_WEBP else part.length


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
BESIDE: dict[str, Callable[[IO[bytes], Limits], Iterator[int]]] = {
    "JPEG": _beside_jpeg,
    "PNG": _beside_png,
    "WEBP": _beside_webp,
}
