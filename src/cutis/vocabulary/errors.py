"""What can go wrong in a way the user can mend.

    Exception
    └── UserError            exit 1     printed in three lines, without a traceback
        ├── SafetyRefusal    exit 3     the same, where going on would endanger a person or the evidence
        └── Stopped          exit 130   the same, where the user asked to stop and everything is saved

Everything else that is raised is our bug and shows its traceback.
"""

from __future__ import annotations


class UserError(Exception):
    """An error that says what is wrong, where, and how to mend it."""

    exit_code = 1

    def __init__(self, what: str, *, where: str, mend: str) -> None:
        super().__init__(what, where, mend)
        self.what = what
        self.where = where
        self.mend = mend

    def __str__(self) -> str:
        return f"{self.what}\n  where: {self.where}\n  mend:  {self.mend}"

    def __reduce__(self) -> tuple[object, ...]:
        """Survive the way back from a worker process."""
        return (_rebuild, (type(self), self.what, self.where, self.mend))


class SafetyRefusal(UserError):
    """Refused, because going on would endanger a patient or spoil the evidence."""

    exit_code = 3


class Stopped(UserError):
    """Ended because the user asked for it, with everything saved; 130 is what a shell expects after Ctrl-C."""

    exit_code = 130


def _rebuild(kind: type[UserError], what: str, where: str, mend: str) -> UserError:
    return kind(what, where=where, mend=mend)
