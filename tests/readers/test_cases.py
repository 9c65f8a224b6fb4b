"""A study of the cases of another dataset, from the plan to the score."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from cutis.evaluate.elsewhere import evaluate_elsewhere
from cutis.readers import stage
from cutis.readers.protocol import read_protocol
from cutis.readers.scoring.material import Asked
from cutis.vocabulary.case import Vote, read_manifest
from cutis.vocabulary.errors import SafetyRefusal, UserError
from cutis.vocabulary.files import read_json, sha256_of
from cutis.vocabulary.reading import write_readings
from cutis.workspace import Workspace
from factories import a_dataset, a_taxonomy, altered_dataset, some_readings

IN_OUR_WORDS = {"A": "a", "c": "c"}


@pytest.fixture
def other(tmp_path):
    """A workspace of 180 other patients whose diagnoses are A (our a), x (which we do not know) and c."""
    theirs = Workspace(tmp_path / "clinic-b")
    a_dataset(theirs, patients=180, side=40)
    named = {"a": "A", "b": "x", "c": "c"}
    altered_dataset(
        theirs,
        lambda case: replace(case, diagnosis=named[case.diagnosis], votes=(Vote(rater="li", code="A"),)),
        taxonomy=a_taxonomy(("x", "A", "c")),
        source="another clinic",
    )
    return theirs


def plan(workspace, other, *settings, **fields):
    settings = ("practice=4", "readers=4", *settings)
    return stage.plan(workspace, settings=settings, on=other if isinstance(other, Path) else other.root, **fields)


def theirs_by_case(other):
    return {case.case_id: case for case in read_manifest(other.dataset / "manifest.parquet").cases}


def read(workspace, other):
    """Let four readers read the cases that count."""
    protocol, cases = read_protocol(workspace.readers / "plan.json"), theirs_by_case(other)
    truth = {case.case_id: IN_OUR_WORDS[cases[case.case_id].diagnosis] for case in protocol.measured}
    said = [
        reading
        for arm in protocol.arms
        for reading in some_readings(truth, codes=("a", "c"), arm=arm, protocol_sha256=protocol.sha256)
    ]
    write_readings(workspace.readers / "readings.parquet", said, made_from={})
    return said


def test_a_study_of_another_dataset_is_planned_read_and_scored(workspace, other):
    """Only what both know, in the network's words; pictures, truth and the network's answers are those there."""
    planned = plan(workspace, other)
    read(workspace, other)
    evaluate_elsewhere(workspace, "invented", other.root)

    finished = stage.score(workspace, Asked())

    protocol, cases = read_protocol(workspace.readers / "plan.json"), theirs_by_case(other)
    assert protocol.diagnoses == ("a", "c")
    assert {cases[case.case_id].split for case in protocol.measured} == {"test"}
    assert {cases[case.case_id].split for case in protocol.cases if case.practice} == {"tune"}
    assert {cases[case.case_id].diagnosis for case in protocol.cases} == {"A", "c"}
    assert protocol.labellers == ("li",)
    assert protocol.dataset_sha256 == sha256_of(other.dataset / "manifest.parquet")
    assert any(
        line.startswith("from clinic-b; diagnoses that both know: a, c; it has x, A, c") for line in planned.lines
    )
    said = read_json(finished.wrote / "scores.json", "scores")
    assert (said["source"], said["on"]) == ("another clinic", "clinic-b")
    assert said["network"]["estimates"]["accuracy"]["clusters"] == len(protocol.measured) == 20
    assert "manifest of clinic-b" in said["made_from"]
    assert said["arms"]["unaided"]["tested"][0]["primary"]


def test_practice_knows_the_truth_in_the_networks_words(workspace, other):
    """And no case that counts has a feedback."""
    plan(workspace, other)

    protocol, cases = read_protocol(workspace.readers / "plan.json"), theirs_by_case(other)
    told = read_json(workspace.readers / "booth" / "feedback.json", "feedback")["cases"]

    practice = {case.case_id for case in protocol.cases if case.practice}
    assert told == {case: IN_OUR_WORDS[cases[case].diagnosis] for case in practice}


def test_an_aided_study_asks_that_the_network_was_evaluated_there(workspace, other):
    """The opening of the other dataset is recorded by that, before a reader sees any answer."""
    with pytest.raises(UserError, match="not evaluated there yet") as caught:
        plan(workspace, other, "design=sequential")
    evaluate_elsewhere(workspace, "invented", other.root)

    plan(workspace, other, "design=sequential")

    aid = read_json(workspace.readers / "booth" / "aid.json", "aid")["cases"]
    assert f"cutis evaluate invented --on {other.root}" in caught.value.mend
    assert {code for each in aid.values() for code, _ in each["top3"]} == {"a", "c"}
    read(workspace, other)
    scored = read_json(stage.score(workspace, Asked()).wrote / "scores.json", "scores")
    assert scored["switches"]["counts"]["switched_of"] == 4 * len(aid) - 4 * 4


def test_the_dataset_a_manifest_and_a_csv_do_as_well(workspace, other, tmp_path):
    """Whatever names the dataset; a CSV of its readings is scored without a plan, the only bundle beside it."""
    for place in (other.dataset, other.dataset / "manifest.parquet"):
        plan(workspace, place, again=True)
    said = [replace(reading, protocol_sha256=None) for reading in read(workspace, other)]
    write_readings(tmp_path / "reads.parquet", said, made_from={})
    evaluate_elsewhere(workspace, "invented", other.root)

    finished = stage.score(workspace, Asked(readings=tmp_path / "reads.parquet", on=other.root))

    scores = read_json(finished.wrote / "scores.json", "scores")
    assert (scores["protocol"], scores["on"], scores["network"]["name"]) == (None, "clinic-b", "invented")


def test_a_dataset_that_was_moved_is_named_anew(workspace, other, tmp_path):
    """It is known by its sha256, not by its place."""
    plan(workspace, other)
    read(workspace, other)
    shutil.move(other.root, tmp_path / "moved")
    with pytest.raises(UserError, match="not there any more") as caught:
        stage.score(workspace, Asked())
    evaluate_elsewhere(workspace, "invented", tmp_path / "moved")

    finished = stage.score(workspace, Asked(on=tmp_path / "moved"))

    assert "cutis readers score --on" in caught.value.mend
    assert read_json(finished.wrote / "scores.json", "scores")["on"] == "moved"


def test_a_truth_that_was_curated_again_is_refused(workspace, other):
    """The readers read other cases, or against another truth."""
    plan(workspace, other)
    read(workspace, other)
    altered_dataset(other, lambda case: case, source="curated again")

    with pytest.raises(SafetyRefusal, match="the protocol names dataset"):
        stage.score(workspace, Asked())


def test_a_picture_that_the_network_learned_from_is_refused(workspace, other):
    """As where it is evaluated there: one is enough."""
    taken = next(case for case in read_manifest(workspace.dataset / "manifest.parquet").cases if case.split == "train")
    there = next(case for case in theirs_by_case(other).values() if case.split == "test" and case.diagnosis == "c")
    altered_dataset(other, lambda case: replace(case, sha256=taken.sha256) if case.case_id == there.case_id else case)

    with pytest.raises(SafetyRefusal, match="learned from 1 of these pictures"):
        plan(workspace, other)

    assert not (workspace.readers / "plan.json").exists()


def test_what_cannot_be_asked_is_refused_by_name(workspace, other, tmp_path):
    """The workspace's own dataset, no dataset, a diagnosis that only one knows, practice from the test."""
    with pytest.raises(UserError, match="learned from this very dataset"):
        plan(workspace, workspace)
    with pytest.raises(UserError, match="this is no dataset"):
        plan(workspace, tmp_path)
    with pytest.raises(UserError, match="unknown diagnosis 'b'") as caught:
        plan(workspace, other, 'diagnoses=["a","b"]')
    with pytest.raises(UserError, match="practice cases never come from the test"):
        plan(workspace, other, "split=tune", "practice_split=test")

    assert caught.value.mend == "use some of: a, c"


@pytest.mark.parametrize(
    ("codes", "what"), [(("x", "A"), "share one diagnosis alone, a,"), (("x", "y"), "no case has a diagnosis that")]
)
def test_too_little_in_common_is_no_question(workspace, other, codes, what):
    """Both lists are named."""
    altered_dataset(other, lambda case: replace(case, diagnosis="x" if case.diagnosis not in codes else case.diagnosis))
    altered_dataset(other, lambda case: case, taxonomy=a_taxonomy(codes))

    with pytest.raises(UserError, match=what):
        plan(workspace, other)


@pytest.mark.parametrize(
    ("asked", "what"),
    [
        ({"columns": {"truth": "gold"}}, "truth stands beside"),
        ({"pictures": Path()}, "key of its pseudonyms"),
        ({"out_of_fold": True}, "out of fold"),
    ],
)
def test_what_another_dataset_cannot_go_with_is_refused(workspace, other, asked, what):
    """Before anything is scored."""
    plan(workspace, other)
    read(workspace, other)

    with pytest.raises(UserError, match=what):
        stage.score(workspace, Asked(on=other.root, **asked))
