"""Tables of counts, words and estimates, as the page draws them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from cutis.report.words import number, percent
from cutis.vocabulary.estimate import Estimate

LONGEST_TOGETHER = 24  # rows; about a page of paper
MOST_LETTERS, MOST_OF_WORDS = 92, 18  # that paper has room for: of a row, and of words before they go on beneath
SMALLER = 0.82  # what stands beneath a figure
FEWEST_ALIKE = 2  # estimates that must share a note before it is told of all


class Shown(NamedTuple):
    """An estimate in a cell, shown otherwise than plainly."""

    estimate: Estimate
    is_signed: bool = False  # a difference
    digits: int = 3
    beneath: str = ""  # what stands under it, or names the estimate there
    gap: Estimate | None = None  # a difference under it

    @property
    def leaves_0_out(self) -> bool:
        """Whether there is a gap beyond doubt."""
        low, high = (self.gap.low, self.gap.high) if self.gap else (None, None)
        return low is not None and high is not None and not low <= 0 <= high


Cell = str | int | Estimate | Shown
Row = tuple[Cell, ...]


class Table(NamedTuple):
    """What stands in rows and columns; the first column names the rows."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    groups: tuple[tuple[str, int], ...] = ()  # a heading over so many columns; none: no second line of headings
    parts: tuple[tuple[str, int], ...] = ()  # a heading above so many rows; none: no headings among them

    @property
    def bodies(self) -> Iterator[tuple[str, tuple[Row, ...]]]:
        """Each part's heading with its rows."""
        start = 0
        for heading, count in self.parts or (("", len(self.rows)),):
            yield heading, self.rows[start : start + count]
            start += count

    @property
    def is_long(self) -> bool:
        """Whether it may go on on the next page, where a shorter one is kept together."""
        return len(self.rows) > LONGEST_TOGETHER

    @property
    def is_wide(self) -> bool:
        """Whether an interval must stand beneath its figure for the table to fit on paper."""
        words = [max(map(len, heading.split()), default=0) for heading in self.columns]
        longest = [max(map(_letters, column)) for column in zip(*self.rows, strict=True)]
        return sum(map(max, words, longest)) + len(words) > MOST_LETTERS

    @property
    def common(self) -> tuple[str, ...]:
        """What qualifies every estimate of the table that has a value."""
        said = [clauses(estimate.note) for estimate in self._estimates() if estimate.value is not None]
        if len(said) < FEWEST_ALIKE:
            return ()
        return tuple(clause for clause in said[0] if all(clause in each for each in said))

    @property
    def notes(self) -> tuple[str, ...]:
        """What qualifies some of the estimates, each clause once; first what qualifies all."""
        said = (clause for estimate in self._estimates() for clause in clauses(estimate.note))
        return tuple(dict.fromkeys([*self.common, *said]))

    def _estimates(self) -> Iterator[Estimate]:
        return (estimate for row in self.rows for cell in row for estimate in estimates_in(cell))


def estimates_in(cell: Cell) -> tuple[Estimate, ...]:
    """Return the estimates of a cell."""
    if isinstance(cell, Shown):
        return (cell.estimate, cell.gap) if cell.gap else (cell.estimate,)
    return (cell,) if isinstance(cell, Estimate) else ()


def clauses(note: str) -> tuple[str, ...]:
    """Return the single things that a note says."""
    return tuple(filter(None, note.split("; ")))


def of_its_own(estimate: Estimate, code: str) -> Estimate:
    """Say of a diagnosis in its own row what is said of it by name, so that all rows share a note.

    How many clusters have it stands in the table by diagnosis.
    """
    if not code:
        return estimate
    note = re.sub(rf"only [\d,]+ (\w+?)s? (with|without) {re.escape(code)}: ", r"few \1s \2 it: ", estimate.note)
    note = re.sub(rf"for [\d,]+ (\w+?)s? (with|without) {re.escape(code)} to ", r"for the \1s \2 it to ", note)
    note = re.sub(r"only [\d,]+ (\w+?)s? with such an answer: ", r"few \1s with such an answer: ", note)
    note = re.sub(r"for [\d,]+ (\w+?)s? with such an answer to ", r"for the \1s with such an answer to ", note)
    return replace(estimate, note=note)


def estimates_of(content: Mapping[str, Mapping[str, Any]]) -> dict[str, Estimate]:
    """Return estimates from plain data."""
    return {name: Estimate(**said) for name, said in content.items()}


def methods_of(estimates: Iterable[Estimate]) -> str:
    """Return the level and the methods by which these intervals were made, the most frequent first."""
    made = Counter((each.level, each.method) for each in estimates if each.low is not None)
    levels = dict.fromkeys(level for (level, _), _ in made.most_common())
    by_level = {level: [method for (of, method), _ in made.most_common() if of == level] for level in levels}
    return "; ".join(f"Intervals of {percent(level)} by {', or '.join(methods)}" for level, methods in by_level.items())


def cells_of(estimates: Mapping[str, Estimate], names: Iterable[str], *, code: str = "") -> tuple[Cell, ...]:
    """Return a cell for each of these estimates, an empty one for what there is not; of one diagnosis, if given."""
    found = [estimates.get(name, "") for name in names]
    return tuple(of_its_own(cell, code) if isinstance(cell, Estimate) else cell for cell in found)


def joined(parts: Iterable[tuple[str, Iterable[Row]]], *, caption: str, columns: tuple[str, ...]) -> Table:
    """Return a table of several parts, each with its heading; a part without rows is left out."""
    listed = [(heading, tuple(rows)) for heading, rows in parts]
    there = [(heading, rows) for heading, rows in listed if rows]
    return Table(
        caption,
        columns,
        tuple(row for _, rows in there for row in rows),
        parts=tuple((heading, len(rows)) for heading, rows in there),
    )


def _letters(cell: Cell) -> float:
    """Return how long a cell is in one line, in letters."""
    match cell:
        case Shown(estimate, is_signed, digits, beneath, gap):
            under = len(beneath) + 1 + (_inline(gap, digits=digits, is_signed=True) if gap else 0)
            return max(_inline(estimate, digits=digits, is_signed=is_signed), SMALLER * under)
        case Estimate():
            return _inline(cell, digits=3, is_signed=False)
        case _:
            return min(len(str(cell)), MOST_OF_WORDS)


def _inline(estimate: Estimate, *, digits: int, is_signed: bool) -> int:
    """Return how many letters a figure has with its interval beside it."""
    ends = [number(end, digits=digits, is_signed=is_signed) for end in (estimate.low, estimate.high) if end is not None]
    between = " to " if is_signed or any(end.startswith("−") for end in ends) else "–"
    value = "" if estimate.value is None else number(estimate.value, digits=digits, is_signed=is_signed)
    return len(f"{value} ({between.join(ends)})") if ends else len(f"{value} no interval")
