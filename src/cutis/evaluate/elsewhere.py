"""FROZEN BUNDLE + ANOTHER DATASET → EVIDENCE FROM ELSEWHERE.

The other dataset may know other diagnoses. Cases of those that both know are read in two ways. *As it is*: an answer
that the other dataset does not know is wrong, as it would be in that clinic. *Restricted*: the probabilities of the
common diagnoses are made to sum to one, as if the network knew no others; this is optimistic, since nobody there could
tell it so. Cases of any other diagnosis are foreign: no answer to them can be right, and it is asked how sure the
network is all the same, and whether it calls them malignant.

Nothing was learned from the other dataset, so that all of its settled cases are a test, whatever their split.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cutis.evaluate.decisions import PREVALENCES, checked_prevalences
from cutis.evaluate.elsewhere_material import Elsewhere, open_elsewhere
from cutis.evaluate.elsewhere_record import FindingsElsewhere, tell_elsewhere, write_elsewhere
from cutis.evaluate.evidence import SEED, Evidence, chance_of_rounds, evidence_of, predictions_of
from cutis.evaluate.findings import malignant_among, measured_of
from cutis.evaluate.material import Material
from cutis.evaluate.openings import record_opening, registration_of
from cutis.evaluate.readings import ForeignDiagnosis, foreign_diagnoses, foreign_estimates, restricted_to, subset_of
from cutis.runtime.engines import Engine, open_engine
from cutis.runtime.predict import answers_of, outputs_of, probabilities
from cutis.vocabulary.case import Manifest
from cutis.vocabulary.chance import chance
from cutis.vocabulary.estimate import Estimate
from cutis.vocabulary.files import write_sums
from cutis.vocabulary.outputs import Outputs
from cutis.vocabulary.predictions import Predictions
from cutis.vocabulary.registration import Registration
from cutis.workspace import Finished, Workspace

LEDGER = "elsewhere"  # the folder of its ledger, beside that of the home test
BYTES_PER_CASE = 2**11  # probabilities of a hundred diagnoses, twice


def evaluate_elsewhere(
    workspace: Workspace,
    name: str,
    other: Path,
    *,
    only_test: bool = False,
    prevalences: Sequence[float] = (),
    again: bool = False,
) -> Finished:
    """Let a bundle answer the cases of another dataset, and measure the answers; the opening is recorded.

    Args:
        workspace: holds the bundle, and the dataset that it learned from, if it is still there.
        name: of the bundle.
        other: another workspace, or its dataset.
        only_test: leave out all splits but the other dataset's test.
        prevalences: of malignancy where the answers are to be used; some usual ones, if not given.
        again: make a new version where this evaluation exists.

    Raises:
        UserError: see `open_elsewhere`; the evaluation exists, no space left, or a damaged ledger of openings.
        SafetyRefusal: the bundle learned from some of the pictures.
    """
    elsewhere = open_elsewhere(workspace, name, other, only_test=only_test)
    target = workspace.evaluation(name).with_name(f"{name}@{elsewhere.called}")
    workspace.refuse_to_overwrite(target, again=again)
    engine = open_engine(elsewhere.material.bundle)
    cases = len(elsewhere.material.settled) + len(elsewhere.foreign)
    with workspace.new_version(target, again=again, needs=BYTES_PER_CASE * cases) as folder:
        there = examine_elsewhere(
            elsewhere,
            engine,
            ledger=workspace.private / LEDGER,
            prevalences=checked_prevalences(prevalences) or PREVALENCES,
        )
        write_elsewhere(folder, elsewhere, there)
        write_sums(folder)
    return tell_elsewhere(elsewhere, there, wrote=target)


def examine_elsewhere(
    elsewhere: Elsewhere, engine: Engine, *, ledger: Path, prevalences: Sequence[float] = PREVALENCES
) -> FindingsElsewhere:
    """Record the opening in the ledger's folder, let the bundle answer all settled cases, and measure.

    The ledger is one of its own, beside that of the home test, which is no further opened by this.
    """
    material, bundle = elsewhere.material, elsewhere.material.bundle
    registration = _opened(material, ledger)
    outputs = _said(material, engine, material.settled, what="predicting known diagnoses")
    answers = answers_of(bundle, outputs)
    known = replace(predictions_of(material.settled, answers.probabilities, rater=bundle.name), split=elsewhere.split)
    foreign, estimates, by_diagnosis = None, dict[str, Estimate](), tuple[ForeignDiagnosis, ...]()
    if len(elsewhere.foreign):
        of_foreign = _said(material, engine, elsewhere.foreign, what="predicting foreign diagnoses")
        foreign = _without_truth(known, elsewhere.foreign, probabilities(bundle, of_foreign))
        malignant, generator = np.array(bundle.taxonomy.malignant), chance(SEED, "foreign", material.dataset_sha256)
        estimates = foreign_estimates(known, foreign, elsewhere.foreign, malignant=malignant, generator=generator)
        by_diagnosis = foreign_diagnoses(foreign, elsewhere.foreign, malignant=malignant, generator=generator)
    return FindingsElsewhere(
        known=known,
        outputs=outputs,
        measured=measured_of(
            bundle,
            material.settled,
            known,
            answers=answers,
            dataset_sha256=material.dataset_sha256,
            prevalences=prevalences,
        ),
        restricted=_restricted(elsewhere, known),
        foreign=foreign,
        foreign_estimates=estimates,
        foreign_diagnoses=by_diagnosis,
        registration=registration,
    )


def _opened(material: Material, ledger: Path) -> Registration:
    """Write the opening down, and return how often this dataset was opened by any bundle, now among them."""
    ledger.mkdir(mode=0o700, parents=True, exist_ok=True)
    dataset = material.dataset_sha256
    bundle = material.bundle
    record_opening(ledger, bundle=bundle.name, weights_sha256=bundle.weights_sha256, dataset_sha256=dataset)
    return registration_of(ledger, protocol_sha256=None, dataset_sha256=dataset)


def _said(material: Material, engine: Engine, cases: Manifest, *, what: str) -> Outputs[NDArray[np.float32]]:
    return outputs_of(engine, material.bundle, material.pictures(cases), what=what)


def _without_truth(known: Predictions, cases: Manifest, chances: NDArray[np.float64]) -> Predictions:
    ids, clusters = tuple(cases.column("case_id")), tuple(cases.column("cluster_id"))
    return replace(known, case_ids=ids, cluster_ids=clusters, truth=None, probabilities=chances)


def _evidence(material: Material, said: Predictions) -> Evidence:
    by_code = dict(zip(material.bundle.taxonomy.codes, material.bundle.thresholds.values, strict=True))
    taxonomy, thresholds = material.bundle.taxonomy, np.array([by_code[code] for code in said.codes])
    return evidence_of(
        said,
        thresholds=thresholds,
        generator=chance_of_rounds(material.dataset_sha256),
        malignant=malignant_among(subset_of(taxonomy, said.codes)),
        malignant_threshold=material.bundle.thresholds.malignant,
    )


def _restricted(elsewhere: Elsewhere, known: Predictions) -> Evidence | None:
    """Measure the second reading; where all diagnoses are common, it is the first."""
    if len(elsewhere.codes) < 2:  # noqa: PLR2004  one diagnosis alone would always be right
        return None
    taxonomy = elsewhere.material.bundle.taxonomy
    said = known if elsewhere.codes == known.codes else restricted_to(known, elsewhere.codes, taxonomy)
    return _evidence(elsewhere.material, said)
