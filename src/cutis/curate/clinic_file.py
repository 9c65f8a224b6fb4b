"""clinic.toml: what the clinic's table and its columns mean, in our words. Checked once, here at the border."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import read_toml

NAME = "clinic.toml"


def _inside(name: str) -> str:
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f"{name!r} leads out of the clinic's folder")
    return str(path)


Inside = Annotated[str, AfterValidator(_inside)]


class Columns(BaseModel):
    """Ours = theirs. Only the image and the raters, or one diagnosis, are required."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    image: str | None = None
    patient: str | None = None
    lesion: str | None = None
    raters: tuple[str, ...] = ()
    diagnosis: str | None = None
    histology: str | None = None
    adjudicator: str | None = None
    confirmed_by: str | None = None
    age: str | None = None
    sex: str | None = None
    site: str | None = None  # of the body
    skin_tone: str | None = None
    device: str | None = None
    clinic: str | None = None  # which of several clinics, for a test that is elsewhere
    date: str | None = None

    @property
    def mapped(self) -> dict[str, str]:
        """Our name → theirs, of the single columns that are given."""
        return {ours: theirs for ours, theirs in self if isinstance(theirs, str)}


class ClinicFile(BaseModel):
    """What a clinic says of its folder."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int = 1
    name: str = "unnamed clinic"
    taxonomy: str | None = None
    source: str = ""
    licence: str = "not stated"
    invented: bool = False
    table: Inside | None = None  # none: a folder per class
    images: tuple[Inside, ...] = (".",)
    leave_out: tuple[str, ...] = ()
    columns: Columns | None = None  # none: the table uses our own names
    labels: dict[str, str] = {}


def read_clinic_file(path: Path) -> ClinicFile:
    """Read a clinic.toml.

    Raises:
        UserError: no such file, no TOML, an unknown key (the known ones are named), or a value of the wrong kind.
    """
    content = read_toml(path, "clinic")
    if isinstance(content.get("images"), str):
        content["images"] = [content["images"]]
    try:
        return ClinicFile.model_validate(content)
    except ValidationError as error:
        raise _explained(error, path) from error


def _explained(error: ValidationError, path: Path) -> UserError:
    first = error.errors(include_url=False)[0]
    key = ".".join(map(str, first["loc"]))
    if first["type"] == "extra_forbidden":
        known: Any = Columns if len(first["loc"]) > 1 else ClinicFile
        return UserError(f"unknown key {key!r}", where=str(path), mend=f"use one of: {', '.join(known.model_fields)}")
    return UserError(f"{key}: {first['msg']}", where=str(path), mend="compare it with the example in docs/curate.md")
