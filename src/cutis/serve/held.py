"""How many bytes of pictures are in memory at once, whoever sent them: pages and programs count in one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from cutis.runtime.batcher import TooManyWait
from cutis.serve.settings import ClinicSettings


@dataclass
class Held:
    """Counts the bytes of all bodies that are in memory, from their first piece to their answer; of one loop."""

    most: int
    count: int = 0

    @contextmanager
    def by_one(self) -> Iterator[Callable[[int], None]]:
        """Lend what a body is counted by, piece by piece; at the end it is no longer held.

        Raises:
            TooManyWait: from what is lent: there is no room for another piece.
        """
        own = 0

        def take(size: int) -> None:
            nonlocal own
            if self.count + size > self.most:
                raise TooManyWait(f"{self.count:,} bytes of pictures are held already")
            self.count, own = self.count + size, own + size

        try:
            yield take
        finally:
            self.count -= own


def room_to_hold(settings: ClinicSettings) -> Held:
    """Return what a server counts by: room for a whole question, and for a picture of each that may wait."""
    return Held(settings.picture_bytes * max(settings.waiting, settings.pictures_of_a_lesion + 1))
