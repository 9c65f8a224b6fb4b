"""What was left out was nowhere seen, and every figure of the page is measured and kept."""

import time
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from PIL import Image

from cutis.runtime.bundle import read_bundle
from cutis.runtime.engines import open_engine
from cutis.runtime.predict import outputs_of, probabilities
from cutis.runtime.trust import choose_acceptance, fit_reference, signals_of
from cutis.vocabulary.case import read_manifest
from cutis.vocabulary.files import sha256_of
from cutis.workspace import Workspace
from factories import a_bundle_folder, a_case, a_dataset, a_manifest


@pytest.fixture
def held_out(benchmark_named, monkeypatch):
    """The script, with few invented pictures."""
    script = benchmark_named("held_out")
    monkeypatch.setattr(script, "OF_EACH_FAMILY", 4)
    return script


@pytest.fixture
def bench(held_out, benchmark_named, tmp_path):
    """A bench on a toy dataset under the name of the real one, of which the diagnosis b may be left out."""
    makers = {
        "ham10000": lambda _, workspace: a_dataset(workspace, patients=108),
        "ham10000-without-b": partial(held_out.without, codes=("b",)),
    }
    return benchmark_named("trials").Bench(
        name="held_out",
        makers=makers,
        data=tmp_path,
        weights=tmp_path,
        work=tmp_path / "work",
        into=tmp_path / "into",
        until=time.monotonic() + 600,
    )


def manifest_of(workspace):
    return read_manifest(workspace.dataset.resolve() / "manifest.parquet")


def trained(held_out, bench):
    """An untrained network in place of a trained one, and its row."""
    trial = held_out.trial_of(bench, ("b",))
    workspace = bench.workspace(trial.dataset)
    learned_from = sha256_of(workspace.dataset.resolve() / "manifest.parquet")
    a_bundle_folder(workspace.root / "untrusted", classes=("a", "c"), dataset_sha256=learned_from)
    fields = watching(read_bundle(workspace.root / "untrusted"), workspace)
    a_bundle_folder(workspace.bundle(trial.bundle), classes=("a", "c"), dataset_sha256=learned_from, **fields)
    return trial, {"learned_from": learned_from}


def watching(bundle, workspace):
    """What a training gives a bundle to abstain by."""
    manifest, engine, dataset = manifest_of(workspace), open_engine(bundle), workspace.dataset.resolve()
    learned, own = (manifest.of_split(split) for split in ("train", "calibrate"))
    known, said = (
        outputs_of(engine, bundle, [dataset / case.image for case in cases.cases], what="test")
        for cases in (learned, own)
    )
    diagnosis = np.array([bundle.taxonomy.codes.index(code) for code in learned.column("diagnosis")])
    reference = fit_reference(known.features, diagnosis, kinds=2)
    chances = probabilities(bundle, said)
    signals = signals_of(said, reference, probabilities=chances, temperatures=bundle.temperatures)
    acceptance = choose_acceptance(signals, own.column("cluster_id"), cluster_kind="patient")
    return {"reference": reference, "acceptance": acceptance}


def test_each_diagnosis_is_left_out_in_turn_and_melanoma_with_actinic_keratosis(held_out):
    """Eight trainings that differ in nothing else."""
    assert len(held_out.LEFT_OUT) == len(held_out.TAXONOMY) + 1
    assert held_out.LEFT_OUT[-1] == ("mel", "akiec")


def test_what_is_left_out_is_in_no_split_and_no_word_of_the_taxonomy(held_out, bench):
    """The others stay where they were, and the network is known not to say it."""
    whole = manifest_of(bench.workspace("ham10000"))

    derived = manifest_of(bench.workspace("ham10000-without-b"))

    assert derived.taxonomy.codes == ("a", "c")
    assert "disease b" in derived.taxonomy.cannot_say
    assert derived.cases == tuple(case for case in whole.cases if case.diagnosis != "b")
    assert all((bench.workspace("ham10000-without-b").dataset / case.image).exists() for case in derived.cases)


def test_a_lesion_that_has_the_diagnosis_once_is_left_out_as_a_whole(held_out, bench, monkeypatch):
    """Else an own lesion would be a foreign one too."""
    workspace = bench.workspace("ham10000")
    mixed = [a_case(0, diagnosis="a"), a_case(1, diagnosis="b", cluster_id="patient0000"), a_case(2, diagnosis="c")]
    monkeypatch.setattr(held_out, "read_manifest", lambda _: a_manifest(mixed))

    held_out.without(bench, Workspace(workspace.root.parent / "derived"), codes=("b",))

    assert manifest_of(Workspace(workspace.root.parent / "derived")).column("case_id") == ["case0002"]


def test_every_figure_of_the_page_is_measured_and_kept(held_out, bench, monkeypatch):
    """Once measured, it is read from its row, without a look at the pictures."""
    trial, row = trained(held_out, bench)

    first = held_out.found_of(bench, trial, ("b",), row)
    monkeypatch.setattr(held_out, "measured", lambda *_: pytest.fail("measured again"))
    again = held_out.found_of(bench, trial, ("b",), row)

    assert again == first
    estimates = {name: held_out.Estimate(**said) for name, said in first["estimates"].items()}
    page = "\n".join(held_out.lines_of({("mel",): estimates}))
    assert "## The malignant that are told to be benign" in page
    assert "not available" not in page
    assert str(bench.work) not in page
    assert estimates["left out/answered"].clusters == 36
    assert 0 <= estimates["left out/distance/auroc"].value <= 1


def test_pictures_that_are_answered_anyway_are_counted(held_out, bench):
    """Here too few lesions are in calibrate for a threshold: the toy network answers everything, benign or not."""
    trial, row = trained(held_out, bench)

    estimates = held_out.found_of(bench, trial, ("b",), row)["estimates"]

    assert estimates["left out/answered"]["value"] == 1
    assert estimates["left out/called benign"] == estimates["left out/answered as benign"]
    assert estimates["own/accuracy"]["value"] == estimates["own/accuracy of answers"]["value"]


def test_without_time_nothing_is_measured(held_out, bench):
    """Nor where the training is not on this machine."""
    trial, row = trained(held_out, bench)

    assert held_out.found_of(replace(bench, until=None), trial, ("b",), row) is None
    assert held_out.found_of(bench, replace(trial, kind="k", settings={"size": 32}), ("b",), row) is None
    assert held_out.found_of(bench, trial, ("b",), None) is None


def test_pictures_that_are_no_dermoscopy_are_the_same_everywhere_and_all_different(held_out, tmp_path):
    """A few of each family; what is there is not drawn again."""
    once, again = (held_out.no_dermoscopy(tmp_path / name, of_each=3) for name in ("one", "other"))

    pixels = [np.asarray(Image.open(path)).tobytes() for path in once]
    assert len(set(pixels)) == 3 * len(held_out.FAMILIES)
    assert pixels == [np.asarray(Image.open(path)).tobytes() for path in again]
    changed = once[0].stat().st_mtime_ns
    assert held_out.no_dermoscopy(tmp_path / "one", of_each=3)[0].stat().st_mtime_ns == changed
