"""What is written down of each case: the answer, what was asked, and the maps themselves."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cutis.explain.saliency.look import Look
from cutis.runtime.maps import FINAL, FUSED, Question, in_pass_maps
from cutis.vocabulary.case import Case
from cutis.vocabulary.files import stamp, written_aside
from cutis.vocabulary.taxonomy import Taxonomy

SHOWN = ("gradient", FINAL, FUSED)  # the methods that the figures draw large
MAPS = "maps.safetensors"


def title_of(case: Case, seen: Look, taxonomy: Taxonomy) -> str:
    """Return the title of a case's figure: truth, answer, and whom the maps are of where it is another."""
    truth = taxonomy[case.diagnosis].name if case.diagnosis else f"not settled ({case.indeterminate})"
    answer, asked = taxonomy.diseases[seen.answer], taxonomy.diseases[seen.question.diagnosis]
    line = f"answer: {answer.name}, probability {seen.probabilities[seen.answer]:.2f}"
    if asked != answer:
        line += f"; maps of {asked.name}, probability {seen.probabilities[seen.question.diagnosis]:.2f}"
    return f"{case.case_id}   truth: {truth}\n{line}"


def record_of(case: Case, seen: Look, taxonomy: Taxonomy, *, why: str) -> dict[str, Any]:
    """Return what saliency.json says of a case."""
    question, codes = seen.question, taxonomy.codes
    return {
        "case_id": case.case_id,
        "split": case.split,
        "why": why,
        "truth": case.diagnosis,
        "indeterminate": case.indeterminate,
        "answer": codes[seen.answer],
        "probability": float(seen.probabilities[seen.answer]),
        "maps_of": codes[question.diagnosis],
        "rather_than": None if question.rather_than is None else codes[question.rather_than],
        "file": f"saliency/{case.case_id}.png",
    }


def tensors_of(case: Case, seen: Look) -> dict[str, NDArray[np.float16]]:
    """Return the maps of a case by ``CASE_ID/map``, of all K diagnoses where they came with the answer.

    The gradient (S, S), and maps by methods that were asked for, are of the diagnosis asked for, and their greatest is
    1: as they are, half precision would lose them.
    """
    kinds = range(seen.outputs.logits.shape[1])
    by_kind = [in_pass_maps(seen.outputs, Question(kind)) for kind in kinds]
    tensors = {name: np.stack([maps[name] for maps in by_kind]) for name in by_kind[0]}
    for name, each in {"gradient": seen.gradient, **seen.asked}.items():
        tensors[name] = each / (np.abs(each).max() or 1)
    return {f"{case.case_id}/{name}": np.ascontiguousarray(each, np.float16) for name, each in tensors.items()}


def write_maps(
    path: Path, tensors: Mapping[str, NDArray[np.float16]], *, codes: Sequence[str], about: Mapping[str, Any]
) -> None:
    """Write maps as safetensors in half precision; the stamp says the order of the diagnoses."""
    from safetensors.numpy import save_file

    said = json.dumps(stamp("maps") | {"diagnoses": list(codes)} | dict(about))
    with written_aside(path) as aside:
        save_file(dict(tensors), aside, metadata={"stamp": said})
