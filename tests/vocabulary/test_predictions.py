"""Predictions that no statistic may be computed from are refused; the others come back from disk as they were."""

import numpy as np
import pytest

from cutis.vocabulary.errors import UserError
from cutis.vocabulary.predictions import read_predictions, write_predictions
from factories import some_predictions


@pytest.mark.parametrize("known", [True, False], ids=["truth known", "truth unknown"])
def test_predictions_come_back_as_they_were(tmp_path, known):
    """To the last bit, with or without the truth."""
    before = some_predictions(cases=7) if known else some_predictions(cases=7, truth=None)

    write_predictions(tmp_path / "predictions.parquet", before, made_from={"bundle": "ab"})
    after = read_predictions(tmp_path / "predictions.parquet")

    assert np.array_equal(after.probabilities, before.probabilities)
    assert (after.truth is None) if before.truth is None else np.array_equal(after.truth, before.truth)
    for field in ("case_ids", "cluster_ids", "cluster_kind", "codes", "taxonomy_sha256", "split", "rater"):
        assert getattr(after, field) == getattr(before, field)


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"probabilities": np.full((4, 2), 0.5)}, "shape"),
        ({"cluster_ids": ("one",)}, "shape"),
        ({"probabilities": np.full((4, 3), 0.5)}, "sum to one"),
        ({"probabilities": np.full((4, 3), np.nan)}, "not finite"),
        ({"probabilities": np.tile([1.5, -0.5, 0.0], (4, 1))}, "negative"),
        ({"truth": np.array([0, 1])}, "truth of shape"),
        ({"truth": np.array([0, 1, 2, 3])}, "outside the diagnoses"),
        ({"truth": np.array([0, 1, 2, -1])}, "outside the diagnoses"),
    ],
)
def test_unusable_predictions_are_refused(fields, what):
    """Before any number is made of them."""
    with pytest.raises(UserError, match=what):
        some_predictions(cases=4, **fields)


def test_no_cases_are_no_error(tmp_path):
    """An empty stratum goes to disk and comes back."""
    before = some_predictions(cases=0)

    write_predictions(tmp_path / "predictions.parquet", before, made_from={})

    assert len(read_predictions(tmp_path / "predictions.parquet")) == 0
