"""The whole road, as its user walks it: from an invented clinic's folder to a report and a diagnosis."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pyarrow.parquet
import pytest
from safetensors import safe_open

SMALL = ("network=mobilenetv2_035", "size=32", "epochs=1", "batch_size=16")


@pytest.fixture(scope="module")
def road(tmp_path_factory):
    """Walk the road once; each test looks at one thing along it."""
    return Road(tmp_path_factory.mktemp("road"))


class Road:
    """What each command of one walk printed, and where it wrote."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.work = folder / "work"
        self.said = {
            verb: cutis(folder, verb, *arguments)
            for verb, arguments in {
                "toy": ("clinic", "--images", "240", "--size", "96"),
                "curate": ("clinic",),
                "train": (*(word for setting in SMALL for word in ("--set", setting)), "--name", "small"),
                "evaluate": (),
                "explain": (),
                "report": (),
            }.items()
        }
        pictures = sorted((self.work / "1_dataset" / "images").iterdir())[:2]
        self.diagnoses = cutis(folder, "diagnose", *map(str, pictures))


def cutis(folder: Path, verb: str, *arguments: str) -> dict:
    """Run one command as a user would, and read what it says as JSON."""
    command = [sys.executable, "-m", "cutis", verb, *arguments, "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_every_stage_names_the_next_command(road):
    """A stranger finds the way without a manual."""
    next_commands = [road.said[verb]["next_command"] for verb in ("toy", "curate", "train", "evaluate", "explain")]

    verbs = [command.split()[1] for command in next_commands]

    assert verbs == ["curate", "train", "evaluate", "explain", "report"]


def test_the_numbered_folders_are_there(road):
    """`ls` shows the road."""
    names = {path.name for path in road.work.iterdir() if not path.name.startswith(".")}

    reports = {"report.html", "report.json"}
    assert names == {"1_dataset", "2_bundles", "3_evaluation", "4_explanation", "private"} | reports


def test_the_licence_and_the_invention_travel_to_the_answer(road):
    """A bundle that learned from invented pictures says so in the report and in every answer."""
    bundle = json.loads((road.work / "2_bundles" / "small" / "bundle.json").read_text())
    page = (road.work / "report.html").read_text()

    assert bundle["invented"]
    assert bundle["licence"] in page
    assert "Invented pictures" in page
    for diagnosis in road.diagnoses["diagnoses"]:
        assert any("invented pictures" in warning for warning in diagnosis["warnings"])


def test_an_answer_ranks_all_fourteen_diagnoses(road):
    """Probabilities are those of the whole taxonomy, and sum to one."""
    for diagnosis in road.diagnoses["diagnoses"]:
        assert len(diagnosis["findings"]) == 14
        assert sum(finding["probability"] for finding in diagnosis["findings"]) == pytest.approx(1)


def test_every_file_that_was_written_says_its_format(road):
    """A newer cutis can always tell what it finds, in a folder of results as in the private one."""
    seen = {path.name: path for path in road.work.rglob("*.json") if ".cache" not in path.parts}

    assert {"card.json", "splits.json", "bundle.json", "estimates.json", "saliency.json", "split_ledger.json"} <= set(
        seen
    )
    assert all(json.loads(path.read_text()).get("format") for path in seen.values())
    for path in road.work.rglob("*.jsonl"):
        assert json.loads(path.read_text().splitlines()[0])["format"]
    for path in road.work.rglob("*.parquet"):
        assert json.loads(pyarrow.parquet.read_schema(path).metadata[b"cutis"])["format"]
    for path in road.work.rglob("*.safetensors"):
        with safe_open(path, "np") as file:
            assert json.loads(file.metadata()["stamp"])["format"]
    for path in road.work.rglob("*.toml"):
        assert tomllib.loads(path.read_text())["format"]
    for path in road.work.rglob("*.csv"):
        assert path.read_text().splitlines()[0].endswith(",format")
    for path in road.work.rglob("*.svg"):
        assert "cutis figure, format" in path.read_text()


def test_a_dry_run_tells_what_a_training_takes_and_writes_nothing(road):
    """Recipe, parameters, memory and time, before an hour is spent."""
    before = sorted(path for path in road.work.rglob("*") if ".cache" not in path.parts)

    told = cutis(road.folder, "train", "--dry-run", *(word for setting in SMALL for word in ("--set", setting)))

    assert told["recipe"]["network"] == "mobilenetv2_035"
    assert told["parameters"] > 10**5
    assert 0 < told["bytes_needed"] < told["bytes_free"]
    assert told["seconds"] > 0
    assert sorted(path for path in road.work.rglob("*") if ".cache" not in path.parts) == before


def test_a_training_of_two_processes_can_be_watched_in_tensorboard(road):
    """The command line as its user types it: processes, a tracker, and the epochs where they are looked for."""
    settings = [word for setting in SMALL for word in ("--set", setting)]

    said = cutis(
        road.folder, "train", "--processes", "2", "--track", "tensorboard", "--name", "watched", "-w", "work", *settings
    )

    assert said["facts"]["name"] == "watched"
    assert list((road.work / "tracking" / "watched").glob("events*"))
    shutil.rmtree(road.work / "tracking")
    for path in (road.work / "2_bundles" / "watched", road.work / ".versions" / "2_bundles" / "watched"):
        path.unlink() if path.is_symlink() else shutil.rmtree(path)


def test_one_changed_byte_in_the_bundle_stops_every_answer(road, tmp_path):
    """Exit 1, one clear error, and no diagnosis."""
    weights = (road.work / "2_bundles" / "small" / "weights.safetensors").resolve()
    content = bytearray(weights.read_bytes())
    content[-5] ^= 1
    picture = next((road.work / "1_dataset" / "images").iterdir())
    original = weights.read_bytes()
    weights.write_bytes(content)

    command = [sys.executable, "-m", "cutis", "diagnose", str(picture)]
    done = subprocess.run(command, cwd=road.folder, capture_output=True, text=True, check=False)
    weights.write_bytes(original)

    assert done.returncode == 1
    assert "weights.safetensors" in done.stderr
    assert done.stdout == ""
