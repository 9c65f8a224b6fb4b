"""From a bundle and a dataset to a folder of evidence."""

from __future__ import annotations

import json

import numpy as np
import pytest
from safetensors.numpy import safe_open

from cutis.evaluate.material import open_material
from cutis.evaluate.openings import LEDGER
from cutis.evaluate.record import write_findings
from cutis.evaluate.stage import evaluate, examine
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.estimate import Estimate
from cutis.vocabulary.files import read_json
from cutis.vocabulary.outputs import Outputs
from cutis.vocabulary.predictions import read_predictions
from factories import a_tested_workspace


def by_colour(pictures):
    """An engine that knows the truth of these pictures: the diagnosis is the colour."""
    colours = pictures.mean(axis=(2, 3))
    return Outputs(logits=colours * 9, auxiliary_logits=(colours,) * 7, features=colours.repeat(4, axis=1), maps=None)


@pytest.fixture
def examined(tmp_path):
    """What a perfect engine leaves."""
    workspace = a_tested_workspace(tmp_path / "work")
    material = open_material(workspace, "invented")
    findings = examine(material, by_colour, ledger=workspace.private)
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
    assert sorted(path.name for path in (folder / "figures").iterdir()) == [
        "confusion.svg",
        "reliability.svg",
        "roc.svg",
    ]
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
    assert said["thresholds"] == {"rule": "Youden", "chosen_on": "tune", "values": {"a": 0.3, "b": 0.3, "c": 0.3}}
    assert said["indeterminate"]["reasons"] == {"unresolved votes": 1, "poor picture": 1}
    assert Estimate(**said["indeterminate"]["estimates"]["indeterminate/agrees_with_the_diagnosis"]).value == 1.0
    assert np.trace(said["confusion"]["truth_by_answer"]) == said["cases"] == len(material.settled)


def test_the_same_test_is_resampled_alike(examined, tmp_path):
    """The rounds hang on the dataset alone, so that bundles can be compared in pairs."""
    _, material, findings = examined

    again = examine(material, by_colour, ledger=tmp_path)

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


def test_a_refused_evaluation_opens_nothing(tmp_path):
    """No line in the ledger and no folder, where the bundle does not fit."""
    workspace = a_tested_workspace(tmp_path, classes=("a", "b", "d"))

    with pytest.raises(UserError):
        evaluate(workspace, "invented")

    assert not (workspace.private / LEDGER).exists()
    assert not workspace.evaluation("invented").exists()
