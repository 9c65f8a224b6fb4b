"""What iMRMC reads."""

from __future__ import annotations

import numpy as np
import pytest

from cutis.stats.mrmc.imrmc import imrmc_text
from cutis.vocabulary.errors import UserError


def written(**changes):
    given = {"readers": ("r1", "r2"), "cases": ("c1", "c2"), "modalities": ("unaided",)} | changes
    return imrmc_text(np.array([1, 0]), np.array([[[0.9, 0.25], [np.nan, 3.0]]]), **given)


def test_head_truth_and_readings_stand_in_their_order():
    """Sizes, the line that begins the data, the truth as reader −1 of modality 0, and a line for each reading."""
    assert written(title="a\nstudy").splitlines() == [
        "a study",
        "NR: 2",
        "N0: 1",
        "N1: 1",
        "NM: 1",
        "",
        "BEGIN DATA:",
        "-1,c1,0,1",
        "-1,c2,0,0",
        "r1,c1,unaided,0.9",
        "r1,c2,unaided,0.25",
        "r2,c2,unaided,3",
    ]


@pytest.mark.parametrize(
    "names",
    [{"readers": ("-1", "r2")}, {"readers": ("a,b", "r2")}, {"modalities": ("0",)}, {"cases": ("c 1", "c2")}],
)
def test_names_that_would_be_misread_are_refused(names):
    """A comma parts fields, and −1 and 0 stand for the truth."""
    with pytest.raises(UserError, match="no place"):
        written(**names)
