"""What the benchmarks that train share: finished rows stay, broken-off ones are made again, seeds and lesions count."""

import json
import time
from collections import Counter

import numpy as np
import pytest

from cutis.stats.metrics import auc_by_diagnosis
from cutis.vocabulary.case import read_manifest
from factories import a_case, a_dataset, a_manifest, some_predictions

TINY = {"network": "mobilenetv2_035", "size": 32, "epochs": 1, "batch_size": 12, "auxiliary_weight": 0.3}


@pytest.fixture
def trials(benchmark_named):
    """The shared module."""
    return benchmark_named("trials")


def a_bench(trials, folder, **fields):
    """A bench over an invented dataset."""
    plain = {
        "name": "invented",
        "makers": {"toy": lambda _, workspace: a_dataset(workspace, patients=36)},
        "data": folder,
        "weights": folder,
        "work": folder / "work",
        "into": folder / "into",
    }
    return trials.Bench(**plain | fields)


def test_a_torn_line_is_no_row_and_harms_no_other(trials, tmp_path):
    """A kill in the middle of a line costs that row alone, also when more are added behind it."""
    path = tmp_path / "results" / "rows.jsonl"
    trials.append_row(path, {"key": "a", "kind": "k"})
    with path.open("ab") as file:
        file.write(b'{"key": "b", "ki')

    trials.append_row(path, {"key": "c", "kind": "k"})

    assert trials.read_rows(path).keys() == {"a", "c"}


def test_processes_side_by_side_share_the_trials(trials, tmp_path):
    """Each begins only its own; together they are all, and none is done twice."""
    wanted = [
        trials.Trial(kind="a", dataset="toy", settings=TINY | {"seed": seed, "auxiliary_weight": 0}) for seed in (1, 2)
    ]
    until = time.monotonic() + 600

    first = trials.run_trials(a_bench(trials, tmp_path, until=until, share=(1, 2)), wanted)
    both = trials.run_trials(a_bench(trials, tmp_path, until=until, share=(2, 2)), wanted)

    assert [row is not None for row in first] == [True, False]
    assert all(both)
    lines = (tmp_path / "into" / "results" / "invented.jsonl").read_text().splitlines()
    assert len(lines) == 2


def test_no_rows_yet_is_an_empty_table(trials, tmp_path):
    """A bench that never ran has no file."""
    assert trials.read_rows(tmp_path / "rows.jsonl") == {}


def test_a_trial_is_named_by_what_it_is_and_not_by_the_order_of_its_settings(trials):
    """The same settings are the same trial; another seed or another use of the test is another."""
    one = trials.Trial(kind="a", dataset="toy", settings={"seed": 1, "size": 32})

    assert one.key == trials.Trial(kind="b", dataset="toy", settings={"size": 32, "seed": 1}).key
    assert one.key != trials.Trial(kind="a", dataset="toy", settings={"seed": 2, "size": 32}).key
    opened = trials.Trial(kind="a", dataset="toy", settings={"seed": 1, "size": 32}, opens_test=True)
    assert opened.key != one.key
    assert opened.bundle == one.bundle


def test_a_finished_trial_is_never_run_again(trials, tmp_path, monkeypatch):
    """Its row is returned, the training is not touched, and the test stays opened once."""
    bench = a_bench(trials, tmp_path, until=time.monotonic() + 600)
    trial = trials.Trial(kind="final", dataset="toy", settings=TINY, opens_test=True)
    (row,) = trials.run_trials(bench, [trial])

    monkeypatch.setattr(trials, "train", lambda *_, **__: pytest.fail("trained again"))
    (again,) = trials.run_trials(bench, [trial])

    assert again == row
    assert set(row["test"]) == set(trials.FIGURES)
    (history,) = (bench.workspace("toy").root / "2_bundles").glob("*/history.jsonl")
    epochs = [json.loads(line) for line in history.read_text().splitlines()[1:]]
    assert row["seconds"] == round(sum(epoch["seconds"] for epoch in epochs), 1)  # of so small a training perhaps none
    assert str(tmp_path) not in json.dumps(row)
    openings = (bench.workspace("toy").private / "test_openings.jsonl").read_text().splitlines()
    assert len(openings) == 1


def test_a_trial_killed_before_its_row_was_written_takes_up_its_bundle(trials, tmp_path, monkeypatch):
    """What was trained is not trained again."""
    bench = a_bench(trials, tmp_path, until=time.monotonic() + 600)
    trial = trials.Trial(kind="tuning", dataset="toy", settings=TINY)
    (row,) = trials.run_trials(bench, [trial])
    bench.results.unlink()

    monkeypatch.setattr(trials, "train", lambda *_, **__: pytest.fail("trained again"))

    assert trials.run_trials(bench, [trial]) == [row]


def test_without_time_nothing_is_begun_and_nothing_is_made(trials, tmp_path, capfd):
    """Only what is left is told."""
    bench = a_bench(trials, tmp_path)

    rows = trials.run_trials(bench, [trials.Trial(kind="k", dataset="toy", settings=TINY)])

    assert rows == [None]
    assert "1 of 1 trials left" in capfd.readouterr().err
    assert not bench.work.exists()


def test_when_the_time_is_up_no_trial_is_begun(trials, tmp_path):
    """The deadline is looked at before each."""
    bench = a_bench(trials, tmp_path, until=time.monotonic() - 1)

    assert trials.run_trials(bench, [trials.Trial(kind="k", dataset="toy", settings=TINY)]) == [None]


def test_the_time_left_is_that_of_finished_rows_of_the_same_kind(trials):
    """Kinds of which none was measured are counted apart."""
    rows = {"a": {"kind": "short", "seconds": 30.0}, "b": {"kind": "short", "seconds": 90.0}}
    left = [trials.Trial(kind=kind, dataset="toy", settings={}) for kind in ("short", "short", "long")]

    assert trials.expected(left, rows) == "about 2 min 0 s, and 1 of kinds that none was measured of"
    assert trials.expected(left[2:], rows) == "time not known yet"


def test_a_row_of_other_pictures_does_not_count(trials, tmp_path):
    """Where trials may run, the dataset's fingerprint must be that of the row."""
    bench = a_bench(trials, tmp_path, until=time.monotonic() + 600)
    trial = trials.Trial(kind="k", dataset="toy", settings=TINY)
    (row,) = trials.run_trials(bench, [trial])
    trials.append_row(bench.results, row | {"learned_from": "others"})

    assert trials.run_trials(bench, [trial]) == [row]


def test_the_plain_figures_are_those_of_scikit_learn(trials):
    """Macro AUC, balanced accuracy and accuracy, by someone else's count."""
    from sklearn.metrics import accuracy_score, balanced_accuracy_score, roc_auc_score

    said = some_predictions(cases=200)

    found = trials.figures_of(said)

    answers = said.probabilities.argmax(axis=1)
    assert found["macro_auc"] == pytest.approx(roc_auc_score(said.truth, said.probabilities, multi_class="ovr"))
    assert found["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(said.truth, answers))
    assert found["accuracy"] == pytest.approx(accuracy_score(said.truth, answers))


def seeds_of(spread: float, *, count: int, shift: float = 0.0, cases: int = 300):
    """Networks that are equally good but for the luck of their seed."""
    first = some_predictions(cases=cases)
    found = []
    for seed in range(count):
        random = np.random.default_rng([seed, int(shift * 1000)])
        logits = np.log(first.probabilities) + random.normal(scale=spread, size=first.probabilities.shape)
        logits[np.arange(cases), first.truth] += shift
        chances = np.exp(logits)
        found.append(type(first)(**vars(first) | {"probabilities": chances / chances.sum(axis=1, keepdims=True)}))
    return found


def test_a_network_does_not_differ_from_itself(trials):
    """The same lesions and the same seeds are drawn for both."""
    networks = seeds_of(1.0, count=3)

    for estimate in trials.over_seeds(networks, networks, rounds=200).values():
        assert (estimate.value, estimate.low, estimate.high) == (0, 0, 0)


def test_a_difference_is_that_of_the_means_and_lies_in_its_interval(trials):
    """Of three seeds each."""
    better, worse = seeds_of(1.0, count=3, shift=0.8), seeds_of(1.0, count=3)

    found = trials.over_seeds(better, worse, rounds=400)["macro_auc"]

    weights = np.ones((1, 300))
    means = [
        np.mean([auc_by_diagnosis(each.probabilities, each.truth, weights).mean() for each in networks])
        for networks in (better, worse)
    ]
    assert found.value == pytest.approx(means[0] - means[1])
    assert 0 < found.low < found.value < found.high
    assert "3 seeds" in found.method


def test_seeds_that_scatter_widen_the_interval_and_one_seed_says_that_it_cannot(trials):
    """Lesions alone would promise too much."""
    alike = [seeds_of(0.0, count=1)[0]] * 5
    scattered = [alike[0], *seeds_of(4.0, count=4)]

    width = {
        name: (found := trials.over_seeds(networks, rounds=400)["macro_auc"]).high - found.low
        for name, networks in (("alike", alike), ("scattered", scattered))
    }

    assert width["scattered"] > 1.5 * width["alike"]
    assert "one seed" in trials.over_seeds(alike[:1], rounds=50)["macro_auc"].note


def test_networks_on_other_cases_are_not_compared(trials):
    """Nor as many seeds against fewer."""
    with pytest.raises(ValueError, match="same cases"):
        trials.over_seeds([some_predictions(cases=60)], [some_predictions(cases=62)])
    with pytest.raises(ValueError, match="same seeds"):
        trials.over_seeds([some_predictions()] * 2, [some_predictions()])


def test_a_smaller_training_set_has_whole_lesions_in_the_mix_of_the_archive(trials):
    """About as many pictures as asked for; the same ones whatever the pseudonyms are."""
    random = np.random.default_rng(0)
    lesions = random.integers(0, 500, 1000)
    kinds = random.choice(3, size=500, p=(0.7, 0.2, 0.1))
    cases = [
        a_case(n, cluster_id=f"lesion{lesion}", diagnosis="abc"[kinds[lesion]]) for n, lesion in enumerate(lesions)
    ]
    renamed = [a_case(n, cluster_id=f"x{-lesion}", diagnosis="abc"[kinds[lesion]]) for n, lesion in enumerate(lesions)]

    kept = trials.drawn_clusters(a_manifest(cases), pictures=300, seed=0)

    drawn = [case for case in cases if case.cluster_id in kept]
    assert len(drawn) == pytest.approx(300, rel=0.05)
    shares, archive = (Counter(case.diagnosis for case in some) for some in (drawn, cases))
    assert all(shares[code] / len(drawn) == pytest.approx(archive[code] / 1000, abs=0.03) for code in "abc")
    again = trials.drawn_clusters(a_manifest(renamed), pictures=300, seed=0)
    assert {case.sha256 for case in renamed if case.cluster_id in again} == {case.sha256 for case in drawn}


def test_a_smaller_training_set_leaves_the_other_splits_alone(trials, tmp_path):
    """Its pictures are those of the whole dataset, found through a link."""
    bench = a_bench(trials, tmp_path)
    source, target = bench.workspace("toy"), trials.Workspace(tmp_path / "smaller")

    trials.smaller_train(source, target, pictures=9)

    before, after = (read_manifest(each.dataset / "manifest.parquet") for each in (source, target))
    assert len(after.of_split("train")) < len(before.of_split("train"))
    assert after.of_split("test").cases == before.of_split("test").cases
    assert all((target.dataset / case.image).exists() for case in after.cases)
