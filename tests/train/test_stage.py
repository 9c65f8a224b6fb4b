"""A training leaves a bundle, and survives what happens to trainings."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.numpy import load_file

from cutis.runtime.bundle import read_bundle
from cutis.train.stage import train
from cutis.vocabulary.case import write_manifest
from cutis.vocabulary.errors import UserError
from cutis.workspace import Workspace
from factories import a_dataset

SMALL = ("network=mobilenetv2_035", "size=32", "epochs=2", "batch_size=4", "learning_rate=1e-3", "warmup_epochs=0")


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path / "work")


@pytest.fixture(autouse=True)
def _one_thread():
    """Compute on one thread, as the processes that are struck do: sums depend on their order."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def test_a_training_leaves_a_bundle_that_explains_itself(workspace):
    """Taxonomy, preparation, temperatures, thresholds, licence and hashes stand in the bundle."""
    manifest = a_dataset(workspace, licence="CC BY-NC 4.0", invented=True)

    done = train(workspace, settings=SMALL, name="small")

    bundle = read_bundle(workspace.bundle("small"))
    assert bundle.taxonomy == manifest.taxonomy
    assert bundle.licence == "CC BY-NC 4.0"
    assert bundle.invented
    assert len(bundle.temperatures) == 8
    assert len(bundle.thresholds.values) == 3
    assert bundle.dataset_counts == {"train": 15, "tune": 3, "calibrate": 3, "test": 3}
    assert done.next_command == "cutis evaluate small"
    assert sorted(path.name for path in workspace.bundle("small").iterdir()) == [
        "SHA256SUMS",
        "bundle.json",
        "config.toml",
        "history.jsonl",
        "weights.safetensors",
    ]


def test_the_same_recipe_gives_the_same_weights(workspace):
    """A training is reproducible to the bit on the same processor."""
    a_dataset(workspace)

    for name in ("one", "other"):
        train(workspace, settings=SMALL, name=name)

    one, other = (read_bundle(workspace.bundle(name)).weights_sha256 for name in ("one", "other"))
    assert one == other


def test_other_pseudonyms_give_the_same_weights(workspace):
    """Two workspaces with the same pictures learn the same, whatever they call them."""
    manifest = a_dataset(workspace)
    train(workspace, settings=SMALL, name="one")
    renamed = replace(
        manifest, cases=tuple(replace(case, case_id=f"{99 - n}") for n, case in enumerate(manifest.cases))
    )
    write_manifest(workspace.dataset / "manifest.parquet", renamed, made_from={})

    train(workspace, settings=SMALL, name="other")

    one, other = (read_bundle(workspace.bundle(name)).weights_sha256 for name in ("one", "other"))
    assert one == other


def test_indeterminate_cases_are_not_learned_from(workspace):
    """What nobody could settle teaches nothing, though it lies in the train split."""
    manifest = a_dataset(workspace)
    unsettled = tuple(
        replace(case, diagnosis=None, indeterminate="unresolved votes") if n == 0 else case
        for n, case in enumerate(manifest.cases)
    )
    write_manifest(workspace.dataset / "manifest.parquet", replace(manifest, cases=unsettled), made_from={})

    train(workspace, settings=SMALL, name="small")

    assert read_bundle(workspace.bundle("small")).dataset_counts["train"] == len(manifest.of_split("train")) - 1


def test_neither_calibrate_nor_test_is_touched(workspace):
    """A training does not even open the pictures of what it will be measured on."""
    manifest = a_dataset(workspace)
    for case in manifest.cases:
        if case.split in {"calibrate", "test"}:
            (workspace.dataset / case.image).unlink()

    train(workspace, settings=SMALL, name="small")

    assert workspace.bundle("small").exists()


def test_a_picture_that_was_changed_after_curation_is_not_learned_from(workspace):
    """What the manifest vouches for is what is learned from, and the wrong pixels stay out of the cache."""
    manifest = a_dataset(workspace)
    picture = workspace.dataset / manifest.of_split("train").cases[0].image
    curated = picture.read_bytes()
    picture.write_bytes((workspace.dataset / manifest.of_split("train").cases[1].image).read_bytes())

    with pytest.raises(UserError, match="changed since it was curated"):
        train(workspace, settings=SMALL, name="small")
    picture.write_bytes(curated)
    train(workspace, settings=SMALL, name="small")


def test_a_mistyped_network_leaves_nothing_in_the_way(workspace):
    """The corrected command works at once."""
    a_dataset(workspace)

    with pytest.raises(UserError, match="unknown network"):
        train(workspace, settings=(*SMALL, "network=mobilnet"), name="small")
    with pytest.raises(UserError, match="cannot be read"):
        train(workspace, settings=(*SMALL, "weights=nowhere.safetensors"), name="small")

    train(workspace, settings=(*SMALL, "precision=bf16"), name="small")


def test_an_existing_bundle_is_not_overwritten_unless_told(workspace):
    """Hours of training are not lost to a repeated command."""
    a_dataset(workspace)
    train(workspace, settings=SMALL, name="small")

    with pytest.raises(UserError, match="--again"):
        train(workspace, settings=SMALL, name="small")
    train(workspace, settings=SMALL, name="small", again=True)


def test_a_class_without_a_case_to_learn_from_is_named(workspace):
    """The user reads which diagnosis is missing, before hours are spent."""
    manifest = a_dataset(workspace)
    without = manifest.where(lambda case: not (case.diagnosis == "b" and case.split == "tune"))
    write_manifest(workspace.dataset / "manifest.parquet", without, made_from={})

    with pytest.raises(UserError, match="no case of b"):
        train(workspace, settings=SMALL)


def test_training_without_a_dataset_says_what_to_run(workspace):
    """The order of the stages is learned from the message."""
    with pytest.raises(UserError, match="cutis curate CLINIC_DIR"):
        train(workspace, settings=SMALL)


def test_a_kill_at_any_moment_ends_in_the_same_weights(workspace):
    """Killed twice and asked to stop once, the run goes on and ends bit-equal to the undisturbed one."""
    a_dataset(workspace)
    settings = (*SMALL, "epochs=4", "minutes_between_checkpoints=0.0001")
    undisturbed = train(workspace, settings=settings, name="undisturbed")
    broken_off = Workspace(workspace.root)

    for blow in (signal.SIGKILL, signal.SIGINT, signal.SIGKILL):
        _train_until_struck(broken_off.root, settings, blow)
    train(broken_off, settings=settings, name="struck")

    struck = read_bundle(workspace.bundle("struck"))
    assert struck.weights_sha256 == undisturbed.facts["weights_sha256"]
    assert load_file(struck.weights).keys()


def test_another_recipe_does_not_go_on_with_an_unfinished_training(workspace):
    """Weights of two recipes are never mixed."""
    a_dataset(workspace)
    _train_until_struck(workspace.root, (*SMALL, "epochs=40"), signal.SIGKILL)

    with pytest.raises(UserError, match="unfinished training by another recipe"):
        train(workspace, settings=(*SMALL, "seed=1"), name="struck")
    train(workspace, settings=(*SMALL, "seed=1"), name="struck", again=True)


def _train_until_struck(root: Path, settings: tuple[str, ...], blow: signal.Signals) -> None:
    """Start a training of the bundle "struck" in a process of its own; strike when a new checkpoint has appeared."""
    program = f"""
import torch
torch.set_num_threads(1)
from pathlib import Path
from cutis.train.stage import train
from cutis.workspace import Workspace
if __name__ == "__main__":
    train(Workspace(Path({str(root)!r})), settings={settings!r}, name="struck")
"""
    checkpoints = root / ".versions" / "2_bundles" / "struck" / "partial" / "checkpoints"
    before = {path.name for path in checkpoints.glob("*.safetensors")}
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    process = subprocess.Popen([sys.executable, "-c", program], env=environment, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        if {path.name for path in checkpoints.glob("*.safetensors")} - before:
            break
        time.sleep(0.01)
    process.send_signal(blow)
    process.wait(timeout=60)
    assert process.returncode != 0
