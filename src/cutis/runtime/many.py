"""Many pictures in, a table out: in bounded memory, and what cannot be read is a row that says why."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.imaging.border import Decoders
from cutis.imaging.prepare import Preparation, normalise
from cutis.progress import cores, track
from cutis.runtime.bundle import Bundle
from cutis.runtime.engines import Engine
from cutis.runtime.predict import BATCH, Answers, answers_of, diagnosis_of, seen_from_all_sides
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import written_rows_of

Prepare = Callable[[Path, Preparation], NDArray[np.uint8]]
Prepared = NDArray[np.uint8] | UserError  # (S, S, 3), or why there is none
CHANCE = "probability/"  # before a diagnosis' code, in the name of its column
ROWS_AT_ONCE = 1024  # of the table: fewer make it slow to read
AHEAD = 2  # batches that are read while one is answered


class Counts(NamedTuple):
    """What became of many pictures."""

    answered: int
    abstained: int
    unreadable: int  # no picture, or no number for it


def pictures_in(places: Sequence[Path]) -> list[Path]:
    """Return the files that are named, and of folders all files at any depth, in the order of their names.

    Hidden ones, whose name or whose folder's begins with a dot, are left out; what is no picture is told later, one
    by one.

    Raises:
        UserError: there is no such file or folder, or a folder has none.
    """
    found: list[Path] = []
    for place in places:
        if not place.exists():
            raise UserError("there is no such file or folder", where=str(place), mend="check the path")
        if not place.is_dir():
            found.append(place)
            continue
        within = sorted(path for path in _files_of(place))
        if not within:
            raise UserError("this folder holds no file", where=str(place), mend="check the path")
        found += within
    return list(dict.fromkeys(found))


def answer_many(
    engine: Engine, bundle: Bundle, paths: Sequence[Path], into: Path, *, prepared: Prepare | None = None
) -> Counts:
    """Answer every picture and write a Parquet table with a row for each, in the order of the paths.

    Pictures are decoded by a process for each core while the network answers earlier ones, never more than a few
    batches ahead, so that memory does not grow with their number; what kills its decoder is a row like any that cannot
    be read. Columns: ``image``, ``error`` (why there is no answer, else null), ``diagnosis`` (the most probable),
    ``probability/CODE`` for each diagnosis, ``abstained``, ``reasons``, ``prediction_set`` and ``warnings`` (of this
    picture alone). The table appears when it is whole.

    Args:
        engine: runs the bundle's network.
        bundle: that answers.
        paths: of the pictures' files.
        into: where the table is written.
        prepared: makes a file (S, S, 3) uint8, asked for by several threads; decoders at the border, if not given.
    """
    about = {
        "bundle": bundle.name,
        "weights": bundle.weights_sha256,
        "diagnoses": list(bundle.taxonomy.codes),
        "coverage": bundle.sets[0].level if bundle.sets else None,
        "warnings": list(bundle.warnings),
        "licence": bundle.licence,
        "invented": bundle.invented,
    }
    counts = np.zeros(3, np.int64)
    with ExitStack() as held:
        write = held.enter_context(written_rows_of(into, "answers", _types(bundle), about=about))
        prepared = prepared or held.enter_context(Decoders(cores())).prepared_file
        batches = held.enter_context(closing(_read_ahead(bundle, paths, prepared)))
        rows: dict[str, list[Any]] = {name: [] for name in _types(bundle)}
        for batch in track(batches, "answering", total=-(-len(paths) // BATCH)):
            columns = _answered(engine, bundle, batch)
            counts += _counted(columns)
            for name, values in columns.items():
                rows[name] += values
            if len(rows["image"]) >= ROWS_AT_ONCE:
                write(rows)
                rows = {name: [] for name in rows}
        write(rows)
    return Counts(*counts.tolist())


def _files_of(folder: Path) -> Iterator[Path]:
    for at, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(at, name) for name in names if not name.startswith("."))


def _read_ahead(bundle: Bundle, paths: Sequence[Path], prepared: Prepare) -> Generator[list[tuple[Path, Prepared]]]:
    """Yield batches of prepared pictures, asked for by threads while earlier ones are answered."""

    def read(path: Path) -> Prepared:
        try:
            return prepared(path, bundle.preparation)
        except UserError as error:
            return error

    todo: Iterator[Path] = iter(paths)
    ahead: deque[tuple[Path, Future[Prepared]]] = deque()
    with ThreadPoolExecutor(max_workers=cores()) as readers:

        def read_on() -> None:
            for path in islice(todo, (1 + AHEAD) * BATCH - len(ahead)):
                ahead.append((path, readers.submit(read, path)))

        try:
            read_on()
            while ahead:
                batch = [ahead.popleft() for _ in range(min(BATCH, len(ahead)))]
                read_on()
                yield [(path, reading.result()) for path, reading in batch]
        finally:
            for _, reading in ahead:
                reading.cancel()


def _answered(engine: Engine, bundle: Bundle, batch: Sequence[tuple[Path, Prepared]]) -> dict[str, list[Any]]:
    """Return the columns of some rows."""
    pictures = [each for _, each in batch if not isinstance(each, UserError)]
    answers = None
    if pictures:
        seen = normalise(np.stack(pictures), bundle.preparation)
        answers = answers_of(bundle, seen_from_all_sides(engine, bundle, seen))
    rows, place = [], 0
    for path, prepared in batch:
        if isinstance(prepared, UserError) or answers is None:
            rows.append(_silent(bundle, path, prepared.what if isinstance(prepared, UserError) else ""))
            continue
        rows.append(_row(bundle, path, answers, place))
        place += 1
    return {name: [row[name] for row in rows] for name in rows[0]}


def _row(bundle: Bundle, path: Path, answers: Answers, place: int) -> dict[str, Any]:
    try:
        said = diagnosis_of(bundle, path, answers, place)
    except UserError as error:
        return _silent(bundle, path, error.what)
    return _silent(bundle, path, None) | {
        "diagnosis": said.findings[0].code,
        **{f"{CHANCE}{finding.code}": finding.probability for finding in said.findings},
        "abstained": said.abstained,
        "reasons": list(said.reasons),
        "prediction_set": list(said.prediction_set),
        "warnings": [warning for warning in said.warnings if warning not in bundle.warnings],
    }


def _silent(bundle: Bundle, path: Path, why: str | None) -> dict[str, Any]:
    """Return a row without an answer."""
    empty: dict[str, Any] = {"reasons": [], "prediction_set": [], "warnings": []}
    return dict.fromkeys(_types(bundle), None) | {"image": _as_text(path), "error": why} | empty


def _types(bundle: Bundle) -> dict[str, str]:
    """Return the type of every column, as pyarrow names it."""
    chances = {f"{CHANCE}{code}": "double" for code in bundle.taxonomy.codes}
    lists = dict.fromkeys(("reasons", "prediction_set", "warnings"), "list<string>")
    return {"image": "string", "error": "string", "diagnosis": "string", **chances, "abstained": "bool", **lists}


def _as_text(path: Path) -> str:
    """Return a path as text; bytes of its name that are none are written as their numbers."""
    return str(path).encode("utf-8", "backslashreplace").decode()


def _counted(columns: dict[str, list[Any]]) -> NDArray[np.int64]:
    read = [abstained for abstained in columns["abstained"] if abstained is not None]
    return np.array([len(read) - sum(read), sum(read), len(columns["image"]) - len(read)], np.int64)
