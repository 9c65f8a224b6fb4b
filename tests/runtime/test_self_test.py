"""A machine that answers otherwise than the one that made a release is found before a patient is."""

import numpy as np
import pytest

from cutis.runtime.engines import OFFERS
from cutis.runtime.release import read_release
from cutis.runtime.self_test import self_test
from cutis.vocabulary.errors import SafetyRefusal, UserError
from factories import a_release_folder, an_engine

EXACT, _, REDUCED, INT8 = OFFERS


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    return read_release(a_release_folder(tmp_path_factory.mktemp("release") / "release"))


def off(shift):
    """An engine whose first logit is off."""

    def run(pictures):
        outputs = an_engine()(pictures)
        return outputs._replace(logits=outputs.logits + np.array([shift, 0, 0], np.float32))

    return run


def test_the_same_network_passes(release):
    """To the last digit, from the same pixels."""
    result = self_test(release, an_engine(), EXACT)

    assert (result.off_by, result.same_pixels) == (0.0, True)


def test_fp32_may_be_off_by_a_ten_thousandth(release):
    """More is another network, another preparation or another library."""
    assert 0 < self_test(release, off(1e-4), EXACT).off_by < 1e-4

    with pytest.raises(SafetyRefusal, match="fp32"):
        self_test(release, off(1e-3), EXACT)


def test_a_reduced_precision_may_be_off_by_what_its_parity_found(release):
    """And by no more."""
    assert self_test(release, off(0.05), REDUCED).off_by < 0.02

    with pytest.raises(SafetyRefusal, match="bf16"):
        self_test(release, off(0.2), REDUCED)


def test_what_is_no_number_does_not_pass(release):
    """Nothing compares with it."""
    with pytest.raises(SafetyRefusal):
        self_test(release, off(np.nan), EXACT)


def test_a_precision_that_is_not_offered_has_no_self_test(release):
    """It did not pass the gate."""
    with pytest.raises(UserError, match="int8"):
        self_test(release, an_engine(), INT8)


def test_a_network_of_other_diagnoses_does_not_pass(release):
    """Neither more nor fewer."""

    def run(pictures):
        outputs = an_engine()(pictures)
        return outputs._replace(logits=outputs.logits[:, :2])

    with pytest.raises(SafetyRefusal):
        self_test(release, run, EXACT)
