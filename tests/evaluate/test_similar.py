"""How often the neighbours of a test case share its diagnosis: by hand, by patient, beside chance and raw cosine."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cutis.evaluate.material import open_material
from cutis.evaluate.record import write_findings
from cutis.evaluate.similar import similar_of
from cutis.evaluate.stage import Asked, examine
from cutis.runtime.neighbours import Likeness, index_of, kept
from cutis.stats.nearness import Nearness, Step
from cutis.stats.spaces import fit_space
from cutis.vocabulary.case import read_manifest
from cutis.vocabulary.estimate import Estimate
from cutis.vocabulary.files import read_json
from cutis.vocabulary.outputs import Outputs
from factories import a_case, a_manifest, a_taxonomy, a_tested_workspace, some_predictions, with_training_cases

CODES = ("a", "b", "c")
SHARE = Estimate(value=0.6, low=0.5, high=0.7, method="invented", clusters=40, cluster_kind="patient")


def a_likeness(kind="raw", nearness=None):
    """What the bundle says of its training cases."""
    return Likeness(space=kind, cases=0, chosen_on="tune", trials=(), strangers=0.9, nearness=nearness)


def cases_of(diagnosis, *, first=0, patients=2, **fields):
    """Cases with these diagnoses, so many to a patient."""
    return [
        a_case(first + n, diagnosis=CODES[kind], cluster_id=f"patient{(first + n) // patients:04d}", **fields)
        for n, kind in enumerate(diagnosis)
    ]


def a_test(*, kind="raw", told=1.0, cases=60, seed=0, hidden=0.0, **fields):
    """Two pictures a patient; `told` is how far apart the diagnoses lie, `hidden` how loud what tells nothing is."""
    random = np.random.default_rng(seed)
    said = some_predictions(cases=cases, seed=seed)
    known = random.integers(0, 3, 200)

    def features_of(diagnosis):
        loud = hidden * random.normal(size=(len(diagnosis), 8))
        return np.hstack([told * np.eye(3, 6)[diagnosis] + 0.4 * random.normal(size=(len(diagnosis), 6)), loud])

    rows = kept(features_of(known))
    learned = cases_of(known, first=1000)
    index = index_of(rows, learned, codes=CODES, space=fit_space(kind, rows, known))
    asked = {
        "index": index,
        "likeness": a_likeness(kind),
        "generator": np.random.default_rng(0),
        "rounds": 200,
    } | fields
    tested = a_manifest(cases_of(said.truth, split="test"))
    features = features_of(said.truth)
    return similar_of(said, tested, features, **asked), said, features, index, tested


def values_of(similar):
    """Return the figures by name."""
    return {name: estimate.value for name, estimate in similar.estimates.items()}


def test_precision_is_what_a_hand_counts():
    """Of all pictures, of those of one diagnosis, and the mean of these means."""
    similar, said, features, index, _ = a_test()

    unit, there = (
        each / np.linalg.norm(each, axis=1, keepdims=True) for each in (features, index.features.astype(float))
    )
    order = np.argsort(-unit @ there.T, axis=1)
    right = index.diagnosis[order] == said.truth[:, None]
    found = values_of(similar)
    for k in (1, 5, 10):
        precision = right[:, :k].mean(axis=1)
        by_diagnosis = [precision[said.truth == kind].mean() for kind in range(3)]
        assert found[f"similar/precision_at_{k}"] == pytest.approx(precision.mean(), abs=0.005)
        assert found[f"similar/precision_at_{k}/b"] == pytest.approx(by_diagnosis[1], abs=0.01)
        assert found[f"similar/macro_precision_at_{k}"] == pytest.approx(np.mean(by_diagnosis), abs=0.005)
    shares = np.bincount(index.diagnosis, minlength=3) / 200
    assert found["chance/precision"] == pytest.approx(shares[said.truth].mean())
    assert found["chance/macro_precision"] == pytest.approx(1 / 3)


def test_neighbours_that_tell_nothing_are_no_better_than_chance():
    """Features without a diagnosis in them: chance lies within the interval."""
    similar, *_ = a_test(told=0.0, cases=200)

    estimate = similar.estimates["similar/macro_precision_at_10"]
    assert estimate.low < 1 / 3 < estimate.high


def test_every_figure_has_an_interval_by_patient():
    """Sixty pictures of thirty patients; the clusters of a diagnosis are those who have it."""
    similar, said, *_ = a_test()

    patients = {name for name, kind in zip(said.cluster_ids, said.truth, strict=True) if kind == 0}
    assert similar.estimates["similar/precision_at_5"].clusters == 30
    assert similar.estimates["similar/precision_at_5/a"].clusters == len(patients)
    for estimate in similar.estimates.values():
        assert estimate.cluster_kind == "patient"
    resampled = [estimate for name, estimate in similar.estimates.items() if not name.startswith("chance/")]
    assert all(estimate.low <= estimate.value <= estimate.high for estimate in resampled)
    assert similar.estimates["chance/precision/a"].low is None  # the mix of the training cases is what it is


def test_a_chosen_space_stands_beside_raw_cosine():
    """Where something loud tells nothing, raw cosine is drowned, and the gain leaves 0 out."""
    similar, *_ = a_test(kind="standardised", hidden=4.0, told=1.5)
    plain, *_ = a_test()

    found = values_of(similar)
    for over in ("", "macro_"):
        apart = found[f"similar/{over}precision_at_5"] - found[f"raw/{over}precision_at_5"]
        assert found[f"gain/{over}precision_at_5"] == pytest.approx(apart)
    assert similar.estimates["gain/precision_at_5"].low > 0
    assert not any(name.startswith(("raw/", "gain/")) for name in plain.estimates)  # it is raw cosine


def test_no_neighbour_is_of_the_same_patient_or_a_duplicate():
    """Training pictures that are the test's own would all be right; where they are the patient's none is found."""
    _, said, features, index, tested = a_test(told=0.0)
    own = index_of(kept(features), tested.cases, codes=CODES, space=index.space)
    leaking = replace(own, origin=own.origin._replace(cluster_ids=tuple(f"other{n}" for n in range(60))))
    groups = [f"g{n}" for n in range(60)]
    grouped = replace(leaking, origin=leaking.origin._replace(duplicate_groups=tuple(groups)))
    copies = replace(
        tested, cases=tuple(replace(case, duplicate_group=g) for case, g in zip(tested.cases, groups, strict=True))
    )

    def first_of(index, cases):
        asked = {"index": index, "likeness": a_likeness(), "generator": np.random.default_rng(0), "rounds": 50}
        return similar_of(said, cases, features, **asked).estimates["similar/precision_at_1"].value

    assert first_of(leaking, tested) == 1
    assert first_of(own, tested) < 0.7
    assert first_of(grouped, copies) < 0.7


def test_where_all_training_cases_are_the_patients_own_there_is_no_number():
    """A gap with its reason, and a count of those who found nobody."""
    said = some_predictions(cases=4, cluster_ids=("patient0000",) * 4, truth=np.array([0, 1, 2, 0]))
    cases = [replace(case, cluster_id="patient0000") for case in cases_of(said.truth)]
    rows = kept(np.eye(4))
    index = index_of(rows, cases, codes=CODES, space=fit_space("raw", rows, said.truth))

    similar = similar_of(
        said,
        a_manifest(cases),
        np.eye(4),
        index=index,
        likeness=a_likeness(),
        generator=np.random.default_rng(0),
        rounds=20,
    )

    assert (similar.cases, similar.lonely) == (0, 4)
    assert all(estimate.value is None and estimate.note for estimate in similar.estimates.values())


def test_agreement_of_the_neighbours_tells_right_answers_from_wrong():
    """Where neighbours know the diagnosis, those of a wrong answer disagree with it; beside them stands probability."""
    similar, *_ = a_test(told=3.0, cases=200)
    found = values_of(similar)

    assert found["agreement/auroc"] > 0.95
    assert found["agreement_gain/auroc"] == pytest.approx(found["agreement/auroc"] - found["confidence/auroc"])


def test_steps_are_held_against_the_test():
    """Every neighbour lies on one of them; a group without a step is left out."""
    nearness = Nearness({"a": (Step(0.5, SHARE, 90), Step(0.9, SHARE, 90)), "b": (Step(0.2, SHARE, 50),)}, ())

    similar, *_ = a_test(likeness=a_likeness(nearness=nearness))

    assert [(met.diagnosis, met.step.similarity) for met in similar.met] == [("a", 0.5), ("a", 0.9), ("b", 0.2)]
    assert 300 < sum(met.neighbours for met in similar.met) < 600
    assert similar.met[1].found.value >= similar.met[0].found.value
    assert similar.content()["nearness"][0]["calibrate"]["value"] == 0.6


def by_colour(pictures):
    """An engine that knows the truth of these pictures, with features as wide as the bundle's."""
    colours = pictures.mean(axis=(2, 3))
    return Outputs(logits=colours * 9, auxiliary_logits=(colours,) * 7, features=colours.repeat(4, axis=1), maps=None)


@pytest.fixture
def workspace(tmp_path):
    return a_tested_workspace(tmp_path / "work")


def left_by(workspace, tmp_path):
    """Return what an evaluation leaves."""
    material = open_material(workspace, "invented")
    folder = tmp_path / "folder"
    folder.mkdir()
    write_findings(folder, material, examine(material, by_colour, Asked(), ledger=workspace.private))
    return folder


def test_an_evaluation_writes_what_similar_cases_are_worth(workspace, tmp_path):
    """In a file of its own, made from the same things as all others."""
    train = read_manifest(workspace.dataset / "manifest.parquet").of_split("train").cases
    colours = np.eye(3)[[a_taxonomy().codes.index(case.diagnosis) for case in train]].repeat(4, axis=1)
    with_training_cases(workspace.bundle("invented"), train, colours)

    folder = left_by(workspace, tmp_path)

    said = read_json(folder / "similar.json", "similar")
    assert said["made_from"].keys() == {"manifest", "weights", "bundle"}
    assert (said["known"], said["space"], said["without_a_neighbour"]) == (len(train), "raw", 0)
    assert Estimate(**said["estimates"]["similar/macro_precision_at_5"]).value == 1


def test_a_bundle_without_training_cases_is_evaluated_as_before(workspace, tmp_path):
    """There is no such file, whether it never had them or they were taken out."""
    assert not (left_by(workspace, tmp_path) / "similar.json").exists()
    with_training_cases(workspace.bundle("invented"))
    workspace.bundle("invented").joinpath("neighbours.safetensors").unlink()
    (tmp_path / "again").mkdir()

    assert not (left_by(workspace, tmp_path / "again") / "similar.json").exists()
