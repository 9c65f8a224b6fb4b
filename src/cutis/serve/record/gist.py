"""What the history is searched by: the first diagnosis, and the words that people wrote; sealed like all else."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from cutis.serve.vault import Vault


class Gist(NamedTuple):
    """A few words of an examination."""

    first: str | None  # code that the release answered first; None where there is no ranking
    note: str
    said: str = ""  # diagnoses that people named later, a line each

    def holds(self, words: Sequence[str], *, is_heard: bool = True) -> bool:
        """Say whether some words (case-folded) all stand in it, or in the note alone where the rest is not heard."""
        text = (f"{self.note}\n{self.said}" if is_heard else self.note).casefold()
        return all(word in text for word in words)


def seal_gist(vault: Vault, wrapped: bytes | None, gist: Gist, *, examination_id: str) -> bytes:
    """Return it sealed.

    Raises:
        Erased: the case is no more.
    """
    return vault.seal(wrapped, json.dumps(gist).encode(), about=f"gist of {examination_id}")


def open_gist(vault: Vault, wrapped: bytes | None, sealed: bytes, *, examination_id: str) -> Gist:
    """Return what `seal_gist` sealed.

    Raises:
        Erased: the case is no more.
    """
    first, *texts = json.loads(vault.open(wrapped, sealed, about=f"gist of {examination_id}"))
    return Gist(first, *texts) if len(texts) > 1 else Gist(first, "", *texts)  # once both texts were one
