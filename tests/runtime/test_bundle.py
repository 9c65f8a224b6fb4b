"""A bundle is read only when every byte of it is what training wrote."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from cutis.runtime.bundle import AS_SAID, read_bundle
from cutis.runtime.neighbours import read_index
from cutis.runtime.trust import choose_acceptance, combined, fit_reference, signals_of
from cutis.stats.calibration import softmax
from cutis.stats.conformal import fit_set_thresholds
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import write_sums
from cutis.vocabulary.outputs import Outputs
from factories import a_bundle_folder, with_training_cases


@pytest.fixture
def folder(tmp_path):
    return a_bundle_folder(tmp_path / "bundle")


def test_a_bundle_reads_back(folder):
    """What was fitted and what must travel along are there again."""
    bundle = read_bundle(folder)

    assert bundle.taxonomy.codes == ("a", "b", "c")
    assert bundle.temperature == bundle.temperatures[-1]
    assert bundle.licence


@pytest.mark.parametrize("name", ["weights.safetensors", "bundle.json", "config.toml", "history.jsonl", "SHA256SUMS"])
def test_one_changed_byte_anywhere_is_refused(folder, name):
    """Not a bit of what answers for patients changes unseen."""
    random = np.random.default_rng(0)
    content = (folder / name).read_bytes()
    for place in random.integers(0, len(content), size=8):
        changed = bytearray(content)
        changed[place] ^= 1 << int(random.integers(0, 8))
        (folder / name).write_bytes(bytes(changed))

        with pytest.raises(UserError):
            read_bundle(folder)


def test_a_file_too_many_is_refused(folder):
    """What training did not write does not belong there."""
    (folder / "extra.bin").write_bytes(b"?")

    with pytest.raises(UserError, match=r"extra\.bin"):
        read_bundle(folder)


def test_a_missing_file_is_refused(folder):
    """Half a bundle is none."""
    (folder / "config.toml").unlink()

    with pytest.raises(UserError, match=r"config\.toml"):
        read_bundle(folder)


def test_a_missing_bundle_says_what_to_run(tmp_path):
    """A wrong name is one clear error."""
    with pytest.raises(UserError, match="cutis train"):
        read_bundle(tmp_path / "nothing")


def test_every_answer_of_an_invented_bundle_says_so(folder):
    """A toy is never taken for a tool."""
    bundle = replace(read_bundle(folder), invented=True)

    assert any("invented pictures" in warning for warning in bundle.warnings)
    assert any("Not a medical device" in warning for warning in bundle.warnings)


def test_a_network_that_was_taught_another_mix_says_so(folder):
    """A probability means what it means for the mix that was taught."""
    bundle = read_bundle(folder)

    assert not any("archive" in warning for warning in bundle.warnings)
    assert any("more frequent than in the archive" in warning for warning in replace(bundle, balanced=1.0).warnings)


def test_what_the_taxonomy_cannot_say_stands_beside_every_answer(folder):
    """A network without melanoma says that a benign answer does not exclude it."""
    bundle = read_bundle(folder)
    speaking = replace(bundle, taxonomy=replace(bundle.taxonomy, cannot_say=("melanoma",)))

    assert any("melanoma" in warning and "does not exclude" in warning for warning in speaking.warnings)


def test_the_description_is_plain_json_with_its_format(folder):
    """A stranger can read it without us."""
    said = json.loads((folder / "bundle.json").read_text())

    assert said["kind"] == "bundle"
    assert said["format"] == 4
    assert said["made_with"]["threads"] >= 1


def test_what_watches_over_the_answers_reads_back(tmp_path):
    """Sets, reference and acceptance are the same to the bit: the same picture is refused here and there."""
    random = np.random.default_rng(0)
    features, truth = random.normal(size=(90, 5)).astype(np.float32), np.arange(90) % 3
    reference = fit_reference(features, truth, kinds=3)
    outputs = Outputs(logits=features[:, :3], auxiliary_logits=(), features=features, maps=None)
    signals = signals_of(outputs, reference, probabilities=softmax(features[:, :3]), temperatures=(1.0,))
    acceptance = choose_acceptance(signals, [f"patient{n}" for n in range(90)], cluster_kind="patient")
    sets = fit_set_thresholds(softmax(features[:, :3]), truth, of_case=np.arange(90), method="LAC")
    fields = {"sets": (sets,), "reference": reference, "acceptance": acceptance}

    bundle = read_bundle(a_bundle_folder(tmp_path / "bundle", **fields))

    assert bundle.sets == (sets,)
    assert bundle.acceptance.abstain_above == acceptance.abstain_above
    np.testing.assert_array_equal(combined(signals, bundle.acceptance), combined(signals, acceptance))
    np.testing.assert_array_equal(bundle.reference.learned.means, reference.learned.means)


def test_a_bundle_says_of_which_prevalences_its_probabilities_are(tmp_path):
    """One of the third format that was written before it could say so still answers."""
    folder = a_bundle_folder(tmp_path / "bundle", mix=(0.5, 0.3, 0.2))
    read = read_bundle(folder)

    said = json.loads((folder / "bundle.json").read_text())
    del said["mix"]
    (folder / "bundle.json").write_text(json.dumps(said))
    write_sums(folder)

    assert read.mix == (0.5, 0.3, 0.2)
    assert read_bundle(folder).mix == ()


def test_a_bundle_that_cannot_abstain_says_so(folder):
    """Who reads an answer knows that nothing looked at the picture first."""
    assert any("answers every picture" in warning for warning in read_bundle(folder).warnings)


def test_a_bundle_of_the_second_format_still_answers(folder):
    """Then there was no map after the temperatures, no prediction set and no abstention."""
    said = json.loads((folder / "bundle.json").read_text())
    for key in ("recalibration", "sets", "acceptance"):
        del said[key]
    del said["thresholds"]["malignant"]
    (folder / "bundle.json").write_text(json.dumps(said | {"format": 2}))
    write_sums(folder)

    bundle = read_bundle(folder)

    assert (bundle.recalibration, bundle.sets, bundle.acceptance) == (AS_SAID, (), None)
    assert bundle.thresholds.malignant is None


def test_a_bundle_of_the_first_format_still_answers(folder):
    """What was trained with an earlier version is one network, one view, one speaker."""
    said = json.loads((folder / "bundle.json").read_text())
    for key in ("speaking", "temperature_of_mean", "views", "balanced", "members", "best_epochs", "recalibration"):
        del said[key]
    (folder / "bundle.json").write_text(json.dumps(said | {"format": 1, "best_epoch": 4}))
    write_sums(folder)

    bundle = read_bundle(folder)

    assert (bundle.speaking, bundle.views, bundle.members, bundle.best_epochs) == (1, 1, 1, (4,))


def test_a_bundle_of_the_third_format_has_no_training_cases(folder):
    """It answers as it did, and says so where similar cases are asked for."""
    said = json.loads((folder / "bundle.json").read_text())
    del said["likeness"]
    (folder / "bundle.json").write_text(json.dumps(said | {"format": 3}))
    write_sums(folder)

    bundle = read_bundle(folder)

    assert bundle.likeness is None
    with pytest.raises(UserError, match="carries no training cases"):
        read_index(bundle.neighbours)


def test_training_cases_may_be_taken_out_of_a_bundle_and_nothing_else(folder):
    """So that it can leave the house without a row of any patient; put back changed, they are refused."""
    with_training_cases(folder)
    assert read_bundle(folder).likeness.cases == 12
    kept = (folder / "neighbours.safetensors").read_bytes()

    (folder / "neighbours.safetensors").unlink()

    assert read_bundle(folder).likeness.cases == 12
    (folder / "neighbours.safetensors").write_bytes(kept[:-1] + b"?")
    with pytest.raises(UserError, match=r"neighbours\.safetensors"):
        read_bundle(folder)


def test_what_is_said_of_training_cases_names_none_of_them(folder):
    """bundle.json stays in the bundle when they are taken out."""
    with_training_cases(folder)

    said = (folder / "bundle.json").read_text()

    assert "patient0" not in said
    assert "case0" not in said
