"""The words of the pages, by language: one TOML file each, and one more file is one more language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Formatter
from typing import Any

from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import read_toml

FIRST = "en"  # where a word is missing in another language, this one's stands


@dataclass(frozen=True)
class Words:
    """All words in one language; call it with a name to get one."""

    language: str
    title: str  # of the language, in itself
    texts: Mapping[str, str]

    def __call__(self, name: str, /, **values: Any) -> str:
        """Return a text with its blanks filled."""
        return self.texts[name].format(**values)

    def has(self, name: str) -> bool:
        """Say whether there is such a text."""
        return name in self.texts

    def beginning(self, prefix: str) -> dict[str, str]:
        """Return the texts of one part, such as those that a script needs, without the part's name."""
        return {name.removeprefix(prefix): text for name, text in self.texts.items() if name.startswith(prefix)}


def read_translations(folders: Sequence[Path]) -> dict[str, Words]:
    """Read the languages of all folders; a later folder adds words and languages to those before.

    Raises:
        UserError: a file is no TOML, or a text asks for other values than English does.
    """
    texts: dict[str, dict[str, str]] = {}
    for path in (path for folder in folders for path in sorted(folder.glob("*.toml"))):
        found = dict(_flat(read_toml(path, "words")))
        _require_same_blanks(found, texts.get(FIRST, {}), path)
        texts.setdefault(path.stem, {}).update(found)
    first = texts.get(FIRST, {})
    return {language: Words(language, own.get("language", language), first | own) for language, own in texts.items()}


def only(wanted: Sequence[str] | None, languages: Mapping[str, Words]) -> dict[str, Words]:
    """Return the languages that are wanted, and English, in which what others lack is said.

    Raises:
        UserError: one of them has no words.
    """
    if wanted is None:
        return dict(languages)
    if missing := [name for name in wanted if name not in languages]:
        mend = f"add {missing[0]}.toml to the folder of translations; there are: {', '.join(languages)}"
        raise UserError(f"there are no words in {missing[0]!r}", where="translations", mend=mend)
    return {name: languages[name] for name in dict.fromkeys([*wanted, FIRST])}


def chosen(languages: Mapping[str, Words], wanted: Iterable[str | None], *, accepted: str = "") -> Words:
    """Return the first language that is wanted and known; then what the browser accepts; then English."""
    ranked = sorted(_accepted(accepted), key=lambda each: -each[1])
    for name in [*filter(None, wanted), *(name for name, _ in ranked)]:
        for tried in (name, name.split("-")[0]):
            if tried in languages:
                return languages[tried]
    return languages[FIRST]


def _accepted(header: str) -> Iterable[tuple[str, float]]:
    for part in header[:200].split(","):
        name, _, quality = part.strip().partition(";q=")
        try:
            yield name, float(quality or 1)
        except ValueError:
            continue


def _flat(content: Mapping[str, Any], before: str = "") -> Iterable[tuple[str, str]]:
    for name, value in content.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}.")
        elif isinstance(value, str):
            yield before + name, value


def blanks(text: str) -> set[str]:
    """Return the names of a text's blanks.

    Raises:
        ValueError: a brace has no partner.
    """
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def _require_same_blanks(found: Mapping[str, str], first: Mapping[str, str], path: Path) -> None:
    for name, text in found.items():
        try:
            differ = name in first and blanks(text) != blanks(first[name])
        except ValueError as error:
            raise UserError(f"{name}: {error}", where=str(path), mend="close every brace") from error
        if differ:
            needed = ", ".join(sorted(blanks(first[name]))) or "none"
            raise UserError(f"{name} has other blanks than in English", where=str(path), mend=f"it needs: {needed}")
