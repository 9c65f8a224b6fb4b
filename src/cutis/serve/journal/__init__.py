"""The journal, as the other rooms use it."""

from cutis.serve.journal.entry import SERVER, Entry, Kept, Kind
from cutis.serve.journal.reading import Opened, entries, opened, sealed_in
from cutis.serve.journal.writing import write

__all__ = ["SERVER", "Entry", "Kept", "Kind", "Opened", "entries", "opened", "sealed_in", "write"]
