"""How much one picture may ask for, wherever it comes from."""

from __future__ import annotations

from dataclasses import dataclass, fields

MEGA = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one picture may claim, and what decoding it may cost.

    The claims are checked by `cutis.imaging.decode` before a pixel is decoded. The costs can be held only by a process
    of its own (`cutis.imaging.border`); the shortest of them lets a picture of 50 megapixels of every format through.
    """

    pixels: int = 50 * MEGA
    side: int = 16_384
    pixels_of_any_file: int = 16 * MEGA  # what a file may claim however small it is
    pixels_a_byte: int = 2_000  # what it may claim above that; an empty page in PNG comes to 1,000
    file: int = 200 * MEGA  # bytes: 50 megapixels of four channels, not compressed
    parts: int = 50_000  # chunks and segments; the largest PNG has 25,000 of the usual 8 kB
    scans: int = 100  # of a progressive JPEG; ten are usual
    pixels_in_all_scans: int = 600 * MEGA  # each scan goes over the whole picture
    runs: int = 3 * MEGA  # pixels and bytes of a bitmap of run lengths, which Pillow decodes in Python
    beside: int = 16 * MEGA  # bytes that texts, profiles and whatever else is no pixel become in memory
    memory: int = 1_000 * MEGA  # bytes that the decoder's process may hold as its own
    seconds: float = 0.5  # of computing, for a picture of no size
    seconds_per_megapixel: float = 0.06  # what its size adds
    patience: float = 20.0  # seconds by the clock, however busy the machine is

    def __post_init__(self) -> None:
        """Refuse what no picture could keep, by a ValueError."""
        wrong = [field.name for field in fields(self) if not getattr(self, field.name) > 0]
        if wrong:
            raise ValueError(f"limits must be above 0: {', '.join(wrong)}")

    def seconds_for(self, size: tuple[int, int]) -> float:
        """Return how many seconds of computing a picture of this width and height may take."""
        return self.seconds + self.seconds_per_megapixel * size[0] * size[1] / MEGA


LIMITS = Limits()
