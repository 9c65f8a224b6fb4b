"""Taxonomies are data, and a clinic's own words find their code."""

from dataclasses import replace
from pathlib import Path

import pytest

from cutis.vocabulary.errors import UserError
from cutis.vocabulary.taxonomy import load_taxonomy, taxonomy_from, with_kinds
from factories import a_taxonomy

VERHOEFF_PRODUCT = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    [1, 2, 3, 4, 0, 6, 7, 8, 9, 5],
    [2, 3, 4, 0, 1, 7, 8, 9, 5, 6],
    [3, 4, 0, 1, 2, 8, 9, 5, 6, 7],
    [4, 0, 1, 2, 3, 9, 5, 6, 7, 8],
    [5, 9, 8, 7, 6, 0, 4, 3, 2, 1],
    [6, 5, 9, 8, 7, 1, 0, 4, 3, 2],
    [7, 6, 5, 9, 8, 2, 1, 0, 4, 3],
    [8, 7, 6, 5, 9, 3, 2, 1, 0, 4],
    [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
]
VERHOEFF_TURN = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]


def verhoeff(number: str) -> int:
    """Return 0 for a number whose last digit is its Verhoeff check digit."""
    checked = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit)
        for _ in range(place):
            value = VERHOEFF_TURN[value]
        checked = VERHOEFF_PRODUCT[checked][value]
    return checked


def test_zhu14_has_the_papers_fourteen_in_its_order():
    """Names and abbreviations of the abstract; one of them is malignant, and melanoma is not among them."""
    taxonomy = load_taxonomy("zhu14")

    abbreviations = " ".join(disease.abbreviation for disease in taxonomy.diseases)
    assert abbreviations == "LP Rosa VW AV KAHS EAD DF SD SK MN Hem Pso PWS BCC"
    assert [code for code, malignant in zip(taxonomy.codes, taxonomy.malignant, strict=True) if malignant] == ["BCC"]
    assert "melanoma" in taxonomy.cannot_say
    assert taxonomy.find("melanoma") is None


def test_ham7_has_the_codes_of_ham10000():
    """As they stand in its metadata, in alphabetical order."""
    taxonomy = load_taxonomy("ham7")

    assert taxonomy.codes == ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")
    assert taxonomy["mel"].malignant


def test_every_snomed_id_passes_its_check_digit():
    """A mistyped id would point at another concept."""
    terms = [term for disease in load_taxonomy("zhu14").diseases for term in disease.terms]
    ids = [term.code for term in terms if term.system == "SNOMED CT"]

    assert len(ids) > 8
    assert [number for number in ids if verhoeff(number) != 0] == []


@pytest.mark.parametrize("label", ["MN", "mn", "melanocytic nevus", "  Melanocytic Nevus "])
def test_a_label_is_found_by_code_abbreviation_name_or_alias(label):
    """In any case, with spaces around it."""
    assert load_taxonomy("zhu14").find(label) == "MN"


def test_an_alias_is_found_and_a_foreign_word_is_not():
    """A partial match is no match: lichen planus-like keratosis is no lichen planus."""
    assert load_taxonomy("zhu14").find("eczema") == "EAD"
    assert load_taxonomy("zhu14").find("lichen planus-like keratosis") is None


@pytest.mark.parametrize("name", ["zhu14", "ham7"])
def test_no_spelling_means_two_diseases(name):
    """Each word of a taxonomy leads to its own disease."""
    taxonomy = load_taxonomy(name)

    for disease in taxonomy.diseases:
        spellings = {disease.code, disease.abbreviation, disease.name, *disease.aliases}
        assert {taxonomy.find(spelling) for spelling in spellings} == {disease.code}


def test_an_unknown_taxonomy_names_the_known_ones():
    """The error is a list to choose from."""
    with pytest.raises(UserError, match="unknown taxonomy") as unknown:
        load_taxonomy("zhu15")

    assert "ham7, zhu14" in unknown.value.mend


def test_a_taxonomy_of_ones_own_is_read_from_a_file(tmp_path):
    """Name, title and diseases are enough."""
    path = tmp_path / "own.toml"
    head = 'name = "own"\ntitle = "Own"\n'
    path.write_text(head + '[[diseases]]\ncode = "x"\nname = "x-itis"\nabbreviation = "X"\nmalignant = false\n')

    taxonomy = load_taxonomy(str(path))

    assert taxonomy.codes == ("x",)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('name = "own"\ntitle = "Own"', "diseases"),
        ('name = "own"\ntitle = "Own"\n[[diseases]]\ncode = "x"', "missing"),
        ('name = "own"\ntitle = "Own"\n[[diseases]]\ncode = "x"\ncolour = "red"', "colour"),
        ('name = "own"\ntitle = "Own"\ndiseases = ["x"]', "no text"),
        ('name = "own"\ntitle = "Own"\n[[diseases]]\ncode=5\nname="x"\nabbreviation="X"\nmalignant=false', "no text"),
        ("name = ", "no TOML"),
        ("format = 99", "format 99"),
    ],
)
def test_a_damaged_taxonomy_is_a_user_error(tmp_path, text, what):
    """It says which field, and where."""
    path = tmp_path / "own.toml"
    path.write_text(text)

    with pytest.raises(UserError, match=what) as damaged:
        load_taxonomy(str(path))

    assert str(path) in damaged.value.where


def test_two_diseases_of_one_code_are_refused():
    """Output order would be ambiguous."""
    content = a_taxonomy(("a", "b")).to_dict()
    content["diseases"] = [content["diseases"][0]] * 2

    with pytest.raises(UserError, match="stand twice: a"):
        taxonomy_from(content, where=Path("own.toml"))


def test_one_word_for_two_diseases_is_refused():
    """In any case: what a clinic writes must mean one of them."""
    content = a_taxonomy(("a", "b")).to_dict()
    content["diseases"][1]["aliases"] = ["Disease A"]

    with pytest.raises(UserError, match="words stand twice: disease a"):
        taxonomy_from(content, where=Path("own.toml"))


def test_plain_data_and_back():
    """What a bundle carries makes the same taxonomy, terms and aliases included."""
    taxonomy = load_taxonomy("zhu14")

    assert taxonomy_from(taxonomy.to_dict(), where="bundle.json") == taxonomy


def test_the_hash_depends_on_codes_and_order_alone():
    """A better title does not make tables incomparable; another order does."""
    taxonomy = a_taxonomy(("a", "b"))

    assert replace(taxonomy, title="Better").sha256 == taxonomy.sha256
    assert replace(taxonomy, diseases=taxonomy.diseases[::-1]).sha256 != taxonomy.sha256


def test_the_papers_taxonomy_holds_neither_melanoma_nor_squamous_cell_carcinoma():
    """But diagnoses that a melanoma is mistaken for."""
    taxonomy = load_taxonomy("zhu14")

    assert [taxonomy.holds(kind) for kind in ("melanoma", "squamous_cell_carcinoma")] == [False, False]
    assert [d.code for d in taxonomy.diseases if "pigmented" in d.kinds] == ["DF", "SK", "MN"]
    assert [d.code for d in taxonomy.diseases if "vascular" in d.kinds] == ["Hem", "PWS"]


def test_ham7_holds_melanoma_and_no_invasive_squamous_cell_carcinoma():
    """Its akiec is premalignant or in situ."""
    taxonomy = load_taxonomy("ham7")

    assert taxonomy.holds("melanoma")
    assert not taxonomy.holds("squamous_cell_carcinoma")


def test_kinds_that_nobody_knows_are_refused():
    """A mistyped one would take a warning away."""
    content = load_taxonomy("ham7").to_dict()
    content["diseases"][0]["kinds"] = ["melanomma"]

    with pytest.raises(UserError, match="melanomma"):
        taxonomy_from(content, where="test")


def test_a_taxonomy_of_before_kinds_were_told_takes_those_of_the_one_that_is_shipped():
    """By name and codes; one of a clinic's own stays as it is."""
    shipped = load_taxonomy("zhu14")
    before = replace(shipped, diseases=tuple(replace(disease, kinds=()) for disease in shipped.diseases))

    assert with_kinds(before) == shipped
    assert with_kinds(replace(before, diseases=before.diseases[:5])).has_kinds is False
    assert with_kinds(a_taxonomy()) == a_taxonomy()
