"""What was searched for, under a name that may stand in an address: words of a patient never do."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict

MOST = 1000


class Searches:
    """The last searches of everybody, forgotten when the server stops."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._alone = threading.Lock()

    def keep(self, by: str, text: str) -> str:
        """Return the name under which somebody's search is found again, by them alone."""
        name = secrets.token_urlsafe(9)
        with self._alone:
            self._kept[by, name] = text
            while len(self._kept) > MOST:
                self._kept.popitem(last=False)
        return name

    def of(self, by: str, name: str) -> str | None:
        """Return what somebody searched for; None where it is no longer known, or was not theirs."""
        with self._alone:
            return self._kept.get((by, name))
