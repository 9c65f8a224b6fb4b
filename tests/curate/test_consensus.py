from collections import Counter

import pytest

from cutis.curate.consensus import agree_on_diagnoses
from cutis.curate.intake import take_in
from cutis.vocabulary.errors import UserError


def votes(a, b, c, **fields):
    return {"dr_a": a, "dr_b": b, "dr_c": c} | fields


def settle(clinic, rows, **about):
    return agree_on_diagnoses(take_in(clinic(rows, pictures=False, **about)))


@pytest.mark.parametrize(
    ("said", "diagnosis", "confirmed_by"),
    [
        (votes("NV", "NV", "NV"), "NV", "majority"),
        (votes("NV", "SK", "nevus"), "NV", "majority"),
        (votes("NV", "", ""), "NV", "single"),
        (votes("NV", "SK", "BCC"), None, None),
        (votes("NV", "SK", ""), None, None),
        (votes("NV", "SK", "BCC", adjudicator="SK"), "SK", "adjudicator"),
        (votes("NV", "NV", "NV", adjudicator="SK"), "NV", "majority"),
        (votes("NV", "NV", "NV", histology="BCC"), "BCC", "histology"),
        (votes("", "", "", histology="BCC"), "BCC", "histology"),
        (votes("NV", "NV", "melanoma"), "NV", "majority"),
        (votes("NV", "melanoma", "lupus"), None, None),
        (votes("NV", "melanoma", "lupus", adjudicator="NV"), "NV", "adjudicator"),
    ],
)
def test_a_diagnosis_is_settled_by_histology_majority_or_adjudicator(clinic, row, said, diagnosis, confirmed_by):
    """In this order; a majority is more than half of the votes cast, those dropped included."""
    (_, verdict), *_ = settle(clinic, [row(1, **said), *(row(n) for n in range(2, 5))]).rows

    assert (verdict.diagnosis, verdict.confirmed_by) == (diagnosis, confirmed_by)
    assert verdict.indeterminate == (None if diagnosis else "unresolved votes")


def test_raters_become_numbers_and_unknown_votes_are_dropped_and_counted(clinic, row):
    """No rater's name leaves; what the taxonomy does not know is no vote in it."""
    (_, verdict), *_ = settle(clinic, [row(1, **votes("NV", "melanoma", "NV")), row(2)]).rows

    assert [(vote.rater, vote.code) for vote in verdict.votes] == [("rater_1", "NV"), ("rater_3", "NV")]
    assert verdict.dropped == 1


@pytest.mark.parametrize(
    ("said", "detail"),
    [
        (votes("melanoma", "melanoma", "NV"), "'melanoma'; known are NV, SK, BCC"),
        (votes("NV", "NV", "NV", histology="melanoma"), "'melanoma'; known are NV, SK, BCC"),
        (votes("lupus", "melanoma", ""), "'lupus', 'melanoma'; known are NV, SK, BCC"),
        (votes("NV", "SK", "", adjudicator="lupus"), "'lupus'; known are NV, SK, BCC"),
        (votes("", "", ""), "the row has no label"),
    ],
)
def test_an_unknown_diagnosis_is_rejected_and_the_known_ones_are_named(clinic, row, said, detail):
    """Row by row, as long as they are few."""
    diagnosed = settle(clinic, [row(1, **said), *(row(n) for n in range(2, 5))])

    assert [(one.row, one.reason, one.detail) for one in diagnosed.rejected] == [(2, "unknown diagnosis", detail)]


def test_many_unknown_diagnoses_are_the_wrong_taxonomy(clinic, row):
    """More than a tenth and more than three, or all of them, stop the run; the known ones are named."""
    known, unknown = [row(n) for n in range(30)], [row(n, "melanoma") for n in range(30, 34)]

    few = settle(clinic, known + unknown[:3])
    with pytest.raises(UserError, match="unknown diagnosis in 4 of 34 rows, such as 'melanoma'") as error:
        settle(clinic, known + unknown)
    with pytest.raises(UserError, match="in 1 of 1 rows"):
        settle(clinic, unknown[:1])

    assert len(few.rejected) == 3
    assert "use one of: NV, SK, BCC" in error.value.mend
    assert "leave_out" in error.value.mend


def test_the_clinic_s_own_words_are_understood(clinic, row):
    """Under [labels], in any case, before the taxonomy's."""
    (_, verdict), *_ = settle(clinic, [row(1, "Mole"), row(2)], labels={"mole": "nevus"}).rows

    assert verdict.diagnosis == "NV"


def test_what_is_left_out_is_rejected_and_no_longer_asked(clinic, row):
    """Cases, votes and taxonomy lose it, and the taxonomy says that it cannot say it."""
    rows = [row(1, "SK"), row(2, **votes("NV", "NV", "SK")), row(3, "BCC")]

    diagnosed = settle(clinic, rows, leave_out=["keratosis"])

    assert [(one.row, one.reason) for one in diagnosed.rejected] == [(2, "left out")]
    assert diagnosed.taxonomy.codes == ("NV", "BCC")
    assert diagnosed.taxonomy.cannot_say == ("keratosis",)
    assert Counter(vote.code for _, verdict in diagnosed.rows for vote in verdict.votes) == {"NV": 2, "BCC": 3}
    assert diagnosed.rows[0][1].dropped == 1


def test_what_the_taxonomy_lacks_can_be_left_out(clinic, row):
    """In the clinic's own word, of which then any number is not the wrong taxonomy; nothing of it judges anything."""
    foreign = [row(n, "Melanoma") for n in range(1, 9)]
    others = [row(9, **votes("melanoma", "lupus", "")), row(10, adjudicator="melanoma"), row(11, "mole")]

    diagnosed = settle(clinic, [*foreign, *others], leave_out=["melanoma", "Mole"], labels={"mole": "SK"})

    assert Counter(one.reason for one in diagnosed.rejected) == {"left out": 10}
    assert diagnosed.taxonomy.codes == ("NV", "BCC")
    ((_, verdict),) = diagnosed.rows
    assert (verdict.diagnosis, verdict.adjudicator) == ("NV", None)


def test_a_word_with_two_meanings_is_refused(clinic, row):
    """Capitals make no difference, and so make no second word."""
    with pytest.raises(UserError, match="'mole' means two diagnoses"):
        settle(clinic, [row(1)], labels={"Mole": "NV", "mole": "SK"})


@pytest.mark.parametrize(
    "about", [{"leave_out": ["melanoma"]}, {"labels": {"mole": "melanoma"}}], ids=["leave_out", "labels"]
)
def test_an_unknown_code_in_clinic_toml_names_the_known_ones(clinic, row, about):
    """A slip in clinic.toml is no silent loss."""
    with pytest.raises(UserError, match="unknown diagnosis 'melanoma'") as error:
        settle(clinic, [row(1)], **about)

    assert error.value.mend == "use one of: NV, SK, BCC"


def test_one_diagnosis_is_no_question(clinic, row):
    """Not everything can be left out."""
    with pytest.raises(UserError, match="fewer than two diagnoses"):
        settle(clinic, [row(1)], leave_out=["SK", "BCC"])
