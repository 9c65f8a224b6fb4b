"""Reader studies for tests: published ones from beside the checkout, and invented ones."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Published(NamedTuple):
    """Treatments × readers × cases."""

    truth: NDArray[np.int64]  # (N,)
    scores: NDArray[np.float64]  # (T, R, N)


def published(path: Path) -> Published:
    """Read a study with one row per reading."""
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    treatments, readers, cases = (
        {name: place for place, name in enumerate(sorted({row[column] for row in rows}, key=int))}
        for column in ("treatment", "reader", "case")
    )
    scores = np.full((len(treatments), len(readers), len(cases)), np.nan)
    truth = np.zeros(len(cases), dtype=np.int64)
    for row in rows:
        case = cases[row["case"]]
        scores[treatments[row["treatment"]], readers[row["reader"]], case] = float(row["rating"])
        truth[case] = int(row["truth"])
    return Published(truth, scores)


class Standalone(NamedTuple):
    """A network and its readers."""

    truth: NDArray[np.int64]
    network: NDArray[np.float64]
    readers: NDArray[np.float64]


def seeded_standalone() -> Standalone:
    """The study of a network that the oracles give a seed for: 200 diseased and 800 healthy cases, ten readers."""
    random = np.random.RandomState(1987)
    truth = np.repeat([1, 0], [200, 800])
    case = random.randn(len(truth))
    readers = []
    for _ in range(10):
        reader, own = random.randn(2), random.randn(len(truth))
        bias = 0.075 * (reader[0] * (1 - truth) + reader[1] * truth)
        readers.append(truth + bias + 0.6 * case + np.sqrt(1 - 0.6**2) * own)
    return Standalone(truth, truth + case, np.stack(readers))


def hard_labels(*, readers: int, cases: int, share: float, seed: int = 0) -> Standalone:
    """A network and readers who are right equally often; a case is hard for all of them."""
    random = np.random.default_rng(seed)
    right = random.normal(size=(readers + 1, cases)) + random.normal(size=cases) < share
    return Standalone(np.ones(cases, dtype=np.int64), right[0].astype(float), right[1:].astype(float))
