"""Errors say what, where and how to mend it."""

import pickle

import pytest

from cutis.vocabulary.errors import SafetyRefusal, UserError


def test_an_error_reads_in_three_lines():
    """What is wrong, where, and how to mend it."""
    error = UserError("unknown diagnosis 'XX'", where="labels.csv, line 212", mend="use one of: LP, DF")

    assert str(error).splitlines() == [
        "unknown diagnosis 'XX'",
        "  where: labels.csv, line 212",
        "  mend:  use one of: LP, DF",
    ]


@pytest.mark.parametrize(("kind", "exit_code"), [(UserError, 1), (SafetyRefusal, 3)])
def test_an_error_survives_the_way_back_from_a_worker(kind, exit_code):
    """With its kind, its words and its exit code."""
    error = pickle.loads(pickle.dumps(kind("what", where="here", mend="so")))  # noqa: S301  our own bytes

    assert type(error) is kind
    assert (error.what, error.where, error.mend, error.exit_code) == ("what", "here", "so", exit_code)
