"""Several bundles in pairs: what holds is used again, what is stale is measured anew, and the first is the measure."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from cutis.evaluate.material import read_material
from cutis.evaluate.openings import LEDGER, registration_of
from cutis.evaluate.rivals import compared, read_rival
from cutis.evaluate.stage import compare, evaluate
from cutis.runtime.bundle import DESCRIPTION
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.estimate import Estimate
from cutis.vocabulary.files import check_sums, read_json, sha256_of, write_sums
from cutis.workspace import Workspace
from factories import a_bundle_folder, a_tested_workspace

PROTOCOL = """
written_by = "Dr. A. Example"
written_on = 2026-03-01
network = "copy"
[primary]
measure = "one_vs_rest/malignant_sensitivity"
reference = "invented"
hypothesis = "superiority"
"""


@pytest.fixture(scope="module")
def tested(tmp_path_factory):
    """A tested workspace with the same untrained bundle under two names, and one of other weights."""
    workspace = a_tested_workspace(tmp_path_factory.mktemp("rivals") / "work")
    a_rival(workspace, "copy")
    a_rival(workspace, "other", seed=1)
    return workspace


@pytest.fixture
def workspace(tested, tmp_path):
    """A copy that a test may spoil."""
    shutil.copytree(tested.root, tmp_path / "work", symlinks=True)
    return Workspace(tmp_path / "work")


def a_rival(workspace, name, *, seed=None, **fields):
    """A bundle of the workspace's dataset; with a seed, its weights are shaken by chance."""
    dataset = sha256_of(workspace.dataset / "manifest.parquet")
    folder = a_bundle_folder(workspace.bundle(name), name=name, dataset_sha256=dataset, **fields)
    if seed is not None:
        shake(folder, seed)


def shake(folder, seed):
    """Train a bundle anew, as it were: other weights under the same name."""
    torch.manual_seed(seed)
    weights = load_file(folder / "weights.safetensors")
    shaken = {
        key: value + torch.randn_like(value) * 0.1 if "weight" in key and value.ndim > 1 else value
        for key, value in weights.items()
    }
    save_file(shaken, folder / "weights.safetensors")
    change(folder, weights_sha256=sha256_of(folder / "weights.safetensors"))


def change(folder, **fields):
    """Change what a bundle says of itself, and seal it."""
    said = json.loads((folder / DESCRIPTION).read_text())
    (folder / DESCRIPTION).write_text(json.dumps(said | fields))
    write_sums(folder)


def opened(workspace):
    """Return which bundles opened the test, in order."""
    path = workspace.private / LEDGER
    return [json.loads(line)["bundle"] for line in path.read_text().splitlines()] if path.exists() else []


def test_three_bundles_are_compared_with_the_first(workspace):
    """Each is evaluated once; the copy is no different, the others have differences with intervals; all is sealed."""
    done = compare(workspace, ["invented", "copy", "other"])

    folder = workspace.comparison
    said = read_json(folder / "comparison.json", "comparison")
    check_sums(folder.resolve(), "comparison", mend="")
    assert done.wrote == folder
    assert opened(workspace) == ["invented", "copy", "other"]
    assert (said["reference"], said["bundles"]) == ("invented", ["invented", "copy", "other"])
    assert said["differences"].keys() == {"copy", "other"}
    assert all(each["difference"]["value"] == 0.0 for each in said["differences"]["copy"].values())
    assert set(said["differences"]["other"]) == {
        *("macro_auc", "argmax/accuracy", "argmax/balanced_accuracy", "log_loss"),
        *("one_vs_rest/macro_sensitivity", "one_vs_rest/macro_specificity", "auc/a", "auc/b", "auc/c"),
        *("malignant_auc", "argmax/malignant_sensitivity", "argmax/malignant_specificity"),
    }
    found = said["differences"]["other"]["log_loss"]
    assert found["difference"]["low"] < found["difference"]["value"] < found["difference"]["high"]
    assert found["difference"]["value"] == pytest.approx(found["other"] - found["reference"])
    assert (folder / "figures" / "comparison.svg").stat().st_size > 1000


def test_what_is_compared_is_what_was_evaluated(workspace):
    """Values and intervals of each bundle are those of its own estimates.json, by the same rounds."""
    compare(workspace, ["invented", "other"])

    said = read_json(workspace.comparison / "comparison.json", "comparison")
    for name in ("invented", "other"):
        own = read_json(workspace.evaluation(name) / "estimates.json", "estimates")["estimates"]
        assert said["estimates"][name].items() <= own.items()
    for figure, found in said["differences"]["other"].items():
        assert found["reference"] == pytest.approx(said["estimates"]["invented"][figure]["value"], abs=1e-12)
        assert found["other"] == pytest.approx(said["estimates"]["other"][figure]["value"], abs=1e-12)
    assert said["made_from"] == {
        "manifest": sha256_of(workspace.dataset / "manifest.parquet"),
        **{f"bundle {name}": sha256_of(workspace.bundle(name) / DESCRIPTION) for name in ("invented", "other")},
        **{
            f"predictions of {name}": sha256_of(workspace.evaluation(name) / "predictions.parquet")
            for name in ("invented", "other")
        },
    }


def test_the_answer_is_a_table_for_people_and_facts_for_programs(workspace):
    """Bundle, both figures with interval, the difference with interval; what was evaluated now; the next command."""
    evaluate(workspace, "invented")

    done = compare(workspace, ["invented", "other"])

    text = "\n".join(done.lines)
    assert "opened 2 times so far" in done.lines[0]
    assert "evaluated now: other" in text
    assert "evaluated before, and unchanged since: invented" in text
    for label in ("macro AUC (95% CI)", "balanced accuracy, arg-max (95% CI)"):
        start = next(number for number, line in enumerate(done.lines) if line.startswith(label))
        assert done.lines[start + 1].split()[0] == "invented"
        assert done.lines[start + 2].split()[0] == "other"
        assert " to " in done.lines[start + 2]
    assert max(map(len, done.lines[1:-4])) <= 80
    assert done.next_command == "cutis report"
    assert (done.facts["evaluated"], done.facts["reused"]) == (["other"], ["invented"])
    assert Estimate(**done.facts["differences"]["other"]["macro_auc"]["difference"]).method.startswith("paired")
    json.dumps(done.facts, allow_nan=False)


def test_only_what_is_stale_is_evaluated_again(workspace):
    """Trained anew, answering otherwise with the same weights, or damaged: each is measured again, and it alone."""
    names = ["invented", "copy", "other"]
    compare(workspace, names)
    first = read_json(workspace.comparison / "comparison.json", "comparison")
    before = len(opened(workspace))

    compare(workspace, names)
    nothing = opened(workspace)[before:]
    shake(workspace.bundle("other"), 2)
    trained_anew = compare(workspace, names).facts["evaluated"]
    change(workspace.bundle("copy"), thresholds={"rule": "Youden", "chosen_on": "tune", "values": [0.9, 0.9, 0.9]})
    other_thresholds = compare(workspace, names).facts["evaluated"]
    damaged = workspace.evaluation("invented") / "estimates.json"
    damaged.write_text(damaged.read_text() + " ")
    damaged_since = compare(workspace, names).facts["evaluated"]

    assert nothing == []
    assert (trained_anew, other_thresholds, damaged_since) == (["other"], ["copy"], ["invented"])
    assert opened(workspace)[before:] == ["other", "copy", "invented"]
    last = read_json(workspace.comparison / "comparison.json", "comparison")
    assert last["differences"]["other"] != first["differences"]["other"]
    assert last["differences"]["copy"]["one_vs_rest/macro_sensitivity"]["difference"]["value"] != 0
    assert last["openings"] == 6


def test_what_is_asked_and_not_yet_measured_is_measured(workspace):
    """Another prevalence is weighed, and then reused; an evaluation without disturbed pictures is made with them."""
    names = ["invented", "copy"]
    compare(workspace, names)

    asked = [compare(workspace, names, prevalences=(0.03,)).facts["evaluated"] for _ in range(2)]
    plain = compare(workspace, names).facts["evaluated"]
    disturbed = [compare(workspace, names, robustness=True).facts["evaluated"] for _ in range(2)]

    assert asked == [names, []]
    assert plain == []
    assert disturbed == [names, []]


def test_a_prevalence_that_is_none_is_refused_though_nothing_is_evaluated_anew(workspace):
    """Before anything is read or written."""
    compare(workspace, ["invented", "copy"])

    with pytest.raises(UserError, match="2 is no prevalence"):
        compare(workspace, ["invented", "copy"], prevalences=[2])


def test_tests_without_resampling_stand_beside_the_differences(workspace):
    """DeLong's for areas, with those of the diagnoses corrected for their number; McNemar's for shares."""
    compare(workspace, ["invented", "copy", "other"])

    tests = read_json(workspace.comparison / "comparison.json", "comparison")["tests"]
    areas, shares = tests["other"]["areas"], tests["other"]["shares"]
    assert set(areas) == {"auc/a", "auc/b", "auc/c", "malignant_auc"}
    assert all(each["p_holm"] >= each["p"] for name, each in areas.items() if name.startswith("auc/"))
    assert "p_holm" not in areas["malignant_auc"]
    assert {"argmax/accuracy", "argmax/malignant_sensitivity", "one_vs_rest/specificity/b"} <= set(shares)
    alike = tests["copy"]["shares"]["argmax/accuracy"]
    assert (alike["only_reference"], alike["only_other"], alike["p"]) == (0, 0, None)
    assert alike["note"]


@pytest.mark.parametrize("names", [["copy", "invented"], ["invented", "copy"]], ids=" ".join)
def test_a_bundle_without_a_threshold_for_malignant_is_compared_by_what_both_have(workspace, names):
    """An early bundle has none: what asks for it is not tested, and says why; all else is."""
    thresholds = {"rule": "Youden", "chosen_on": "tune", "values": [0.3, 0.3, 0.3], "malignant": 0.4}
    change(workspace.bundle("copy"), thresholds=thresholds)
    (workspace.root / "protocol.toml").write_text(PROTOCOL, encoding="utf-8")

    compare(workspace, names)

    said = read_json(workspace.comparison / "comparison.json", "comparison")
    assert "malignant_auc" in said["differences"][names[1]]
    (endpoint,) = said["protocol"]["endpoints"]
    assert endpoint["verdict"]["words"] == "Superiority could not be tested: one of the two has no such figure."


@pytest.mark.parametrize("names", [["other", "invented"], ["invented", "other"]], ids=" ".join)
def test_an_endpoint_against_another_bundle_is_judged_by_the_same_difference_from_either_side(workspace, names):
    """The difference of the comparison, turned to the network's side; the ledger says that it was asked before."""
    text = PROTOCOL.replace("copy", "other").replace("one_vs_rest/malignant_sensitivity", "log_loss")
    text = text.replace('"superiority"', '"non-inferiority"\nmargin = 50')
    (workspace.root / "protocol.toml").write_text(text, encoding="utf-8")

    done = compare(workspace, names)

    said = read_json(workspace.comparison / "comparison.json", "comparison")
    (endpoint,), registration = said["protocol"]["endpoints"], said["protocol"]["registration"]
    difference = said["differences"][names[1]]["log_loss"]["difference"]
    ends = [difference["low"], difference["high"]]
    gain = [-end for end in reversed(ends)] if names[1] == "other" else ends  # a log loss that falls is a gain
    assert [endpoint["verdict"]["low"], endpoint["verdict"]["high"]] == pytest.approx(gain)
    assert (endpoint["verdict"]["outcome"], endpoint["verdict"]["shown"]) == ("non_inferior", True)
    assert (registration["before"], registration["under_it"]) == ("yes", 2)
    assert any(line.startswith("primary endpoint log_loss against invented: Gain") for line in done.lines)


def test_tables_of_different_cases_are_not_compared(workspace):
    """One error that says in what they differ, and no figure."""
    compare(workspace, ["invented", "other"])
    rivals = [
        read_rival(name, workspace.evaluation(name).resolve(), material=read_material(workspace, name))
        for name in ("invented", "other")
    ]
    said = rivals[1].predictions
    fewer = replace(
        said,
        case_ids=said.case_ids[1:],
        cluster_ids=said.cluster_ids[1:],
        truth=said.truth[1:],
        probabilities=said.probabilities[1:],
    )
    registration = registration_of(workspace.private, protocol_sha256=None)

    with pytest.raises(UserError, match="invented and other cannot be compared in pairs: they differ in cases"):
        compared([rivals[0], replace(rivals[1], predictions=fewer)], registration=registration)


def test_again_evaluates_every_one_of_them_anew(workspace):
    """Each opening is counted."""
    compare(workspace, ["invented", "copy"])

    done = compare(workspace, ["invented", "copy"], again=True)

    assert done.facts["evaluated"] == ["invented", "copy"]
    assert done.facts["openings"] == 4


def test_a_bundle_goes_by_the_name_of_its_folder(workspace):
    """A copied folder still says its old name inside, and is compared all the same."""
    change(workspace.bundle("copy"), name="invented")

    compare(workspace, ["invented", "copy"])

    said = read_json(workspace.comparison / "comparison.json", "comparison")
    assert said["bundles"] == ["invented", "copy"]
    assert workspace.evaluation("copy").exists()


@pytest.mark.parametrize("names", [["invented"], ["invented", "copy", "invented"]])
def test_a_bundle_is_not_compared_with_itself(workspace, names):
    """One name, or one that comes twice."""
    with pytest.raises(UserError, match="needs different bundles"):
        compare(workspace, names)


@pytest.mark.parametrize("classes", ["abd", None])
def test_a_name_that_does_not_fit_opens_nothing(workspace, classes):
    """A bundle of other diagnoses, or one that is not there, is found before the test is opened for the first."""
    if classes:
        a_rival(workspace, "last", classes=tuple(classes))

    with pytest.raises(UserError):
        compare(workspace, ["invented", "last"])

    assert opened(workspace) == []
    assert not workspace.comparison.exists()


def test_rounds_do_not_depend_on_who_is_compared(workspace):
    """The difference between two bundles is the same whoever else is named."""
    compare(workspace, ["invented", "other"])
    two = read_json(workspace.comparison / "comparison.json", "comparison")["differences"]["other"]

    compare(workspace, ["invented", "copy", "other"])

    three = read_json(workspace.comparison / "comparison.json", "comparison")["differences"]["other"]
    assert two == three
    assert np.isfinite(two["macro_auc"]["difference"]["low"])
