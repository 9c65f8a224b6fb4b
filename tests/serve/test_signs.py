"""What to look for: a site's own words, checked once when they are read."""

from __future__ import annotations

from pathlib import Path

import pytest

from cutis.serve.signs import Look, Signs, read_signs
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.taxonomy import load_taxonomy
from factories import a_taxonomy

RECIPES = Path(__file__).resolve().parents[2] / "recipes" / "signs"
ONE = '[signs.a.en]\nheading = "Look for"\nsigns = ["spots"]\n'


def written(folder: Path, text: str) -> Path:
    path = folder / "signs.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_sites_words_are_found_by_diagnosis_and_language(tmp_path):
    """As they were written, with who has checked them."""
    chinese = '[signs.a.zh]\nheading = "请留意"\nsigns = ["斑点", "线条"]\nsource = "本院图谱"\n'
    path = written(tmp_path, f'checked_by = "Dr. Example"\n{ONE}{chinese}')

    signs = read_signs(path, a_taxonomy())

    assert signs.checked_by == "Dr. Example"
    assert signs.count == 1
    assert signs.of("a", "zh-CN") == signs.of("a", "zh")
    assert signs.of("a", "en") == Look(heading="Look for", signs=("spots",), source="", language="en")
    assert signs.of("a", "zh") == Look(heading="请留意", signs=("斑点", "线条"), source="本院图谱", language="zh")


def test_a_language_that_is_missing_falls_back(tmp_path):
    """To its first part, then to English, and then there is nothing."""
    signs = read_signs(written(tmp_path, ONE), a_taxonomy())

    assert signs.of("a", "zh") == signs.of("a", "en-GB") == signs.of("a", "en")
    assert signs.of("b", "en") is None
    assert Signs().of("a", "en") is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[signs.melanoma.en]\nheading = "x"\nsigns = ["y"]\n', "unknown diagnosis 'melanoma'"),
        ('[sign.a.en]\nheading = "x"\n', "unknown key 'sign'"),
        ('[signs.a.en]\nheading = "x"\nsigns = "y"\n', "signs: input should be a valid list"),
        ('[signs.a.en]\nheading = "x"\nsigns = []\n', "signs: list should have at least 1 item"),
        ('[signs.a.en]\nheading = "x"\nsigns = [1]\n', "signs.0: input should be a valid string"),
        ('[signs.a.en]\nsigns = ["y"]\n', "heading: field required"),
        ('[signs.a.en]\nheading = "x"\nsigns = ["y"]\ncolour = "red"\n', "unknown key 'colour'"),
        ('[signs.a]\nheading = "x"\n', "'heading' is no language"),
        ('[signs.a.English]\nheading = "x"\nsigns = ["y"]\n', "'English' is no language"),
        ('signs = "none"\n', "here should stand a table"),
        ("checked_by = 3\n", "checked_by is no text"),
        ("format = 9\n", "signs format 9"),
        ("= no toml", "no TOML"),
    ],
)
def test_what_cannot_be_meant_is_one_error(tmp_path, text, told):
    """It names the place, and how to mend it."""
    with pytest.raises(UserError) as error:
        read_signs(written(tmp_path, text), a_taxonomy())

    assert told in error.value.what
    assert "signs.toml" in error.value.where


def test_a_file_that_is_not_there_is_an_error(tmp_path):
    """A site that names one wants it shown."""
    with pytest.raises(UserError, match="no signs file"):
        read_signs(tmp_path / "signs.toml", a_taxonomy())


@pytest.mark.parametrize("name", ["zhu14", "ham7"])
def test_a_sample_tells_of_every_diagnosis_in_both_languages(name):
    """As many signs in Chinese as in English; nobody of a site has checked them, and they do not say otherwise."""
    taxonomy = load_taxonomy(name)

    signs = read_signs(RECIPES / f"{name}.toml", taxonomy)

    assert signs.checked_by == ""
    assert signs.count == len(taxonomy)
    for code in taxonomy.codes:
        english, chinese = (signs.of(code, language) for language in ("en", "zh"))
        assert (english.language, chinese.language) == ("en", "zh")
        assert len(english.signs) == len(chinese.signs) >= 3
