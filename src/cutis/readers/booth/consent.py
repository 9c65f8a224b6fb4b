"""The words that a reader consents to: the study's own, or plain ones that say what the booth does."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from cutis.readers.booth.settings import BoothSettings
from cutis.vocabulary.errors import UserError
from cutis.web.translations import FIRST, Words


class Consent(NamedTuple):
    """A text by paragraphs, and the hash that is kept of it."""

    paragraphs: tuple[str, ...]
    sha256: str


def consent_in(settings: BoothSettings, words: Words) -> Consent:
    """Return the text in a language; the study's own in English, where it has none in this one.

    Raises:
        UserError: the study's folder has neither.
    """
    text = words("consent.text") if settings.consent is None else _own(settings, words.language)
    paragraphs = tuple(part.strip() for part in text.split("\n\n") if part.strip())
    return Consent(paragraphs, hashlib.sha256("\n\n".join(paragraphs).encode()).hexdigest())


def _own(settings: BoothSettings, language: str) -> str:
    assert settings.consent is not None
    for name in (language, FIRST):
        if (path := settings.consent / f"{name}.txt").is_file():
            return path.read_text(encoding="utf-8")
    raise UserError("there are no words to consent to", where=str(settings.consent), mend=f"write {FIRST}.txt there")
