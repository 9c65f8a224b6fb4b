"""What an answer tells beside its ranking."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cutis.serve.answer import Malignancy
from cutis.serve.answering.telling import (
    excludes_no_melanoma,
    findings_of,
    malignancy_of,
    remarks_on,
    warnings_of,
)
from cutis.vocabulary.taxonomy import load_taxonomy
from factories import a_bundle, a_taxonomy


def test_the_line_of_malignancy_names_what_it_sums_and_what_it_does_not():
    """Under the paper's taxonomy it is basal cell carcinoma alone, and the word itself may not be said."""
    taxonomy = load_taxonomy("zhu14")
    chances = np.linspace(1, 2, 14) / np.linspace(1, 2, 14).sum()

    assert malignancy_of(taxonomy, chances) == Malignancy(
        codes=("BCC",),
        probability=chances[13],
        not_assessed=("melanoma", "squamous_cell_carcinoma"),
        may_say_malignant=False,
    )


def test_a_taxonomy_with_melanoma_and_carcinoma_in_situ_may_not_say_malignant():
    """Bowen's disease is no invasive squamous cell carcinoma."""
    found = malignancy_of(load_taxonomy("ham7"), np.full(7, 1 / 7))

    assert found.codes == ("akiec", "bcc", "mel")
    assert found.probability == pytest.approx(3 / 7)
    assert found.not_assessed == ("squamous_cell_carcinoma",)
    assert not found.may_say_malignant


def test_malignant_may_be_said_where_both_are_among_the_diagnoses():
    """By the taxonomy's own data."""
    plain = a_taxonomy()
    kinds = [("pigmented",), ("squamous_cell_carcinoma",), ("melanoma",)]
    both = replace(plain, diseases=tuple(replace(d, kinds=k) for d, k in zip(plain.diseases, kinds, strict=True)))

    found = malignancy_of(both, np.array([0.2, 0.3, 0.5]))

    assert found.may_say_malignant
    assert found.not_assessed == ()


@pytest.mark.parametrize(
    ("answered", "expected"),
    [
        (("MN",), True),  # pigmented
        (("Hem",), True),  # vascular
        (("DF", "Pso"), True),
        (("Pso",), False),  # neither
        (("Pso", "MN"), True),  # it may be a nevus, and so a melanoma
        (("BCC", "MN"), False),  # not told to be benign
    ],
)
def test_a_benign_pigmented_or_vascular_answer_does_not_exclude_melanoma(answered, expected):
    """Where no diagnosis of the taxonomy is one."""
    assert excludes_no_melanoma(load_taxonomy("zhu14"), answered) is expected


def test_a_taxonomy_with_melanoma_needs_no_such_word():
    """There it would have been among the answers."""
    assert not excludes_no_melanoma(load_taxonomy("ham7"), ("nv",))


def test_where_nobody_said_what_is_pigmented_every_benign_answer_carries_the_word():
    """What is not known is taken to be dangerous."""
    assert excludes_no_melanoma(a_taxonomy(), ("a",))


def test_findings_come_the_most_probable_first():
    """With their names."""
    found = findings_of(a_taxonomy(), np.array([0.2, 0.5, 0.3]))

    assert [(each.code, each.probability) for each in found] == [("b", 0.5), ("c", 0.3), ("a", 0.2)]
    assert found[1].malignant


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"invented": True}, "invented"),
        ({"balanced": 0.5}, "balanced"),
        ({"taxonomy": load_taxonomy("zhu14")}, "cannot_say"),
        ({}, "unwatched"),
        ({}, "for_research"),
    ],
)
def test_each_warning_of_a_release_has_a_key_that_pages_can_translate(fields, key):
    """As many keys as sentences, in the same order."""
    bundle = a_bundle(**fields)

    assert key in remarks_on(bundle, is_unlike=False)
    for unlike in (False, True):
        assert len(remarks_on(bundle, is_unlike=unlike)) == len(warnings_of(bundle, is_unlike=unlike))
