"""The leak of DermaMNIST's official split is counted by a rule, and closed without changing any number."""

from collections import Counter

import numpy as np
import pytest


@pytest.fixture
def dermamnist(benchmark_named):
    """The script."""
    return benchmark_named("dermamnist")


def test_a_test_image_leaks_if_its_lesion_has_an_image_in_train(dermamnist):
    """Each such image counts; a lesion that is only in tune and test does not."""
    splits = ("train", "test", "test", "test", "tune", "test")
    lesions = ("a", "a", "a", "b", "b", "c")

    assert dermamnist.leaking(splits, lesions) == 2


def test_dealt_out_anew_no_lesion_is_in_two_splits_and_every_split_has_what_it_had(dermamnist):
    """As many of each diagnosis, for many archives."""
    for seed in range(5):
        random = np.random.default_rng(seed)
        kinds_of_lesion = random.choice(3, size=900, p=(0.8, 0.15, 0.05))
        lesions = np.concatenate([np.arange(900), random.integers(0, 300, 300)])
        kinds = kinds_of_lesion[lesions].tolist()
        splits = random.permutation(np.repeat(["train", "tune", "test"], (840, 120, 240))).tolist()

        dealt = dermamnist.disjoint_splits(splits, list(map(str, lesions)), kinds, seed=seed)

        held = {(lesion, split) for lesion, split in zip(lesions, dealt, strict=True)}
        assert len(held) == len(set(lesions))
        assert Counter(zip(dealt, kinds, strict=True)) == Counter(zip(splits, kinds, strict=True))


def test_lesions_that_fit_nowhere_are_told(dermamnist):
    """Two lesions of two images each cannot fill splits of three and one."""
    with pytest.raises(ValueError, match="no room"):
        dermamnist.disjoint_splits(("train", "train", "train", "test"), ("a", "a", "b", "b"), (0, 0, 0, 0))


def test_the_leak_of_the_published_split_is_the_one_its_source_tells(dermamnist, shared_data):
    """693 of 2,005 by this matching, and none after dealing the same images out anew."""
    source = dermamnist.read_source(shared_data("dermamnist-28").parent)

    dealt = dermamnist.disjoint_splits(source.splits, source.lesions, source.diagnosis.tolist())

    assert dermamnist.leaking(source.splits, source.lesions) == 693
    assert dermamnist.leaking(dealt, source.lesions) == 0
    assert Counter(dealt) == Counter(source.splits) == {"train": 7007, "tune": 1003, "test": 2005}
