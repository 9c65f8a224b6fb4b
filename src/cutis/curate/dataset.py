"""Writes the dataset's tables beside its pictures, each stamped and with the sha256 of what it was made from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cutis.curate.row import Rejection
from cutis.vocabulary.case import Manifest, read_manifest, write_manifest
from cutis.vocabulary.files import FORMATS, read_json, sha256_of, write_json, write_rows, written_aside
from cutis.vocabulary.taxonomy import Taxonomy, Term

MANIFEST = "manifest.parquet"
SPLITS = "splits.json"


def write_cases(
    folder: Path, manifest: Manifest, rejected: Sequence[Rejection], *, made_from: dict[str, str]
) -> Manifest:
    """Write manifest, taxonomy and rejected rows; return the manifest as a reader finds it."""
    write_manifest(folder / MANIFEST, manifest, made_from=made_from)
    with written_aside(folder / "taxonomy.toml") as aside:
        aside.write_text(_taxonomy_toml(manifest.taxonomy), encoding="utf-8")
    by_place = sorted(rejected, key=lambda one: (one.row is None, one.row or 0, one.file))
    rows = [(one.row, one.file, one.reason, one.detail) for one in by_place]
    write_rows(folder / "rejected.csv", "rejected", ("row", "file", "reason", "detail"), rows)
    return read_manifest(folder / MANIFEST)


def write_findings(folder: Path, *, card: Mapping[str, Any], splits: Mapping[str, Any], ledger_sha256: str) -> None:
    """Write card and proof."""
    made_from = {"manifest": sha256_of(folder / MANIFEST)}
    write_json(folder / "card.json", "card", card, made_from=made_from)
    write_json(folder / SPLITS, "splits", splits, made_from=made_from | {"ledger": ledger_sha256})


def ledger_named_by(dataset: Path) -> str | None:
    """Return the sha256 of the ledger by which a dataset was split; None where there is no dataset."""
    path = dataset / SPLITS
    return str(read_json(path, "splits")["made_from"]["ledger"]) if path.exists() else None


def _taxonomy_toml(taxonomy: Taxonomy) -> str:
    head = {"name": taxonomy.name, "title": taxonomy.title, "source": taxonomy.source}
    lines = [f"format = {FORMATS['taxonomy']}", *(f"{name} = {_toml(value)}" for name, value in head.items())]
    lines.append(f"cannot_say = {_toml(list(taxonomy.cannot_say))}")
    for disease in taxonomy.diseases:
        lines += ["", "[[diseases]]", *(f"{name} = {_toml(value)}" for name, value in vars(disease).items())]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    match value:
        case Term():
            return "{ " + ", ".join(f"{name} = {_toml(said)}" for name, said in vars(value).items()) + " }"
        case list() | tuple():
            return "[" + ", ".join(map(_toml, value)) + "]"
        case _:  # a text or a truth value, which JSON and TOML write alike
            return json.dumps(value, ensure_ascii=False)
