"""Which way a clinic's folder is laid out: by its clinic.toml, as HAM10000, around one table, or a folder per class."""

from __future__ import annotations

from pathlib import Path

from cutis.curate import clinic_file as toml
from cutis.curate.clinic_file import ClinicFile, Columns
from cutis.curate.table import READERS
from cutis.vocabulary.errors import UserError

HAM10000_TABLE = "HAM10000_metadata.csv"


def describe(clinic: Path, clinic_file: Path | None = None) -> ClinicFile:
    """Say what lies where in this folder: what its clinic.toml says, completed by what can be recognised.

    Raises:
        UserError: no such folder, an empty one, an unreadable clinic.toml, or none or several tables for its columns.
    """
    if not clinic.is_dir():
        raise UserError("there is no such folder", where=str(clinic), mend="give the folder that holds the pictures")
    if not any(clinic.iterdir()):
        raise UserError("this folder is empty", where=str(clinic), mend="give the folder that holds the pictures")
    given = clinic_file or clinic / toml.NAME
    said = toml.read_clinic_file(given) if clinic_file or given.exists() else None
    if said and said.table:
        return said
    recognised = _ham10000(clinic) if (clinic / HAM10000_TABLE).is_file() else None
    if said and said.columns and not recognised:
        return said.model_copy(update={"table": _table_of_columns(clinic, given)})
    if said:  # a clinic.toml without a table adds to the layout that is found
        added = {name: getattr(said, name) for name in said.model_fields_set}
        return said if recognised is None else recognised.model_copy(update=added)
    return recognised or ClinicFile(table=_only_table(clinic))  # the folder's own name may be a person's


def _ham10000(clinic: Path) -> ClinicFile:
    parts = tuple(sorted(path.name for path in clinic.glob("HAM10000_images_part_*") if path.is_dir()))
    return ClinicFile(
        name="HAM10000",
        taxonomy="ham7",
        source="HAM10000, Tschandl, Rosendahl, Kittler, Scientific Data 5:180161 (2018), "
        "ViDIR Group, Medical University of Vienna",
        licence="CC BY-NC 4.0",
        table=HAM10000_TABLE,
        images=("images",) if (clinic / "images").is_dir() or not parts else parts,
        columns=Columns(
            image="image_id",
            lesion="lesion_id",
            diagnosis="dx",
            confirmed_by="dx_type",
            age="age",
            sex="sex",
            site="localization",
        ),
    )


def _table_of_columns(clinic: Path, given: Path) -> str:
    table = _only_table(clinic)
    if table is None:
        mend = "put the table into the folder, or leave [columns] out where folders are the classes"
        raise UserError("columns are mapped, but there is no table", where=str(given), mend=mend)
    return table


def _only_table(clinic: Path) -> str | None:
    """Return the one table that lies beside the pictures; none: the folders are the classes."""
    tables = sorted(path.name for path in clinic.iterdir() if path.suffix.lower() in READERS and path.is_file())
    if len(tables) > 1:
        mend = "name one as `table` in a clinic.toml"
        raise UserError(f"there are several tables: {', '.join(tables)}", where=str(clinic), mend=mend)
    return tables[0] if tables else None
