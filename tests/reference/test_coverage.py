"""Intervals of 95 % hold the truth in 95 of 100 studies of patients with several pictures; the usual ones do not.

A short form of `benchmarks/coverage.py`, which has more scenarios and more studies. The studies are the same in every
run, so that nothing here passes or fails by chance.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks" / "coverage.py"


@pytest.fixture(scope="module")
def coverage():
    """Return the benchmark; another package has its name."""
    spec = importlib.util.spec_from_file_location("coverage_of_intervals", BENCHMARK)
    sys.modules[spec.name] = module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(str(BENCHMARK.parent))  # it keeps its rows as the other benchmarks do
        spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def shares(coverage, scenario, *, studies, resampled):
    counts = coverage.counted(scenario, range(studies), resampled=resampled)
    return {name: coverage.covered(count) for name, count in counts.items()}, counts


def test_intervals_by_formula_cover_and_the_plain_ones_do_not(coverage):
    """Obuchowski's and the clustered Wilson's, 600 studies; 95 % has a standard error of 0.9 points there."""
    found, counts = shares(coverage, coverage.MUST_HOLD[1], studies=600, resampled=False)

    assert 0.925 <= found["area/Obuchowski, logit"] <= 0.975
    assert 0.925 <= found["sensitivity/Wilson, clustered"] <= 0.975
    assert 0.925 <= found["specificity/Wilson, clustered"] <= 0.975
    assert found["area/DeLong, as if pictures were patients"] < 0.90
    assert found["sensitivity/Wilson, as if pictures were patients"] < 0.92
    assert found["specificity/Wilson, as if pictures were patients"] < 0.92
    assert not any(count["warned"] for count in counts.values())


def test_the_simulated_truth_is_what_is_measured(coverage):
    """The mean over studies is the area, sensitivity and specificity that the binormal model gives."""
    scenario = coverage.MUST_HOLD[3]

    _, counts = shares(coverage, scenario, studies=300, resampled=False)

    for figure, method in (("area", "Obuchowski, logit"), ("sensitivity", "Wilson, clustered")):
        count = counts[f"{figure}/{method}"]
        error = count["width"] / count["studies"] / 4 / 300**0.5
        assert count["values"] / 300 == pytest.approx(scenario.truth[figure], abs=4 * error)


def test_of_few_patients_and_an_area_near_one_the_note_warns(coverage):
    """Where an interval covers too seldom, it says so."""
    few = next(each for each in coverage.SHOWN if (each.diseased, each.area) == (15, 0.97))

    _, counts = shares(coverage, few, studies=60, resampled=False)

    area = counts["area/Obuchowski, logit"]
    assert area["warned"] >= 0.95 * area["studies"]


def test_the_simulation_goes_on_where_it_was_left_and_the_page_tells_what_lies_outside(coverage, tmp_path, monkeypatch):
    """A row for some studies of a scenario, kept on disk; a torn one is simulated again, a whole one is not."""
    monkeypatch.setattr(coverage, "RESULTS", tmp_path / "results" / "coverage.jsonl")
    monkeypatch.setattr(coverage, "MUST_HOLD", (coverage.Scenario(diseased=12, healthy=12, area=0.8),))
    monkeypatch.setattr(coverage, "SHOWN", (coverage.Scenario(diseased=12, healthy=12, area=0.97),))
    monkeypatch.setattr(coverage, "STUDIES", 4)
    monkeypatch.setattr(coverage, "STUDIES_AT_ONCE", 2)
    coverage.simulate(until=float("inf"))
    whole = coverage.RESULTS.read_text(encoding="utf-8")
    coverage.RESULTS.write_text(whole[:-30], encoding="utf-8")

    rows_left = coverage.read_rows(coverage.RESULTS)
    coverage.simulate(until=float("inf"))
    rows = coverage.read_rows(coverage.RESULTS)
    page = "\n".join(coverage.page_of(rows))

    assert len(rows_left) == 3
    assert len(rows) == 4
    assert [rows[json.loads(line)["key"]]["counts"] for line in whole.splitlines()] == [
        json.loads(line)["counts"] for line in whole.splitlines()
    ]
    assert "4 of 4 blocks of 2 studies so far." in page
    assert "outside are area, Obuchowski, logit: 12 + 12 patients, AUC 0.8" in page
    assert "warned in 100%" in page


@pytest.mark.slow
def test_the_bootstrap_of_patients_covers_and_that_of_pictures_does_not(coverage):
    """Both kinds, 400 studies; 95 % has a standard error of 1.1 points there."""
    found, _ = shares(coverage, coverage.MUST_HOLD[1], studies=400, resampled=True)

    for figure in ("area", "sensitivity", "specificity"):
        assert 0.92 <= found[f"{figure}/bootstrap of patients, percentile"] <= 0.98
        assert 0.92 <= found[f"{figure}/bootstrap of patients, BCa"] <= 0.98
        assert found[f"{figure}/bootstrap of pictures, percentile"] < 0.92
