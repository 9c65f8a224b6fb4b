"""How every file of ours says what it is: a kind, a format version, and what it was made from.

A file of a newer format than this cutis knows is refused; nothing is guessed from it.
Writing is always aside, synced and renamed, so that no reader ever sees half a file.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cutis.vocabulary.circumstances import circumstances
from cutis.vocabulary.errors import UserError

SUMS = "SHA256SUMS"
FORMATS = {
    "acceptance": 1,
    "aid": 1,
    "anchor": 1,
    "answers": 1,
    "atlas": 1,
    "audit": 1,
    "backup": 1,
    "begun": 1,
    "bundle": 4,
    "cache": 1,
    "card": 1,
    "checkpoint": 2,
    "clinic": 1,
    "comparison": 1,
    "config": 1,
    "contents": 1,
    "diagnoses": 3,
    "drawn": 1,
    "engines": 1,
    "erased": 1,
    "error": 1,
    "estimates": 2,
    "examination": 1,
    "feedback": 1,
    "figure": 1,
    "finished": 1,
    "history": 1,
    "hub": 1,
    "journal": 1,
    "key": 1,
    "keys": 1,
    "ledger": 1,
    "limits": 1,
    "machine": 1,
    "manifest": 1,
    "master-key": 1,
    "maps": 1,
    "neighbours": 1,
    "offered-maps": 1,
    "openings": 1,
    "outputs": 1,
    "parity": 1,
    "plan": 1,
    "power": 1,
    "predictions": 1,
    "protocol": 1,
    "readings": 1,
    "reference": 1,
    "rehearsal": 1,
    "rejected": 1,
    "release": 1,
    "report": 1,
    "robustness": 1,
    "saliency": 1,
    "signs": 1,
    "similar": 1,
    "sanity": 1,
    "scores": 1,
    "self-test": 1,
    "splits": 1,
    "study": 1,
    "subgroups": 1,
    "taxonomy": 1,
    "thumbnails": 1,
    "token": 1,
    "tokens": 1,
    "trust": 1,
    "truth": 1,
    "verification": 1,
    "weights": 1,
    "words": 1,
}


def stamp(kind: str) -> dict[str, Any]:
    """Return the two fields that open every file of this kind."""
    return {"kind": kind, "format": FORMATS[kind]}


def check_stamp(found: Mapping[str, Any], kind: str, *, where: Path | str) -> None:
    """Refuse a file of another kind, or of a format that is newer than this cutis.

    Raises:
        UserError: the stamp is missing, of another kind, or newer.
    """
    if found.get("kind", kind) != kind or "format" not in found:
        raise UserError(
            f"this is no {kind} file of cutis", where=str(where), mend=f"give a file that cutis wrote as {kind}"
        )
    try:
        version = int(found["format"])
    except (TypeError, ValueError):
        version = 0
    if not 1 <= version <= FORMATS[kind]:
        raise UserError(
            f"{kind} format {found['format']} is not known here (newest known: {FORMATS[kind]})",
            where=str(where),
            mend="update cutis, or write the file again with this version",
        )


@contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """Lend a path beside the target; on success sync it and rename it over the target, on failure remove it."""
    aside = path.with_name(f".{path.name}.{os.getpid()}.aside")
    try:
        yield aside
        sync(aside)
        aside.replace(path)
        sync(path.parent)
    finally:
        aside.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Ask the disk to hold what was written to this file or folder."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_sums(folder: Path) -> None:
    """Seal a folder: write the sha256 of every file in it, in the form that `sha256sum -c` reads."""
    lines = [f"{sha256_of(folder / name)}  {name}\n" for name in sorted(_files_in(folder))]
    with written_aside(folder / SUMS) as aside:
        aside.write_text("".join(lines), encoding="utf-8")


def check_sums(folder: Path, what: str, *, mend: str, may_lack: frozenset[str] = frozenset()) -> None:
    """Refuse a sealed folder of which a byte was changed, or a file added or removed; some may be taken out.

    Raises:
        UserError: names the files.
    """
    try:
        lines = (folder / SUMS).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise UserError(f"there is no whole {what} here", where=str(folder), mend=mend) from error
    sums = {name: sum_ for sum_, _, name in (line.partition("  ") for line in lines)}
    there = _files_in(folder)
    taken_out = may_lack - there
    wrong = sorted((there ^ sums.keys()) - taken_out) or sorted(n for n in there if sha256_of(folder / n) != sums[n])
    if wrong:
        raise UserError(f"this {what} was changed or is incomplete: {', '.join(wrong)}", where=str(folder), mend=mend)


def _files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {SUMS}


def write_json(
    path: Path, kind: str, content: Mapping[str, Any], *, made_from: Mapping[str, str] | None = None
) -> None:
    """Write a stamped JSON file with its circumstances and the sha256 of each thing it was made from."""
    full = stamp(kind) | {"made_from": dict(made_from or {}), "made_with": circumstances()} | dict(content)
    with written_aside(path) as aside:
        aside.write_text(json.dumps(full, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")


def read_json(path: Path, kind: str, *, mend: str | None = None) -> dict[str, Any]:
    """Read a stamped JSON file.

    Args:
        path: of the file.
        kind: of file.
        mend: what to do where it is missing or damaged; by default, let the stage write it that does.

    Raises:
        UserError: the file is missing, torn, of another kind or of a newer format.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(
            f"there is no {kind} here", where=str(path), mend=mend or "run the stage that writes it first"
        ) from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise UserError(
            f"this {kind} file is damaged: {error}", where=str(path), mend=mend or "write it again with --again"
        ) from error
    if not isinstance(content, dict):
        raise UserError(f"this is no {kind} file of cutis", where=str(path), mend=mend or "write it again with --again")
    check_stamp(content, kind, where=path)
    return content


def read_toml(path: Path, kind: str) -> dict[str, Any]:
    """Read a TOML file; a missing ``format`` counts as the first one, since people write these files by hand.

    Raises:
        UserError: the file is missing or cannot be read, is no TOML, or of a newer format.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"there is no {kind} file here", where=str(path), mend="check the path") from error
    except OSError as error:
        raise UserError(
            f"this file cannot be read: {error.strerror}", where=str(path), mend="check the path"
        ) from error
    except UnicodeDecodeError as error:
        raise UserError("this file is not UTF-8", where=str(path), mend="save it as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"this is no TOML: {error}", where=str(path), mend="correct the line that is named") from error
    check_stamp({"format": 1} | content, kind, where=path)
    return content


def write_table(path: Path, kind: str, columns: Mapping[str, Sequence[Any]], *, about: Mapping[str, Any]) -> None:
    """Write a stamped Parquet table; `about` goes into its metadata beside the circumstances."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    full = stamp(kind) | {"made_with": circumstances()} | dict(about)
    table = pa.table(dict(columns)).replace_schema_metadata({"cutis": json.dumps(full, ensure_ascii=False)})
    with written_aside(path) as aside:
        pq.write_table(table, aside, compression="zstd")


@contextmanager
def written_rows_of(
    path: Path, kind: str, types: Mapping[str, str], *, about: Mapping[str, Any]
) -> Iterator[Callable[[Mapping[str, Sequence[Any]]], None]]:
    """Lend what writes rows of a stamped Parquet table, some at a time; the table appears when all are there.

    Args:
        path: of the table.
        kind: of file.
        types: of each column, "string", "double", "bool" or "list<string>".
        about: what goes into its metadata beside the circumstances.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    known = {"string": pa.string(), "double": pa.float64(), "bool": pa.bool_(), "list<string>": pa.list_(pa.string())}
    full = stamp(kind) | {"made_with": circumstances()} | dict(about)
    schema = pa.schema(
        [(name, known[each]) for name, each in types.items()], {"cutis": json.dumps(full, ensure_ascii=False)}
    )
    with written_aside(path) as aside, pq.ParquetWriter(aside, schema, compression="zstd") as writer:
        yield lambda columns: writer.write_table(pa.table(dict(columns), schema=schema))


def read_table(path: Path, kind: str) -> tuple[Any, dict[str, Any]]:
    """Return a stamped Parquet file as a pyarrow table with its metadata.

    Raises:
        UserError: the file is missing, damaged, of another kind or of a newer format.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except FileNotFoundError as error:
        raise UserError(
            f"there is no {kind} here", where=str(path), mend="run the stage that writes it first"
        ) from error
    except (pa.ArrowException, OSError) as error:
        raise UserError(
            f"this {kind} file is damaged: {error}", where=str(path), mend="write it again with --again"
        ) from error
    about = json.loads((table.schema.metadata or {}).get(b"cutis", b"{}"))
    check_stamp(about, kind, where=path)
    return table, about


def write_rows(path: Path, kind: str, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Write a CSV for people's eyes; the format version stands in its last column, where no reader trips over it.

    Letters that are none, such as in a file's name of another encoding, are written as their numbers.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*names, "format"])
    writer.writerows([*row, FORMATS[kind]] for row in rows)
    with written_aside(path) as aside:
        aside.write_text(text.getvalue(), encoding="utf-8", errors="backslashreplace")
