"""Both arms have the same budget, and neither sees the test before its configuration is frozen."""

import pytest


@pytest.fixture
def heads(benchmark_named):
    """The script."""
    return benchmark_named("heads")


def test_both_arms_try_equally_many_configurations_and_no_more_than_twelve(heads):
    """Over both starts together, and all of them different."""
    on, off = ([trial.key for start in heads.STARTS for trial in heads.candidates(arm, start)] for arm in heads.ARMS)

    assert len(on) == len(off) <= 12
    assert len({*on, *off}) == len(on) + len(off)


def test_nothing_that_is_tuned_opens_the_test_or_uses_a_final_seed(heads):
    """The final seeds are fresh."""
    for arm in heads.ARMS:
        for start in heads.STARTS:
            for trial in heads.candidates(arm, start):
                assert not trial.opens_test
                assert trial.settings["seed"] not in heads.SEEDS


def test_the_highest_macro_auc_on_tune_is_frozen_once_all_were_tried(heads):
    """Before that nothing is chosen."""
    trials = heads.candidates("on", "from nothing")
    rows = [{"tune": {"macro_auc": 0.8 + at / 100}} for at in range(len(trials))]

    assert heads.chosen(trials, rows) == trials[-1]
    assert heads.chosen(trials, [*rows[:-1], None]) is None


def test_the_arms_differ_in_the_classifiers_alone_but_for_what_they_chose(heads):
    """A frozen pair trains for the same epochs from the same seeds on the same pictures."""
    on, off = (heads.candidates(arm, "from ImageNet")[0] for arm in heads.ARMS)

    for dataset in (*heads.CELLS, "dermamnist"):
        for one, other in zip(
            heads.finals(on, dataset, "from ImageNet"), heads.finals(off, dataset, "from ImageNet"), strict=True
        ):
            differing = {key for key in one.settings if one.settings[key] != other.settings.get(key)}
            assert differing <= {"auxiliary_weight", "auxiliary_profile", "answer", "dropout", "learning_rate"}
            assert one.opens_test
            assert other.opens_test
