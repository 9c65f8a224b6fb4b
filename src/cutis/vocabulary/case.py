"""A case is one image with all that is known of it; a manifest is the table of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import read_table, sha256_of, write_table
from cutis.vocabulary.taxonomy import Taxonomy, taxonomy_from

SPLITS = ("train", "tune", "calibrate", "test")


@dataclass(frozen=True, kw_only=True)
class Vote:
    """What one rater called one image."""

    rater: str
    code: str


@dataclass(frozen=True, kw_only=True)
class Quality:
    """Measurements of one picture, by `cutis.imaging.quality`.

    Brightness and contrast are the mean and standard deviation of luma in 0..1; sharpness is documented there.
    `marks` are words such as "blurred" or "dark"; empty for a good picture.
    """

    width: int
    height: int
    sharpness: float
    brightness: float
    contrast: float
    marks: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Case:
    """One image. What is not known is None.

    `indeterminate` is None for a case with a settled diagnosis on a usable picture; else it is the reason why the
    case is neither trained on nor counted with the rest, but reported beside it.
    """

    case_id: str
    image: str  # path of the picture inside the dataset folder
    sha256: str  # of that file
    cluster_id: str  # the independent unit: patient, or lesion where no patient is known
    patient_id: str | None = None  # pseudonym
    lesion_id: str | None = None  # pseudonym
    diagnosis: str | None = None
    votes: tuple[Vote, ...] = ()
    confirmed_by: str | None = None  # "histology", "majority", "single", "adjudicator", … in the clinic's own word else
    indeterminate: str | None = None
    split: str | None = None
    fold: int | None = None
    duplicate_group: str | None = None
    quality: Quality | None = None
    age: float | None = None
    sex: str | None = None
    site: str | None = None
    skin_tone: str | None = None
    device: str | None = None
    date: str | None = None  # ISO date, shifted per patient


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """All cases of a dataset with what must travel with them."""

    cases: tuple[Case, ...]
    taxonomy: Taxonomy
    cluster_kind: str  # "patient" or "lesion"
    source: str
    licence: str
    invented: bool = False

    def __len__(self) -> int:
        return len(self.cases)

    def where(self, keep: Callable[[Case], bool]) -> Manifest:
        """Return the manifest of the cases for which `keep` is true."""
        return replace(self, cases=tuple(case for case in self.cases if keep(case)))

    def of_split(self, split: str) -> Manifest:
        """Return the settled cases of one split, in order."""
        return self.where(lambda case: case.split == split and case.indeterminate is None)

    def indeterminate_of(self, split: str) -> Manifest:
        """Return the indeterminate stratum of one split."""
        return self.where(lambda case: case.split == split and case.indeterminate is not None)

    def column(self, name: str) -> list[Any]:
        """Return one field of every case."""
        return [getattr(case, name) for case in self.cases]


def unchanged_picture(dataset: Path, case: Case) -> Path:
    """Return the file of a case's picture.

    Raises:
        UserError: it is missing, or not the one that was curated.
    """
    path = dataset / case.image
    if not path.exists() or sha256_of(path) != case.sha256:
        mend = "restore this picture, or run cutis curate --again"
        raise UserError("this picture is missing or was changed since it was curated", where=str(path), mend=mend)
    return path


def write_manifest(path: Path, manifest: Manifest, *, made_from: dict[str, str]) -> None:
    """Write a manifest as one stamped Parquet table, a column per field."""
    columns = {field.name: [_plain(value) for value in manifest.column(field.name)] for field in fields(Case)}
    about = {
        "taxonomy": manifest.taxonomy.to_dict(),
        "cluster_kind": manifest.cluster_kind,
        "source": manifest.source,
        "licence": manifest.licence,
        "invented": manifest.invented,
        "made_from": made_from,
    }
    write_table(path, "manifest", columns, about=about)


def read_manifest(path: Path) -> Manifest:
    """Read what `write_manifest` wrote.

    Raises:
        UserError: no manifest, a damaged one, or one of a newer format.
    """
    if not path.exists():
        raise UserError("there is no dataset here", where=str(path.parent), mend="run cutis curate CLINIC_DIR first")
    table, about = read_table(path, "manifest")
    try:
        return Manifest(
            cases=tuple(_cases(table.to_pylist())),
            taxonomy=taxonomy_from(about["taxonomy"], where=path),
            cluster_kind=about["cluster_kind"],
            source=about["source"],
            licence=about["licence"],
            invented=about["invented"],
        )
    except (KeyError, TypeError) as error:
        raise UserError(
            f"this manifest lacks a field: {error}", where=str(path), mend="run cutis curate --again"
        ) from error


def _plain(value: Any) -> Any:
    match value:
        case Quality():
            return {field.name: _plain(getattr(value, field.name)) for field in fields(Quality)}
        case Vote():
            return {"rater": value.rater, "code": value.code}
        case tuple():
            return [_plain(item) for item in value]
        case _:
            return value


def _cases(rows: Iterable[dict[str, Any]]) -> Iterable[Case]:
    for row in rows:
        votes = tuple(Vote(**vote) for vote in row["votes"] or ())
        quality = row["quality"]
        if quality is not None:
            quality = Quality(**quality | {"marks": tuple(quality["marks"] or ())})
        yield Case(**row | {"votes": votes, "quality": quality})
