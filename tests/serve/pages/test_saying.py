"""What a page says of an answer names what it knows and what it does not."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from clinics import a_seen_picture, an_answer
from cutis.serve.answer import Malignancy, Reason
from cutis.serve.answering.telling import excludes_no_melanoma, findings_of, malignancy_of
from cutis.serve.pages.saying import (
    cannot_say,
    code_meant,
    heading_of,
    listed,
    named,
    percent,
    quality_of,
    reason_text,
    rows_of,
    set_text,
    summed,
)
from cutis.vocabulary.taxonomy import load_taxonomy
from cutis.web.translations import read_translations

LANGUAGES = read_translations(
    [Path(str(files("cutis.web"))) / "locales", Path(str(files("cutis.serve.pages"))) / "locales"]
)
ENGLISH, CHINESE = LANGUAGES["en"], LANGUAGES["zh"]


def _answer_by(taxonomy, leading, **fields):
    """An answer of a shipped taxonomy that is 72 % sure of one diagnosis."""
    import numpy as np

    shares = np.full(len(taxonomy), 0.28 / (len(taxonomy) - 1))
    shares[taxonomy.codes.index(leading)] = 0.72
    return an_answer(
        findings=findings_of(taxonomy, shares),
        malignancy=malignancy_of(taxonomy, shares),
        **{"prediction_set": ()} | fields,
    )


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.0, "< 1 %"),
        (0.005, "< 1 %"),
        (0.0051, "1 %"),
        (0.724, "72 %"),
        (0.994, "99 %"),
        (0.995, "> 99 %"),
        (1.0, "> 99 %"),
    ],
)
def test_no_diagnosis_is_certain_or_impossible(share, said):
    """Neither 0 nor 100 percent is ever shown."""
    assert percent(share) == said


def test_a_taxonomy_without_melanoma_never_says_malignant():
    """The line names what it sums, and that melanoma and squamous cell carcinoma are not assessed."""
    zhu = load_taxonomy("zhu14")
    answer = _answer_by(zhu, "MN")

    line = summed(answer.malignancy, answer.findings, ENGLISH)

    assert line.heading == "Basal cell carcinoma: 2 %."
    assert line.text == "Not assessed: melanoma and squamous cell carcinoma."
    assert "alignan" not in line.heading + line.text
    assert not any(row.malignant for row in rows_of(answer, ENGLISH))
    assert excludes_no_melanoma(zhu, ["MN"])


def test_the_bare_word_needs_melanoma_and_squamous_cell_carcinoma():
    """Only where a taxonomy holds both is a sum called malignant, and it still names what it sums."""
    answer = an_answer(
        malignancy=Malignancy(codes=("b", "c"), probability=0.3, not_assessed=(), may_say_malignant=True)
    )

    line = summed(answer.malignancy, answer.findings, ENGLISH)

    assert line.heading == "Malignant: 30 %."
    assert line.text == "The sum of disease b and disease c."
    assert [row.malignant for row in rows_of(answer, ENGLISH)] == [False, False, True]  # as the taxonomy says of each


def test_a_set_is_said_in_plain_words():
    """As a frequency of cases, with the diagnoses by name; of one diagnosis alone in other words."""
    zhu = load_taxonomy("zhu14")
    two = _answer_by(zhu, "MN", prediction_set=("MN", "SK"), coverage=0.9)
    one = _answer_by(zhu, "MN", prediction_set=("MN",), coverage=0.95)

    assert set_text(two, ENGLISH) == (
        "In 9 of 10 cases like this clinic's, the diagnosis is among: melanocytic nevus and seborrheic keratosis."
    )
    assert set_text(one, ENGLISH).startswith("In 19 of 20 cases like this clinic's, the diagnosis is what such an")
    assert "脂溢性角化病" in set_text(two, CHINESE)
    assert set_text(_answer_by(zhu, "MN", coverage=0.9), ENGLISH) == ""


def test_what_the_network_cannot_say_stands_there_in_both_languages():
    """Also where a taxonomy names nothing of the kind."""
    zhu = load_taxonomy("zhu14")

    assert cannot_say(zhu.cannot_say, ENGLISH).startswith(
        "This network cannot say melanoma, squamous cell carcinoma and"
    )
    assert "黑素瘤" in cannot_say(zhu.cannot_say, CHINESE)
    assert cannot_say((), ENGLISH).startswith("This network can only name")


def test_the_verdict_on_quality_comes_first_and_names_the_picture():
    """One that cannot be judged is left out; where none is left, that is the verdict."""
    good, small = a_seen_picture(), a_seen_picture(verdict="poor", marks=("small",))
    blurred = a_seen_picture(verdict="blurred", marks=("blurred",))

    both = quality_of(an_answer(pictures=(good, blurred)), ENGLISH, hidden=False)
    poor = quality_of(an_answer(pictures=(small,)), ENGLISH, hidden=False)
    none = quality_of(an_answer(pictures=(blurred,)), ENGLISH, hidden=False)

    assert both.remarks == ("Picture 2 is left out: Too blurred to judge",)
    assert (poor.kind, poor.remarks) == ("poor", ("Picture 1: it has few pixels",))
    assert (none.kind, none.text) == ("bad", "Too blurred to judge")


def test_a_reason_says_how_unusual_it_is():
    """By the share of the clinic's own pictures, or by all of them."""
    some = Reason(key="disagreement", beyond=0.984, clusters=80)
    all_ = Reason(key="distance", beyond=1.0, clusters=80)
    left_out = Reason(key="blurred", picture=1)

    assert (
        reason_text(some, ENGLISH)
        == "The depths of the network disagree more than in 98.4 % of the clinic's own pictures."
    )
    assert "all pictures of the 80 patients" in reason_text(all_, ENGLISH)
    assert reason_text(left_out, ENGLISH) == "Picture 2: too blurred to judge."
    assert reason_text(Reason(key="new"), ENGLISH) == "The release does not stand by its answer."


def test_every_diagnosis_of_a_shipped_taxonomy_has_its_chinese_name():
    """So has what they cannot say; a diagnosis that is typed in either language is understood."""
    for name in ("zhu14", "ham7"):
        taxonomy = load_taxonomy(name)
        for english in [*(each.name for each in taxonomy.diseases), *taxonomy.cannot_say]:
            assert named("", english, CHINESE).beneath == english, english
        for disease in taxonomy.diseases:
            chinese = named(disease.code, disease.name, CHINESE).name
            assert code_meant(f" {chinese} ", taxonomy, list(LANGUAGES.values())) == disease.code
            assert code_meant(disease.name.upper(), taxonomy, list(LANGUAGES.values())) == disease.code
    assert code_meant("Merkel cell carcinoma", load_taxonomy("zhu14"), list(LANGUAGES.values())) is None


def test_names_are_joined_as_a_sentence_does():
    """In either language, for none, one, two and three."""
    assert [listed(each, ENGLISH) for each in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
    assert listed(["a", "b", "c"], CHINESE) == "a、b和c"


def test_a_list_says_no_more_than_that_an_answer_is_hidden():
    """And of an abstention its name alone."""
    assert heading_of(None, ENGLISH) == ("hidden", "◐", "Kept, not shown")
    assert heading_of(an_answer(), ENGLISH)[2] == "Disease a 70 %"


def test_both_languages_say_everything():
    """No text of the pages is missing in Chinese, so that nobody reads half a page in English."""
    import tomllib

    folder = Path(str(files("cutis.serve.pages"))) / "locales"
    english, chinese = (tomllib.loads((folder / f"{each}.toml").read_text("utf-8")) for each in ("en", "zh"))

    missing = [f"{part}.{key}" for part, texts in english.items() for key in texts if key not in chinese.get(part, {})]

    assert missing == []
