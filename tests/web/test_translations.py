"""The words of the pages."""

import re
import tomllib
from pathlib import Path

import pytest

from cutis.readers.booth.site import ROOM
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.taxonomy import load_taxonomy
from cutis.web.application import WEB
from cutis.web.translations import only, read_translations

FOLDERS = [WEB, ROOM]
OPEN_ENDED = ("diagnoses.", "site.")  # what a language may name and another one has by itself


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_each_language_says_the_same_things(folder):
    """No text is missing in one of them, and none is left over."""
    languages = {path.stem: _own(path) for path in (folder / "locales").glob("*.toml")}

    assert languages.keys() == {"en", "zh"}
    assert languages["en"] == languages["zh"]


def test_every_text_that_pages_and_scripts_ask_for_is_there():
    """By its name, in templates, in Python and in JavaScript."""
    words = read_translations([folder / "locales" for folder in FOLDERS])["en"]
    texts = [path.read_text() for folder in FOLDERS for path in (folder / "templates").glob("*.html")]
    asked = {name for text in texts for name in re.findall(r"words\('([\w.]+)'[,)]", text)}
    scripts = [path.read_text() for path in (ROOM / "static").glob("*.js")]
    asked |= {f"booth.{name}" for text in scripts for name in re.findall(r"\bwords\.(\w+)", text)}

    assert {name for name in asked if not words.has(name)} == set()
    assert len(asked) > 60


@pytest.mark.parametrize("taxonomy", ["zhu14", "ham7"])
def test_every_diagnosis_that_comes_with_cutis_has_a_chinese_name(taxonomy):
    """Beside which its English name stands."""
    words = read_translations([folder / "locales" for folder in FOLDERS])["zh"]

    missing = [d.name for d in load_taxonomy(taxonomy).diseases if not words.has(f"diagnoses.{d.name.casefold()}")]

    assert missing == []


def test_another_file_is_another_language(tmp_path):
    """What it does not say is said in English."""
    (tmp_path / "de.toml").write_text('language = "Deutsch"\n[frame]\nsign_out = "Abmelden"\n')

    german = read_translations([WEB / "locales", tmp_path])["de"]

    assert (german.title, german("frame.sign_out"), german("sign_in.title")) == ("Deutsch", "Abmelden", "Sign in")


@pytest.mark.parametrize("text", ['wait = "Bitte {warten}"', 'wait = "Bitte"', 'wait = "Bitte {"', "wait = "])
def test_a_text_with_other_blanks_is_refused(tmp_path, text):
    """Before anybody sees the page that it would break."""
    (tmp_path / "de.toml").write_text(f"[sign_in]\n{text}\n")

    with pytest.raises(UserError, match=r"blanks|TOML|expected|brace"):
        read_translations([WEB / "locales", tmp_path])


def test_a_language_without_words_is_refused():
    """A protocol that promises one finds out before readers do."""
    with pytest.raises(UserError, match="'fr'"):
        only(["fr"], read_translations([WEB / "locales"]))


def _own(path: Path) -> set[str]:
    def flat(content, before=""):
        for name, value in content.items():
            yield from flat(value, f"{before}{name}.") if isinstance(value, dict) else [before + name]

    return {name for name in flat(tomllib.loads(path.read_text())) if not name.startswith(OPEN_ENDED)}
