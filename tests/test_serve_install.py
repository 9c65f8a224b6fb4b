"""What a clinic installs: no PyTorch in it, and it answers its release's self-test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from cutis.release.sign import new_keys, read_private_key
from factories import a_picture, a_running_release

ROOT = Path(__file__).resolve().parents[1]
NOT_FOR_A_CLINIC = {"torch", "torchvision", "timm", "matplotlib", "captum", "nncf", "onnx"}
LARGEST = 1_100  # megabytes


@pytest.mark.slow
def test_an_empty_environment_with_serve_has_no_pytorch_and_answers(tmp_path, capsys):
    """From the pinned versions; its size is held; each engine passes the self-test, and the page could open."""
    venv.create(tmp_path / "clinic", with_pip=True)
    bin_folder = tmp_path / "clinic" / ("Scripts" if os.name == "nt" else "bin")
    environment = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    keys = new_keys(tmp_path / "keys")
    release = a_running_release(tmp_path / "release", key=read_private_key(keys.private))
    a_picture().save(tmp_path / "lesion.png")

    def run(*command: str | Path) -> str:
        done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    pip = (bin_folder / "python", "-m", "pip", "--disable-pip-version-check")
    run(*pip, "install", "--quiet", "-c", ROOT / "constraints.txt", f"{ROOT}[serve]")
    installed = {each["name"].lower() for each in json.loads(run(*pip, "list", "--format", "json"))}
    size = sum(path.stat().st_size for path in (tmp_path / "clinic").rglob("*") if path.is_file()) / 1e6
    verified = json.loads(
        run(bin_folder / "cutis", "verify", release, "--self-test", "--signed", "--key", keys.public, "--json")
    )
    answered = json.loads(run(bin_folder / "cutis", "diagnose", "lesion.png", "--release", release, "--json"))
    told = ("--release", release, "--key", keys.public, "--folder", tmp_path / "site", "--port", "0", "--json")
    looked = json.loads(run(bin_folder / "cutis", "serve", "--check", *told))

    with capsys.disabled():
        sys.stdout.write(f"\ncutis[serve]: {size:.0f} MB\n")
    assert not installed & NOT_FOR_A_CLINIC
    assert size < LARGEST
    assert {each["offer"] for each in verified["self_tests"]} == {"onnxruntime-fp32", "openvino-fp32"}
    assert answered["answers_by"] in {"onnxruntime-fp32", "openvino-fp32"}
    assert {check["state"] for check in looked["checks"]} <= {"ok", "warn"}
