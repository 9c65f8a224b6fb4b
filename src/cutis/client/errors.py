"""What can go wrong between a program and a clinic's server.

UserError
├── Refused        the server said no, and why; asking again would not help
└── Unreachable    it did not answer, or had no time, for as long as we were patient
"""

from __future__ import annotations

from cutis.client.contract import Problem
from cutis.vocabulary.errors import UserError

MEND = {
    401: "ask the administrator for a token that has not ended",
    403: "ask the administrator for a token with the scope that this needs",
    404: "check the id; a token that may not read every examination is sent those that it asked for",
    410: "what was erased cannot be brought back",
}


class Refused(UserError):
    """The server said no; `problem` holds what it said (RFC 9457)."""

    def __init__(self, problem: Problem, *, where: str) -> None:
        """Take what the server said."""
        mend = MEND.get(problem.status, "see docs/api.md for what may be sent")
        super().__init__(f"{problem.status} {problem.detail or problem.title}", where=where, mend=mend)
        self.problem = problem

    def __reduce__(self) -> tuple[object, ...]:
        """Survive the way back from a worker process."""
        return (_refused, (self.problem, self.where))


class Unreachable(UserError):
    """Nobody answered in time; whether the question arrived is not known: with the same key it can be asked again."""


def _refused(problem: Problem, where: str) -> Refused:
    return Refused(problem, where=where)
