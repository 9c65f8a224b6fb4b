"""Releases that stand open without a file: an engine is a lambda, and what it is held against is invented."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cutis.runtime.bundle import Bundle
from cutis.runtime.trust import choose_acceptance, fit_reference, signals_of
from cutis.serve.answering.opened import OpenRelease
from cutis.vocabulary.outputs import Outputs
from factories import a_bundle, an_engine

CLUSTERS = 400  # of invented pictures that nothing was learned from


def an_open_release(bundle: Bundle | None = None, **fields: Any) -> OpenRelease:
    """A release of this bundle, or of an invented one."""
    bundle = bundle or a_bundle()
    plain: dict[str, Any] = {
        "name": bundle.name,
        "sha256": "1" * 64,
        "weights_sha256": bundle.weights_sha256,
        "answers_by": "onnxruntime-fp32",
        "signed_by": None,
        "bundle": bundle,
        "taxonomy": bundle.taxonomy,
        "folder": Path("nowhere"),
        "maps": ("final",),
        "engine": an_engine(),
        "index": None,
        "atlas": None,
        "reference": None,
        "thumbnail": lambda _: None,
    }
    return OpenRelease(**plain | fields)


def outputs_for(logits: Any, *, features: Any = (0.0, 0.0, 1.0)) -> Outputs[NDArray[np.float32]]:
    """What a network without auxiliary classifiers says of one picture."""
    given = np.array([logits], np.float32)
    maps = (np.zeros((1, given.shape[1], 4, 4), np.float32),)
    return Outputs(logits=given, auxiliary_logits=(), features=np.array([features], np.float32), maps=maps)


def a_watchful_bundle(**fields: Any) -> Bundle:
    """A bundle that learned features around (0, 0, 1) and answers 95 % of pictures like those, sure or not."""
    random, bundle = np.random.default_rng(0), a_bundle(**fields)

    def some(number: int) -> Outputs[NDArray[np.float32]]:
        features = np.array([0, 0, 1]) + random.normal(scale=0.1, size=(number, 3))
        return Outputs(
            logits=random.normal(size=(number, 3)).astype(np.float32) * 2,
            auxiliary_logits=(),
            features=features.astype(np.float32),
            maps=None,
        )

    learned = some(CLUSTERS)
    reference = fit_reference(learned.features, np.arange(CLUSTERS) % 3, kinds=3)
    held_back = some(CLUSTERS)
    chances = np.exp(held_back.logits) / np.exp(held_back.logits).sum(axis=1, keepdims=True)
    signals = signals_of(held_back, reference, probabilities=chances.astype(np.float64), temperatures=(1.0,))
    acceptance = choose_acceptance(signals, [str(n) for n in range(CLUSTERS)], cluster_kind="patient")
    return a_bundle(**fields | {"reference": reference, "acceptance": acceptance, "temperatures": bundle.temperatures})
