"""Which diagnoses there are, in which order. Taxonomies are data; no class list is written in code."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import asdict, dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import read_toml

# What is said of a diagnosis beside its name, since what may be told to a patient depends on it.
MELANOMA, SQUAMOUS, PIGMENTED, VASCULAR = "melanoma", "squamous_cell_carcinoma", "pigmented", "vascular"
KINDS = (MELANOMA, SQUAMOUS, PIGMENTED, VASCULAR)
# Words that say nothing, in tables and in forms; compared without case.
SAYS_NOTHING = frozenset({"", "unknown", "unbekannt", "n/a", "na", "nan", "none", "null", "-", "?"})
BUILT_IN = resources.files("cutis") / "taxonomies"


@dataclass(frozen=True)
class Term:
    """A code of a disease in a public terminology. `status`: A two sources agree, B one source, C unconfirmed."""

    system: str
    code: str
    status: str
    note: str = ""


@dataclass(frozen=True)
class Disease:
    """One diagnosis that a network can give."""

    code: str
    name: str
    abbreviation: str
    malignant: bool
    terms: tuple[Term, ...] = ()
    aliases: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()  # of `KINDS`: melanoma is said only of melanoma, pigmented of what looks like one

    @property
    def spellings(self) -> frozenset[str]:
        """The words that mean this disease, in lower case."""
        return frozenset(word.casefold() for word in (self.code, self.abbreviation, self.name, *self.aliases))


@dataclass(frozen=True)
class Taxonomy:
    """The diagnoses of a dataset or network, in output order."""

    name: str
    title: str
    diseases: tuple[Disease, ...]
    source: str = ""
    cannot_say: tuple[str, ...] = ()

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes, in output order."""
        return tuple(disease.code for disease in self.diseases)

    @property
    def malignant(self) -> tuple[bool, ...]:
        """Whether each diagnosis is malignant, in output order."""
        return tuple(disease.malignant for disease in self.diseases)

    @property
    def has_kinds(self) -> bool:
        """Whether it says of any diagnosis of which kind it is; those of before could not."""
        return any(disease.kinds for disease in self.diseases)

    def holds(self, kind: str) -> bool:
        """Say whether there is a diagnosis of this kind."""
        return any(kind in disease.kinds for disease in self.diseases)

    @property
    def sha256(self) -> str:
        """A hash of codes and order alone: what two tables must share to be compared."""
        return hashlib.sha256(json.dumps(self.codes).encode()).hexdigest()

    def __len__(self) -> int:
        return len(self.diseases)

    def __getitem__(self, code: str) -> Disease:
        """Return the disease of this code."""
        return self.diseases[self.codes.index(code)]

    def find(self, label: str) -> str | None:
        """Return the code that a clinic's label means: code, abbreviation, name or alias in any case; else None."""
        return self._spellings().get(label.strip().casefold())

    def _spellings(self) -> dict[str, str]:
        return {spelling: disease.code for disease in self.diseases for spelling in disease.spellings}

    def to_dict(self) -> dict[str, Any]:
        """Return plain data that `taxonomy_from` reads back."""
        return asdict(self)


def taxonomy_from(content: dict[str, Any], *, where: Path | str) -> Taxonomy:
    """Build a taxonomy from plain data.

    Raises:
        UserError: a field is missing, unknown or no text, or two diseases share a word in any case.
    """
    try:
        diseases = tuple(
            Disease(
                **disease
                | {
                    "terms": tuple(Term(**term) for term in disease.get("terms", ())),
                    "aliases": tuple(disease.get("aliases", ())),
                    "kinds": tuple(disease.get("kinds", ())),
                }
            )
            for disease in content["diseases"]
        )
        count = Counter(spelling for disease in diseases for spelling in disease.spellings)
        taxonomy = Taxonomy(
            name=content["name"],
            title=content["title"],
            diseases=diseases,
            source=content.get("source", ""),
            cannot_say=tuple(content.get("cannot_say", ())),
        )
    except (AttributeError, KeyError, TypeError) as error:
        mend = "compare it with a taxonomy that cutis ships"
        raise UserError(
            f"this taxonomy is incomplete, or a field is unknown or no text: {error}", where=str(where), mend=mend
        ) from error
    repeated = sorted(spelling for spelling, diseases_meant in count.items() if diseases_meant > 1)
    unknown = sorted({kind for disease in diseases for kind in disease.kinds} - set(KINDS))
    if unknown:
        mend = f"use some of: {', '.join(KINDS)}"
        raise UserError(f"unknown kinds of diagnoses: {', '.join(unknown)}", where=str(where), mend=mend)
    if repeated:
        mend = "give each disease words of its own"
        raise UserError(f"words stand twice: {', '.join(repeated)}", where=str(where), mend=mend)
    return taxonomy


def load_taxonomy(name: str) -> Taxonomy:
    """Load a taxonomy by its name among those shipped (``zhu14``, ``ham7``), or from a TOML file.

    Raises:
        UserError: no such taxonomy.
    """
    path = Path(name) if name.endswith(".toml") else Path(str(BUILT_IN / f"{name}.toml"))
    if not path.exists():
        known = ", ".join(sorted(Path(str(file)).stem for file in BUILT_IN.iterdir()))
        raise UserError(f"unknown taxonomy {name!r}", where="--taxonomy", mend=f"use one of: {known}; or a .toml file")
    return taxonomy_from(read_toml(path, "taxonomy"), where=path)


def with_kinds(taxonomy: Taxonomy) -> Taxonomy:
    """Return a taxonomy of before kinds were told with those of the one that is shipped by its name and codes."""
    shipped = BUILT_IN / f"{taxonomy.name}.toml"
    if taxonomy.has_kinds or not shipped.is_file():
        return taxonomy
    known = load_taxonomy(taxonomy.name)
    if known.codes != taxonomy.codes:
        return taxonomy
    pairs = zip(taxonomy.diseases, known.diseases, strict=True)
    return replace(taxonomy, diseases=tuple(replace(own, kinds=theirs.kinds) for own, theirs in pairs))
