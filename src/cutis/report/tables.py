"""Tables of counts, words and estimates, as the page draws them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from cutis.vocabulary.estimate import Estimate
from cutis.vocabulary.taxonomy import Taxonomy

Cell = str | int | Estimate

SPOKEN = {
    "argmax": "arg-max",
    "one_vs_rest": "one-vs-rest",
    "auc": "AUC",
    "macro_auc": "macro AUC",
    "brier": "Brier score",
    "argmax/balanced_accuracy": "balanced accuracy, arg-max",
    "settled": "settled cases",
    "indeterminate": "indeterminate cases",
    "both": "both together",
}

RIVALS_BY = ("macro_auc", "argmax/balanced_accuracy")


class Table(NamedTuple):
    """What stands in rows and columns; the first column names the rows."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    groups: tuple[tuple[str, int], ...] = ()  # a heading over so many columns; none: no second line of headings

    @property
    def notes(self) -> tuple[str, ...]:
        """What qualifies some of the estimates, each note once."""
        cells = (cell for row in self.rows for cell in row)
        return tuple(dict.fromkeys(cell.note for cell in cells if isinstance(cell, Estimate) and cell.note))


class Figure(NamedTuple):
    """The name of an estimate such as ``argmax/sensitivity/MN``, in its parts."""

    convention: str  # or the stratum; "" for none
    what: str
    code: str  # "" for all diagnoses together


def parts_of(name: str, codes: Sequence[str]) -> Figure:
    """Take an estimate's name apart."""
    parts = name.split("/")
    code = parts.pop() if parts[-1] in codes else ""
    return Figure(parts[0] if len(parts) > 1 else "", parts[-1], code)


def spoken(word: str) -> str:
    """Return a name as people read it."""
    return SPOKEN.get(word, word.replace("_", " "))


def estimates_of(content: Mapping[str, Mapping[str, Any]]) -> dict[str, Estimate]:
    """Return estimates from plain data."""
    return {name: Estimate(**said) for name, said in content.items()}


def methods_of(estimates: Mapping[str, Estimate]) -> str:
    """Return the level and the methods by which these intervals were made, the most frequent first."""
    methods = Counter(f"{each.level:.0%}, {each.method}" for each in estimates.values() if each.low is not None)
    return "; ".join(method for method, _ in methods.most_common())


def counted(counts: Mapping[str, int]) -> str:
    """Return counts in one line, the greatest first."""
    ranked = sorted(counts.items(), key=lambda item: -item[1])
    return ", ".join(f"{spoken(name)} {count:,}" for name, count in ranked)


def overall_table(estimates: Mapping[str, Estimate], codes: Sequence[str], *, caption: str, by: str) -> Table:
    """Return a row per estimate of all diagnoses together."""
    figures = ((parts_of(name, codes), estimate) for name, estimate in estimates.items())
    rows = tuple(
        (spoken(figure.what), spoken(figure.convention) or "—", estimate)
        for figure, estimate in figures
        if not figure.code
    )
    return Table(caption, ("figure", by, "estimate (interval)"), rows)


def table_by_diagnosis(
    estimates: Mapping[str, Estimate], taxonomy: Taxonomy, support: Mapping[str, Mapping[str, int]], *, caption: str
) -> Table:
    """Return a row per diagnosis, a column per figure, grouped by convention: its own name over each."""
    named = [(parts_of(name, taxonomy.codes), estimate) for name, estimate in estimates.items()]
    by_figure = {figure: estimate for figure, estimate in named if figure.code}
    columns = sorted({(figure.convention, figure.what) for figure in by_figure})
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            f"{disease.name} (malignant)" if disease.malignant else disease.name,
            f"{support[disease.code]['cases']:,} of {support[disease.code]['clusters']:,}",
            *(by_figure[Figure(convention, what, disease.code)] for convention, what in columns),
        )
        for disease in taxonomy.diseases
    )
    return Table(
        caption,
        ("diagnosis", "cases", *(spoken(what) for _, what in columns)),
        rows,
        (("", 2), *_groups(convention for convention, _ in columns)),
    )


def rivals_table(
    estimates: Mapping[str, Mapping[str, Estimate]],
    differences: Mapping[str, Mapping[str, Estimate]],
    *,
    reference: str,
    caption: str,
) -> Table:
    """Return a row per bundle: two figures, each with its difference to the reference."""
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            name,
            *(
                cell
                for figure in RIVALS_BY
                for cell in (found[figure], differences[name][figure] if name != reference else "reference")
            ),
        )
        for name, found in estimates.items()
    )
    columns = ("bundle", *("estimate (interval)", "difference (interval)") * len(RIVALS_BY))
    return Table(caption, columns, rows, (("", 1), *((spoken(figure), 2) for figure in RIVALS_BY)))


def differences_table(
    differences: Mapping[str, Mapping[str, Estimate]], names: Mapping[str, str], *, caption: str
) -> Table:
    """Return a row per figure, a column per rival; diagnoses by their names."""
    (figures, *_) = differences.values()
    parts = {figure: parts_of(figure, tuple(names)) for figure in figures}
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            f"{spoken(what)}, {names[code]}" if code else spoken(what),
            spoken(convention) or "—",
            *(found[figure] for found in differences.values()),
        )
        for figure, (convention, what, code) in parts.items()
    )
    return Table(caption, ("figure", "convention", *differences), rows)


def _groups(conventions: Iterable[str]) -> tuple[tuple[str, int], ...]:
    in_order = list(conventions)
    return tuple((spoken(convention), in_order.count(convention)) for convention in dict.fromkeys(in_order))
