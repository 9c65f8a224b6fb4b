"""The size of a study, as it is told."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from cutis.cli import app
from cutis.readers.power import power
from cutis.stats.mrmc.power import Plan
from cutis.stats.mrmc.study import Asked

FEW = ["--studies", "40"]


def told(*words):
    return CliRunner().invoke(app, ["readers", "power", *words])


def test_each_number_of_readers_has_its_number_of_cases(capsys):
    """What was tried is told as it comes; in the end stands the smallest size with enough power."""
    plan = Plan(asked=Asked(endpoint="sensitivity"), reference=0.7, gain=0.2)

    found = power(plan, readers=[6, 12], wanted=0.8, studies=60)

    assert [size["readers"] for size in found.content["sizes"]] == [6, 12]
    for size in found.content["sizes"]:
        enough = [each["cases"] for each in size["tried"] if each["power"]["value"] >= 0.8]
        assert size["found"]["cases"] == min(enough)
    assert found.lines[-1].startswith(f"12 readers, {found.content['sizes'][1]['found']['cases']} diseased cases")
    assert "tried 6 readers, 20 diseased cases" in capsys.readouterr().err


def test_a_size_that_is_given_has_its_power():
    """With both sides of an area, and the interval of the simulation."""
    plan = Plan(asked=Asked(endpoint="auc"), reference=0.8, gain=0.1, healthy_per_diseased=2.0)

    found = power(plan, readers=[5], cases=30, studies=40)

    assert found.lines[-1].startswith("5 readers, 30 diseased and 60 healthy cases: power")
    assert "simulation" in found.lines[-1]


def test_a_power_out_of_reach_says_what_there_is():
    """Equal raters are never found to differ by any number of cases."""
    plan = Plan(asked=Asked(endpoint="sensitivity"), reference=0.7)

    found = power(plan, readers=[3], wanted=0.8, studies=20)

    assert found.content["sizes"][0]["found"] is None
    assert "was not reached; 3 readers, 2000 diseased cases" in found.lines[-1]


def test_the_verb_answers_as_json():
    """One stamped object on standard output."""
    run = told("--reference", "0.8", "--gain", "0.1", "--readers", "5", "--cases", "50", "--json", *FEW)

    answer = json.loads(run.stdout)
    assert run.exit_code == 0
    assert answer["kind"] == "power"
    assert answer["sizes"][0]["found"]["power"]["clusters"] == 40


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--reference", "0.8", "--readers", "1"], "single reader"),
        (["--reference", "0.8", "--hypothesis", "non-inferiority"], "margin of 0"),
        (["--reference", "1.2"], "not between"),
        (["--reference", "0.8", "--endpoint", "f1"], "unknown endpoint"),
        (["--reference", "0.8", "--structure", "ZZ"], "unknown structure"),
    ],
)
def test_what_cannot_be_simulated_is_refused_in_three_lines(words, reason):
    """The user can mend it: exit code 1, no traceback."""
    run = told(*words, *FEW)

    assert run.exit_code == 1
    assert reason in run.stderr
    assert "mend:" in run.stderr
