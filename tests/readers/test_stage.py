"""From a wish to a frozen protocol, and from readings to scores."""

import json
from dataclasses import replace

import pytest

from cutis.imaging.decode import decode
from cutis.readers import stage
from cutis.readers.protocol import begin, order_of, read_protocol
from cutis.readers.scoring.material import Asked, case_ids_of
from cutis.vocabulary.case import read_manifest
from cutis.vocabulary.errors import SafetyRefusal, UserError
from cutis.vocabulary.files import check_sums, read_json, sha256_of
from cutis.vocabulary.pseudonyms import Key, write_key
from cutis.vocabulary.reading import read_readings, write_readings
from cutis.workspace import Workspace
from factories import some_readings

PRACTICE = ("practice=3",)


def _plan(workspace, *settings, **fields):
    return stage.plan(workspace, settings=(*PRACTICE, "readers=4", *settings), **fields)


def _protocol(workspace):
    return read_protocol(workspace.readers / "plan.json")


def _truth(workspace):
    manifest = read_manifest(workspace.dataset / "manifest.parquet")
    return {case.case_id: case.diagnosis for case in manifest.cases if case.diagnosis}


def _read(workspace, **fields):
    """Let four readers read everything that the protocol shows."""
    protocol, truth = _protocol(workspace), _truth(workspace)
    said = []
    for arm in protocol.arms:
        measured = {case.case_id: truth[case.case_id] for case in protocol.measured}
        said += some_readings(measured, arm=arm, protocol_sha256=protocol.sha256, seed=len(said), **fields)
    practised = {case.case_id: truth[case.case_id] for case in protocol.cases if case.practice}
    said += some_readings(practised, protocol_sha256=protocol.sha256)
    write_readings(workspace.readers / "readings.parquet", said, made_from={})
    return said


def test_a_plan_freezes_the_protocol_beside_its_pictures(workspace):
    """Pictures of one kind, sealed; the protocol holds against its hash, and every case has its picture."""
    finished = _plan(workspace, 'shown=["age"]', "repeated=2")

    protocol, booth = _protocol(workspace), workspace.readers / "booth"
    pictures = {file.name for file in (booth / "pictures").iterdir()}
    assert finished.facts["protocol_sha256"] == protocol.sha256
    assert {case.picture for case in protocol.cases} == pictures
    assert {file.stat().st_size for file in (booth / "pictures").iterdir()} == {protocol.bytes_per_picture}
    assert {decode(file).size for file in (booth / "pictures").iterdir()} == {protocol.frame}
    assert len(protocol.measured) == 13
    assert sum(case.repeated for case in protocol.measured) == 2
    check_sums(booth.resolve(), "booth", mend="")


def test_no_reader_can_tell_a_truth_from_what_the_booth_is_given(workspace):
    """Neither plan nor pictures name a diagnosis of a case that counts, nor how many there are of each."""
    _plan(workspace, "per_diagnosis=3", 'diagnoses=["a","b"]')

    plan = json.loads((workspace.readers / "plan.json").read_text())["protocol"]
    truth, practice = _truth(workspace), {case["case_id"] for case in plan["cases"] if case["practice"]}
    told = read_json(workspace.readers / "booth" / "feedback.json", "feedback")["cases"]
    assert told == {case: truth[case] for case in practice}
    assert all(set(case) == {"case_id", "picture", "practice", "repeated", "beside"} for case in plan["cases"])
    assert [case["picture"] for case in plan["cases"]] == sorted(case["picture"] for case in plan["cases"])
    assert "cases_by_diagnosis" not in json.dumps(plan)
    drawn = read_json(workspace.readers / "drawn.json", "drawn")
    assert drawn["cases_by_diagnosis"] == {"a": 3, "b": 3}


def test_an_aided_study_has_the_networks_answers_restricted_to_its_diagnoses(workspace):
    """Calibrated, summing to one over the study's diagnoses, with the map if the protocol says so."""
    _plan(workspace, "design=crossover", 'diagnoses=["a","c"]', 'aid=["top3","map"]', "practice=2")

    protocol, booth = _protocol(workspace), workspace.readers / "booth"
    aid = read_json(booth / "aid.json", "aid")["cases"]
    assert aid.keys() == {case.case_id for case in protocol.cases}
    assert all(sum(chance for _, chance in each["top3"]) == pytest.approx(1) for each in aid.values())
    assert {code for each in aid.values() for code, _ in each["top3"]} == {"a", "c"}
    assert {each["map"] for each in aid.values()} == {file.name for file in (booth / "maps").iterdir()}
    assert len({file.stat().st_size for file in (booth / "maps").iterdir()}) == 1
    assert {turn.arm for turn in order_of(protocol, "r1", 2)} == {"unaided", "aided"}


def test_a_new_plan_is_a_new_version_that_names_the_one_before(workspace):
    """Asked for with --again, and until somebody has read."""
    _plan(workspace)
    first = _protocol(workspace)
    with pytest.raises(UserError, match="already there"):
        _plan(workspace)

    _plan(workspace, "seed=1", again=True)

    second = _protocol(workspace)
    assert (second.version, second.replaces) == (2, first.sha256)
    begin(workspace.readers, second)
    with pytest.raises(SafetyRefusal, match="somebody has read under protocol"):
        _plan(workspace, "seed=2", again=True)
    assert _protocol(workspace) == second


def test_readings_of_the_booth_become_scores(workspace):
    """Practice does not count; every figure is there, the primary endpoint has its verdict."""
    _plan(workspace, "hypothesis=non-inferiority", "margin=0.1")
    _read(workspace)
    (workspace.readers / "readers.csv").write_text("reader_id,dermoscopy\nr1,daily\nr2,daily\nr3,seldom\n")

    finished = stage.score(workspace, Asked(), imrmc=True)

    said = read_json(finished.wrote / "scores.json", "scores")
    arm = said["arms"]["unaided"]
    assert (arm["cases"], arm["answers"], arm["crossed"]) == (13, 52, True)
    assert said["dropped"]["practice"] == 12
    assert set(said["groups"]) == {"daily", "not told", "seldom"}
    (primary,) = [each for each in arm["tested"] if each["primary"]]
    assert (primary["name"], primary["outcome"]["verdict"]["hypothesis"]) == ("accuracy", "non-inferiority")
    assert {file.stem for file in (finished.wrote / "figures").iterdir()} >= {"readers", "roc", "differences", "votes"}
    assert (finished.wrote / "imrmc" / "a.imrmc").read_text().count("network") == 52


def test_an_aided_study_is_scored_by_arms_against_one_another(workspace):
    """The primary endpoint is aided − unaided, and what readers do with the answer is told."""
    _plan(workspace, "design=sequential")
    _read(workspace)

    said = read_json(stage.score(workspace, Asked()).wrote / "scores.json", "scores")

    assert [each["primary"] for each in said["aided_against_unaided"]].count(True) == 1
    assert not any(each["primary"] for arm in said["arms"].values() for each in arm["tested"])
    assert said["switches"]["counts"]["switched_of"] == 52
    (primary,) = [each for each in said["aided_against_unaided"] if each["primary"]]
    assert [each["reader"] for each in primary["by_reader"]] == ["r1", "r2", "r3", "r4"]
    apart = [each["difference"]["value"] for each in primary["by_reader"]]
    assert sum(apart) / 4 == pytest.approx(primary["outcome"]["difference"]["value"])
    own = {each["name"]: each["estimates"]["accuracy"] for each in said["arms"]["aided"]["readers"]}
    assert {each["reader"]: each["sides"]["aided"] for each in primary["by_reader"]} == own
    assert not any(each["by_reader"] for each in said["aided_against_unaided"] if not each["primary"])


def test_a_network_that_knows_more_is_restricted_and_its_full_answer_stands_beside(workspace):
    """With two of three diagnoses."""
    _plan(workspace, 'diagnoses=["a","b"]')
    protocol, truth = _protocol(workspace), _truth(workspace)
    measured = {case.case_id: truth[case.case_id] for case in protocol.measured}
    said = some_readings(measured, codes=("a", "b"), protocol_sha256=protocol.sha256)
    write_readings(workspace.readers / "readings.parquet", said, made_from={})

    network = read_json(stage.score(workspace, Asked()).wrote / "scores.json", "scores")["network"]

    assert network["restricted"]
    assert network["knows"] == 3
    assert network["in_full"].keys() == network["estimates"].keys()


def test_a_protocol_that_was_changed_after_the_first_reading_is_refused(workspace):
    """By hand, or by a plan beside the readings."""
    _plan(workspace)
    said = _read(workspace)
    write_readings(
        workspace.readers / "readings.parquet", [replace(each, protocol_sha256="f" * 64) for each in said], made_from={}
    )
    with pytest.raises(SafetyRefusal, match="changed after the first reading"):
        stage.score(workspace, Asked())
    plan = workspace.readers / "plan.json"
    plan.write_text(plan.read_text().replace('"none_of_these": false', '"none_of_these": true'))
    with pytest.raises(SafetyRefusal, match="changed since it was frozen"):
        stage.score(workspace, Asked())


def test_readings_of_a_csv_need_no_dataset_where_the_truth_stands_beside_them(tmp_path):
    """One row per reader and case, columns named; cases without truth and empty answers are left out on request."""
    path = tmp_path / "reads.csv"
    rows = [f"{who},{case},{'ab'[case % 2]},{'ab'[(case + (who == 'x')) % 2]}" for who in "xyz" for case in range(12)]
    path.write_text("\n".join(["who,image,gold,said", *rows, "x,99,,a", "y,98,a,"]) + "\n")
    columns = {"reader_id": "who", "case_id": "image", "diagnosis": "said", "truth": "gold"}
    asked = Asked(readings=path, columns=columns)

    with pytest.raises(UserError, match="diagnosis is empty"):
        stage.score(Workspace(tmp_path / "work"), asked)
    with pytest.raises(UserError, match="'99' has no truth"):
        stage.score(Workspace(tmp_path / "work"), replace(asked, skip_unanswered=True))
    finished = stage.score(
        Workspace(tmp_path / "work"), replace(asked, skip_unanswered=True, drop_without_truth=True), name="theirs"
    )

    said = read_json(finished.wrote / "scores.json", "scores")
    assert said["arms"]["unaided"]["pooled"]["readers"]["accuracy"]["value"] == pytest.approx(2 / 3)
    assert said["network"] is None
    assert said["dropped"] == {"practice": 0, "case without truth": 1, "row without a diagnosis": 1}


def test_two_truths_of_a_case_are_refused(tmp_path):
    """One of them is wrong."""
    path = tmp_path / "reads.csv"
    path.write_text("reader_id,case_id,diagnosis,truth\nx,1,a,a\ny,1,a,b\n")

    with pytest.raises(UserError, match="case '1' has two truths"):
        stage.score(Workspace(tmp_path / "work"), Asked(readings=path, columns={"truth": "truth"}))


def test_a_clinics_names_lead_to_the_datasets_cases(tmp_path):
    """By the key of the pseudonyms, and by nothing else; equal files are numbered."""
    clinic, workspace, key = tmp_path / "clinic", Workspace(tmp_path / "work"), Key(b"k" * 32)
    clinic.mkdir()
    for name, content in (("b.jpg", b"one"), ("a.jpg", b"one"), ("c.jpg", b"two")):
        (clinic / name).write_bytes(content)
    with pytest.raises(UserError, match="the key of the pseudonyms is not here"):
        case_ids_of(workspace, clinic)
    write_key(workspace.private, key)

    names = case_ids_of(workspace, clinic)

    assert names["a"] == key.pseudonym("case", sha256_of(clinic / "a.jpg"), "1")
    assert names["b"] == key.pseudonym("case", sha256_of(clinic / "a.jpg"), "2")
    assert names["c"] == key.pseudonym("case", sha256_of(clinic / "c.jpg"), "1")


def test_dermatologists_of_a_public_study_are_scored(shared_data, tmp_path):
    """DermX: eight dermatologists, 566 photographs with a truth, some read twice; accuracy 0.72 to 0.88."""
    asked = Asked(
        readings=shared_data("reader-study/dermx_reads.csv"),
        columns={
            "reader_id": "reader",
            "case_id": "image",
            "occasion": "read",
            "diagnosis": "reader_diagnosis",
            "truth": "gold_diagnosis",
        },
        meaning={"Other-disease": "none", "Low-quality": "none"},
        count_further=True,
        drop_without_truth=True,
        skip_unanswered=True,
    )

    finished = stage.score(Workspace(tmp_path / "work"), asked, name="dermx")

    arm = read_json(finished.wrote / "scores.json", "scores")["arms"]["unaided"]
    accuracies = sorted(reader["estimates"]["accuracy"]["value"] for reader in arm["readers"])
    assert (len(arm["readers"]), arm["cases"]) == (8, 566)
    assert (round(accuracies[0], 3), round(accuracies[-1], 3)) == (0.719, 0.883)
    assert arm["agreement"]["within"]["estimates"]["same_answer"]["value"] == pytest.approx(0.871, abs=0.001)
    assert arm["agreement"]["between"]["estimates"]["fleiss_kappa"]["value"] == pytest.approx(0.753, abs=0.001)
    assert (
        len(
            read_readings(
                asked.readings, columns={k: v for k, v in asked.columns.items() if k != "truth"}, skip_unanswered=True
            )
        )
        == 5528 - 59
    )
