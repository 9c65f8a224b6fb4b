"""A frozen bundle on the dataset of another workspace."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from cutis.evaluate.elsewhere import LEDGER, evaluate_elsewhere, examine_elsewhere
from cutis.evaluate.elsewhere_material import open_elsewhere
from cutis.evaluate.elsewhere_record import content_elsewhere, write_elsewhere
from cutis.evaluate.openings import registration_of
from cutis.runtime.bundle import write_description
from cutis.runtime.elsewhere import name_of
from cutis.vocabulary.case import read_manifest, write_manifest
from cutis.vocabulary.errors import SafetyRefusal, UserError
from cutis.vocabulary.estimate import Estimate
from cutis.vocabulary.files import check_sums, read_json, sha256_of
from cutis.vocabulary.outputs import Outputs
from cutis.vocabulary.predictions import read_predictions
from cutis.workspace import Workspace
from factories import a_bundle, a_bundle_folder, a_dataset, a_taxonomy, altered_dataset


def a_bundle_of(workspace, codes=("a", "b", "c"), **fields):
    """A bundle "invented" of the workspace's dataset, with weights that nothing runs."""
    folder = workspace.bundle("invented")
    folder.mkdir(parents=True)
    (folder / "weights.safetensors").write_bytes(b"none")
    dataset = sha256_of(workspace.dataset / "manifest.parquet")
    bundle = a_bundle(codes, dataset_sha256=dataset, source="the clinic at home", folder=folder, **fields)
    write_description(folder, bundle, made_from={})


@pytest.fixture
def home(tmp_path):
    """A workspace with the bundle and the dataset of 24 patients that it learned from."""
    workspace = Workspace(tmp_path / "home")
    a_dataset(workspace)
    a_bundle_of(workspace)
    return workspace


@pytest.fixture
def other(tmp_path):
    """A workspace of 60 other patients whose diagnoses are a, x (once b) and c."""
    workspace = Workspace(tmp_path / "clinic-b")
    a_dataset(workspace, patients=60, side=40)
    altered_dataset(
        workspace,
        lambda case: replace(case, diagnosis="x" if case.diagnosis == "b" else case.diagnosis),
        taxonomy=a_taxonomy(("x", "a", "c")),
        source="another clinic",
    )
    return workspace


def by_colour(pictures):
    """An engine that reads the diagnosis off the colour, and would call x a b."""
    colours = pictures.mean(axis=(2, 3))
    return Outputs(logits=colours, auxiliary_logits=(), features=colours, maps=None)


def examined(home, other, **options):
    elsewhere = open_elsewhere(home, "invented", other.root, **options)
    return elsewhere, examine_elsewhere(elsewhere, by_colour, ledger=home.private / LEDGER)


def test_common_diagnoses_are_measured_and_the_others_are_foreign(home, other):
    """All splits are a test; forty cases are known, twenty foreign."""
    elsewhere, found = examined(home, other)

    assert (len(found.known), len(found.foreign)) == (40, 20)
    assert elsewhere.codes == ("a", "c")
    assert found.evidence.estimates["argmax/accuracy"].value == 1.0
    assert found.evidence.support["b"] == {"cases": 0, "clusters": 0}
    assert "not in this test: b" in found.evidence.estimates["macro_auc"].note
    assert found.foreign.truth is None
    assert found.foreign_diagnoses[0].answers == {"b": 20}
    assert found.foreign_estimates["foreign_benign/called_malignant"].value == 0.0
    assert (found.known.split, found.known.rater) == ("all", "invented")


def test_an_answer_that_the_other_dataset_does_not_know_is_wrong_unless_it_cannot_be_given(home, other):
    """A network that always says b is never right as it is, and right by its second thought when restricted."""

    def says_b(pictures):
        colours = pictures.mean(axis=(2, 3)) + np.array([0, 50, 0])
        return Outputs(logits=colours, auxiliary_logits=(), features=colours, maps=None)

    elsewhere = open_elsewhere(home, "invented", other.root)
    found = examine_elsewhere(elsewhere, says_b, ledger=home.private / LEDGER)

    assert found.evidence.estimates["argmax/accuracy"].value == 0.0
    assert found.restricted.estimates["argmax/accuracy"].value == 1.0
    assert set(found.restricted.support) == {"a", "c"}
    assert found.restricted.estimates["argmax/malignant_sensitivity"].value == 1.0


def test_one_common_diagnosis_has_no_restricted_reading(home, other):
    """It would always be right."""
    altered_dataset(other, lambda case: replace(case, diagnosis="x" if case.diagnosis == "c" else case.diagnosis))
    altered_dataset(other, lambda case: case, taxonomy=a_taxonomy(("x", "a")))

    _, found = examined(home, other)

    assert found.restricted is None
    assert found.evidence.estimates["argmax/accuracy"].value == 1.0
    assert found.evidence.estimates["macro_auc"].value is None


def test_the_same_diagnoses_leave_nothing_foreign(home, tmp_path):
    """Both readings are the same then."""
    third = Workspace(tmp_path / "third")
    a_dataset(third, patients=48, side=40)

    _, found = examined(home, third)

    assert found.foreign is None
    assert found.foreign_estimates == {}
    assert found.restricted.estimates == found.evidence.estimates


def test_only_the_test_split_may_be_asked_for(home, other):
    """As where the other dataset's own bundle is compared on it."""
    elsewhere, found = examined(home, other, only_test=True)

    cases = (*elsewhere.material.settled.cases, *elsewhere.foreign.cases)
    assert {case.split for case in cases} == {"test"}
    assert found.known.split == "test"


def test_what_is_left_on_disk_reads_back_and_says_where_it_comes_from(home, other, tmp_path):
    """Predictions of both kinds, estimates in both readings, figures; licence and source are the other dataset's."""
    elsewhere, found = examined(home, other)
    folder = tmp_path / "folder"
    folder.mkdir()

    write_elsewhere(folder, elsewhere, found)

    said = read_json(folder / "estimates.json", "estimates")
    assert read_predictions(folder / "predictions.parquet").codes == ("a", "b", "c")
    assert read_predictions(folder / "foreign.parquet").truth is None
    assert {"confusion.svg", "roc.svg", "reliability.svg"} <= {path.name for path in (folder / "figures").iterdir()}
    assert said["source"] == "another clinic"
    assert said["elsewhere"]["learned_from"] == "the clinic at home"
    assert said["made_from"]["manifest"] == sha256_of(other.dataset / "manifest.parquet")
    assert [pair["ours"]["code"] for pair in said["elsewhere"]["common"]] == ["a", "c"]
    assert Estimate(**said["elsewhere"]["restricted"]["estimates"]["argmax/accuracy"]).value == 1.0
    assert said["elsewhere"]["foreign"]["diagnoses"][0]["code"] == "x"
    assert said["openings"] == {"of_this_dataset": 1}


def test_openings_are_counted_for_each_dataset_and_never_as_openings_of_the_home_test(home, other, tmp_path):
    """A second look is the second; the home test stays unopened."""
    third = Workspace(tmp_path / "third")
    a_dataset(third, patients=48, side=40)

    counts = [examined(home, workspace)[1].openings for workspace in (other, third, other)]

    assert counts == [1, 1, 2]
    assert registration_of(home.private, protocol_sha256=None).openings == 0
    assert registration_of(home.private / LEDGER, protocol_sha256=None).openings == 3


def test_its_independence_is_proved_where_the_home_dataset_is_there(home, other):
    """By sha256, and it is said what that cannot show."""
    elsewhere, _ = examined(home, other)

    assert elsewhere.independence.checked
    assert elsewhere.independence.compared_with == 21
    assert "same patients cannot be seen" in elsewhere.independence.said


def test_where_the_home_dataset_is_gone_it_is_said_that_nothing_was_proved(home, other):
    """Another dataset in its place proves as little."""
    a_dataset(home, patients=30)

    elsewhere, found = examined(home, other)

    assert not elsewhere.independence.checked
    assert "could not be checked" in content_elsewhere(elsewhere, found)["elsewhere"]["independence"]["said"]


def test_pictures_that_were_learned_from_are_refused(home, other):
    """One picture of the training set is enough; the other's near duplicate of it counts as well."""
    taken = next(case for case in read_manifest(home.dataset / "manifest.parquet").cases if case.split == "tune")
    first = read_manifest(other.dataset / "manifest.parquet").cases[0].case_id
    second = read_manifest(other.dataset / "manifest.parquet").cases[1].case_id
    altered_dataset(other, lambda case: replace(case, sha256=taken.sha256) if case.case_id == first else case)
    altered_dataset(other, lambda case: replace(case, duplicate_group="g") if case.case_id in (first, second) else case)

    with pytest.raises(SafetyRefusal, match="learned from 2 of these pictures"):
        open_elsewhere(home, "invented", other.root)

    assert not (home.private / LEDGER).exists()


def test_a_picture_of_the_home_test_is_no_leak_but_told(home, other):
    """The bundle never saw it; it is still no other clinic's."""
    tested = next(case for case in read_manifest(home.dataset / "manifest.parquet").cases if case.split == "test")
    victim = read_manifest(other.dataset / "manifest.parquet").cases[0]
    shutil.copyfile(home.dataset / tested.image, other.dataset / victim.image)
    altered_dataset(other, lambda case: replace(case, sha256=tested.sha256) if case.case_id == victim.case_id else case)

    assert open_elsewhere(home, "invented", other.root).independence.in_home_test == 1


def test_the_home_dataset_is_no_other_dataset(home):
    """Plain evaluate measures it, on its test alone."""
    with pytest.raises(UserError, match="learned from this very dataset") as caught:
        open_elsewhere(home, "invented", home.root)

    assert "cutis evaluate invented" in caught.value.mend


def test_a_copy_of_the_home_dataset_is_found_out(home, tmp_path):
    """Its manifest was written anew, its pictures are the same."""
    shutil.copytree(home.dataset, tmp_path / "copy")
    path = tmp_path / "copy" / "manifest.parquet"
    write_manifest(path, replace(read_manifest(path), source="a copy"), made_from={})

    with pytest.raises(SafetyRefusal, match="learned from 21"):
        open_elsewhere(home, "invented", tmp_path / "copy")


def test_datasets_without_a_common_diagnosis_are_refused(home, other):
    """Both lists are named."""
    altered_dataset(other, lambda case: replace(case, diagnosis="x"), taxonomy=a_taxonomy(("x", "y")))

    with pytest.raises(UserError, match="it knows a, b, c; the dataset has x, y"):
        open_elsewhere(home, "invented", other.root)


def test_a_dataset_without_a_settled_case_is_refused(home, other):
    """There is nothing to measure on."""
    altered_dataset(other, lambda case: replace(case, indeterminate="unresolved votes", diagnosis=None))

    with pytest.raises(UserError, match="no settled case"):
        open_elsewhere(home, "invented", other.root)


def test_what_is_no_dataset_is_refused(home, tmp_path):
    """The mend says what to give."""
    with pytest.raises(UserError, match="no dataset") as caught:
        open_elsewhere(home, "invented", tmp_path)

    assert "1_dataset" in caught.value.mend


def test_a_picture_that_was_changed_since_is_refused(home, other):
    """Of a foreign case, too."""
    foreign = open_elsewhere(home, "invented", other.root).foreign.cases[0]
    (other.dataset / foreign.image).write_bytes(b"another")

    with pytest.raises(UserError, match="changed since it was curated"):
        open_elsewhere(home, "invented", other.root)


def test_a_dataset_goes_by_the_folder_that_says_something(tmp_path):
    """Every project has a work and a 1_dataset."""
    assert name_of(tmp_path / "clinic b" / "work" / "1_dataset") == "clinic-b"
    assert name_of(tmp_path / "clinic b" / "1_dataset" / "manifest.parquet") == "clinic-b"
    assert name_of(tmp_path / "ham10000") == "ham10000"
    assert name_of(tmp_path / "x" / ".." / "ham10000") == "ham10000"
    assert name_of(tmp_path / "@.@") == "elsewhere"


def test_the_whole_stage_with_a_real_network(tmp_path, other):
    """A folder of its own beside the home evaluation, sealed; a second time needs --again."""
    home = Workspace(tmp_path / "home")
    a_dataset(home)
    dataset = sha256_of(home.dataset / "manifest.parquet")
    a_bundle_folder(home.bundle("invented"), dataset_sha256=dataset)

    done = evaluate_elsewhere(home, "invented", other.dataset)
    with pytest.raises(UserError, match="already there"):
        evaluate_elsewhere(home, "invented", other.dataset)
    again = evaluate_elsewhere(home, "invented", other.dataset, again=True)

    assert done.wrote == home.root / "3_evaluation" / "invented@clinic-b"
    check_sums(done.wrote.resolve(), "evaluation", mend="")
    assert (done.facts["openings"], again.facts["openings"]) == (1, 2)
    assert done.lines[0].startswith("clinic-b, all splits: 40 pictures of 40 patients, opened once")
    assert any(line.startswith("foreign to it: 20 pictures") for line in done.lines)
    json.dumps(done.facts, allow_nan=False)
