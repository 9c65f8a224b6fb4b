"""Makes valid things; a test names only what it is about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from cutis.vocabulary.case import Case, Manifest
from cutis.vocabulary.predictions import Predictions
from cutis.vocabulary.taxonomy import Disease, Taxonomy


def a_taxonomy(codes: Sequence[str] = ("a", "b", "c")) -> Taxonomy:
    """A taxonomy of invented diseases; the last one is malignant."""
    diseases = tuple(
        Disease(code=code, name=f"disease {code}", abbreviation=code.upper(), malignant=code == codes[-1])
        for code in codes
    )
    return Taxonomy(name="invented", title="Invented diseases", diseases=diseases)


def a_case(number: int = 0, **fields: Any) -> Case:
    """A settled case of its own patient."""
    plain: dict[str, Any] = {
        "case_id": f"case{number:04d}",
        "image": f"images/case{number:04d}.png",
        "sha256": f"{number:064x}",
        "cluster_id": f"patient{number:04d}",
        "patient_id": f"patient{number:04d}",
        "lesion_id": f"lesion{number:04d}",
        "diagnosis": "a",
        "split": "train",
    }
    return Case(**plain | fields)


def a_manifest(cases: Sequence[Case] = (), **fields: Any) -> Manifest:
    """A manifest of these cases."""
    plain: dict[str, Any] = {
        "cases": tuple(cases),
        "taxonomy": a_taxonomy(),
        "cluster_kind": "patient",
        "source": "invented for a test",
        "licence": "CC0-1.0",
    }
    return Manifest(**plain | fields)


def some_predictions(
    *, cases: int = 60, codes: Sequence[str] = ("a", "b", "c"), seed: int = 0, **fields: Any
) -> Predictions:
    """Predictions that are right more often than not; two cases per patient."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, len(codes), cases)
    logits = random.normal(size=(cases, len(codes))) + 1.5 * np.eye(len(codes))[truth]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    plain: dict[str, Any] = {
        "case_ids": tuple(f"case{n:04d}" for n in range(cases)),
        "cluster_ids": tuple(f"patient{n // 2:04d}" for n in range(cases)),
        "cluster_kind": "patient",
        "truth": truth.astype(np.int64),
        "probabilities": probabilities,
        "codes": tuple(codes),
        "taxonomy_sha256": a_taxonomy(codes).sha256,
        "split": "test",
        "rater": "invented",
    }
    return Predictions(**plain | fields)


def a_picture(*, width: int = 128, height: int = 96, seed: int = 0) -> Image.Image:
    """A sharp, well-lit picture of smooth shapes with texture."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    waves = sum(
        np.sin(x * random.uniform(0.05, 0.4) + y * random.uniform(0.05, 0.4) + random.uniform(0, 6)) for _ in range(4)
    )
    base = np.array([190.0, 140.0, 120.0]) + waves[..., None] * np.array([12.0, 15.0, 14.0])
    noise = random.normal(scale=6, size=(height, width, 1))
    return Image.fromarray(np.clip(base + noise, 0, 255).astype(np.uint8))
