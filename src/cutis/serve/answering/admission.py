"""Who may wait for an answer: so many examinations, and so many pixels, since a large picture costs more than a small.

Who is refused is told to come back (HTTP 429); nothing of theirs is held.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Lock

from cutis.imaging.claims import claimed_pixels
from cutis.imaging.limits import LIMITS, MEGA
from cutis.runtime.batcher import TooManyWait

MOST_PIXELS = 200 * MEGA  # about four seconds of one decoder


class Admission:
    """Counts who is within; any thread may ask."""

    def __init__(self, most: int, *, pixels: int = MOST_PIXELS) -> None:
        self._most, self._most_pixels = most, pixels
        self._within = self._pixels_within = 0
        self._lock = Lock()

    @property
    def is_full(self) -> bool:
        """Whether one more would be refused, however small its pictures are."""
        with self._lock:
            return self._within >= self._most or self._pixels_within >= self._most_pixels

    @property
    def within(self) -> int:
        """How many examinations are waiting or at work."""
        return self._within

    @contextmanager
    def admitted(self, pictures: Sequence[bytes]) -> Iterator[None]:
        """Let an examination in, and out at the end; one whose pictures are huge only where nobody else waits.

        Raises:
            TooManyWait: it must come back later.
        """
        pixels = sum(claimed_pixels(picture) or LIMITS.pixels_of_any_file for picture in pictures)
        with self._lock:
            if self._within >= self._most:
                raise TooManyWait(f"{self._within} examinations wait already")
            if self._within and self._pixels_within + pixels > self._most_pixels:
                raise TooManyWait(f"pictures of {self._pixels_within / MEGA:.0f} megapixels wait already")
            self._within, self._pixels_within = self._within + 1, self._pixels_within + pixels
        try:
            yield
        finally:
            with self._lock:
                self._within, self._pixels_within = self._within - 1, self._pixels_within - pixels
