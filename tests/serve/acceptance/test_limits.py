"""A plan is checked whole before it is put into force."""

from __future__ import annotations

import pytest

from cutis.serve.acceptance.limits import Plan, plan_from
from cutis.vocabulary.errors import UserError

FIGURES = ("malignant_sensitivity", "sensitivity/mel", "accuracy", "unanswered")


def said(**fields):
    """A plan's plain data."""
    plain = {"cases": 100, "limits": [{"figure": "accuracy", "limit": 0.7, "side": "low"}]}
    return plain | fields


def a_limit(figure, limit=0.5, side="low"):
    """One limit's plain data."""
    return {"figure": figure, "limit": limit, "side": side}


def read(**fields):
    """Read a plan."""
    return plan_from(said(**fields), where="the form", figures=FIGURES)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"cases": 9}, "cases"),
        ({"cases": "many"}, "cases"),
        ({"malignant": 101}, "more malignant cases"),
        ({"limits": []}, "limits"),
        ({"limits": [a_limit("accuracy"), a_limit("accuracy", 0.6)]}, "twice"),
        ({"limits": [a_limit("luck")]}, "is none of"),
        ({"limits": [a_limit("accuracy", 1.2)]}, "less than or equal to 1"),
        ({"limits": [a_limit("accuracy", float("nan"))]}, "limit"),
        ({"limits": [a_limit("accuracy", side="high")]}, "side of accuracy"),
        ({"limits": [a_limit("unanswered", side="low")]}, "side of unanswered"),
        ({"limits": [a_limit("sensitivity")]}, "is none of"),
        ({"limits": [a_limit("sensitivity/nv")]}, "cannot be tested by 'sensitivity/nv'"),
        ({"limits": [a_limit("coverage")]}, "cannot be tested by 'coverage'"),
        ({"lucky": True}, "lucky"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(fields, named):
    """An end of the interval that would ask for nothing, a figure that the release does not have, and so on."""
    with pytest.raises(UserError, match=named):
        read(**fields)


def test_the_hash_is_of_everything_that_was_set():
    """Any other number, another hash; the same plan, the same hash."""
    plans = [read(), read(cases=101), read(histology_only=True), read(raters=3), read(malignant=5)]
    plans += [read(limits=[a_limit("accuracy", 0.71)]), read(limits=[a_limit("accuracy", 0.7, "value")])]

    assert len({plan.sha256 for plan in plans}) == len(plans)
    assert Plan.model_validate(plans[0].model_dump(mode="json")).sha256 == plans[0].sha256
