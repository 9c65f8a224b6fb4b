"""The doctor sees what a machine lacks, and changes nothing."""

import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from cutis import doctor
from cutis.doctor import examine

PYPROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"

QUICK_ANSWER = 'print(\'{"accelerators": [], "threads": 1}\')'


@pytest.fixture(autouse=True)
def quick_torch(monkeypatch):
    """PyTorch takes two seconds to answer; test_cli.py asks it once."""
    monkeypatch.setattr(doctor, "ASK_TORCH", QUICK_ANSWER)


def by_name(folder: Path) -> dict[str, doctor.Check]:
    """Examine, and return the checks by name."""
    return {check.name: check for check in examine(folder)}


def test_every_library_of_every_extra_is_looked_at(tmp_path):
    """The doctor reads the same requirements as pip does, so none can be forgotten."""
    project = tomllib.loads(PYPROJECT.read_text())["project"]
    required = [
        *project["dependencies"],
        *(line for extra in project["optional-dependencies"].values() for line in extra),
    ]

    checks = by_name(tmp_path)

    assert {line.partition(">=")[0] for line in required} <= checks.keys()


def test_a_ready_machine_has_no_failures(tmp_path):
    """The tests run on one; every check that is not in order says how to mend it."""
    checks = examine(tmp_path)

    assert [check for check in checks if check.state == "fail"] == []
    assert all(bool(check.mend) == (check.state != "ok") for check in checks)


def test_nothing_is_left_behind(tmp_path):
    """Not even the workspace that was asked about."""
    examine(tmp_path / "work")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("requirement", "state", "found"),
    [
        ("numpy>=999", "fail", "older than 999"),
        ("numpy>=999; extra == 'train'", "warn", "older than 999"),
        ("no-such-library>=1", "fail", "not installed"),
        ("numpy>=1.0", "ok", metadata.version("numpy")),
    ],
)
def test_a_library_is_held_to_its_floor(tmp_path, monkeypatch, requirement, state, found):
    """What is needed always fails, what an extra needs warns."""
    monkeypatch.setattr(metadata, "requires", lambda _name: [requirement])

    check = by_name(tmp_path)[requirement.partition(">=")[0]]

    assert check.state == state
    assert found in check.found


def test_an_extra_that_is_not_there_at_all_is_one_line(tmp_path, monkeypatch):
    """A clinic that does not train needs no list of what training would need."""
    lines = ["no-such-library>=1; extra == 'train'", "nor-this>=2; extra == 'train'"]
    monkeypatch.setattr(metadata, "requires", lambda _name: lines)

    check = by_name(tmp_path)["extra [train]"]

    assert (check.state, check.mend) == ("warn", "pip install --upgrade 'cutis[train]'")


@pytest.mark.parametrize(("version", "state"), [("2.9.1", "fail"), ("2.11.0+cpu", "ok"), ("3.0", "ok")])
def test_versions_are_compared_as_numbers(tmp_path, monkeypatch, version, state):
    """2.9 is older than 2.11, and a local label says nothing."""
    monkeypatch.setattr(metadata, "requires", lambda _name: ["torch>=2.11"])
    monkeypatch.setattr(metadata, "version", lambda _name: version)

    assert by_name(tmp_path)["torch"].state == state


def test_a_place_that_cannot_be_written_fails():
    """Even root cannot write into /proc."""
    check = by_name(Path("/proc/work"))["workspace"]

    assert check.state == "fail"
    assert "--workspace" in check.mend


def test_a_broken_pytorch_is_told_and_not_suffered(tmp_path, monkeypatch):
    """It is asked in a process of its own."""
    monkeypatch.setattr(doctor, "ASK_TORCH", "raise ImportError('libtorch.so: no such file')")

    check = by_name(tmp_path)["PyTorch"]

    assert check.state == "fail"
    assert "libtorch.so" in check.found


def test_more_threads_than_cores_are_a_warning(tmp_path, monkeypatch):
    """They only wait for one another."""
    monkeypatch.setattr(doctor, "ASK_TORCH", QUICK_ANSWER.replace("1", "4096"))

    check = by_name(tmp_path)["OpenMP threads"]

    assert check.state == "warn"
    assert check.mend.startswith("set OMP_NUM_THREADS=")
