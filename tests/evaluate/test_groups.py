"""Which cases stand together is read off what was recorded."""

from __future__ import annotations

import numpy as np

from cutis.evaluate.groups import UNKNOWN, groups_of
from cutis.vocabulary.case import Quality
from factories import a_case, a_manifest


def names_of(attribute, **columns):
    """The group of each case, by attribute, from one or more columns of values."""
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    groups = groups_of(a_manifest([a_case(number, **row) for number, row in enumerate(rows)]))[attribute]
    return [next(name for name, members in groups.items() if members[case]) for case in range(len(rows))]


def a_quality(sharpness, *marks):
    return Quality(width=300, height=200, sharpness=sharpness, brightness=0.5, contrast=0.1, marks=marks)


def test_ages_fall_into_bands_that_begin_with_their_first_year():
    """Thirty is not under thirty."""
    found = names_of("age", age=[0, 29.9, 30, 49, 50, 69, 70, 101, None])

    assert found == ["under 30"] * 2 + ["30–49"] * 2 + ["50–69"] * 2 + ["70 and over"] * 2 + [UNKNOWN]


def test_histology_is_known_by_any_of_its_names():
    """HAM10000 says histo; whatever else confirmed a diagnosis is not histology."""
    found = names_of("confirmation", confirmed_by=["histology", "Histo", "histopathology", "follow_up", None])

    assert found == ["histology"] * 3 + ["otherwise", UNKNOWN]


def test_what_was_recorded_is_taken_as_it_is():
    """No word is translated or merged; blanks say nothing."""
    assert names_of("body site", site=["back", " back ", "", None]) == ["back", "back", UNKNOWN, UNKNOWN]
    assert names_of("skin tone", skin_tone=["VI", "I", None]) == ["VI", "I", UNKNOWN]


def test_groups_come_in_their_order_with_the_unknown_last():
    """Ages by age, words by the alphabet."""
    cases = a_manifest(
        [a_case(n, age=age, sex=sex) for n, (age, sex) in enumerate([(80, "m"), (10, "f"), (None, None)])]
    )

    found = groups_of(cases)

    assert list(found["age"]) == ["under 30", "70 and over", UNKNOWN]
    assert list(found["sex"]) == ["f", "m", UNKNOWN]


def test_pictures_fall_into_thirds_of_sharpness_and_by_their_marks():
    """Equal sharpness stays together; a picture that nobody measured is unknown."""
    qualities = [a_quality(0.3), a_quality(0.5), a_quality(0.4), a_quality(0.3, "dark", "small"), None]

    assert names_of("sharpness of the picture", quality=[*qualities[:3], None]) == [
        *("least sharp third", "sharpest third", "middle third", UNKNOWN),
    ]
    assert names_of("marks of the picture", quality=qualities) == [*["no mark"] * 3, "dark and small", UNKNOWN]


def test_every_case_is_in_one_group_of_each_attribute():
    """Groups part the test; what nobody recorded has none."""
    cases = a_manifest([a_case(n, sex="female" if n % 3 else None, age=n) for n in range(90)])

    found = groups_of(cases)

    assert (np.sum(list(found["sex"].values()), axis=0) == 1).all()
    assert (np.sum(list(found["age"].values()), axis=0) == 1).all()
    assert found["skin tone"] == found["device"] == {}
