"""Which training cases a picture is like: exact, by the cosine in a space that was chosen on tune.

One product with all places, and a partial sort (`stats.retrieval`); `benchmarks/neighbours.py` says up to how many
cases that is quick enough. A neighbour is never of the patient who is named with the picture. What is the same picture,
or nearer than those of different patients ever were, is found all the same, and said to be perhaps the same.

The rows belong to patients (`docs/decisions/0011`): they lie in a file by themselves, which a bundle can do without.
Numpy alone is imported on the way to an answer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cutis.stats.nearness import Nearness, nearness_from
from cutis.stats.retrieval import NOBODY, Origin, Trial, nearest
from cutis.stats.spaces import Space, placed
from cutis.vocabulary.case import Case
from cutis.vocabulary.diagnosis import SimilarCase
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import check_stamp, stamp, written_aside
from cutis.vocabulary.taxonomy import Taxonomy

NEIGHBOURS = "neighbours.safetensors"
GREATEST_HALF = 6e4  # what half precision can hold, nearly
SPACE, ROWS = "space.", "cases"


class Search(NamedTuple):
    """What similar cases are asked for."""

    cases: int
    patient: str | None = None  # pseudonym of the patient or lesion that the picture is of; None: not known


@dataclass(frozen=True, kw_only=True)
class Likeness:
    """What a bundle says of its training cases: how they are compared, why so, and what it means to be near."""

    space: str
    cases: int
    chosen_on: str  # on which cases the space was chosen
    trials: tuple[Trial, ...]
    strangers: float  # the greatest similarity of a picture there to a case of another patient; above it: the same?
    nearness: Nearness | None  # fitted on calibrate; None where nothing tells

    def to_dict(self) -> dict[str, Any]:
        """Return plain data that `likeness_from` reads back."""
        return {
            "space": self.space,
            "cases": self.cases,
            "chosen_on": self.chosen_on,
            "trials": [trial._asdict() for trial in self.trials],
            "strangers": self.strangers,
            "nearness": self.nearness.to_dict() if self.nearness else None,
        }


@dataclass(frozen=True, kw_only=True)
class Index:
    """Training cases that a new picture is held against: M of them."""

    features: NDArray[np.floating]  # (M, F), as the network gives them, in half precision
    space: Space
    places: NDArray[np.float32]  # (M, r), where they lie in it
    diagnosis: NDArray[np.int64]  # (M,) index into the taxonomy
    origin: Origin
    case_ids: tuple[str, ...]
    confirmed_by: tuple[str | None, ...]
    sha256s: tuple[str, ...]  # of the pictures

    def __len__(self) -> int:
        return len(self.case_ids)


def likeness_from(content: Mapping[str, Any]) -> Likeness:
    """Read what `Likeness.to_dict` gave.

    Raises:
        KeyError, TypeError: something is missing.
    """
    said = content["nearness"]
    trials = tuple(Trial(**trial) for trial in content["trials"])
    return Likeness(**{**content, "trials": trials, "nearness": nearness_from(said) if said else None})


def kept(features: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return features (M, F) as an index keeps them: in half precision, unless one is too great for it."""
    return features.astype(np.float32 if np.abs(features).max(initial=0) > GREATEST_HALF else np.float16)


def index_of(features: NDArray[np.floating], cases: Sequence[Case], *, codes: Sequence[str], space: Space) -> Index:
    """Return the index of M training cases with their features (M, F), which are those that `kept` gives."""
    return Index(
        features=features,
        space=space,
        places=placed(features, space),
        diagnosis=np.array([codes.index(str(case.diagnosis)) for case in cases], dtype=np.int64),
        origin=origin_of(cases),
        case_ids=tuple(case.case_id for case in cases),
        confirmed_by=tuple(case.confirmed_by for case in cases),
        sha256s=tuple(case.sha256 for case in cases),
    )


def origin_of(cases: Sequence[Case]) -> Origin:
    """Return which cluster and which group of near duplicates each case is of."""
    return Origin(tuple(case.cluster_id for case in cases), tuple(case.duplicate_group for case in cases))


def in_space(index: Index, space: Space) -> Index:
    """Return the same cases in another space."""
    return replace(index, space=space, places=placed(index.features, space))


def write_index(path: Path, index: Index, *, made_from: Mapping[str, str]) -> None:
    """Write an index as one stamped safetensors file; the words stand in its metadata, as JSON."""
    from safetensors.numpy import save_file

    tensors: dict[str, NDArray[Any]] = {"features": index.features, "diagnosis": index.diagnosis}
    tensors |= {f"{SPACE}{name}": getattr(index.space, name) for name in ("centre", "axes")}
    words = {
        "space": index.space.kind,
        "case_ids": index.case_ids,
        "confirmed_by": index.confirmed_by,
        "sha256s": index.sha256s,
        **index.origin._asdict(),
    }
    plain = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    about = {"stamp": json.dumps(stamp("neighbours") | {"made_from": dict(made_from)}), ROWS: json.dumps(words)}
    with written_aside(path) as aside:
        save_file(plain, aside, metadata=about)


def read_index(path: Path) -> Index:
    """Read what `write_index` wrote.

    Raises:
        UserError: the bundle has no such file, or one of a newer format, or a damaged one.
    """
    from safetensors import SafetensorError, safe_open

    if not path.exists():
        mend = "train it again with similar_cases=true, or bring that file back if it was taken out"
        raise UserError("this bundle carries no training cases to compare with", where=str(path), mend=mend)
    try:
        with safe_open(path, framework="numpy") as file:
            about = file.metadata() or {}
            check_stamp(json.loads(about.get("stamp", "{}")), "neighbours", where=path)
            words = json.loads(about[ROWS])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  it is no mapping
        space = Space(words["space"], tensors[f"{SPACE}centre"], tensors[f"{SPACE}axes"])
        return Index(
            features=tensors["features"],
            space=space,
            places=placed(tensors["features"], space),
            diagnosis=tensors["diagnosis"],
            origin=Origin(tuple(words["cluster_ids"]), tuple(words["duplicate_groups"])),
            **{name: tuple(words[name]) for name in ("case_ids", "confirmed_by", "sha256s")},
        )
    except (KeyError, TypeError, ValueError, SafetensorError) as error:
        mend = "train the bundle again with this version of cutis"
        raise UserError(f"these training cases cannot be read: {error}", where=str(path), mend=mend) from error


def about_the_patient(index: Index, search: Search) -> str:
    """Say whether cases of the same patient may be among those that are found."""
    if search.patient is None:
        return "Similar cases may be of the same patient: nobody was named."
    own = sum(name == search.patient for name in index.origin.cluster_ids)
    if not own:
        return f"No training case is of {search.patient}: none was left out of the similar cases."
    return f"{own} training {'case' if own == 1 else 'cases'} of {search.patient} left out of the similar cases."


def similar_cases(
    index: Index,
    likeness: Likeness,
    features: NDArray[np.floating],
    *,
    search: Search,
    taxonomy: Taxonomy,
    sha256: str = "",
) -> tuple[SimilarCase, ...]:
    """Return the training cases that a picture is most like, the most alike first.

    Args:
        index: of the training cases.
        likeness: what it means to be near.
        features: (1, F) of the picture.
        search: how many, and of which patient none.
        taxonomy: of the bundle.
        sha256: of the picture's file; "" where there is none.
    """
    origin = Origin((search.patient,), (None,))
    found = nearest(
        placed(features, index.space), index.places, k=search.cases, origin=origin, known_origin=index.origin
    )
    listed = []
    for row, similarity in zip(found.rows[0].tolist(), found.similarities[0].tolist(), strict=True):
        if row == NOBODY:
            break
        disease = taxonomy.diseases[int(index.diagnosis[row])]
        step = likeness.nearness.said_of(disease.code, similarity) if likeness.nearness else None
        listed.append(
            SimilarCase(
                case_id=index.case_ids[row],
                code=disease.code,
                name=disease.name,
                malignant=disease.malignant,
                confirmed_by=index.confirmed_by[row],
                similarity=similarity,
                shared=step.share if step else None,
                perhaps_the_same_picture=similarity > likeness.strangers or index.sha256s[row] == sha256,
            )
        )
    return tuple(listed)
