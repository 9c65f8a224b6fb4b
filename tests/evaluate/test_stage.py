"""From a bundle and a dataset to a folder of evidence."""

from __future__ import annotations

import json

import numpy as np
import pytest
from safetensors.numpy import safe_open

from cutis.evaluate.material import open_material
from cutis.evaluate.openings import LEDGER
from cutis.evaluate.record import write_findings
from cutis.evaluate.stage import Asked, compare, evaluate, examine
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.estimate import Estimate
from cutis.vocabulary.files import read_json, sha256_of
from cutis.vocabulary.outputs import Outputs
from cutis.vocabulary.predictions import read_predictions
from factories import a_bundle_folder, a_tested_workspace


def by_colour(pictures):
    """An engine that knows the truth of these pictures: the diagnosis is the colour."""
    colours = pictures.mean(axis=(2, 3))
    return Outputs(logits=colours * 9, auxiliary_logits=(colours,) * 7, features=colours.repeat(4, axis=1), maps=None)


@pytest.fixture
def examined(tmp_path):
    """What a perfect engine leaves."""
    workspace = a_tested_workspace(tmp_path / "work")
    material = open_material(workspace, "invented")
    findings = examine(material, by_colour, Asked(), ledger=workspace.private)
    folder = tmp_path / "folder"
    folder.mkdir()
    write_findings(folder, material, findings)
    return folder, material, findings


def test_a_perfect_engine_is_found_perfect(examined):
    """Accuracy and AUC are 1, and no interval pretends that this is certain."""
    _, _, findings = examined

    accuracy = findings.evidence.estimates["argmax/accuracy"]

    assert accuracy.value == 1.0
    assert accuracy.low < 1.0
    assert findings.evidence.estimates["macro_auc"].value == 1.0


def test_the_folder_holds_what_other_stages_read(examined):
    """Predictions of both strata, outputs of every depth in the same order, estimates, figures."""
    folder, material, findings = examined

    settled, beside = (read_predictions(folder / f"{name}.parquet") for name in ("predictions", "indeterminate"))

    assert settled.case_ids == tuple(material.settled.column("case_id"))
    assert beside.truth is None
    assert len(beside) == 2
    with safe_open(folder / "outputs.safetensors", "numpy") as outputs:
        assert set(outputs.keys()) == {"logits", "features", *(f"auxiliary_logits.{depth}" for depth in range(7))}
        assert json.loads(outputs.metadata()["stamp"])["kind"] == "outputs"
        np.testing.assert_array_equal(outputs.get_tensor("logits").argmax(axis=1), settled.truth)
        assert outputs.get_tensor("features").shape == (len(settled), 12)
    assert {"confusion.svg", "reliability.svg", "roc.svg"} <= {path.name for path in (folder / "figures").iterdir()}
    assert findings.outputs.logits.dtype == np.float32


def test_estimates_say_what_they_rest_on(examined):
    """Every figure reads back as an Estimate; provenance, licence, conventions and openings stand beside."""
    folder, material, findings = examined

    said = read_json(folder / "estimates.json", "estimates")

    estimates = {name: Estimate(**plain) for name, plain in said["estimates"].items()}
    assert estimates == findings.evidence.estimates
    assert said["made_from"] == material.made_from
    assert said["licence"] == "CC0-1.0"
    assert said["invented"] is False
    assert said["openings"] == {"of_workspace": 1, "of_bundle": 1}
    assert said["thresholds"] == {
        "rule": "Youden",
        "chosen_on": "tune",
        "values": {"a": 0.3, "b": 0.3, "c": 0.3},
        "malignant": None,
    }
    assert said["indeterminate"]["reasons"] == {"unresolved votes": 1, "poor picture": 1}
    assert Estimate(**said["indeterminate"]["estimates"]["indeterminate/agrees_with_the_diagnosis"]).value == 1.0
    assert np.trace(said["confusion"]["truth_by_answer"]) == said["cases"] == len(material.settled)


def test_the_same_test_is_resampled_alike(examined, tmp_path):
    """The rounds hang on the dataset alone, so that bundles can be compared in pairs."""
    _, material, findings = examined

    again = examine(material, by_colour, Asked(), ledger=tmp_path)

    assert again.evidence.estimates == findings.evidence.estimates


def test_a_workspace_is_evaluated_and_every_opening_counted(tmp_path):
    """The whole stage with a real network; a second look needs --again and is the second opening."""
    workspace = a_tested_workspace(tmp_path)

    first = evaluate(workspace, "invented")
    with pytest.raises(UserError, match="already there"):
        evaluate(workspace, "invented")
    second = evaluate(workspace, "invented", again=True)

    assert first.wrote == workspace.evaluation("invented")
    assert (first.wrote / "estimates.json").exists()
    assert (first.facts["openings"], second.facts["openings"]) == (1, 2)
    assert "opened once so far" in first.lines[0]
    assert "opened 2 times so far" in second.lines[0]
    assert any(line.startswith("macro AUC ") and "95% CI" in line for line in first.lines)
    assert any("1 for unresolved votes, 1 for poor picture" in line for line in first.lines)
    assert first.next_command == "cutis explain --name invented"
    json.dumps(first.facts, allow_nan=False)


def test_a_network_that_gives_no_numbers_is_refused(tmp_path):
    """One error, and never a figure of it."""
    workspace = a_tested_workspace(tmp_path)
    material = open_material(workspace, "invented")

    def broken(pictures):
        said = by_colour(pictures)
        return Outputs(np.full_like(said.logits, np.nan), said.auxiliary_logits, said.features, maps=None)

    with pytest.raises(UserError, match="some probabilities are not finite"):
        examine(material, broken, Asked(), ledger=workspace.private)


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, 2.0, np.nan, np.inf])
def test_a_prevalence_that_is_none_is_refused_before_the_test_is_opened(tmp_path, share):
    """One error that says what a prevalence is."""
    workspace = a_tested_workspace(tmp_path)

    with pytest.raises(UserError, match="is no prevalence") as error:
        evaluate(workspace, "invented", prevalences=[0.1, share])

    assert (error.value.where, error.value.mend) == ("--prevalence", "give a share, such as 0.02")
    assert not (workspace.private / LEDGER).exists()


def test_a_refused_evaluation_opens_nothing(tmp_path):
    """No line in the ledger and no folder, where the bundle does not fit."""
    workspace = a_tested_workspace(tmp_path, classes=("a", "b", "d"))

    with pytest.raises(UserError):
        evaluate(workspace, "invented")

    assert not (workspace.private / LEDGER).exists()
    assert not workspace.evaluation("invented").exists()


PROTOCOL = """
written_by = "Dr. A. Example"
written_on = 2026-03-01
network = "invented"
[primary]
measure = "argmax/accuracy"
reference = 0.1
hypothesis = "superiority"
[[secondary]]
measure = "macro_auc"
reference = "other"
hypothesis = "non-inferiority"
margin = 0.2
"""


@pytest.fixture
def asked(tmp_path):
    """A tested workspace with two bundles of the same weights, and a protocol that was written before."""
    workspace = a_tested_workspace(tmp_path / "work")
    dataset = sha256_of(workspace.dataset / "manifest.parquet")
    a_bundle_folder(workspace.bundle("other"), name="other", dataset_sha256=dataset)
    path = workspace.root / "protocol.toml"
    path.write_text(PROTOCOL, encoding="utf-8")
    return workspace, path


def said_of(workspace, name="invented"):
    """What estimates.json says of the protocol."""
    return read_json(workspace.evaluation(name) / "estimates.json", "estimates")["protocol"]


def test_a_protocol_that_was_written_before_is_judged_and_its_hash_stands_in_the_ledger(asked):
    """The primary endpoint by the evaluation itself; the one against a bundle names the command that it needs."""
    workspace, path = asked

    done = evaluate(workspace, "invented")

    said = said_of(workspace)
    (opening,) = (workspace.private / LEDGER).read_text().splitlines()
    assert json.loads(opening)["protocol_sha256"] == sha256_of(path) == said["registration"]["protocol_sha256"]
    assert (said["registration"]["before"], said["registration"]["why"]) == ("yes", "unchanged since")
    primary, secondary = (endpoint["verdict"] for endpoint in said["endpoints"])
    accuracy = read_json(workspace.evaluation("invented") / "estimates.json", "estimates")["estimates"][
        "argmax/accuracy"
    ]
    assert primary["low"] == pytest.approx(accuracy["low"] - 0.1)
    assert primary["shown"] == (accuracy["low"] > 0.1)
    assert secondary["words"] == "Non-inferiority could not be tested: it needs cutis evaluate invented other."
    assert any(sha256_of(path)[:12] in line for line in done.lines)
    assert any(line.startswith("primary endpoint argmax/accuracy against 0.1: ") for line in done.lines)


def test_a_protocol_that_was_changed_after_the_first_opening_did_not_come_before(asked):
    """A single letter is enough, and so is one that was handed over only afterwards."""
    workspace, path = asked
    evaluate(workspace, "invented")

    path.write_text(PROTOCOL.replace("0.1", "0.2"), encoding="utf-8")
    evaluate(workspace, "invented", again=True)
    changed = said_of(workspace)["registration"]
    path.write_text(PROTOCOL, encoding="utf-8")
    evaluate(workspace, "invented", again=True)
    changed_back = said_of(workspace)["registration"]

    assert (changed["before"], changed_back["before"]) == ("no", "no")
    assert "another wording of this one, lay there when the test was first opened" in changed["why"]
    assert changed_back["why"] == "it was changed in between, and changed back"
    assert (changed["openings"], changed_back["openings"], changed_back["under_it"]) == (2, 3, 2)


def test_a_test_that_was_first_opened_without_a_protocol_stays_so(asked):
    """What is written down afterwards is no protocol of it."""
    workspace, path = asked
    path.rename(workspace.root / "later.toml")
    evaluate(workspace, "invented")

    evaluate(workspace, "invented", again=True, protocol=workspace.root / "later.toml")

    assert said_of(workspace)["registration"]["before"] == "no"
    assert said_of(workspace)["registration"]["why"] == "the test was first opened without a protocol"


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (('"macro_auc"', '"macro_auk"'), "unknown measure 'macro_auk'"),
        (('"argmax/accuracy"', '"one_vs_rest/malignant_sensitivity"'), "unknown measure"),  # it has no threshold for it
        (('"other"', '"another"'), "unknown bundle 'another'"),
        (('network = "invented"', 'network = "lost"'), "unknown bundle 'lost'"),
    ],
    ids=lambda each: "" if isinstance(each, tuple) else each,
)
def test_a_protocol_that_asks_for_what_there_is_not_opens_nothing(asked, change, what):
    """By evaluate and by a comparison alike, there is no line in the ledger."""
    workspace, path = asked
    path.write_text(PROTOCOL.replace(*change), encoding="utf-8")

    for ask in (lambda: evaluate(workspace, "invented"), lambda: compare(workspace, ["invented", "other"])):
        with pytest.raises(UserError, match=what):
            ask()

    assert not (workspace.private / LEDGER).exists()
    assert not workspace.evaluation("invented").exists()


@pytest.mark.parametrize("names", [["invented", "other"], ["other", "invented"]], ids=" ".join)
def test_an_endpoint_against_another_bundle_is_judged_by_the_comparison(asked, names):
    """Whichever of the two is the reference: the same weights are not inferior to themselves."""
    workspace, path = asked

    done = compare(workspace, names)

    said = read_json(workspace.comparison / "comparison.json", "comparison")["protocol"]
    primary, secondary = (endpoint["verdict"] for endpoint in said["endpoints"])
    assert said["registration"] | {"before": "yes", "openings": 2, "under_it": 2} == said["registration"]
    assert primary["low"] == pytest.approx(said_of(workspace)["endpoints"][0]["verdict"]["low"])
    assert secondary["gain"] == 0.0
    assert "could not be tested: all rounds of resampling agree" in secondary["words"]
    assert any(sha256_of(path)[:12] in line for line in done.lines)
