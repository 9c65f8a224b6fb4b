"""Which diagnoses two taxonomies share, and which pictures two datasets share."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cutis.vocabulary.overlap import common_diagnoses, learned_among, learned_pictures, translated
from cutis.vocabulary.taxonomy import Disease, load_taxonomy
from factories import a_case, a_manifest, a_taxonomy


def a_taxonomy_of(**names):
    diseases = tuple(Disease(code=code, name=name, abbreviation=code, malignant=False) for code, name in names.items())
    return replace(a_taxonomy(), diseases=diseases)


def test_the_same_code_is_the_same_diagnosis_in_any_case_of_letters():
    """BCC is bcc, whatever it is called."""
    home = a_taxonomy_of(BCC="basal cell carcinoma", MEL="melanoma")

    assert common_diagnoses(home, a_taxonomy_of(bcc="rodent ulcer", nv="nevus")) == {"bcc": "BCC"}


def test_the_same_name_under_another_code_is_the_same_diagnosis():
    """As nv of HAM10000 is MN of the paper."""
    found = common_diagnoses(load_taxonomy("zhu14"), load_taxonomy("ham7"))

    assert found == {"bcc": "BCC", "df": "DF", "nv": "MN"}


def test_two_diagnoses_never_become_one():
    """A code goes before a name, and what is taken is taken."""
    home = a_taxonomy_of(x="nevus", y="wart")

    assert common_diagnoses(home, a_taxonomy_of(n="nevus", X="another")) == {"X": "x"}


def test_taxonomies_without_anything_in_common_share_nothing():
    assert common_diagnoses(a_taxonomy_of(x="nevus"), a_taxonomy_of(y="wart")) == {}


def test_cases_are_translated_and_the_others_left_behind():
    """In our words, and with our taxonomy."""
    cases = a_manifest([a_case(1, diagnosis="nv"), a_case(2, diagnosis="mel"), a_case(3, diagnosis="nv")])
    home = a_taxonomy_of(MN="nevus", BCC="carcinoma")

    found = translated(cases, {"nv": "MN"}, home)

    assert found.column("case_id") == ["case0001", "case0003"]
    assert found.column("diagnosis") == ["MN", "MN"]
    assert found.taxonomy == home


@pytest.mark.parametrize("split", ["train", "tune", "calibrate"])
def test_every_split_but_the_test_was_learned_from(split):
    """And so was a near duplicate of any of its pictures."""
    home = a_manifest(
        [
            a_case(1, split=split, duplicate_group="one"),
            a_case(2, split="test", duplicate_group="one"),
            a_case(3, split="test"),
        ]
    )

    assert learned_pictures(home) == {home.cases[0].sha256, home.cases[1].sha256}


def test_a_near_duplicate_of_a_learned_picture_is_found_too():
    """Though its own bytes are others."""
    cases = [a_case(1, duplicate_group="g"), a_case(2, duplicate_group="g"), a_case(3), a_case(4, duplicate_group="h")]

    assert learned_among(cases, frozenset({cases[0].sha256})) == cases[:2]
    assert learned_among(cases, frozenset({"another"})) == []
