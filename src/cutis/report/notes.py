"""Notes under tables, each told once: where several tables need it, the first of them tells it."""

from __future__ import annotations

from typing import Any, NamedTuple

from cutis.report.tables import Cell, Table, clauses, estimates_in


class Noted(NamedTuple):
    """A table with its notes numbered."""

    table: Table
    numbers: dict[str, int]  # of every note that the table needs
    told: tuple[tuple[int, str], ...]  # those that no table before it tells

    @property
    def of_all(self) -> tuple[int, ...]:
        """The notes that qualify every estimate of the table."""
        return tuple(self.numbers[clause] for clause in self.table.common)

    def of(self, cell: Cell) -> tuple[int, ...]:
        """Return the notes of a cell, beside those of all."""
        said = [clause for estimate in estimates_in(cell) for clause in clauses(estimate.note)]
        return tuple(sorted({self.numbers[clause] for clause in said} - set(self.of_all)))


def with_numbered_notes(content: Any) -> Any:
    """Return what a part of the page shows, with every table in it as `Noted`, in the order of the page."""
    numbers: dict[str, int] = {}

    def noted(table: Table) -> Noted:
        new = [clause for clause in table.notes if clause not in numbers]
        numbers.update({clause: len(numbers) + place for place, clause in enumerate(new, start=1)})
        own = {clause: numbers[clause] for clause in table.notes}
        return Noted(table, own, tuple((numbers[clause], clause) for clause in new))

    def visit(part: Any) -> Any:
        if isinstance(part, Table):
            return noted(part)
        if isinstance(part, dict):
            return {name: visit(each) for name, each in part.items()}
        return type(part)(map(visit, part)) if type(part) in {list, tuple} else part

    return visit(content)
