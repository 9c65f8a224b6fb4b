"""What to look for before an answer is believed: the site's own words, by diagnosis and language, from one TOML file.

checked_by = "Dr. A. Example, 3 May"      # who of the site has checked them; "" where nobody has

[signs.BCC.en]
heading = "Look for"
signs = ["branching vessels in sharp focus", "blue-grey ovoid nests"]
source = "our own atlas, page 12"         # may be left out
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import read_toml
from cutis.vocabulary.settings import settled
from cutis.vocabulary.taxonomy import Taxonomy

FALLBACK = "en"
KNOWN = ("format", "kind", "checked_by", "signs")
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
Sign = Annotated[str, Field(min_length=1, max_length=200)]


class _Look(BaseModel):
    """What a file says of one diagnosis in one language."""

    model_config = ConfigDict(extra="forbid", strict=True, str_strip_whitespace=True)

    heading: str = Field(min_length=1, max_length=80)
    signs: list[Sign] = Field(min_length=1, max_length=12)
    source: str = Field(default="", max_length=300)


@dataclass(frozen=True, kw_only=True)
class Look:
    """What to look for where one diagnosis is asked of, in one language."""

    heading: str
    signs: tuple[str, ...]
    source: str  # "" where none is told
    language: str  # in which it is written


@dataclass(frozen=True, kw_only=True)
class Signs:
    """All that a site wrote down."""

    checked_by: str = ""  # of the site; "" where nobody has checked it
    looks: Mapping[str, Mapping[str, Look]] = field(default_factory=dict)  # by diagnosis code and language

    def of(self, code: str, language: str) -> Look | None:
        """Return what to look for, in the language that is asked for or else in English.

        A language falls back to its first part, "zh-CN" to "zh", before it falls back to English.

        Returns:
            None where nothing is written of this diagnosis in either.
        """
        written = self.looks.get(code, {})
        wanted = (language, language.partition("-")[0], FALLBACK)
        return next((written[each] for each in wanted if each in written), None)

    @property
    def count(self) -> int:
        """Of how many diagnoses something is written."""
        return len(self.looks)


def read_signs(path: Path, taxonomy: Taxonomy) -> Signs:
    """Read a site's file.

    Args:
        path: of the TOML file.
        taxonomy: of the release that answers; a diagnosis that it does not know is refused.

    Raises:
        UserError: the file is missing or no TOML, or names what is unknown, of a wrong type, or in no language.
    """
    said = read_toml(path, "signs")
    if unknown := sorted(said.keys() - set(KNOWN)):
        mend = f"the known keys are: {', '.join(KNOWN)}"
        raise UserError(f"unknown key {', '.join(map(repr, unknown))}", where=str(path), mend=mend)
    by_code = _table(said.get("signs", {}), where=f"{path}, signs")
    if unknown := [code for code in by_code if code not in taxonomy.codes]:
        mend = f"{taxonomy.name} has: {', '.join(taxonomy.codes)}"
        raise UserError(f"unknown diagnosis {', '.join(map(repr, unknown))}", where=f"{path}, signs", mend=mend)
    checked_by = said.get("checked_by", "")
    if not isinstance(checked_by, str):
        raise UserError("checked_by is no text", where=str(path), mend="write who has checked these signs, or leave it")
    looks = {code: _looks(each, where=f"{path}, signs.{code}") for code, each in by_code.items()}
    return Signs(checked_by=checked_by.strip(), looks=looks)


def _looks(said: Any, *, where: str) -> dict[str, Look]:
    by_language = _table(said, where=where)
    if unknown := [language for language in by_language if not LANGUAGE.fullmatch(language)]:
        mend = f"write [{where.rpartition(', ')[2]}.en] or another language's two letters"
        raise UserError(f"{', '.join(map(repr, unknown))} is no language", where=where, mend=mend)
    return {language: _look(each, language, where=f"{where}.{language}") for language, each in by_language.items()}


def _look(said: Any, language: str, *, where: str) -> Look:
    checked = settled(_Look, _table(said, where=where), where=where)
    return Look(heading=checked.heading, signs=tuple(checked.signs), source=checked.source, language=language)


def _table(said: Any, *, where: str) -> dict[str, Any]:
    if not isinstance(said, dict):
        mend = "write a table for each diagnosis and language, such as [signs.BCC.en]"
        raise UserError("here should stand a table", where=where, mend=mend)
    return said
