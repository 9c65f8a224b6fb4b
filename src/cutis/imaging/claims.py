"""How many pixels a file claims to have, read from its first bytes in plain Python: no library sees it.

It decides who waits, and nothing else: whether the claim is true is for the decoder to find out.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

# Markers of a JPEG's frame: SOF0 to SOF15 without DHT, JPG and DAC, which share their numbers.
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
ALONE = frozenset({0x01, *range(0xD0, 0xD8)})  # markers without a length
WIDTH, HEIGHT = 256, 257  # tags of a TIFF
MOST_SEGMENTS = 1_000


def claimed_pixels(content: bytes) -> int | None:
    """Return width times height as a file's head claims them; None where it is not seen."""
    read = next((read for begin, read in READERS.items() if content.startswith(begin)), None)
    try:
        size = read(content) if read else None
    except (struct.error, IndexError, OverflowError):
        return None
    return abs(size[0] * size[1]) if size else None


def _png(content: bytes) -> tuple[int, int]:
    width, height = struct.unpack_from(">II", content, 16)
    return width, height


def _bmp(content: bytes) -> tuple[int, int]:
    is_old = content[14] == 12  # noqa: PLR2004  bytes of its first header
    width, height = struct.unpack_from("<HH" if is_old else "<ii", content, 18)
    return width, height


def _jpeg(content: bytes) -> tuple[int, int] | None:
    place = 2
    for _ in range(MOST_SEGMENTS):
        if content[place] != 0xFF:  # noqa: PLR2004  every marker begins so
            return None
        marker = content[place + 1]
        if marker in FRAMES:
            height, width = struct.unpack_from(">HH", content, place + 5)
            return width, height
        if marker == 0xFF:  # noqa: PLR2004  filling
            place += 1
        else:
            place += 2 if marker in ALONE else 2 + int(struct.unpack_from(">H", content, place + 2)[0])
    return None


def _webp(content: bytes) -> tuple[int, int] | None:
    kind = content[12:16]
    if kind == b"VP8X":
        across, across_high, down, down_high = struct.unpack_from("<HBHB", content, 24)
        return 1 + across + (across_high << 16), 1 + down + (down_high << 16)
    if kind == b"VP8L":
        bits = struct.unpack_from("<I", content, 21)[0]
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", content, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None


def _tiff(content: bytes) -> tuple[int, int] | None:
    order = "<" if content.startswith(b"II") else ">"
    place = struct.unpack_from(f"{order}I", content, 4)[0]
    found = {}
    for entry in range(struct.unpack_from(f"{order}H", content, place)[0]):
        tag, kind, _, value = struct.unpack_from(f"{order}HHI4s", content, place + 2 + 12 * entry)
        if tag in {WIDTH, HEIGHT}:
            found[tag] = struct.unpack_from(f"{order}H" if kind == 3 else f"{order}I", value)[0]  # noqa: PLR2004
    return (found[WIDTH], found[HEIGHT]) if len(found) == len((WIDTH, HEIGHT)) else None


READERS: dict[bytes, Callable[[bytes], tuple[int, int] | None]] = {
    b"\x89PNG\r\n\x1a\n": _png,
    b"\xff\xd8": _jpeg,
    b"BM": _bmp,
    b"RIFF": _webp,
    b"II*\0": _tiff,
    b"MM\0*": _tiff,
}
